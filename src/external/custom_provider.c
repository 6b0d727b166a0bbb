/* SPDX-License-Identifier: Apache-2.0 */
#include "external/custom_provider.h"

#include <inttypes.h>
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/list.h"
#include "db/db.h"
#include "external/custom_discovery.h"
#include "external/custom_url.h"
#include "external/issuer.h"
#include "query/custom_provider.h"
#include "sec/secret.h"

#define PREFIX "custom:"

typedef struct custom_provider_input input;

const struct param custom_provider_params[] = {
	PARAM(input, text, provider_type),
	PARAM(input, text, identifier),
	PARAM(input, text, name),
	PARAM(input, text, client_id),
	PARAM(input, text, client_secret),
	PARAM(input, strings, acceptable_client_ids),
	PARAM(input, strings, scopes),
	PARAM(input, maybe_bool, pkce_enabled),
	PARAM(input, raw_object, attribute_mapping),
	PARAM(input, strings, custom_claims_allowlist),
	PARAM(input, raw_object, authorization_params),
	PARAM(input, maybe_bool, enabled),
	PARAM(input, maybe_bool, email_optional),
	PARAM(input, text, issuer),
	PARAM(input, maybe_text, discovery_url),
	PARAM(input, maybe_bool, skip_nonce_check),
	PARAM(input, text, authorization_url),
	PARAM(input, text, token_url),
	PARAM(input, text, userinfo_url),
	PARAM(input, maybe_text, jwks_uri),
	PARAM_END,
};

/* The URLs, in the order in which they are looked at; each kind of provider has its own. */
static const struct {
	size_t offset;
	bool oidc;
	const char *required; /* what is said when it is not there */
} urls[] = {
	{ offsetof(input, issuer), true, "issuer is required for OIDC providers" },
	{ offsetof(input, discovery_url), true, NULL },
	{ offsetof(input, authorization_url), false, "authorization_url is required for OAuth2 providers" },
	{ offsetof(input, token_url), false, "token_url is required for OAuth2 providers" },
	{ offsetof(input, userinfo_url), false, "userinfo_url is required for OAuth2 providers" },
	{ offsetof(input, jwks_uri), false, NULL },
};
#define URLS (sizeof(urls) / sizeof(urls[0]))

static const char **
text_at(input *in, size_t offset)
{
	return ((const char **)(void *)((char *)in + offset));
}

/* --- What administrators may not say --- */

/* OAuth's own parameters: they are ours to set. */
static char *const reserved[] = { "client_id", "client_secret", "redirect_uri", "response_type", "state", "code_challenge",
	"code_challenge_method", "code_verifier", "nonce", NULL };

/* What nobody elsewhere says about a user. */
static char *const protected[] = { "id", "aud", "role", "app_metadata", "created_at", "updated_at", "confirmed_at", "email_confirmed_at",
	"phone_confirmed_at", "email_verified", "phone_verified", "banned_until", "is_super_admin", NULL };

struct verdict {
	struct request *r;
	err error;
};

static bool
param_allowed(void *arg, const char *key, json *value)
{
	struct verdict *v = arg;

	if (strs_have(reserved, key))
		v->error = fail(v->r, E_VALIDATION_FAILED, "Cannot override reserved OAuth parameter: %s", key);
	else if (json_string(value) == NULL)
		v->error = fail(v->r, E_VALIDATION_FAILED, "Authorization parameter %s must be a string", json_quote(v->r->arena, key));
	return (v->error == OK);
}

static bool
target_allowed(void *arg, const char *key, json *value)
{
	struct verdict *v = arg;

	(void)value;
	if (strs_have(protected, key))
		v->error = fail(v->r, E_VALIDATION_FAILED, "Cannot map to protected system field: %s", key);
	return (v->error == OK);
}

static err
members_check(struct request *r, const char *object, bool (*allowed)(void *, const char *, json *))
{
	struct verdict v = { r, OK };

	if (object != NULL)
		json_each(json_parse_text(r->arena, object), allowed, &v);
	return (v.error);
}

static err
maps_check(struct request *r, const input *in)
{
	TRY(members_check(r, in->authorization_params, param_allowed));
	TRY(members_check(r, in->attribute_mapping, target_allowed));
	for (char **claim = in->custom_claims_allowlist; claim != NULL && *claim != NULL; claim++)
		if (*str_trim(r->arena, *claim) == '\0')
			return (fail(r, E_VALIDATION_FAILED, "custom_claims_allowlist entries must be non-empty strings"));
	return (OK);
}

err
custom_provider_check_identifier(struct request *r, const char *identifier)
{
	if (!str_starts(identifier, PREFIX))
		return (fail(r, E_VALIDATION_FAILED, "identifier must start with 'custom:' prefix, e.g. 'custom:%s'", identifier));
	return (OK);
}

