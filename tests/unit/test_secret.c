/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/setting.h"
#include "base/str.h"
#include "fixture.h"
#include "sec/harden.h"
#include "sec/secret.h"
#include "sec/totp.h"

#define ROW "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
/* Made by the reference. */
#define SEALED                                                                                                               \
	"{\"key_id\":\"k1\",\"alg\":\"aes-gcm-hkdf\",\"data\":\"g8PWv51RvHiRGpvPAjse5oRRSm5EaFYek7s35ZA=\",\"nonce\":\"Qz2D" \
	"AuazKufr8/T4\"}"
#define PLAIN "$2a$10$secret"

static struct setting_pair keys[] = { { "k0", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }, { "k1", KEY }, { NULL, NULL } };
static struct settings settings;

static int
sealing_setup(void **state)
{
	settings = (struct settings){
		.gotrue_security_db_encryption_encrypt = true,
		.gotrue_security_db_encryption_encryption_key_id = "k1",
		.gotrue_security_db_encryption_encryption_key = KEY,
		.gotrue_security_db_encryption_decryption_keys = keys,
	};
	cfg = &settings;
	return (arena_setup(state));
}

#define sealing_test(test) cmocka_unit_test_setup_teardown(test, sealing_setup, arena_teardown)

static void
assert_bytes(void **state, const void *got, size_t len, const char *hex)
{
	assert_string_equal(hex_encode(*state, got, len), hex);
}

