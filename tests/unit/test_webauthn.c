/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "fixture.h"
#include "sec/webauthn.h"
#include "webauthn_vectors.h"
#include "made_vectors.h" /* of the same struct */

static char *origins[] = { "https://other.example", "https://example.org", "android:apk-key-hash:AbC", NULL };

static struct bytes
unhex(struct arena *arena, const char *hex)
{
	struct bytes bytes = { NULL, 0 };

	bytes.data = hex_decode(arena, hex, &bytes.len);
	assert_non_null(bytes.data);
	return (bytes);
}

static struct webauthn_expected
expected_of(struct arena *arena, const char *challenge)
{
	struct bytes bytes = unhex(arena, challenge);

	return ((struct webauthn_expected){ base64url_encode(arena, bytes.data, bytes.len), "example.org", origins, false });
}

static const char *
registration_try(struct arena *arena, struct webauthn_registration registration, const char *challenge,
    struct webauthn_credential *credential)
{
	struct webauthn_expected expected = expected_of(arena, challenge);
	const char *why = webauthn_registration_read(arena, &registration);

	return (why == NULL ? webauthn_registration_verify(arena, &registration, &expected, credential) : why);
}

static const char *
vector_register(struct arena *arena, const struct vector *vector, struct webauthn_credential *credential)
{
	struct webauthn_registration registration = { unhex(arena, vector->id), unhex(arena, vector->create_client_data),
		unhex(arena, vector->attestation_object) };

	return (registration_try(arena, registration, vector->create_challenge, credential));
}

static const char *
vector_assert(struct arena *arena, const struct vector *vector, struct webauthn_credential *credential)
{
	struct webauthn_expected expected = expected_of(arena, vector->get_challenge);
	struct webauthn_assertion assertion = { unhex(arena, vector->id), unhex(arena, vector->get_client_data),
		unhex(arena, vector->authenticator_data), unhex(arena, vector->signature) };
	const char *why = webauthn_assertion_read(arena, &assertion);

	return (why == NULL ? webauthn_assertion_verify(arena, &assertion, &expected, credential) : why);
}

/* libfido2 does not do the tpm attestation of this algorithm; the formats of Android and Apple are not taken at all. */
static const char *
vector_refused(const struct vector *vector)
{
	if (str_equal(vector->format, "tpm"))
		return ("signature of attestation");
	return (str_starts(vector->format, "a") ? "attestation format" : NULL);
}

static void
test_vectors(void **state)
{
	for (size_t i = 0; i < LENGTH(vectors); i++) {
		struct webauthn_credential credential = { .id = unhex(*state, vectors[i].id) };

		assert_text_or_null(vector_register(*state, &vectors[i], &credential), vector_refused(&vectors[i]));
		if (vector_refused(&vectors[i]) != NULL)
			continue;
		assert_string_equal(credential.format, vectors[i].format);
		assert_null(vector_assert(*state, &vectors[i], &credential));
	}
}

static void
test_all_algorithms_and_attestations(void **state)
{
	for (size_t i = 0; i < LENGTH(made_vectors); i++) {
		struct webauthn_credential credential = { 0 };

		assert_null(vector_register(*state, &made_vectors[i], &credential));
		assert_string_equal(credential.format, made_vectors[i].format);
		assert_string_equal(credential.aaguid, "00010203-0405-0607-0809-0a0b0c0d0e0f");
		assert_int_equal(credential.sign_count, 1);
		assert_null(vector_assert(*state, &made_vectors[i], &credential));
		assert_int_equal(credential.sign_count, 2);
	}
}

static void
test_attestations_that_do_not_hold(void **state)
{
	for (size_t i = 0; i < LENGTH(refused_vectors); i++) {
		const struct refused_vector *vector = &refused_vectors[i];
		struct webauthn_registration registration = { unhex(*state, vector->id), unhex(*state, vector->client_data),
			unhex(*state, vector->attestation_object) };
		struct webauthn_credential credential;
		const char *why = registration_try(*state, registration, vector->challenge, &credential);

		if (!str_equal(why, vector->why))
			fail_msg("%zu, %s: %s, not %s", i, vector->about, str_or(why, "taken"), vector->why);
	}
}

