/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "sec/crypto.h"
#include "sec/crypto.h"
#include "sec/jws.h"
#include "sec/jwt.h"
#include "sec/jwt_claims.h"

#define MOST_KEYS 64

/* The keys of this process. */
static struct {
	struct arena *arena;
	struct jwk key[MOST_KEYS];
	size_t len;
	struct jwk secret; /* GOTRUE_JWT_SECRET */
	struct jwk *signer;
	const struct jws_method *method; /* the signer's */
	char *header;                    /* of tokens that are signed, encoded */
} ring;

void
jwt_keys_forget(void)
{
	for (size_t i = 0; i < ring.len; i++)
		jwk_free(&ring.key[i]);
	arena_free(ring.arena);
	memset(&ring, 0, sizeof(ring));
}

static struct jwk *
ring_find(const char *kid)
{
	for (size_t i = 0; i < ring.len; i++)
		if (str_equal(ring.key[i].kid, kid))
			return (&ring.key[i]);
	return (NULL);
}

/* The later of two keys with one kid is the one. */
static const char *
ring_add(struct arena *scratch, const json *object)
{
	struct jwk key, *same;
	const char *wrong = jwk_parse(ring.arena, scratch, object, &key);

	if (wrong == NULL && ring.len == MOST_KEYS)
		wrong = "there are more keys than 64";
	if (wrong != NULL) {
		jwk_free(&key);
		return (wrong);
	}
	same = ring_find(key.kid);
	if (same == NULL)
		same = &ring.key[ring.len++];
	else
		jwk_free(same);
	*same = key;
	return (NULL);
}

static const char *
ring_read(struct arena *arena, struct arena *scratch)
{
	const char *text = cfg->gotrue_jwt_keys, *wrong;
	json *list = json_parse(scratch, text, strlen(text), NULL);

	if (json_kind(list) != JSON_ARRAY)
		return ("GOTRUE_JWT_KEYS is not a JSON array of keys");
	for (size_t i = 0; i < json_len(list); i++) {
		wrong = ring_add(scratch, json_at(list, i));
		if (wrong != NULL)
			return (arena_printf(arena, "GOTRUE_JWT_KEYS: key %zu: %s", i + 1, wrong));
	}
	return (NULL);
}

static const char *
signer_choose(void)
{
	for (size_t i = 0; i < ring.len; i++) {
		if (!ring.key[i].signs)
			continue;
		if (ring.signer != NULL)
			return ("GOTRUE_JWT_KEYS: multiple signing keys detected, only 1 signing key is supported");
		ring.signer = &ring.key[i];
	}
	return (ring.signer == NULL ? "GOTRUE_JWT_KEYS: no signing key detected" : NULL);
}

/* A key whose halves do not belong together would make tokens that nobody takes. */
static const char *
signer_try(struct arena *scratch)
{
	static const struct bytes text = { "postern", 7 };
	struct bytes signature;

	ring.method = jws_signing_method(ring.signer);
	if (ring.method == NULL)
		return ("GOTRUE_JWT_KEYS: the signing key needs an \"alg\" that fits it: HS256, RS256, RS512, ES256, ES512 or EdDSA");
	signature = jws_sign(scratch, ring.method, ring.signer, text);
	if (signature.data == NULL || jws_check(scratch, ring.method, ring.signer, text, signature) != NULL)
		return ("GOTRUE_JWT_KEYS: the secret and the public part of the signing key do not belong together");
	return (NULL);
}

static void
header_make(struct arena *scratch)
{
	const char *kid = str_empty(ring.signer->kid) ? NULL : ring.signer->kid;
	char *header = json_pairs(scratch, "alg", jws_name(ring.method), "kid", kid, "typ", "JWT", NULL);

	ring.header = base64url_encode(ring.arena, header, strlen(header));
}