static err
required_check(struct request *r, input *in, bool oidc)
{
	if (str_empty(in->identifier))
		return (fail(r, E_VALIDATION_FAILED, "identifier is required"));
	TRY(custom_provider_check_identifier(r, in->identifier));
	if (str_empty(in->name))
		return (fail(r, E_VALIDATION_FAILED, "name is required"));
	if (str_empty(in->client_id))
		return (fail(r, E_VALIDATION_FAILED, "client_id is required"));
	if (str_empty(in->client_secret))
		return (fail(r, E_VALIDATION_FAILED, "client_secret is required"));
	for (size_t i = 0; i < URLS; i++)
		if (urls[i].oidc == oidc && urls[i].required != NULL && str_empty(*text_at(in, urls[i].offset)))
			return (fail(r, E_VALIDATION_FAILED, "%s", urls[i].required));
	return (OK);
}

/* Looks at the URLs of this kind and forgets those of the other. */
static err
urls_check(struct request *r, input *in, bool oidc)
{
	for (size_t i = 0; i < URLS; i++) {
		const char **url = text_at(in, urls[i].offset), *why;

		if (urls[i].oidc != oidc)
			*url = NULL;
		why = str_empty(*url) ? NULL : custom_url_refusal(r->arena, *url);
		if (why != NULL)
			return (fail(r, E_VALIDATION_FAILED, "%s", why));
	}
	return (OK);
}

/* --- Rows --- */

/* What the table's own rules refuse: the reference answers 500, we say what is wrong. */
static err
refused_by_table(struct request *r, const char *words)
{
	static const struct {
		const char *constraint, *words;
	} rules[] = {
		{ "_identifier_format",
		    "identifier must have 2 to 50 characters: small letters, digits, ':' and '-', but no ':' or '-' at its end" },
		{ "_name_length", "name must have at most 100 characters" },
		{ "_client_id_length", "client_id must have at most 512 characters" },
		{ "_length", "URL must have at most 2048 characters" },
		{ "_https", "URL must use HTTPS" },
	};
	const struct db_error *e = db_error(r->db);

	if (str_equal(e->sqlstate, "23505")) /* somebody was faster */
		return (fail_as(r, E_CONFLICT, 400, "A custom OAuth provider with this identifier already exists"));
	if (str_equal(e->sqlstate, "23514"))
		for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
			if (e->constraint != NULL && strstr(e->constraint, rules[i].constraint) != NULL)
				return (fail(r, E_VALIDATION_FAILED, "%s", rules[i].words));
	return (fail(r, E_DATABASE, "%s", words));
}

static const char *
flag(const bool *value, const char *otherwise)
{
	return (value == NULL ? otherwise : *value ? "t" : "f");
}

static const char *
list(struct arena *a, char *const *strings)
{
	return (strings != NULL ? db_array(a, strings) : NULL);
}

static const char *
or_null(const char *text)
{
	return (str_empty(text) ? NULL : text);
}

/* OpenID Connect without this scope is none. */
static char **
scopes_with_openid(struct arena *a, char **scopes)
{
	size_t len = strs_len(scopes);
	char **more;

	if (strs_have(scopes, "openid"))
		return (scopes);
	more = arena_new_array(a, char *, len + 2);
	more[0] = arena_strdup(a, "openid");
	for (size_t i = 0; i < len; i++)
		more[i + 1] = scopes[i];
	return (more);
}

static err
row_add(struct request *r, const input *in, const char *document, const char **shown)
{
	const char *id = uuid_new(r->arena);
	struct custom_provider_add row;
	err error;

	error = custom_provider_add(r->db, &row, .id = id, .type = in->provider_type, .identifier = in->identifier, .name = in->name,
	    .client_id = in->client_id, .client_secret = secret_seal(r->arena, id, in->client_secret),
	    .acceptable_client_ids = db_array(r->arena, in->acceptable_client_ids), .scopes = db_array(r->arena, in->scopes),
	    .pkce_enabled = flag(in->pkce_enabled, "t"), .attribute_mapping = str_or(in->attribute_mapping, "{}"),
	    .custom_claims_allowlist = db_array(r->arena, in->custom_claims_allowlist),
	    .authorization_params = str_or(in->authorization_params, "{}"), .enabled = flag(in->enabled, "t"),
	    .email_optional = flag(in->email_optional, "f"), .skip_nonce_check = flag(in->skip_nonce_check, "f"), .issuer = in->issuer,
	    .discovery_url = in->discovery_url, .discovery = document, .authorization_url = in->authorization_url,
	    .token_url = in->token_url, .userinfo_url = in->userinfo_url, .jwks_uri = in->jwks_uri, .now = r->now_text);
	if (error == E_DATABASE)
		return (refused_by_table(r, "Error creating custom OAuth provider"));
	TRY(error);
	*shown = row.json;
	return (OK);
}