/* A copy of exactly that length, so that a sanitizer sees what reads on. */
static struct bytes
exact_copy(struct arena *arena, struct bytes bytes, size_t len)
{
	void *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes.data, len);
	arena_defer(arena, free, copy);
	return ((struct bytes){ copy, len });
}

static struct bytes
bit_flipped(struct arena *arena, struct bytes bytes, size_t bit)
{
	struct bytes copy = exact_copy(arena, bytes, bytes.len);

	((unsigned char *)(uintptr_t)copy.data)[bit / 8] ^= (unsigned char)(1 << bit % 8);
	return (copy);
}

static void
truncations_try(struct arena *arena, const struct vector *vector)
{
	struct bytes client_data = unhex(arena, vector->create_client_data), object = unhex(arena, vector->attestation_object),
		     data = unhex(arena, vector->authenticator_data);

	for (size_t len = 0; len < object.len; len++) {
		struct webauthn_registration cut = { .client_data = client_data, .attestation_object = exact_copy(arena, object, len) };

		assert_non_null(webauthn_registration_read(arena, &cut));
	}
	for (size_t len = 0; len < client_data.len; len++) {
		struct webauthn_registration cut = { .client_data = exact_copy(arena, client_data, len), .attestation_object = object };

		assert_non_null(webauthn_registration_read(arena, &cut));
	}
	for (size_t len = 0; len < data.len; len++) {
		struct webauthn_assertion cut = { .client_data = client_data, .authenticator_data = exact_copy(arena, data, len) };

		assert_non_null(webauthn_assertion_read(arena, &cut));
	}
}

/* In the object a cut would be one of CBOR. */
static void
data_truncations_try(struct arena *arena, const struct vector *vector)
{
	struct webauthn_registration registration = { .client_data = unhex(arena, vector->create_client_data),
		.attestation_object = unhex(arena, vector->attestation_object) };
	struct authenticator_data cut;

	assert_null(webauthn_registration_read(arena, &registration));
	for (size_t len = 0; len < registration.data.bytes.len; len++)
		assert_non_null(authenticator_data_read(arena, exact_copy(arena, registration.data.bytes, len), &cut));
}

static void
test_truncated_at_every_byte(void **state)
{
	for (size_t i = 0; i < LENGTH(vectors); i++)
		truncations_try(*state, &vectors[i]), data_truncations_try(*state, &vectors[i]);
	for (size_t i = 0; i < LENGTH(made_vectors); i++)
		truncations_try(*state, &made_vectors[i]), data_truncations_try(*state, &made_vectors[i]);
}

static void
bits_try(struct arena *arena, const struct vector *vector)
{
	struct bytes object = unhex(arena, vector->attestation_object);
	struct webauthn_registration registration = { unhex(arena, vector->id), unhex(arena, vector->create_client_data) };
	struct webauthn_credential credential;

	for (size_t bit = 0; bit < object.len * 8; bit++) {
		registration.attestation_object = bit_flipped(arena, object, bit);
		assert_non_null(registration_try(arena, registration, vector->create_challenge, &credential));
	}
}

/* A packed attestation without certificate signs all but its own form, and that has no play. */
static void
test_every_bit_of_a_self_attestation_counts(void **state)
{
	for (size_t i = 0; i < LENGTH(made_vectors); i++)
		if (str_equal(made_vectors[i].section, "ES256 packed") || str_equal(made_vectors[i].section, "EdDSA packed"))
			bits_try(*state, &made_vectors[i]);
}

/* --- One thing wrong at a time, by an authenticator that is made here. --- */

/* What is said; what is left out is right. */
struct said {
	const char *type, *challenge, *origin, *more, *rp_id;
	unsigned flags; /* those to turn over */
	const char *id; /* rawId */
	bool user_verification;
};

#define CHALLENGE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ID "credential"
#define FLAGS (AUTHENTICATOR_UP | AUTHENTICATOR_BE | AUTHENTICATOR_BS)

static EVP_PKEY *key;

