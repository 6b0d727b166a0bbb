/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_PROVIDER_H
#define EXTERNAL_PROVIDER_H

#include "external/profile.h"
#include "net/http.h"
#include "web/request.h"

struct provider_row; /* of provider.def: external/provider_row.h */

/*
 * A sign-in provider ready for use: a row of provider.def with its settings, or a row of auth.custom_oauth_providers.
 * Texts are NULL or "" when there is none.
 */
struct provider {
	const char *name;               /* as it is stored: "github", "custom:acme" */
	const struct provider_row *row; /* NULL: a custom one */
	enum http_trust trust;          /* of its URLs: a custom one is a stranger */

	const char *client_id, *secret, *redirect_uri;
	char **audiences; /* other values of aud that are accepted in its identity tokens; ends with NULL, may be NULL */
	const char *authorize, *token, *userinfo; /* URLs; of an issuer with discovery NULL until provider_discover() */
	const char *scopes;                       /* as they go into the authorize URL: joined by blanks */
	bool pkce;                                /* towards the provider */
	bool email_optional, skip_nonce_check;

	/* OpenID Connect */
	const char *issuer;        /* NULL: OAuth 2 only */
	const char *discovery_url; /* NULL: issuer/.well-known/openid-configuration */
	bool names_itself;         /* its document promises iss in the callback (RFC 9207) */

	/* Of a custom one. */
	json *authorization_params; /* win over the client's; NULL: none */
	json *attribute_mapping;    /* NULL: none */
	char **allowed_claims;      /* copied into custom_claims; ends with NULL, may be NULL */
};

/*
 * Finds a provider that can be used.  name: as asked for, in any case; scopes: as the client sent them.  E_OUTSIDE when there is none that can be
 * used: failure.message is what the reference says after "Unsupported provider: ".  Reads the database for a custom one only.
 * An issuer's endpoints are discovered: may go over the network.
 */
checked err provider_find(struct request *, const char *name, const char *scopes, struct provider *);

/* Whether its callback is one of OAuth 1.0a: no code, no error. */
bool provider_speaks_oauth1(const char *name);

/*
 * In external/custom_provider_find.c, as the two below.  The row with this identifier ("custom:acme", small letters), for provider_find():
 * enabled, its secret opened, redirect_uri set, scopes the row's (openid in front for an issuer), or the client's split at white space where
 * there are some.  E_OUTSIDE as above.  No network.
 */
checked err custom_provider_find(struct request *, const char *name, const char *scopes, struct provider *);

/* The same for POST /token with an identity token: 400 with the reference's words.  Only p's client_id, audiences, issuer, discovery_url, flags count. */
checked err custom_provider_find_issuer(struct request *, const char *name, struct provider *);

/* Allowed claims, then the attribute mapping.  raw: what the provider said (userinfo or the identity token). */
void custom_provider_map(struct arena *, const struct provider *, const json *raw, struct profile *);

#endif
