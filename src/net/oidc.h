/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_OIDC_H
#define NET_OIDC_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/json.h"
#include "net/http.h"

/* OpenID Connect: discovery documents, key sets, identity tokens. */

struct oidc_document {
	const char *issuer, *authorize, *token, *userinfo, *jwks; /* "" without */
	char **algs;       /* id_token_signing_alg_values_supported, those that we know; RS256 when it names none */
	bool names_itself; /* authorization_response_iss_parameter_supported (RFC 9207) */
	const char *text;  /* as it came */
};

/* Takes a document apart.  false: *why says what is wrong, as the reference's client does (issuer NULL: any). */
bool oidc_document_read(struct arena *, const char *text, size_t len, const char *issuer, struct oidc_document *, const char **why);

/* Fetches and reads it. */
bool oidc_discover(struct arena *, enum http_trust, const char *url, const char *issuer, struct oidc_document *, const char **why);

/* issuer/.well-known/openid-configuration */
char *oidc_discovery_url(struct arena *, const char *issuer);

/* The text of a key set. */
bool oidc_fetch_keys(struct arena *, enum http_trust, const char *url, const char **keys, const char **why);

/* An identity token taken apart, nothing verified. */
struct id_token {
	const char *alg, *kid;
	const char *issuer, *subject, *nonce, *at_hash; /* "" without */
	char **audience;
	json *claims;
	usec expiry, not_before; /* 0 without */
	const char *raw;
};
bool id_token_read(struct arena *, const char *text, struct id_token *, const char **why);

/* What id_token_verify() found.  ID_TOKEN_NO_KEY: none of these keys has made it; newer ones may. */
enum id_token_verdict { ID_TOKEN_GOOD, ID_TOKEN_NO_KEY, ID_TOKEN_BAD };

/* Algorithm, signature.  keys: a key set's text. */
enum id_token_verdict id_token_verify(struct arena *, const struct id_token *, char *const *algs, const char *keys, const char **why);

/* exp without leeway, nbf with 5 minutes. */
bool id_token_in_time(const struct id_token *, usec now, const char **why);

/* Whether at_hash is the access token's. */
bool id_token_fits(struct arena *, const struct id_token *, const char *access_token);

#endif