static int
key_setup(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return (key == NULL);
}

static int
key_teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return (0);
}

static struct bytes
text_bytes(const char *text)
{
	return ((struct bytes){ text, strlen(text) });
}

static struct bytes
buf_bytes(const struct buf *buf)
{
	return ((struct bytes){ buf->data, buf->len });
}

static struct bytes
said_client_data(struct arena *arena, const char *type, const struct said *said)
{
	return (text_bytes(arena_printf(arena, "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\"%s}", str_or(said->type, type),
	    str_or(said->challenge, CHALLENGE), str_or(said->origin, "https://example.org"), str_or(said->more, ""))));
}

static struct bytes
cose_of_key(struct arena *arena)
{
	struct buf cose = buf_new(arena);
	unsigned char point[65];
	size_t len;

	assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
	assert_int_equal(len, sizeof(point));
	buf_put(&cose, "\xA5\x01\x02\x03\x26\x20\x01\x21\x58\x20", 10);
	buf_put(&cose, point + 1, 32);
	buf_put(&cose, "\x22\x58\x20", 3);
	buf_put(&cose, point + 33, 32);
	return (buf_bytes(&cose));
}

static struct bytes
said_data(struct arena *arena, const struct said *said, unsigned flags, uint32_t counter)
{
	struct buf data = buf_new(arena);
	struct bytes cose = cose_of_key(arena);
	const char *rp_id = str_or(said->rp_id, "example.org");
	unsigned char digest[SHA256_LEN];

	sha256(rp_id, strlen(rp_id), digest);
	buf_put(&data, digest, sizeof(digest));
	buf_putc(&data, (char)(flags ^ said->flags));
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(&data, (char)(counter >> shift));
	if ((flags & AUTHENTICATOR_AT) == 0)
		return (buf_bytes(&data));
	buf_put(&data, "0123456789abcdef\0\x0A" ID, AAGUID_LEN + 2 + strlen(ID));
	buf_put(&data, cose.data, cose.len);
	return (buf_bytes(&data));
}

static const char head[] =
    "\xA3\x63"
    "fmt\x64none\x67"
    "attStmt\xA0\x68"
    "authData\x58";

static const char *
said_register(struct arena *arena, const struct said *said, struct webauthn_credential *credential)
{
	struct webauthn_expected expected = { CHALLENGE, "example.org", origins, said->user_verification };
	struct bytes data = said_data(arena, said, FLAGS | AUTHENTICATOR_AT, 7);
	struct buf object = buf_new(arena);
	struct webauthn_registration registration = { text_bytes(str_or(said->id, ID)), said_client_data(arena, "webauthn.create", said) };
	const char *why;

	buf_put(&object, head, sizeof(head) - 1);
	buf_putc(&object, (char)data.len);
	buf_put(&object, data.data, data.len);
	registration.attestation_object = buf_bytes(&object);
	why = webauthn_registration_read(arena, &registration);
	return (why == NULL ? webauthn_registration_verify(arena, &registration, &expected, credential) : why);
}

static struct bytes
signed_by_key(struct arena *arena, struct bytes data, struct bytes client_data)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct buf text = buf_new(arena);
	unsigned char digest[SHA256_LEN], *signature = arena_alloc(arena, 128);
	size_t len = 128;

	sha256(client_data.data, client_data.len, digest);
	buf_put(&text, data.data, data.len);
	buf_put(&text, digest, sizeof(digest));
	assert_int_equal(EVP_DigestSignInit_ex(context, NULL, "SHA2-256", NULL, NULL, key, NULL), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &len, (unsigned char *)text.data, text.len), 1);
	EVP_MD_CTX_free(context);
	return ((struct bytes){ signature, len });
}

static struct webauthn_assertion
said_assertion(struct arena *arena, const struct said *said, uint32_t counter)
{
	struct webauthn_assertion assertion = {
		.id = text_bytes(str_or(said->id, ID)),
		.client_data = said_client_data(arena, "webauthn.get", said),
		.authenticator_data = said_data(arena, said, FLAGS, counter),
	};

	assertion.signature = signed_by_key(arena, assertion.authenticator_data, assertion.client_data);
	return (assertion);
}