static void
secret_take(void)
{
	ring.secret = (struct jwk){
		.type = JWK_OCT,
		.kid = arena_strdup(ring.arena, cfg->gotrue_jwt_key_id),
		.alg = "HS256",
		.signs = true,
		.secret = { arena_strdup(ring.arena, cfg->gotrue_jwt_secret), strlen(cfg->gotrue_jwt_secret) },
	};
}

static const char *
keys_load(struct arena *arena, struct arena *scratch)
{
	const char *wrong;

	if (str_empty(cfg->gotrue_jwt_secret))
		return ("GOTRUE_JWT_SECRET must be set");
	secret_take();
	wrong = str_empty(cfg->gotrue_jwt_keys) ? NULL : ring_read(arena, scratch);
	if (wrong != NULL)
		return (wrong);
	if (ring.len == 0)
		ring.key[ring.len++] = ring.secret;
	wrong = signer_choose();
	if (wrong == NULL)
		wrong = signer_try(scratch);
	if (wrong == NULL)
		header_make(scratch);
	return (wrong);
}

const char *
jwt_keys_load(struct arena *arena)
{
	struct arena *scratch = arena_new();
	const char *wrong;

	jwt_keys_forget();
	ring.arena = arena_new();
	wrong = keys_load(arena, scratch);
	arena_free(scratch);
	if (wrong != NULL)
		jwt_keys_forget();
	return (wrong);
}

char *
jwt_sign(struct arena *arena, const char *claims)
{
	char *text = arena_printf(arena, "%s.%s", ring.header, base64url_encode(arena, claims, strlen(claims)));
	struct bytes signature = jws_sign(arena, ring.method, ring.signer, (struct bytes){ text, strlen(text) });

	crypto_assert(signature.data != NULL, "signing");
	return (arena_printf(arena, "%s.%s", text, base64url_encode(arena, signature.data, signature.len)));
}

/* A token on its way through the checks.  Each gives NULL or the words of refusal. */
struct token {
	struct arena *arena;
	const char *part[3];
	struct bytes signed_text, signature;
	json *header, *claims;
	const struct jws_method *method;
	struct jwk *key;
};

static const char *
token_split(struct token *t, const char *text)
{
	const char *first = strchr(text, '.'), *second = first == NULL ? NULL : strchr(first + 1, '.');

	if (second == NULL || strchr(second + 1, '.') != NULL)
		return ("token is malformed: token contains an invalid number of segments");
	t->part[0] = arena_strndup(t->arena, text, (size_t)(first - text));
	t->part[1] = arena_strndup(t->arena, first + 1, (size_t)(second - first - 1));
	t->part[2] = second + 1;
	t->signed_text = (struct bytes){ text, (size_t)(second - text) };
	return (NULL);
}

/* NULL: *why says what is wrong with the part called name. */
static json *
part_decode(struct token *t, size_t part, const char *name, const char **why)
{
	size_t len;
	const char *problem, *text = (const char *)base64url_decode(t->arena, t->part[part], &len);
	json *value;

	if (text == NULL) {
		*why = arena_printf(t->arena, "token is malformed: could not base64 decode %s", name);
		return (NULL);
	}
	value = json_parse(t->arena, text, len, &problem);
	if (value == NULL)
		*why = arena_printf(t->arena, "token is malformed: could not JSON decode %s: %s", name, problem);
	else if (json_kind(value) == JSON_NULL)
		value = json_parse(t->arena, "{}", 2, NULL); /* to the reference a null is nothing, which it then misses by name */
	else if (json_kind(value) != JSON_OBJECT) {
		*why = arena_printf(t->arena, "token is malformed: could not JSON decode %s: not an object", name);
		return (NULL);
	}
	return (value);
}

/* What says that the token means something else than it seems to: the reference ignores these. */
static const char *
header_strange(const json *header)
{
	const json *b64 = json_get(header, "b64");

	if (json_get(header, "crit") != NULL)
		return ("token is unverifiable: unknown critical header parameter");
	if (b64 != NULL && !json_true(b64))
		return ("token is unverifiable: unencoded payloads are not accepted");
	if (json_get(header, "zip") != NULL)
		return ("token is unverifiable: compressed payloads are not accepted");
	return (NULL);
}