err
custom_provider_create(struct request *r, input *in, const char **shown)
{
	bool oidc = str_equal(in->provider_type, "oidc");
	struct custom_provider_standing standing;
	const char *document = NULL;

	if (!oidc && !str_equal(in->provider_type, "oauth2"))
		return (fail(r, E_VALIDATION_FAILED, "provider_type must be either 'oauth2' or 'oidc'"));
	TRY(required_check(r, in, oidc));
	TRY(maps_check(r, in));
	TRY_DB(r, custom_provider_standing(r->db, &standing, .identifier = in->identifier), "Error checking for existing provider");
	if (cfg->gotrue_custom_oauth_max_providers > 0 && standing.total >= cfg->gotrue_custom_oauth_max_providers)
		return (fail(r, E_OVER_CUSTOM_PROVIDER_QUOTA, NULL));
	TRY(urls_check(r, in, oidc));
	if (standing.taken)
		return (fail_as(r, E_CONFLICT, 400, "A custom OAuth provider with this identifier already exists"));
	if (oidc) {
		in->scopes = scopes_with_openid(r->arena, in->scopes);
		TRY(custom_discovery_fetch(r, in->issuer, in->discovery_url, &document));
	} else
		in->skip_nonce_check = NULL;
	return (row_add(r, in, document, shown));
}

static err
row_change(struct request *r, const char *id, const input *in, const char *document, const char **shown)
{
	const char *secret = str_empty(in->client_secret) ? NULL : secret_seal(r->arena, id, in->client_secret);
	struct custom_provider_change row;
	err error;

	error = custom_provider_change(r->db, &row, .id = id, .name = or_null(in->name), .client_id = or_null(in->client_id),
	    .client_secret = secret, .acceptable_client_ids = list(r->arena, in->acceptable_client_ids),
	    .scopes = list(r->arena, in->scopes), .pkce_enabled = flag(in->pkce_enabled, NULL), .attribute_mapping = in->attribute_mapping,
	    .custom_claims_allowlist = list(r->arena, in->custom_claims_allowlist), .authorization_params = in->authorization_params,
	    .enabled = flag(in->enabled, NULL), .email_optional = flag(in->email_optional, NULL),
	    .skip_nonce_check = flag(in->skip_nonce_check, NULL), .issuer = or_null(in->issuer),
	    .discovery_url = or_null(in->discovery_url), .discovery = document, .authorization_url = or_null(in->authorization_url),
	    .token_url = or_null(in->token_url), .userinfo_url = or_null(in->userinfo_url), .jwks_uri = or_null(in->jwks_uri),
	    .now = r->now_text);
	if (error == E_DATABASE)
		return (refused_by_table(r, "Error updating custom OAuth provider"));
	TRY(error);
	if (!row.found)
		return (fail(r, E_CUSTOM_PROVIDER_NOT_FOUND, NULL));
	*shown = row.json;
	return (OK);
}

err
custom_provider_alter(struct request *r, const char *identifier, input *in, const char **shown)
{
	struct custom_provider_by_identifier row;
	const char *document = NULL;

	TRY(maps_check(r, in));
	TRY_DB(r, custom_provider_by_identifier(r->db, &row, .identifier = identifier), "Error retrieving custom OAuth provider");
	if (!row.found)
		return (fail(r, E_CUSTOM_PROVIDER_NOT_FOUND, NULL));
	TRY(urls_check(r, in, row.oidc));
	if (!row.oidc)
		in->skip_nonce_check = NULL;
	else if (in->scopes != NULL)
		in->scopes = scopes_with_openid(r->arena, in->scopes);
	if (row.oidc && (!str_empty(in->issuer) || in->discovery_url != NULL))
		TRY(custom_discovery_fetch(r, str_or(in->issuer, row.issuer), str_or(in->discovery_url, row.discovery_url), &document));
	if (row.oidc)
		TRY(issuer_forget(r, row.issuer));
	if (row.oidc && !str_empty(in->issuer))
		TRY(issuer_forget(r, in->issuer));
	return (row_change(r, row.id, in, document, shown));
}

err
custom_provider_remove(struct request *r, const char *identifier)
{
	struct custom_provider_drop row;

	TRY_DB(r, custom_provider_drop(r->db, &row, .identifier = identifier), "Error deleting custom OAuth provider");
	return (row.found ? OK : fail(r, E_CUSTOM_PROVIDER_NOT_FOUND, NULL));
}

static err
providers_read(struct request *r, struct list *providers, struct buf *out)
{
	const char *type = providers->wanted, *most = arena_printf(r->arena, "%" PRIu64, providers->most);
	struct listed_provider_rows found;

	if (type == NULL)
		TRY(custom_provider_older(r->db, &found, .most = most, .created_at = providers->created_at, .id = providers->id));
	else
		TRY(custom_provider_newer_of(r->db, &found, .type = type, .most = most, .created_at = providers->created_at,
		    .id = providers->id));
	for (size_t i = 0; i < found.len; i++) {
		list_row(providers, out, found.row[i].created_at, found.row[i].id);
		buf_puts(out, found.row[i].json);
	}
	return (OK);
}

err
custom_provider_list(struct request *r, const char *type)
{
	struct list *providers = list_new(r, UINT64_MAX, 0);

	providers->read = providers_read;
	providers->wanted = type;
	providers->end = "]}";
	return (list_reply(r, providers, list_begin(r->arena, "providers").data));
}