static const char *
assertion_try(struct arena *arena, struct webauthn_assertion assertion, bool user_verification, struct webauthn_credential *credential)
{
	struct webauthn_expected expected = { CHALLENGE, "example.org", origins, user_verification };
	const char *why = webauthn_assertion_read(arena, &assertion);

	return (why == NULL ? webauthn_assertion_verify(arena, &assertion, &expected, credential) : why);
}

static struct webauthn_credential
credential_kept(struct arena *arena)
{
	return ((struct webauthn_credential){
	    .id = text_bytes(ID), .public_key = cose_of_key(arena), .sign_count = 7, .backup_eligible = true });
}

/* In both ceremonies the same. */
static const struct {
	struct said said;
	const char *why;
} wrong[] = {
	{ { NULL }, NULL },
	{ { .type = "webauthn.other" }, "type" },
	{ { .type = "payment.get" }, "type" },
	{ { .challenge = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9" }, "challenge" },
	{ { .challenge = CHALLENGE "=" }, "challenge" },
	{ { .challenge = "x" }, "challenge" },
	{ { .origin = "https://example.com" }, "origin" },
	{ { .origin = "http://example.org" }, "origin" },
	{ { .origin = "https://example.org:8443" }, "origin" },
	{ { .origin = "https://example.org.evil.example" }, "origin" },
	{ { .origin = "https://evil.example/https://example.org" }, "origin" },
	{ { .origin = "https://example.org@evil.example" }, "origin" },
	{ { .origin = "null" }, "origin" },
	{ { .origin = "HTTPS://Example.ORG:443" }, NULL },
	{ { .origin = "https://other.example" }, NULL },
	{ { .origin = "android:apk-key-hash:AbC" }, NULL },
	{ { .origin = "android:apk-key-hash:abc" }, "origin" },
	{ { .more = ",\"crossOrigin\":true,\"topOrigin\":\"https://elsewhere.example\"" }, NULL },
	{ { .more = ",\"crossOrigin\":\"true\"" }, "crossOrigin" },
	{ { .more = ",\"topOrigin\":1" }, "topOrigin" },
	{ { .more = ",\"tokenBinding\":{\"status\":\"supported\"}" }, NULL },
	{ { .more = ",\"tokenBinding\":null" }, NULL },
	{ { .more = ",\"tokenBinding\":{}" }, "tokenBinding" },
	{ { .more = ",\"tokenBinding\":{\"status\":\"other\"}" }, "tokenBinding" },
	{ { .more = ",\"tokenBinding\":\"supported\"" }, "tokenBinding" },
	{ { .more = ",\"type\":\"x\"" }, "type" },
	{ { .more = ",\"origin\":7" }, "origin" },
	{ { .more = "," }, "client data" },
	{ { .rp_id = "example.com" }, "rpIdHash" },
	{ { .rp_id = "sub.example.org" }, "rpIdHash" },
	{ { .flags = AUTHENTICATOR_UP }, "UP" },
	{ { .user_verification = true }, "UV" },
	{ { .flags = AUTHENTICATOR_UV, .user_verification = true }, NULL },
	{ { .flags = AUTHENTICATOR_BE }, "BS without BE" },
	{ { .flags = AUTHENTICATOR_BS }, NULL },
	{ { .flags = AUTHENTICATOR_ED }, "extensions" },
	{ { .id = "credentia" }, "id" },
	{ { .id = "credentiaL" }, "id" },
};

static void
why_compare(const char *what, size_t row, const char *got, const char *wanted)
{
	if (!str_equal(got, wanted))
		fail_msg("%s %zu: %s, not %s", what, row, str_or(got, "taken"), str_or(wanted, "taken"));
}

static void
test_one_thing_wrong(void **state)
{
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		struct webauthn_credential made, kept = credential_kept(*state);

		why_compare("registration", i, said_register(*state, &wrong[i].said, &made), wrong[i].why);
		why_compare("assertion", i,
		    assertion_try(*state, said_assertion(*state, &wrong[i].said, 8), wrong[i].said.user_verification, &kept), wrong[i].why);
	}
}

/* What stands behind the 37 bytes, and what is said of it. */
static void
test_the_parts_of_authenticator_data(void **state)
{
#define AAGUID "0123456789abcdef"
	static const struct {
		unsigned flags;
		const char *rest;
		size_t len;
		const char *why;
	} rows[] = {
		{ 0, "", 0, NULL },
		{ 0, "x", 1, "something behind authenticator data" },
		{ AUTHENTICATOR_ED, "\xA0", 1, NULL },
		{ AUTHENTICATOR_ED, "\xA1\x61x\xF5", 4, NULL },
		{ AUTHENTICATOR_ED, "", 0, "extensions" },
		{ AUTHENTICATOR_ED, "\x80", 1, "extensions" },
		{ AUTHENTICATOR_ED, "\xA0\xA0", 2, "something behind authenticator data" },
		{ AUTHENTICATOR_AT, AAGUID "\0\x01i\xA0", 20, NULL },
		{ AUTHENTICATOR_AT, AAGUID "\0\x01i", 19, "public key" },
		{ AUTHENTICATOR_AT, AAGUID "\0\x01i\x80", 20, "public key" },
		{ AUTHENTICATOR_AT, "\0\x01i\xA0", 4, "credential id length" },
		{ AUTHENTICATOR_AT, AAGUID, 16, "credential id length" },
		{ AUTHENTICATOR_AT, AAGUID "\0", 17, "credential id length" },
		{ AUTHENTICATOR_AT, AAGUID "\0\0\xA0", 19, "credential id length" },
		{ AUTHENTICATOR_AT, AAGUID "\x04\0\xA0", 19, "credential id length" },
		{ AUTHENTICATOR_AT, AAGUID "\x03\xFF\xA0", 19, "credential id" },
		{ AUTHENTICATOR_AT, AAGUID "\0\x01i\xA0\xA0", 21, "something behind authenticator data" },
		{ AUTHENTICATOR_AT | AUTHENTICATOR_ED, AAGUID "\0\x01i\xA0\xA0", 21, NULL },
		{ AUTHENTICATOR_AT | AUTHENTICATOR_ED, AAGUID "\0\x01i\xA0", 20, "extensions" },
	};
	struct authenticator_data data;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct buf bytes = buf_new(*state);

		buf_put(&bytes, "0123456789abcdef0123456789abcdef", SHA256_LEN);
		buf_putc(&bytes, (char)rows[i].flags);
		buf_put(&bytes, "\x80\0\0\x01", 4);
		buf_put(&bytes, rows[i].rest, rows[i].len);
		why_compare("data", i, authenticator_data_read(*state, exact_copy(*state, buf_bytes(&bytes), bytes.len), &data),
		    rows[i].why);
		assert_int_equal(data.sign_count, 0x80000001);
	}
}