static const char *
token_decode(struct token *t)
{
	const char *why, *claim, *alg;

	t->header = part_decode(t, 0, "header", &why);
	if (t->header == NULL)
		return (why);
	t->claims = part_decode(t, 1, "claim", &why);
	if (t->claims == NULL)
		return (why);
	claim = jwt_claims_type(t->arena, t->claims);
	if (claim != NULL)
		return (arena_printf(t->arena, "token is malformed: could not JSON decode claim: %s is of another type", claim));
	alg = json_string(json_get(t->header, "alg"));
	if (alg == NULL)
		return ("token is unverifiable: signing method (alg) is unspecified");
	t->method = jws_method(alg);
	if (t->method == NULL)
		return ("token is unverifiable: signing method (alg) is unavailable");
	t->signature.data = base64url_decode(t->arena, t->part[2], &t->signature.len);
	return (t->signature.data == NULL ? "token is malformed: could not base64 decode signature" : header_strange(t->header));
}

static bool
method_valid(const char *name)
{
	if (strs_len(cfg->gotrue_jwt_valid_methods) > 0)
		return (strs_have(cfg->gotrue_jwt_valid_methods, name));
	for (size_t i = 0; i < ring.len; i++)
		if (str_equal(ring.key[i].alg, name))
			return (true);
	return (false);
}

/* As Go prints what a JSON header may hold. */
static const char *
header_words(const struct token *t, const char *name)
{
	const json *value = json_get(t->header, name);

	if (json_kind(value) == JSON_NULL)
		return ("<nil>");
	return (json_kind(value) == JSON_STRING ? json_string(value) : json_text(t->arena, value));
}

static const char *
token_key(struct token *t)
{
	const char *kid = json_string(json_get(t->header, "kid")), *alg = jws_name(t->method);

	if (!method_valid(alg))
		return (arena_printf(t->arena, "token signature is invalid: signing method %s is invalid", alg));
	if (kid != NULL) {
		t->key = ring_find(kid);
		if (t->key == NULL && str_equal(kid, ring.secret.kid))
			t->key = &ring.secret;
	}
	if (t->key == NULL && str_equal(alg, "HS256"))
		t->key = &ring.secret;
	if (t->key == NULL)
		return (arena_printf(t->arena,
		    "token is unverifiable: error while executing keyfunc: unrecognized JWT kid %s for algorithm %s",
		    header_words(t, "kid"), alg));
	return (NULL);
}

static const char *
token_check(struct token *t)
{
	const char *why = jws_check(t->arena, t->method, t->key, t->signed_text, t->signature);

	if (why != NULL)
		return (arena_printf(t->arena, "token signature is invalid: %s", why));
	why = jwt_claims_time(t->arena, t->claims, clock_now());
	return (why == NULL ? NULL : arena_printf(t->arena, "token has invalid claims: %s", why));
}

json *
jwt_verify(struct arena *arena, const char *text, const char **why)
{
	struct token token = { .arena = arena };

	*why = token_split(&token, text);
	if (*why == NULL)
		*why = token_decode(&token);
	if (*why == NULL)
		*why = token_key(&token);
	if (*why == NULL)
		*why = token_check(&token);
	return (*why == NULL ? token.claims : NULL);
}

char *
jwt_key_set(struct arena *arena)
{
	struct buf set = buf_new(arena);

	json_object_begin(&set, NULL);
	json_array_begin(&set, "keys");
	for (size_t i = 0; i < ring.len; i++)
		json_put_raw(&set, NULL, ring.key[i].published);
	json_array_end(&set);
	json_object_end(&set);
	return (set.data);
}

bool
jwt_signs_asymmetric(void)
{
	return (ring.signer->type != JWK_OCT);
}

const char *
jwt_signing_alg(void)
{
	return (jws_name(ring.method));
}