/* FIPS 180, RFC 7636. */
static void
test_digests(void **state)
{
	unsigned char out[DIGEST_MAX];

	assert_string_equal(sha256_hex(*state, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(sha224_hex(*state, "abc"), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
	assert_string_equal(sha256_hex(*state, ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(sha256_base64url(*state, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
	    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
	assert_int_equal(digest_make(DIGEST_SHA1, (struct bytes){ "abc", 3 }, out), 20);
	assert_bytes(state, out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

/* RFC 4231 cases 1 and 2, RFC 2202 case 2; an empty key must not mean the key before. */
static void
test_hmac(void **state)
{
	unsigned char key[20], mac[DIGEST_MAX], again[DIGEST_MAX];

	memset(key, 0x0b, sizeof(key));
	hmac_sha256(key, sizeof(key), "Hi There", 8, mac);
	assert_bytes(state, mac, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_int_equal(hmac_make(DIGEST_SHA512, (struct bytes){ "Jefe", 4 }, (struct bytes){ "what do ya want for nothing?", 28 }, mac),
	    64);
	assert_bytes(state, mac, 64,
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, mac);
	assert_bytes(state, mac, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	hmac_sha256(key, sizeof(key), "x", 1, mac);
	hmac_sha256(NULL, 0, "x", 1, again);
	assert_memory_not_equal(mac, again, SHA256_LEN);
}

/* RFC 5869 case 3. */
static void
test_hkdf(void **state)
{
	unsigned char key[22], out[42];

	memset(key, 0x0b, sizeof(key));
	hkdf_sha256(key, sizeof(key), "", out, sizeof(out));
	assert_bytes(state, out, sizeof(out), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void
test_random_texts(void **state)
{
	char *otp = secret_otp(*state, 6), *token = secret_alphanumeric(*state, 12);

	assert_int_equal(strlen(otp), 6);
	assert_int_equal(strspn(otp, "0123456789"), 6);
	assert_int_equal(strlen(token), 12);
	assert_int_equal(strspn(token, "abcdefghijklmnopqrstuvwxyz234567"), 12);
	assert_int_equal(strlen(secret_alphanumeric(*state, 3)), 8);
	assert_int_equal(strlen(secret_token(*state, 32)), 43);
	assert_string_not_equal(secret_token(*state, 32), secret_token(*state, 32));
}

static void
test_equal(void **state)
{
	(void)state;
	assert_true(secret_equal("abc", "abd", 2) && !secret_equal("abc", "abd", 3));
	assert_true(secret_equal_text("", "") && secret_equal_text("ab", "ab"));
	assert_true(!secret_equal_text("ab", "abc") && !secret_equal_text("ab", "ac"));
}

static void
test_gcm(void **state)
{
	unsigned char key[32] = "0123456789abcdef0123456789abcdef";
	struct bytes aad = { "row", 3 }, other = { "rox", 3 }, none = { NULL, 0 };
	struct bytes sealed = gcm_seal(*state, key, aad, (struct bytes){ "text", 4 }), opened = gcm_open(*state, key, aad, sealed);

	assert_int_equal(sealed.len, GCM_NONCE + 4 + GCM_TAG);
	assert_int_equal(opened.len, 4);
	assert_string_equal(opened.data, "text");
	assert_null(gcm_open(*state, key, other, sealed).data);
	assert_null(gcm_open(*state, key, none, sealed).data);
	sealed.len--;
	assert_null(gcm_open(*state, key, aad, sealed).data);
	sealed.len = GCM_NONCE;
	assert_null(gcm_open(*state, key, aad, sealed).data);
	sealed = gcm_seal(*state, key, none, none);
	assert_non_null(gcm_open(*state, key, none, sealed).data);
	key[0] ^= 1;
	assert_null(gcm_open(*state, key, none, sealed).data);
}

static void
test_unseal_of_the_reference(void **state)
{
	bool reseal = true;

	assert_string_equal(secret_unseal(*state, ROW, SEALED, &reseal), PLAIN);
	assert_false(reseal);
	assert_null(secret_unseal(*state, UUID_NIL, SEALED, NULL));
	settings.gotrue_security_db_encryption_encryption_key_id = "k0";
	assert_non_null(secret_unseal(*state, ROW, SEALED, &reseal));
	assert_true(reseal);
	assert_null(secret_unseal(*state, ROW, str_replace(*state, SEALED, "k1", "k0"), NULL));
	assert_null(secret_unseal(*state, ROW, str_replace(*state, SEALED, "k1", "k2"), NULL));
}

static void
test_plain_stays(void **state)
{
	static const char *const plain[] = { "", PLAIN, "{", "{}",
		"{\"key_id\":\"k1\",\"alg\":\"x\",\"data\":\"AAAA\",\"nonce\":\"AAAAAAAAAAAAAAAA\"}",
		"{\"key_id\":\"k1\",\"alg\":\"aes-gcm-hkdf\",\"data\":\"AAAA\",\"nonce\":\"AAAA\"}" };
	bool reseal = false;

	for (size_t i = 0; i < LENGTH(plain); i++) {
		assert_string_equal(secret_unseal(*state, ROW, plain[i], &reseal), plain[i]);
		assert_true(reseal);
	}
	settings.gotrue_security_db_encryption_encrypt = false;
	assert_string_equal(secret_seal(*state, ROW, PLAIN), PLAIN);
	assert_string_equal(secret_unseal(*state, ROW, PLAIN, &reseal), PLAIN);
	assert_false(reseal);
}

static void
test_seal_and_unseal(void **state)
{
	char *sealed = secret_seal(*state, ROW, PLAIN);

	assert_true(str_starts(sealed, "{\"key_id\":\"k1\",\"alg\":\"aes-gcm-hkdf\",\"data\":\""));
	assert_string_equal(secret_unseal(*state, ROW, sealed, NULL), PLAIN);
	assert_string_not_equal(secret_seal(*state, ROW, PLAIN), sealed);
}

static void
test_keys_check(void **state)
{
	assert_null(secret_keys_check(*state));
	settings.gotrue_security_db_encryption_encryption_key_id = "k2";
	assert_non_null(secret_keys_check(*state));
	settings.gotrue_security_db_encryption_encryption_key_id = "";
	assert_non_null(secret_keys_check(*state));
	settings.gotrue_security_db_encryption_encrypt = false;
	assert_null(secret_keys_check(*state));
	keys[0].value = "AAAA";
	assert_non_null(secret_keys_check(*state));
}

static void
test_harden(void **state)
{
	struct rlimit limit;
	mode_t before = umask(0);

	(void)state;
	harden_process();
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_int_equal(limit.rlim_max, 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(umask(before), 077);
}

/* RFC 6238 appendix B, the last six of its digits. */
static void
test_totp(void **state)
{
	static const char secret[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
	static const struct {
		int64_t seconds;
		const char *code;
	} rows[] = { { 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" }, { 1234567890, "005924" },
		{ 2000000000, "279037" }, { 20000000000, "353130" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t step = rows[i].seconds / TOTP_PERIOD, begin = step * TOTP_PERIOD;

		assert_int_equal(totp_step(*state, secret, rows[i].code, rows[i].seconds), step);
		assert_int_equal(totp_step(*state, secret, rows[i].code, begin - TOTP_PERIOD), step);
		assert_int_equal(totp_step(*state, secret, rows[i].code, begin + 2 * TOTP_PERIOD - 1), step);
		assert_int_equal(totp_step(*state, secret, rows[i].code, begin + 2 * TOTP_PERIOD), 0);
	}
	assert_int_equal(totp_step(*state, secret, "28708", 59), 0);
	assert_int_equal(totp_step(*state, secret, "2870820", 59), 0);
	assert_int_equal(totp_step(*state, "", "287082", 59), 0);
	assert_int_equal(totp_step(*state, "not base32", "287082", 59), 0);
	assert_int_equal(strlen(totp_secret(*state)), 32);
	assert_string_not_equal(totp_secret(*state), totp_secret(*state));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_digests),
		arena_test(test_hmac),
		arena_test(test_hkdf),
		arena_test(test_random_texts),
		arena_test(test_totp),
		cmocka_unit_test(test_equal),
		arena_test(test_gcm),
		sealing_test(test_unseal_of_the_reference),
		sealing_test(test_plain_stays),
		sealing_test(test_seal_and_unseal),
		sealing_test(test_keys_check),
		cmocka_unit_test(test_harden),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
