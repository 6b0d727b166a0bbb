/* SPDX-License-Identifier: Apache-2.0 */
/* What other servers read: public keys and the description of this issuer (RFC 8414, OpenID Connect Discovery). */
#include <string.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "sec/jwt.h"

static err
reply_public(struct request *r, const char *body)
{
	reply_header(r, "Cache-Control", arena_printf(r->arena, "public, max-age=%d", JWT_KEY_SET_AGE));
	return (reply_json(r, 200, body));
}

/* GET /.well-known/jwks.json */
err
jwks_get(struct request *r)
{
	return (reply_public(r, jwt_key_set(r->arena)));
}

static const struct {
	const char *name, *words;
} supported[] = {
	{ "scopes_supported", "openid profile email phone offline_access" },
	{ "response_types_supported", "code" },
	{ "response_modes_supported", "query" },
	{ "grant_types_supported", "authorization_code refresh_token" },
	{ "subject_types_supported", "public" },
	{ "id_token_signing_alg_values_supported", "RS256 HS256 ES256" },
	{ "token_endpoint_auth_methods_supported", "client_secret_basic client_secret_post none" },
	{ "claims_supported",
	    "sub aud iss exp iat auth_time nonce email email_verified phone_number phone_number_verified name picture preferred_username "
	    "updated_at" },
	{ "code_challenge_methods_supported", "S256 plain" },
};

/* GET /.well-known/openid-configuration, /.well-known/oauth-authorization-server */
err
openid_configuration_get(struct request *r)
{
	static const char *const endpoints[][2] = {
		/* clang-format off */
		{ "authorization_endpoint", "/oauth/authorize" },
		{ "token_endpoint", "/oauth/token" },
		{ "jwks_uri", "/.well-known/jwks.json" },
		{ "userinfo_endpoint", "/oauth/userinfo" },
		{ "registration_endpoint", "/oauth/clients/register" }, /* the last: only where clients may register */
		/* clang-format on */
	};
	bool registers = cfg->gotrue_oauth_server_enabled && cfg->gotrue_oauth_server_allow_dynamic_registration;
	size_t count = sizeof(endpoints) / sizeof(endpoints[0]) - (registers ? 0 : 1);
	const char *issuer = str_or(cfg->gotrue_jwt_issuer, cfg->api_external_url);
	char *base = arena_strdup(r->arena, issuer);
	struct buf b = buf_new(r->arena);

	for (size_t len = strlen(base); len > 0 && base[len - 1] == '/'; len--)
		base[len - 1] = '\0';
	json_object_begin(&b, NULL);
	json_put_text(&b, "issuer", issuer);
	for (size_t i = 0; i < count; i++)
		json_put_text(&b, endpoints[i][0], arena_printf(r->arena, "%s%s", base, endpoints[i][1]));
	for (size_t i = 0; i < sizeof(supported) / sizeof(supported[0]); i++)
		json_put_list(&b, supported[i].name, str_split(r->arena, supported[i].words, ' '));
	json_object_end(&b);
	return (reply_public(r, b.data));
}
