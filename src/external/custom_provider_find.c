/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in with a row of auth.custom_oauth_providers: external/provider.h. */
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "external/provider.h"
#include "query/custom_provider.h"
#include "sec/secret.h"

/* The strings of a JSON array. */
static char **
strings_read(struct arena *a, const char *text)
{
	const json *array = json_parse_text(a, text);
	char **list = arena_new_array(a, char *, json_len(array) + 1);

	for (size_t i = 0; i < json_len(array); i++)
		list[i] = arena_strdup(a, str_or(json_string(json_at(array, i)), ""));
	return (list);
}

/* NULL when there is nothing in it. */
static json *
object_read(struct arena *a, const char *text)
{
	json *object = json_parse_text(a, text);

	return (json_len(object) > 0 ? object : NULL);
}

static const char *
redirect_uri(struct arena *a)
{
	const char *base = str_or(cfg->gotrue_custom_oauth_external_url, cfg->api_external_url);
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return (arena_printf(a, "%.*s/callback", (int)len, base));
}

/* The words of the client's scopes, or the row's own; an issuer always gets "openid". */
static const char *
scopes_joined(struct arena *a, const struct custom_provider_by_identifier *row, const char *asked)
{
	static const char blanks[] = " \t\n\v\f\r";
	char **own = strings_read(a, row->scopes);
	struct buf b = buf_new(a);
	bool openid = false;

	asked = str_or(asked, "");
	for (asked += strspn(asked, blanks); *asked != '\0'; asked += strspn(asked, blanks)) {
		size_t len = strcspn(asked, blanks);

		buf_printf(&b, "%s%.*s", b.len > 0 ? " " : "", (int)len, asked);
		openid = openid || (len == 6 && memcmp(asked, "openid", len) == 0);
		asked += len;
	}
	if (b.len == 0) {
		openid = strs_have(own, "openid");
		buf_puts(&b, str_join(a, own, " "));
	}
	if (row->oidc && !openid)
		return (arena_printf(a, "openid%s%s", b.len > 0 ? " " : "", b.len > 0 ? b.data : ""));
	return (b.len > 0 ? b.data : "");
}

/* All but the secret and the scopes. */
static void
provider_fill(struct request *r, const char *name, const struct custom_provider_by_identifier *row, struct provider *p)
{
	struct arena *a = r->arena;

	*p = (struct provider){
		.name = name,
		.trust = HTTP_STRANGER,
		.client_id = row->client_id,
		.redirect_uri = redirect_uri(a),
		.audiences = strings_read(a, row->acceptable_client_ids),
		.pkce = row->pkce,
		.email_optional = row->email_optional,
		.skip_nonce_check = row->skip_nonce_check,
		.authorization_params = object_read(a, row->authorization_params),
		.attribute_mapping = object_read(a, row->attribute_mapping),
		.allowed_claims = strings_read(a, row->allowed_claims),
	};
	if (row->oidc) {
		p->issuer = row->issuer;
		p->discovery_url = str_empty(row->discovery_url) ? NULL : row->discovery_url;
	} else {
		p->authorize = row->authorization_url;
		p->token = row->token_url;
		p->userinfo = row->userinfo_url;
	}
}

err
custom_provider_find(struct request *r, const char *name, const char *scopes, struct provider *p)
{
	struct custom_provider_by_identifier row;

	TRY(custom_provider_by_identifier(r->db, &row, .identifier = name));
	if (!row.found || !row.enabled)
		return (fail(r, E_OUTSIDE, "custom provider %s %s", name, row.found ? "is disabled" : "not found"));
	provider_fill(r, name, &row, p);
	p->scopes = scopes_joined(r->arena, &row, scopes);
	p->secret = secret_unseal(r->arena, row.id, row.client_secret, NULL);
	return (p->secret != NULL ? OK : fail(r, E_OUTSIDE, "error decrypting client secret for provider %s", name));
}

err
custom_provider_find_issuer(struct request *r, const char *name, struct provider *p)
{
	struct custom_provider_by_identifier row;
	const char *quoted = json_quote(r->arena, name);

	if (!cfg->gotrue_custom_oauth_enabled)
		return (fail(r, E_VALIDATION_FAILED, "Custom OAuth providers are disabled"));
	TRY_DB(r, custom_provider_by_identifier(r->db, &row, .identifier = name), "Error finding custom provider");
	if (!row.found)
		return (fail(r, E_VALIDATION_FAILED, "Custom provider %s not found", quoted));
	if (!row.enabled)
		return (fail(r, E_PROVIDER_DISABLED, "Custom provider %s is disabled", quoted));
	if (!row.oidc)
		return (fail(r, E_VALIDATION_FAILED, "Provider %s is not an OIDC provider", quoted));
	provider_fill(r, name, &row, p);
	return (OK);
}

/* --- Claims --- */

static bool
member_add(void *pairs, const char *key, json *value)
{
	struct query *q = pairs;

	query_set(q, key, json_text(q->arena, value));
	return (true);
}

/* An object of names and JSON texts. */
static char *
object_text(const struct query *pairs)
{
	struct buf b = buf_new(pairs->arena);

	json_object_begin(&b, NULL);
	for (size_t i = 0; i < pairs->len; i++)
		json_put_raw(&b, pairs->pair[i].name, pairs->pair[i].value);
	json_object_end(&b);
	return (b.data);
}

static void
claims_allow(struct arena *a, char *const *allowed, const json *raw, struct profile *profile)
{
	const char *already = query_get(&profile->claims, "custom_claims");
	struct query custom = query_new(a);

	if (already != NULL)
		json_each(json_parse_text(a, already), member_add, &custom);
	for (; allowed != NULL && *allowed != NULL; allowed++) {
		json *value = json_get(raw, *allowed);

		if (value != NULL)
			query_set(&custom, *allowed, json_text(a, value));
	}
	if (custom.len > 0)
		query_set(&profile->claims, "custom_claims", object_text(&custom));
}

/* A text names the claim whose value the target gets, if there is such a claim; anything else is the value. */
static bool
target_set(void *claims, const char *target, json *source)
{
	struct query *q = claims;
	const char *name = json_string(source), *value;

	if (name == NULL)
		return (member_add(q, target, source));
	value = query_get(q, name);
	if (value != NULL && !str_equal(value, "false")) /* what is not so counts as not said */
		query_set(q, target, value);
	return (true);
}

/* Where a mapping gives a claim another type, nothing of it counts. */
void
custom_provider_map(struct arena *a, const struct provider *p, const json *raw, struct profile *profile)
{
	struct query claims = query_new(a);
	struct profile mapped = profile_new(a);
	const char *text;

	claims_allow(a, p->allowed_claims, raw, profile);
	if (p->attribute_mapping == NULL)
		return;
	for (size_t i = 0; i < profile->claims.len; i++)
		query_add(&claims, profile->claims.pair[i].name, profile->claims.pair[i].value);
	json_each(p->attribute_mapping, target_set, &claims);
	text = object_text(&claims);
	if (profile_read(&mapped, json_parse_text(a, text)))
		profile->claims = mapped.claims;
}
