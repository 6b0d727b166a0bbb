/* SPDX-License-Identifier: Apache-2.0 */
#include "external/id_token_check.h"

#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "external/id_token.h"
#include "sec/secret.h"

/* Whose token it is to be, and who it may be for. */
struct expectation {
	const char *name;
	struct issuer issuer;
	char *const *audiences[2];
	const char *audience; /* one more; "" or NULL: none */
	bool enabled, skips_nonce, email_optional;
};

/* What the token says of its issuer, before anything is verified; NULL when it can't be read. */
static const char *
issuer_claimed(struct arena *a, const char *token)
{
	char **part = str_split(a, token, '.');
	const unsigned char *bytes;
	const json *claims, *iss;
	size_t len;

	if (strs_len(part) != 3 || (bytes = base64url_decode(a, part[1], &len)) == NULL)
		return (NULL);
	claims = json_parse(a, (const char *)bytes, len, NULL);
	iss = json_get(claims, "iss");
	if (json_kind(claims) != JSON_OBJECT || (json_kind(iss) != JSON_NULL && json_string(iss) == NULL))
		return (NULL);
	return (str_or(json_string(iss), ""));
}

/* Apple and Azure have more issuers than one: which it is stands in the token. */
static err
issuer_detect(struct request *r, const struct id_token_check *t, const char *who, bool (*fits)(const char *), const char **issuer)
{
	const char *an = strcmp(who, "Apple") == 0 || strcmp(who, "Azure") == 0 ? "an" : "a";

	*issuer = issuer_claimed(r->arena, t->id_token);
	if (*issuer == NULL)
		return (fail(r, E_VALIDATION_FAILED, "Unable to detect issuer in ID token for %s provider", who));
	if (!fits(*issuer))
		return (fail(r, E_VALIDATION_FAILED, "Detected ID token issuer is not %s %s ID token issuer", an, who));
	if (!str_empty(t->issuer) && !str_equal(t->issuer, *issuer))
		return (fail(r, E_VALIDATION_FAILED, "Provided issuer does not match ID token issuer"));
	return (OK);
}

static bool
issuer_is_azure_token(const char *iss)
{
	return (issuer_is_azure(iss) || issuer_is_azure_sts(iss));
}

static bool
is_keycloak(const char *iss)
{
	const struct provider_settings *s = &cfg->provider[PROVIDER_KEYCLOAK];

	return (s->enabled && *s->url != '\0' && str_equal(s->url, iss));
}

/* In the order in which they are tried. */
static const struct id_token_provider {
	enum provider_id id;
	const char *many;               /* the name of one whose issuer stands in the token */
	bool (*asked_by)(const char *); /* whether an issuer asks for it; NULL: the row's */
	bool (*fits)(const char *);     /* of one with many */
	bool skips_nonce;
} id_token_providers[] = {
	{ PROVIDER_APPLE, "Apple", issuer_is_apple, issuer_is_apple, false },
	{ PROVIDER_GOOGLE, NULL, NULL, NULL, false },
	{ PROVIDER_AZURE, "Azure", issuer_is_azure, issuer_is_azure_token, false },
	{ PROVIDER_FACEBOOK, NULL, NULL, NULL, true }, /* Limited Login has no nonce */
	{ PROVIDER_KEYCLOAK, NULL, is_keycloak, NULL, false },
	{ PROVIDER_KAKAO, NULL, NULL, NULL, false },
	{ PROVIDER_VERCEL_MARKETPLACE, NULL, NULL, NULL, false },
	{ PROVIDER_SNAPCHAT, NULL, NULL, NULL, false },
};

static const struct id_token_provider *
id_token_provider_find(const struct id_token_check *t)
{
	for (size_t i = 0; i < sizeof(id_token_providers) / sizeof(id_token_providers[0]); i++) {
		const struct provider_row *row = &provider_rows[id_token_providers[i].id];

		if (str_equal(t->provider, row->name))
			return (&id_token_providers[i]);
		if (str_empty(t->issuer))
			continue;
		if (id_token_providers[i].asked_by != NULL ? id_token_providers[i].asked_by(t->issuer) : str_equal(t->issuer, row->issuer))
			return (&id_token_providers[i]);
	}
	return (NULL);
}

static err
expect_known(struct request *r, const struct id_token_check *t, const struct id_token_provider *g, struct expectation *x)
{
	const struct provider_row *row = &provider_rows[g->id];
	const struct provider_settings *s = &cfg->provider[g->id];

	*x = (struct expectation){ .name = row->name,
		.enabled = s->enabled,
		.skips_nonce = s->skip_nonce_check || g->skips_nonce,
		.email_optional = s->email_optional,
		.audiences = { s->client_id } };
	x->issuer = (struct issuer){ .url = g->id == PROVIDER_KEYCLOAK ? s->url : row->issuer, .trust = HTTP_OPERATOR };
	if (g->many != NULL)
		TRY(issuer_detect(r, t, g->many, g->fits, &x->issuer.url));
	if (g->id == PROVIDER_APPLE) {
		x->audience = cfg->gotrue_external_ios_bundle_id;
		x->issuer.lax = true;
	}
	return (OK);
}

