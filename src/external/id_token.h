/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_ID_TOKEN_H
#define EXTERNAL_ID_TOKEN_H

#include "external/issuer.h"
#include "external/provider_row.h"

/* Identity tokens (OpenID Connect) and what the issuers mean by their claims. */

/*
 * Fills x->profile from x->token.id_token after verifying it for the provider: x->userinfo: its claims.
 * The access token is compared with its at_hash.
 */
checked err id_token_profile(struct exchange *);

/* The profile in verified claims, as their issuer writes them. */
checked err id_token_map(struct request *, const struct id_token *, struct profile *);

/* Whether iss (may be NULL) is one of the provider's issuers: Apple has two, Google also one without scheme. */
bool id_token_issuer_fits(const struct provider *, const char *iss);

/* The closed sets; a tenant and a name are made of letters, digits, '.' and '-'. */
bool issuer_is_apple(const char *);
bool issuer_is_azure(const char *);      /* https://login.microsoftonline.com/<tenant>/v2.0 */
bool issuer_is_azure_ciam(const char *); /* https://<name>.ciamlogin.com/<tenant>/v2.0 */
bool issuer_is_azure_sts(const char *);  /* https://sts.windows.net/<tenant>/ */

#endif
