/* SPDX-License-Identifier: Apache-2.0 */
#include "net/oidc.h"

#include <string.h>

#include "base/str.h"
#include "sec/jws.h"
#include "sec/secret.h"

#define DISCOVERY_BYTES ((size_t)1 << 20)
#define TOKEN_MAX ((size_t)256 << 10)
#define NBF_LEEWAY ((usec)300 * 1000000)

/* What an identity token may be signed with: never with a shared secret. */
static const struct id_alg {
	const char *name;
	enum digest digest; /* of at_hash */
} algs[] = {
	{ "RS256", DIGEST_SHA256 },
	{ "RS384", DIGEST_SHA384 },
	{ "RS512", DIGEST_SHA512 },
	{ "ES256", DIGEST_SHA256 },
	{ "ES384", DIGEST_SHA384 },
	{ "ES512", DIGEST_SHA512 },
	{ "PS256", DIGEST_SHA256 },
	{ "PS384", DIGEST_SHA384 },
	{ "PS512", DIGEST_SHA512 },
	{ "EdDSA", DIGEST_SHA512 },
};

static const struct id_alg *
alg_find(const char *name)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (str_equal(algs[i].name, name))
			return (&algs[i]);
	return (NULL);
}

/* A member that is a text, or is not there: "". */
static const char *
text_of(const json *object, const char *name)
{
	const char *text = json_string(json_get(object, name));

	return (text != NULL ? text : "");
}

static char **
algs_read(struct arena *a, const json *named)
{
	char **list = arena_new_array(a, char *, json_len(named) + 2);
	size_t len = 0;

	for (size_t i = 0; json_kind(named) == JSON_ARRAY && i < json_len(named); i++)
		if (alg_find(json_string(json_at(named, i))) != NULL)
			list[len++] = arena_strdup(a, json_string(json_at(named, i)));
	if (len == 0)
		list[0] = arena_strdup(a, "RS256");
	return (list);
}

bool
oidc_document_read(struct arena *a, const char *text, size_t len, const char *issuer, struct oidc_document *doc, const char **why)
{
	const json *d = json_parse(a, text, len, why);

	if (json_kind(d) != JSON_OBJECT) {
		*why = "the discovery document is not a JSON object";
		return (false);
	}
	*doc = (struct oidc_document){
		.issuer = text_of(d, "issuer"),
		.authorize = text_of(d, "authorization_endpoint"),
		.token = text_of(d, "token_endpoint"),
		.userinfo = text_of(d, "userinfo_endpoint"),
		.jwks = text_of(d, "jwks_uri"),
		.algs = algs_read(a, json_get(d, "id_token_signing_alg_values_supported")),
		.names_itself = json_true(json_get(d, "authorization_response_iss_parameter_supported")),
		.text = arena_strndup(a, text, len),
	};
	if (issuer != NULL && !str_equal(doc->issuer, issuer)) {
		*why = arena_printf(a, "issuer mismatch, expected \"%s\" got \"%s\"", issuer, doc->issuer);
		return (false);
	}
	return (true);
}

/* A 200 with a body. */
static bool
fetch(struct arena *a, enum http_trust trust, const char *url, struct http_answer *answer, const char **why)
{
	static const char *const headers[] = { "Accept", "application/json", NULL };
	const struct http_call call = { .trust = trust, .url = url, .headers = headers, .max_bytes = DISCOVERY_BYTES, .redirects = 3 };

	if (http_do(a, &call, answer) != HTTP_ANSWERED) {
		*why = answer->why;
		return (false);
	}
	if (answer->status != 200)
		*why = arena_printf(a, "%s answered %d", url, answer->status);
	return (answer->status == 200);
}

bool
oidc_discover(struct arena *a, enum http_trust trust, const char *url, const char *issuer, struct oidc_document *doc, const char **why)
{
	struct http_answer answer;

	return (fetch(a, trust, url, &answer, why) && oidc_document_read(a, answer.body, answer.len, issuer, doc, why));
}

char *
oidc_discovery_url(struct arena *a, const char *issuer)
{
	size_t len = strlen(issuer);

	if (len > 0 && issuer[len - 1] == '/')
		len--;
	return (arena_printf(a, "%.*s/.well-known/openid-configuration", (int)len, issuer));
}

bool
oidc_fetch_keys(struct arena *a, enum http_trust trust, const char *url, const char **keys, const char **why)
{
	struct http_answer answer;
	const json *set;

	if (!fetch(a, trust, url, &answer, why))
		return (false);
	set = json_parse(a, answer.body, answer.len, why);
	if (json_kind(json_get(set, "keys")) != JSON_ARRAY) {
		*why = arena_printf(a, "%s did not answer with a key set", url);
		return (false);
	}
	*keys = answer.body;
	return (true);
}

static const json *
part_read(struct arena *a, const char *text, size_t len)
{
	size_t size;
	const unsigned char *bytes = base64url_decode(a, arena_strndup(a, text, len), &size);
	const json *value = bytes == NULL ? NULL : json_parse(a, (const char *)bytes, size, NULL);

	return (json_kind(value) == JSON_OBJECT ? value : NULL);
}

