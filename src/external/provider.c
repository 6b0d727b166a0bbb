/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "external/issuer.h"
#include "external/provider_row.h"

/* clang-format off */
const struct provider_row provider_rows[] = {
#define PROVIDER(id, api, ...) [PROVIDER_##id] = { .name = api, __VA_ARGS__ },
#include "provider.def"
#undef PROVIDER
};
/* clang-format on */

static const struct provider_settings *
settings_of(const struct provider_row *row)
{
	return (&cfg->provider[row - provider_rows]);
}

static const struct provider_row *
provider_row_find(const char *name)
{
	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		if (str_equal(provider_rows[i].name, name))
			return (&provider_rows[i]);
	return (NULL);
}

/* The setting without the one slash that may end it. */
static const char *
url_base(struct arena *a, const struct provider_row *row)
{
	const char *url = settings_of(row)->url;
	size_t len = strlen(url);

	return (len > 0 && url[len - 1] == '/' ? arena_strndup(a, url, len - 1) : url);
}

char *
provider_url(struct arena *a, const struct provider_row *row, const char *pattern)
{
	const char *base, *usual, *own, *rest;
	size_t len;

	if (pattern == NULL || *pattern != '{')
		return (arena_strdup(a, pattern));
	base = url_base(a, row);
	len = strcspn(pattern + 1, "|}");
	usual = arena_strndup(a, pattern + 1, len);
	rest = strchr(pattern, '}') + 1;
	own = pattern[1 + len] == '|' ? arena_strndup(a, pattern + len + 2, (size_t)(rest - pattern) - len - 3) : "";
	if (*base == '\0')
		return (arena_printf(a, "%s%s", usual, rest));
	/* Who writes the usual place out has none of their own. */
	if (*own != '\0' && str_ends(base, usual + strlen("https://")))
		own = "";
	return (arena_printf(a, "%s%s%s", base, own, rest));
}

/* What the reference says of settings that do not suffice; NULL: they do. */
static const char *
settings_lack(const struct provider_row *row)
{
	const struct provider_settings *s = settings_of(row);

	if (!s->enabled)
		return ("provider is not enabled");
	if (s->client_id[0] == NULL)
		return ("missing OAuth client ID");
	if (*s->secret == '\0')
		return ("missing OAuth secret");
	if (*s->redirect_uri == '\0')
		return ("missing redirect URI");
	if (*s->url == '\0')
		return (row->url_missing);
	return (NULL);
}

static const char *
scopes_joined(struct arena *a, const struct provider_row *row, const char *scopes)
{
	const char *more = row->scopes_fixed || str_empty(scopes) ? "" : str_join(a, str_split(a, scopes, ','), " ");

	if (str_empty(row->scopes) || *more == '\0')
		return (str_or(row->scopes, more));
	return (arena_printf(a, "%s %s", row->scopes, more));
}

static void
row_fill(struct arena *a, const struct provider_row *row, const char *scopes, struct provider *p)
{
	const struct provider_settings *s = settings_of(row);

	*p = (struct provider){
		.name = row->name,
		.row = row,
		.trust = HTTP_OPERATOR,
		.client_id = s->client_id[0] != NULL ? s->client_id[0] : "",
		.secret = s->secret,
		.redirect_uri = s->redirect_uri,
		.authorize = provider_url(a, row, row->authorize),
		.token = provider_url(a, row, row->token),
		.userinfo = provider_url(a, row, row->userinfo),
		.scopes = scopes_joined(a, row, scopes),
		.pkce = row->pkce,
		.email_optional = s->email_optional,
		.skip_nonce_check = s->skip_nonce_check,
		.issuer = provider_url(a, row, row->issuer),
	};
}

/* The endpoints that the issuer's document names and the row does not.  What went wrong is for the log, not for strangers. */
static err
endpoints_discover(struct request *r, struct provider *p)
{
	struct oidc_document doc;
	struct issuer i = { .url = p->issuer, .discovery_url = p->discovery_url, .trust = p->trust };

	TRY_OUTSIDE(issuer_document(r, &i, &doc), fail(r, E_OUTSIDE, "its issuer's discovery document could not be read"));
	p->authorize = str_or(p->authorize, doc.authorize);
	p->token = str_or(p->token, doc.token);
	p->userinfo = str_or(p->userinfo, doc.userinfo);
	p->names_itself = doc.names_itself;
	return (OK);
}

static err
custom_find(struct request *r, const char *name, const char *scopes, struct provider *p)
{
	if (!cfg->gotrue_custom_oauth_enabled)
		return (fail(r, E_OUTSIDE, "custom OAuth providers are disabled"));
	TRY(custom_provider_find(r, name, scopes, p));
	return (p->issuer != NULL ? endpoints_discover(r, p) : OK);
}

err
provider_find(struct request *r, const char *asked, const char *scopes, struct provider *p)
{
	const char *name = str_lower(r->arena, asked), *lack;
	const struct provider_row *row = provider_row_find(name);

	if (str_starts(name, "custom:"))
		return (custom_find(r, name, scopes, p));
	if (row == NULL)
		return (fail(r, E_OUTSIDE, "Provider %s could not be found", name));
	if ((lack = settings_lack(row)) != NULL)
		return (fail(r, E_OUTSIDE, "%s", lack));
	row_fill(r->arena, row, scopes, p);
	return (row->discovered ? endpoints_discover(r, p) : OK);
}

bool
provider_speaks_oauth1(const char *name)
{
	const struct provider_row *row = provider_row_find(name);

	return (row != NULL && row->protocol != NULL);
}