/* An object that has something behind it, or no credential in its data. */
static void
test_the_form_of_attestation_objects(void **state)
{
	struct said said = { NULL };
	struct webauthn_registration registration = { .client_data = said_client_data(*state, "webauthn.create", &said) };
	struct bytes data = said_data(*state, &said, FLAGS, 7);
	struct buf object = buf_new(*state);

	buf_put(&object, head, sizeof(head) - 1);
	buf_putc(&object, (char)data.len);
	buf_put(&object, data.data, data.len);
	registration.attestation_object = buf_bytes(&object);
	assert_string_equal(webauthn_registration_read(*state, &registration), "no credential");
	buf_putc(&object, '\0');
	registration.attestation_object = buf_bytes(&object);
	assert_string_equal(webauthn_registration_read(*state, &registration), "attestation object");
}

static void
test_what_is_kept(void **state)
{
	struct said said = { .flags = AUTHENTICATOR_UV };
	struct webauthn_credential made;
	struct bytes cose = cose_of_key(*state);

	assert_null(said_register(*state, &said, &made));
	assert_int_equal(made.id.len, strlen(ID));
	assert_memory_equal(made.id.data, ID, strlen(ID));
	assert_int_equal(made.public_key.len, cose.len);
	assert_memory_equal(made.public_key.data, cose.data, cose.len);
	assert_int_equal(made.algorithm, -7);
	assert_string_equal(made.aaguid, "30313233-3435-3637-3839-616263646566");
	assert_string_equal(made.format, "none");
	assert_int_equal(made.sign_count, 7);
	assert_true(made.user_present && made.user_verified && made.backup_eligible && made.backed_up);

	assert_null(assertion_try(*state, said_assertion(*state, &(struct said){ .flags = AUTHENTICATOR_BS }, 8), false, &made));
	assert_int_equal(made.sign_count, 8);
	assert_true(made.user_present && !made.user_verified && made.backup_eligible && !made.backed_up);
	assert_string_equal(said_register(*state, &(struct said){ .flags = AUTHENTICATOR_AT }, &made),
	    "something behind authenticator data");
}

