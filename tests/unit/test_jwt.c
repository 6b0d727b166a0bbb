/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "fixture.h"
#include "jwt_vectors.h"
#include "sec/jws.h"
#include "sec/jwt.h"

#define SECRET "37c304f8-51aa-419a-a1af-06154e63707a"
#define SIGN(key, alg) key ",\"alg\":\"" alg "\",\"key_ops\":[\"sign\",\"verify\"]}"
#define VERIFY(key, alg) key ",\"alg\":\"" alg "\",\"key_ops\":[\"verify\"]}"
#define MIXED                                                                                                  \
	"[" SIGN(KEY_EC, "ES256") "," VERIFY(KEY_RSA, "RS256") "," VERIFY(KEY_ED, "EdDSA") "," VERIFY(KEY_OCT, \
	    "HS256") "," VERIFY(KEY_EC5, "ES512") "]"

static char *none[] = { NULL };
static struct settings settings;

static int
jwt_setup(void **state)
{
	settings = (struct settings){
		.gotrue_jwt_secret = SECRET,
		.gotrue_jwt_keys = "",
		.gotrue_jwt_key_id = "",
		.gotrue_jwt_valid_methods = none,
	};
	cfg = &settings;
	return (arena_setup(state));
}

static int
jwt_teardown(void **state)
{
	jwt_keys_forget();
	return (arena_teardown(state));
}

#define jwt_test(test) cmocka_unit_test_setup_teardown(test, jwt_setup, jwt_teardown)

static void
load(void **state, const char *keys)
{
	settings.gotrue_jwt_keys = keys;
	assert_text_or_null(jwt_keys_load(*state), NULL);
}

/* An HS256 token by the secret, with this header and these claims. */
static char *
minted(void **state, const char *header, const char *claims)
{
	struct jwk key = { .type = JWK_OCT, .secret = { SECRET, strlen(SECRET) } };
	char *text = arena_printf(*state, "%s.%s", base64url_encode(*state, header, strlen(header)),
	    base64url_encode(*state, claims, strlen(claims)));
	struct bytes mac = jws_sign(*state, jws_method("HS256"), &key, (struct bytes){ text, strlen(text) });

	return (arena_printf(*state, "%s.%s", text, base64url_encode(*state, mac.data, mac.len)));
}

#define PLAIN_HEADER "{\"alg\":\"HS256\"}"

/* why: NULL when it passes. */
static void
assert_verdict(void **state, const char *token, const char *wanted)
{
	const char *why = "";
	json *claims = jwt_verify(*state, token, &why);

	assert_text_or_null(why, wanted);
	assert_true((claims != NULL) == (wanted == NULL));
}

static void
assert_malformed(void **state, const char *token)
{
	const char *why = "";

	assert_null(jwt_verify(*state, token, &why));
	if (!str_starts(why, "token is malformed: "))
		fail_msg("%s: %s", token, why);
}

