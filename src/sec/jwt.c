/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "sec/crypto.h"
#include "sec/jws.h"
#include "sec/jwt.h"
#include "sec/jwt_claims.h"
#include "sec/key_file.h"

#define MOST_KEYS 64
_Static_assert(MOST_KEYS >= KEY_FILE_MOST, "a file's keys find room");

/* The keys of this process. */
static struct ring {
	struct arena *arena;
	struct jwk key[MOST_KEYS];
	size_t len;
	struct jwk secret; /* GOTRUE_JWT_SECRET */
	struct jwk *signer;
	const struct jws_method *method; /* the signer's */
	char *header;                    /* of tokens that are signed, encoded */
} ring;

static void
ring_free(struct ring *old)
{
	for (size_t i = 0; i < old->len; i++)
		jwk_free(&old->key[i]);
	arena_free(old->arena);
	*old = (struct ring){ 0 };
}

void
jwt_keys_forget(void)
{
	ring_free(&ring);
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
secret_read(struct arena *arena, struct arena *scratch)
{
	(void)arena;
	(void)scratch;
	ring.key[ring.len++] = ring.secret;
	return (NULL);
}

static const char *
setting_read(struct arena *arena, struct arena *scratch)
{
	const char *text = cfg->gotrue_jwt_keys, *wrong;
	json *list = json_parse_text(scratch, text);

	if (json_kind(list) != JSON_ARRAY)
		return ("is not a JSON array of keys");
	for (size_t i = 0; i < json_len(list); i++) {
		wrong = ring_add(scratch, json_at(list, i));
		if (wrong != NULL)
			return (arena_printf(arena, "has a key %zu that can't be used: %s", i + 1, wrong));
	}
	return (ring.len == 0 ? secret_read(arena, scratch) : NULL);
}

/* A file's key as GOTRUE_JWT_KEYS would have it: what it is good for is its state. */
static const json *
entry_key(struct arena *scratch, const struct key_entry *entry)
{
	static char operations[] = "key_ops", sign[] = "sign", verify[] = "verify";
	const json *jwk = json_parse_text(scratch, entry->jwk);
	struct buf b = buf_new(scratch);

	json_object_begin(&b, NULL);
	json_put_except(&b, jwk, (char *const[]){ operations, NULL });
	json_put_list(&b, operations, (char *const[]){ verify, entry->state == KEY_CURRENT ? sign : NULL, NULL });
	json_object_end(&b);
	return (json_parse(scratch, b.data, b.len, NULL));
}

static const char *
file_read(struct arena *arena, struct arena *scratch)
{
	struct key_file *file = arena_new_object(scratch, struct key_file);
	const char *wrong = key_file_read(scratch, cfg->postern_jwt_keys_file, file);

	for (size_t i = 0; i < file->len && wrong == NULL; i++)
		if (file->entry[i].state != KEY_RETIRED)
			wrong = ring_add(scratch, entry_key(scratch, &file->entry[i]));
	return (wrong == NULL ? NULL : arena_printf(arena, "(%s) %s", cfg->postern_jwt_keys_file, wrong));
}

static const char *
signer_choose(void)
{
	for (size_t i = 0; i < ring.len; i++) {
		if (!ring.key[i].signs)
			continue;
		if (ring.signer != NULL)
			return ("has multiple signing keys, and only one is supported");
		ring.signer = &ring.key[i];
	}
	return (ring.signer == NULL ? "has no signing key" : NULL);
}

bool
jwt_alg_taken(const char *alg)
{
	return (strs_len(cfg->gotrue_jwt_valid_methods) == 0 || strs_have(cfg->gotrue_jwt_valid_methods, alg));
}

/* A key whose halves do not belong together would make tokens that nobody takes. */
static const char *
signer_try(struct arena *arena, struct arena *scratch)
{
	static const struct bytes text = { "postern", 7 };
	struct bytes signature;

	ring.method = jws_signing_method(ring.signer);
	if (ring.method == NULL)
		return ("has a signing key without an \"alg\" that fits it: HS256, RS256, RS512, ES256, ES512 or EdDSA");
	if (!jwt_alg_taken(jws_name(ring.method)))
		return (arena_printf(arena, "has a signing key of %s, which GOTRUE_JWT_VALID_METHODS does not have: add it there",
		    jws_name(ring.method)));
	signature = jws_sign(scratch, ring.method, ring.signer, text);
	if (signature.data == NULL || jws_check(scratch, ring.method, ring.signer, text, signature) != NULL)
		return ("has a signing key whose secret and public part do not belong together");
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

/* Where the keys stand: in the first that is set. */
static const struct source {
	size_t setting;
	const char *name;
	const char *(*read)(struct arena *, struct arena *scratch);
} sources[] = {
	{ offsetof(struct settings, postern_jwt_keys_file), "POSTERN_JWT_KEYS_FILE", file_read },
	{ offsetof(struct settings, gotrue_jwt_keys), "GOTRUE_JWT_KEYS", setting_read },
	{ offsetof(struct settings, gotrue_jwt_secret), "GOTRUE_JWT_SECRET", secret_read },
};

static const char *
keys_load(struct arena *arena, struct arena *scratch)
{
	const struct source *source = sources;
	const char *wrong;

	if (str_empty(cfg->gotrue_jwt_secret))
		return ("GOTRUE_JWT_SECRET must be set");
	secret_take();
	while (str_empty(setting_text_at(source->setting)))
		source++;
	wrong = source->read(arena, scratch);
	if (wrong == NULL)
		wrong = signer_choose();
	if (wrong == NULL)
		wrong = signer_try(arena, scratch);
	if (wrong != NULL)
		return (arena_printf(arena, "%s %s", source->name, wrong));
	header_make(scratch);
	return (NULL);
}

const char *
jwt_keys_load(struct arena *arena)
{
	struct arena *scratch = arena_new();
	struct ring before = ring;
	const char *wrong;
	bool first;

	ring = (struct ring){ .arena = arena_new() };
	if (!str_empty(cfg->postern_jwt_keys_file))
		key_file_changed(cfg->postern_jwt_keys_file, &first);
	wrong = keys_load(arena, scratch);
	arena_free(scratch);
	if (wrong == NULL) {
		ring_free(&before);
		return (NULL);
	}
	ring_free(&ring);
	ring = before;
	return (wrong);
}

void
jwt_keys_follow(void)
{
	struct arena *arena;
	const char *wrong;
	bool first;

	if (str_empty(cfg->postern_jwt_keys_file) || !key_file_changed(cfg->postern_jwt_keys_file, &first))
		return;
	arena = arena_new();
	wrong = jwt_keys_load(arena);
	if (first && wrong == NULL)
		log_event(LOG_INFO, "the keys were read anew", NULL);
	else if (first)
		log_event(LOG_ERROR, "the keys stay as they were", "error", wrong, NULL);
	arena_free(arena);
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