static void
test_backup_eligible_stays_as_it_was(void **state)
{
	struct webauthn_credential kept = credential_kept(*state);

	kept.backup_eligible = false;
	assert_string_equal(assertion_try(*state, said_assertion(*state, &(struct said){ NULL }, 8), false, &kept), "BE");
	assert_null(assertion_try(*state, said_assertion(*state, &(struct said){ .flags = AUTHENTICATOR_BE | AUTHENTICATOR_BS }, 8), false,
	    &kept));
	kept.backup_eligible = true;
	assert_string_equal(assertion_try(*state, said_assertion(*state, &(struct said){ .flags = AUTHENTICATOR_BE | AUTHENTICATOR_BS }, 8),
				false, &kept),
	    "BE");
}

static void
test_a_counter_refuses_nothing(void **state)
{
	static const struct {
		uint32_t kept, said, after;
	} counters[] = {
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ 7, 8, 8 },
		{ 7, UINT32_MAX, UINT32_MAX },
		{ 7, 7, 7 },
		{ 7, 6, 7 },
		{ 7, 0, 7 },
		{ UINT32_MAX, 0, UINT32_MAX },
	};

	for (size_t i = 0; i < LENGTH(counters); i++) {
		struct webauthn_credential kept = credential_kept(*state);

		kept.sign_count = counters[i].kept;
		assert_null(assertion_try(*state, said_assertion(*state, &(struct said){ NULL }, counters[i].said), false, &kept));
		assert_int_equal(kept.sign_count, counters[i].after);
	}
}

static void
test_every_bit_of_an_assertion_is_signed(void **state)
{
	static const size_t parts[] = { offsetof(struct webauthn_assertion, client_data),
		offsetof(struct webauthn_assertion, authenticator_data), offsetof(struct webauthn_assertion, signature),
		offsetof(struct webauthn_assertion, id) };
	struct webauthn_assertion right = said_assertion(*state, &(struct said){ NULL }, 8);

	for (size_t i = 0; i < LENGTH(parts); i++) {
		struct webauthn_assertion flipped = right;
		struct bytes *part = (struct bytes *)((char *)&flipped + parts[i]), whole = *part;

		for (size_t bit = 0; bit < whole.len * 8; bit++) {
			struct webauthn_credential kept = credential_kept(*state);

			*part = bit_flipped(*state, whole, bit);
			assert_non_null(assertion_try(*state, flipped, false, &kept));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_vectors),
		arena_test(test_all_algorithms_and_attestations),
		arena_test(test_attestations_that_do_not_hold),
		arena_test(test_truncated_at_every_byte),
		arena_test(test_every_bit_of_a_self_attestation_counts),
		arena_test(test_one_thing_wrong),
		arena_test(test_the_parts_of_authenticator_data),
		arena_test(test_the_form_of_attestation_objects),
		arena_test(test_what_is_kept),
		arena_test(test_backup_eligible_stays_as_it_was),
		arena_test(test_a_counter_refuses_nothing),
		arena_test(test_every_bit_of_an_assertion_is_signed),
	};

	return (cmocka_run_group_tests(tests, key_setup, key_teardown));
}