/* Seconds since 1970, whole or not; 0 without.  false: not a number. */
static bool
time_read(const json *value, usec *at)
{
	double seconds = 0;

	if (json_kind(value) != JSON_NULL && (!json_real(value, &seconds) || seconds < 0 || seconds > 1e11))
		return (false);
	*at = (usec)(seconds * 1000000);
	return (true);
}

static bool
audience_read(struct arena *a, const json *value, char ***audience)
{
	size_t len = json_kind(value) == JSON_ARRAY ? json_len(value) : 1;

	*audience = arena_new_array(a, char *, len + 1);
	if (json_kind(value) == JSON_NULL)
		return (true);
	for (size_t i = 0; i < len; i++) {
		const char *one = json_string(json_kind(value) == JSON_ARRAY ? json_at(value, i) : value);

		if (one == NULL)
			return (false);
		(*audience)[i] = arena_strdup(a, one);
	}
	return (true);
}

static bool
texts_read(struct id_token *t)
{
	const struct {
		const char *name;
		const char **into;
	} texts[] = { { "iss", &t->issuer }, { "sub", &t->subject }, { "nonce", &t->nonce }, { "at_hash", &t->at_hash } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const json *value = json_get(t->claims, texts[i].name);

		if (json_kind(value) != JSON_NULL && json_string(value) == NULL)
			return (false);
		*texts[i].into = text_of(t->claims, texts[i].name);
	}
	return (true);
}

bool
id_token_read(struct arena *a, const char *text, struct id_token *t, const char **why)
{
	const char *first = strchr(text, '.'), *second = first == NULL ? NULL : strchr(first + 1, '.');
	const json *header, *claims;

	*why = "it is not a signed token of three parts";
	if (second == NULL || strchr(second + 1, '.') != NULL || strlen(text) > TOKEN_MAX)
		return (false);
	header = part_read(a, text, (size_t)(first - text));
	claims = part_read(a, first + 1, (size_t)(second - first - 1));
	if (header == NULL || claims == NULL)
		return (false);
	*t = (struct id_token){ .alg = text_of(header, "alg"), .kid = text_of(header, "kid"), .claims = (json *)claims, .raw = text };
	*why = "a claim has not its type";
	if (json_kind(json_get(header, "crit")) != JSON_NULL || !texts_read(t) ||
	    !audience_read(a, json_get(claims, "aud"), &t->audience) || !time_read(json_get(claims, "exp"), &t->expiry) ||
	    !time_read(json_get(claims, "nbf"), &t->not_before))
		return (false);
	*why = NULL;
	return (true);
}

/* Keys of a kind or curve that we don't know are passed over, and so are those for encryption. */
static bool
key_fits(struct arena *a, const struct id_token *t, const struct jws_method *method, const json *key)
{
	const char *end = strrchr(t->raw, '.');
	struct bytes text = { t->raw, (size_t)(end - t->raw) }, signature;
	struct jwk jwk = { 0 };
	bool good;

	if (*t->kid != '\0' && !str_equal(text_of(key, "kid"), t->kid))
		return (false);
	if (str_equal(text_of(key, "use"), "enc") || str_equal(text_of(key, "kty"), "oct"))
		return (false);
	if (*text_of(key, "alg") != '\0' && !str_equal(text_of(key, "alg"), t->alg))
		return (false);
	if ((signature.data = base64url_decode(a, end + 1, &signature.len)) == NULL)
		return (false);
	good = jwk_parse(a, a, key, &jwk) == NULL && jws_check(a, method, &jwk, text, signature) == NULL;
	jwk_free(&jwk);
	return (good);
}

enum id_token_verdict
id_token_verify(struct arena *a, const struct id_token *t, char *const *accepted, const char *keys, const char **why)
{
	const struct jws_method *method = jws_method(t->alg);
	const json *set;

	if (method == NULL || alg_find(t->alg) == NULL || !strs_have(accepted, t->alg)) {
		*why = arena_printf(a, "its algorithm \"%s\" is not one of the issuer's", t->alg);
		return (ID_TOKEN_BAD);
	}
	set = json_get(json_parse_text(a, keys), "keys");
	for (size_t i = 0; i < json_len(set); i++)
		if (key_fits(a, t, method, json_at(set, i)))
			return (ID_TOKEN_GOOD);
	*why = arena_printf(a, "no key of the issuer has made its signature (kid \"%s\")", t->kid);
	return (ID_TOKEN_NO_KEY);
}

bool
id_token_in_time(const struct id_token *t, usec now, const char **why)
{
	if (t->expiry < now) {
		*why = "it has expired";
		return (false);
	}
	if (t->not_before > now + NBF_LEEWAY) {
		*why = "it is not valid yet";
		return (false);
	}
	return (true);
}

bool
id_token_fits(struct arena *a, const struct id_token *t, const char *access_token)
{
	const struct id_alg *alg = alg_find(t->alg);
	unsigned char digest[DIGEST_MAX];
	size_t len;

	if (alg == NULL)
		return (false);
	len = digest_make(alg->digest, (struct bytes){ access_token, strlen(access_token) }, digest);
	return (str_equal(base64url_encode(a, digest, len / 2), t->at_hash));
}