static err
expect_custom(struct request *r, const struct id_token_check *t, struct expectation *x)
{
	struct provider p;

	TRY(custom_provider_find_issuer(r, t->provider, &p));
	*x = (struct expectation){ .name = t->provider,
		.enabled = true,
		.skips_nonce = p.skip_nonce_check,
		.email_optional = p.email_optional,
		.audiences = { p.audiences },
		.audience = p.client_id,
		.issuer = { .url = p.issuer, .discovery_url = p.discovery_url, .trust = HTTP_STRANGER } };
	return (OK);
}

/* The old way: an issuer that the settings allow, whoever the client says it is for. */
static err
expect_allowed(struct request *r, const struct id_token_check *t, struct expectation *x)
{
	if (!strs_have(cfg->gotrue_external_allowed_id_token_issuers, t->issuer))
		return (fail(r, E_VALIDATION_FAILED, "Custom OIDC provider %s not allowed", json_quote(r->arena, t->provider)));
	*x = (struct expectation){
		.name = t->issuer, .enabled = true, .audience = t->client_id, .issuer = { .url = t->issuer, .trust = HTTP_OPERATOR }
	};
	return (OK);
}

static err
expect(struct request *r, const struct id_token_check *t, struct expectation *x)
{
	const struct id_token_provider *g = id_token_provider_find(t);

	if (g != NULL)
		TRY(expect_known(r, t, g, x));
	else if (str_starts(t->provider, "custom:"))
		TRY(expect_custom(r, t, x));
	else
		TRY(expect_allowed(r, t, x));
	if (!x->enabled)
		return (fail(r, E_PROVIDER_DISABLED, "Provider (issuer %s) is not enabled", json_quote(r->arena, x->issuer.url)));
	return (OK);
}

static err
refuse(struct request *r, const char *description)
{
	return (fail_oauth(r, "invalid request", description));
}

/* Signature, issuer, times, at_hash; and what it says. */
static err
token_read(struct request *r, struct id_token_check *t, const struct expectation *x, struct id_token *token)
{
	const char *why;

	if (!id_token_read(r->arena, t->id_token, token, &why))
		return (fail_outside(r, "%s", why));
	TRY(issuer_verify(r, &x->issuer, token));
	if (x->issuer.lax && !issuer_is_apple(token->issuer))
		return (fail_outside(r, "it is not Apple's"));
	t->profile = profile_new(r->arena);
	TRY(id_token_map(r, token, &t->profile));
	if (!str_empty(t->access_token) && *token->at_hash != '\0' && !id_token_fits(r->arena, token, t->access_token))
		return (fail_outside(r, "it belongs to another access token"));
	return (OK);
}

static err
token_verify(struct request *r, struct id_token_check *t, const struct expectation *x, struct id_token *token)
{
	struct oidc_document doc;

	TRY_OUTSIDE(issuer_document(r, &x->issuer, &doc), E_UNEXPECTED_FAILURE);
	TRY_OUTSIDE(token_read(r, t, x, token), refuse(r, "Bad ID token"));
	return (OK);
}

static bool
audience_fits(const struct expectation *x, char *const *audience)
{
	for (size_t i = 0; i < 2 && x->audiences[i] != NULL; i++)
		for (char *const *one = x->audiences[i]; *one != NULL; one++)
			if (**one != '\0' && strs_have(audience, *one))
				return (true);
	return (!str_empty(x->audience) && strs_have(audience, x->audience));
}

static err
nonce_check(struct request *r, const char *asked, const char *stated)
{
	if (str_empty(asked) != str_empty(stated))
		return (refuse(r, "Passed nonce and nonce in id_token should either both exist or not."));
	if (!str_empty(asked) && !secret_equal_text(sha256_hex(r->arena, asked), stated))
		return (fail_oauth(r, "invalid nonce", "Nonces mismatch"));
	return (OK);
}

err
id_token_check(struct request *r, struct id_token_check *t)
{
	struct expectation x;
	struct id_token token;

	TRY(expect(r, t, &x));
	t->name = x.name;
	t->email_optional = x.email_optional;
	TRY(token_verify(r, t, &x, &token));
	if (*token.subject == '\0')
		return (refuse(r, "Missing sub claim in id_token"));
	if (!audience_fits(&x, token.audience))
		return (refuse(r,
		    arena_printf(r->arena, "Unacceptable audience in id_token: [%s]", str_join(r->arena, token.audience, " "))));
	return (x.skips_nonce ? OK : nonce_check(r, t->nonce, token.nonce));
}
