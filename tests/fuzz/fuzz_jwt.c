/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "fuzz.h"
#include "sec/refresh_token_v2.h"
#include "sec/jws.h"
#include "sec/jwt.h"

#define SECRET "37c304f8-51aa-419a-a1af-06154e63707a"

static char *none[] = { NULL };
static struct settings settings = {
	.gotrue_jwt_secret = SECRET,
	.gotrue_jwt_keys = "",
	.gotrue_jwt_key_id = "",
	.gotrue_jwt_valid_methods = none,
};

static void
token_try(struct arena *arena, const char *token)
{
	const char *why = NULL;
	json *claims = jwt_verify(arena, token, &why);

	PROMISE((claims == NULL) == (why != NULL));
	PROMISE(claims == NULL || json_kind(claims) == JSON_OBJECT);
}

/* Rightly signed, so that the claims are looked at too. */
static void
signed_try(struct arena *arena, const char *header, const char *claims)
{
	struct jwk key = { .type = JWK_OCT, .secret = { SECRET, strlen(SECRET) } };
	char *text =
	    arena_printf(arena, "%s.%s", base64url_encode(arena, header, strlen(header)), base64url_encode(arena, claims, strlen(claims)));
	struct bytes mac = jws_sign(arena, jws_method("HS256"), &key, (struct bytes){ text, strlen(text) });

	token_try(arena, arena_printf(arena, "%s.%s", text, base64url_encode(arena, mac.data, mac.len)));
}

static void
keys_try(struct arena *arena, const char *keys)
{
	settings.gotrue_jwt_keys = keys;
	if (jwt_keys_load(arena) == NULL) {
		PROMISE(json_parse(arena, jwt_key_set(arena), strlen(jwt_key_set(arena)), NULL) != NULL);
		token_try(arena, jwt_sign(arena, "{}"));
	}
	settings.gotrue_jwt_keys = "";
	jwt_keys_forget();
}

/* "[...": GOTRUE_JWT_KEYS; two lines: header and claims; else a token. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)bytes, len), *claims = strchr(text, '\n');
	struct refresh_token_v2 refresh;

	cfg = &settings;
	if (text[0] == '[')
		keys_try(arena, text);
	PROMISE(jwt_keys_load(arena) == NULL);
	if (claims != NULL) {
		*claims++ = '\0';
		signed_try(arena, text, claims);
	} else
		token_try(arena, text);
	if (refresh_token_v2_parse(arena, text, &refresh))
		PROMISE(strlen(refresh.session_id) == 36 && refresh.counter >= 0);
	jwt_keys_forget();
	arena_free(arena);
	return (0);
}