/* RFC 7515 appendix A.1 and A.3, RFC 8037 appendix A.4. */
static void
test_rfc_vectors(void **state)
{
	static const struct {
		const char *key, *alg, *token;
	} vectors[] = {
		{ "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
		    "HS256",
		    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_"
		  "FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		    "ES256",
		    "eyJhbGciOiJFUzI1NiJ9."
		    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", "EdDSA",
		    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
		    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg" },
	};

	for (size_t i = 0; i < LENGTH(vectors); i++) {
		const char *token = vectors[i].token, *dot = strrchr(token, '.');
		struct bytes text = { token, (size_t)(dot - token) }, signature;
		struct jwk key;

		signature.data = base64url_decode(*state, dot + 1, &signature.len);
		assert_null(jwk_parse(*state, *state, json_parse(*state, vectors[i].key, strlen(vectors[i].key), NULL), &key));
		assert_text_or_null(jws_check(*state, jws_method(vectors[i].alg), &key, text, signature), NULL);
		text.len--;
		assert_non_null(jws_check(*state, jws_method(vectors[i].alg), &key, text, signature));
		jwk_free(&key);
	}
}

static void
test_secret_alone(void **state)
{
	char *token;

	load(state, "");
	token = jwt_sign(*state, "{\"sub\":\"mine\"}");
	assert_string_equal(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtaW5lIn0.1OeXONFWcOD4NjKIKeRmqrdRukIMHI7riBrrcVwaUmQ");
	assert_verdict(state, token, NULL);
	assert_string_equal(jwt_key_set(*state), "{\"keys\":[]}");
	assert_string_equal(jwt_signing_alg(), "HS256");
	assert_false(jwt_signs_asymmetric());
	settings.gotrue_jwt_key_id = "legacy";
	load(state, "");
	assert_true(str_starts(jwt_sign(*state, "{}"), "eyJhbGciOiJIUzI1NiIsImtpZCI6ImxlZ2FjeSIsInR5cCI6IkpXVCJ9."));
	assert_verdict(state, token, NULL);
	assert_verdict(state, minted(state, "{\"alg\":\"HS256\",\"kid\":\"other\"}", "{}"), NULL);
}

static void
test_each_algorithm_signs(void **state)
{
	static const struct {
		const char *keys, *alg;
	} cases[] = {
		{ "[" SIGN(KEY_OCT, "HS256") "]", "HS256" },
		{ "[" SIGN(KEY_RSA, "RS256") "]", "RS256" },
		{ "[" SIGN(KEY_RSA, "RS512") "]", "RS512" },
		{ "[" SIGN(KEY_EC, "ES256") "]", "ES256" },
		{ "[" SIGN(KEY_EC5, "ES512") "]", "ES512" },
		{ "[" SIGN(KEY_ED, "EdDSA") "]", "EdDSA" },
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		load(state, cases[i].keys);
		assert_string_equal(jwt_signing_alg(), cases[i].alg);
		assert_verdict(state, jwt_sign(*state, "{\"sub\":\"x\"}"), NULL);
		assert_verdict(state, jwt_sign(*state, "{\"sub\":\"y\"}"), NULL);
	}
}

static void
test_each_algorithm_verifies(void **state)
{
	static char *methods[] = { "HS256", "RS256", "RS512", "PS256", "ES256", "ES512", "EdDSA", NULL };
	static const char *const tokens[] = { TOKEN_HS256, TOKEN_RS256, TOKEN_RS512, TOKEN_PS256, TOKEN_ES256, TOKEN_ES512, TOKEN_EDDSA };

	settings.gotrue_jwt_valid_methods = methods;
	load(state, MIXED);
	for (size_t i = 0; i < LENGTH(tokens); i++) {
		assert_verdict(state, tokens[i], NULL);
		assert_verdict(state, tokens[i], NULL); /* with what the first has prepared */
	}
}

#define INVALID "token signature is invalid: "
#define KEY_TYPE INVALID "key is of invalid type: "
#define NO_KEY "token is unverifiable: error while executing keyfunc: unrecognized JWT kid "

static void
test_words_about_keys(void **state)
{
	/* alg, kid as JSON: no signature fits any of them */
	static const struct {
		const char *header, *why;
	} cases[] = {
		{ "{\"alg\":\"HS256\",\"kid\":\"oct\"}", INVALID "signature is invalid" },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", INVALID "crypto/rsa: verification error" },
		{ "{\"alg\":\"ES256\",\"kid\":\"ec\"}", INVALID "crypto/ecdsa: verification error" },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", INVALID "ed25519: verification error" },
		{ "{\"alg\":\"HS256\",\"kid\":\"ec\"}", KEY_TYPE "HMAC verify expects []byte" },
		{ "{\"alg\":\"RS256\",\"kid\":\"ec\"}", KEY_TYPE "RSA verify expects *rsa.PublicKey" },
		{ "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", KEY_TYPE "ECDSA verify expects *ecdsa.PublicKey" },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"oct\"}", KEY_TYPE "Ed25519 verify expects ed25519.PublicKey" },
		{ "{\"alg\":\"RS256\"}", NO_KEY "<nil> for algorithm RS256" },
		{ "{\"alg\":\"RS256\",\"kid\":null}", NO_KEY "<nil> for algorithm RS256" },
		{ "{\"alg\":\"RS256\",\"kid\":7}", NO_KEY "7 for algorithm RS256" },
		{ "{\"alg\":\"ES256\",\"kid\":\"nobody\"}", NO_KEY "nobody for algorithm ES256" },
		{ "{\"alg\":\"HS512\",\"kid\":\"oct\"}", INVALID "signing method HS512 is invalid" },
		{ "{\"alg\":\"none\"}", INVALID "signing method none is invalid" },
		{ "{\"alg\":\"hs256\"}", "token is unverifiable: signing method (alg) is unavailable" },
		{ "{\"alg\":\"\"}", "token is unverifiable: signing method (alg) is unavailable" },
		{ "{}", "token is unverifiable: signing method (alg) is unspecified" },
		{ "{\"alg\":5}", "token is unverifiable: signing method (alg) is unspecified" },
	};

	load(state, MIXED);
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_verdict(state, minted(state, cases[i].header, "{}"), cases[i].why);
	assert_verdict(state, minted(state, PLAIN_HEADER, "{}"), NULL); /* the secret is a fallback */
	load(state, "[" SIGN(KEY_RSA, "RS256") "]");
	assert_verdict(state, minted(state, PLAIN_HEADER, "{}"), INVALID "signing method HS256 is invalid");
}

static void
test_none_even_when_allowed(void **state)
{
	static char *methods[] = { "none", "HS256", NULL };

	settings.gotrue_jwt_valid_methods = methods;
	settings.gotrue_jwt_key_id = "k";
	load(state, "");
	assert_verdict(state, "eyJhbGciOiJub25lIiwia2lkIjoiayJ9.e30.",
	    INVALID "token is unverifiable: 'none' signature type is not allowed");
	assert_verdict(state, "eyJhbGciOiJub25lIn0.e30.", NO_KEY "<nil> for algorithm none");
}

static void
test_forms(void **state)
{
	static const char *const malformed[] = { "", ".", "..", "...", "a.b", "e30.e30", "=.e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.***",
		"eyJhbGciOiJIUzI1NiJ9.e30.A", "eyJhbGciOiJIUzI1NiJ9..AAAA", "W10.e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.W10.AAAA",
		"eyJhbGciOiJIUzI1NiJ9.e30.AAAA=", "bm90.e30.AAAA" };

	load(state, "");
	for (size_t i = 0; i < LENGTH(malformed); i++)
		assert_malformed(state, malformed[i]);
	assert_verdict(state, "a.b.c.d", "token is malformed: token contains an invalid number of segments");
	assert_verdict(state, "eyJhbGciOiJIUzI1NiJ9.e30.", INVALID "signature is invalid");
	assert_verdict(state, minted(state, PLAIN_HEADER, "null"), NULL);
}

/* The last character of this signature has four bits that say nothing: the reference takes any of 16 spellings. */
static void
test_what_only_we_refuse(void **state)
{
	char *token;

	load(state, "");
	assert_verdict(state, minted(state, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{}"),
	    "token is unverifiable: unknown critical header parameter");
	assert_verdict(state, minted(state, "{\"alg\":\"HS256\",\"b64\":true}", "{}"), NULL);
	assert_verdict(state, minted(state, "{\"alg\":\"HS256\",\"b64\":false}", "{}"),
	    "token is unverifiable: unencoded payloads are not accepted");
	assert_verdict(state, minted(state, "{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "{}"),
	    "token is unverifiable: compressed payloads are not accepted");
	token = minted(state, PLAIN_HEADER, "{}");
	token[strlen(token) - 1]++;
	assert_malformed(state, token);
}

static void
test_claim_types(void **state)
{
	static const char *const good[] = { "{\"sub\":null}", "{\"aud\":\"a\"}", "{\"aud\":[\"a\",\"b\"]}", "{\"aud\":[]}",
		"{\"exp\":\"9999999999\"}", "{\"exp\":9999999999.5}", "{\"exp\":null}",
		"{\"app_metadata\":{\"a\":[1]},\"user_metadata\":null}", "{\"amr\":[\"password\",null]}",
		"{\"amr\":[{\"method\":\"password\",\"timestamp\":5,\"provider\":null,\"more\":[]}]}", "{\"is_anonymous\":true}",
		"{\"nonce\":1}" };
	static const char *const bad[] = { "{\"sub\":5}", "{\"SUB\":5}", "{\"aud\":7}", "{\"aud\":[\"a\",1]}", "{\"aud\":[null]}",
		"{\"exp\":\"x\"}", "{\"exp\":\"\"}", "{\"exp\":\" 1\"}", "{\"exp\":\"null\"}", "{\"exp\":true}", "{\"exp\":1e400}",
		"{\"iat\":\"x\"}", "{\"nbf\":{}}", "{\"email\":5}", "{\"phone\":{}}", "{\"app_metadata\":[]}", "{\"user_metadata\":\"x\"}",
		"{\"role\":1}", "{\"aal\":1}", "{\"amr\":\"x\"}", "{\"amr\":[5]}", "{\"amr\":[{\"method\":5}]}",
		"{\"amr\":[{\"timestamp\":1.5}]}", "{\"session_id\":7}", "{\"is_anonymous\":\"true\"}", "{\"client_id\":1}",
		"{\"scope\":[]}", "{\"jti\":1}", "{\"iss\":1}" };

	load(state, "");
	for (size_t i = 0; i < LENGTH(good); i++)
		assert_verdict(state, minted(state, PLAIN_HEADER, good[i]), NULL);
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_malformed(state, minted(state, PLAIN_HEADER, bad[i]));
}

static void
assert_times(void **state, const char *claims, const char *why)
{
	long long now = (long long)(clock_now() / 1000000);
	char *text = str_replace(*state, claims, "PAST", arena_printf(*state, "%lld", now - 100));

	text = str_replace(*state, text, "FUTURE", arena_printf(*state, "%lld", now + 100));
	assert_verdict(state, minted(state, PLAIN_HEADER, text), why);
}

static void
test_times(void **state)
{
	load(state, "");
	assert_times(state, "{\"exp\":FUTURE,\"nbf\":PAST,\"iat\":FUTURE}", NULL);
	assert_times(state, "{\"exp\":PAST}", "token has invalid claims: token is expired");
	assert_times(state, "{\"exp\":PAST.9}", "token has invalid claims: token is expired");
	assert_times(state, "{\"exp\":0}", "token has invalid claims: token is expired");
	assert_times(state, "{\"exp\":1e300}", "token has invalid claims: token is expired");
	assert_times(state, "{\"nbf\":\"FUTURE\"}", "token has invalid claims: token is not valid yet");
	assert_times(state, "{\"exp\":PAST,\"nbf\":FUTURE}", "token has invalid claims: token is expired, token is not valid yet");
}

static void
test_key_set(void **state)
{
	load(state, "[" SIGN(KEY_ED, "EdDSA") "," VERIFY(KEY_OCT, "HS256") "]");
	assert_string_equal(jwt_key_set(*state),
	    "{\"keys\":[{\"crv\":\"Ed25519\",\"kid\":\"ed\",\"kty\":\"OKP\",\"x\":\"UxCjByePJtuYho9gaYcInwHSUauZoWUGeMtY8fkXRBY\","
	    "\"alg\":\"EdDSA\",\"use\":\"sig\",\"key_ops\":[\"verify\"]}]}");
	assert_true(jwt_signs_asymmetric());
	load(state, MIXED);
	assert_null(strstr(jwt_key_set(*state), "\"d\""));
	assert_null(strstr(jwt_key_set(*state), "\"qi\""));
	assert_null(strstr(jwt_key_set(*state), "oct"));
}

#define ED_X "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static void
test_keys_that_do_not_load(void **state)
{
	static const char *const bad[] = { "{}", "[", "[5]", "[{}]", "[{\"kty\":\"XYZ\"}]", "[" VERIFY(KEY_EC, "ES256") "]",
		"[" SIGN(KEY_EC, "ES256") "," SIGN(KEY_RSA, "RS256") "]", "[" SIGN(KEY_EC, "RS256") "]", "[" SIGN(KEY_EC, "ES512") "]",
		"[" SIGN(KEY_RSA, "") "]", "[" SIGN(KEY_OCT, "HS512") "]", "[{\"kty\":\"oct\",\"k\":\"\",\"key_ops\":[\"sign\"]}]",
		"[{\"kty\":\"oct\",\"k\":\"!\",\"key_ops\":[\"sign\"]}]", "[" SIGN(ED_X, "EdDSA") "]",
		"[" ED_X ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"alg\":\"EdDSA\",\"key_ops\":[\"sign\"]}]",
		("[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":"
		 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]"),
		"[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]", "[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]",
		"[{\"kty\":\"oct\",\"k\":\"AAAA\",\"key_ops\":[\"sing\"]}]",
		"[{\"kty\":\"oct\",\"k\":\"AAAA\",\"use\":\"x\",\"key_ops\":[\"sign\"]}]",
		"[{\"kty\":\"RSA\",\"aws:kms:arn\":\"arn\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"key_ops\":[\"sign\"]}]" };

	for (size_t i = 0; i < LENGTH(bad); i++) {
		settings.gotrue_jwt_keys = bad[i];
		if (jwt_keys_load(*state) == NULL)
			fail_msg("%s is loaded", bad[i]);
	}
	load(state, "[]"); /* no keys at all: the secret signs, as in the reference */
	settings.gotrue_jwt_secret = "";
	assert_non_null(jwt_keys_load(*state));
}

static void
test_loading_anew(void **state)
{
	char *token;

	load(state, MIXED);
	token = jwt_sign(*state, "{}");
	load(state, "");
	assert_verdict(state, token, INVALID "signing method ES256 is invalid");
	load(state, MIXED);
	assert_verdict(state, token, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		jwt_test(test_rfc_vectors),
		jwt_test(test_secret_alone),
		jwt_test(test_each_algorithm_signs),
		jwt_test(test_each_algorithm_verifies),
		jwt_test(test_words_about_keys),
		jwt_test(test_none_even_when_allowed),
		jwt_test(test_forms),
		jwt_test(test_what_only_we_refuse),
		jwt_test(test_claim_types),
		jwt_test(test_times),
		jwt_test(test_key_set),
		jwt_test(test_keys_that_do_not_load),
		jwt_test(test_loading_anew),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
