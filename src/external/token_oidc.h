/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_TOKEN_OIDC_H
#define EXTERNAL_TOKEN_OIDC_H

#include "external/profile.h"
#include "web/request.h"

/* An identity token that an app has got from a provider by itself: POST /token?grant_type=id_token. */
struct token_oidc {
	const char *id_token, *access_token, *nonce;
	const char *provider, *client_id, *issuer; /* whose it is: the first, or the other two */

	/* What it says when it holds. */
	const char *name; /* of the provider, as stored */
	bool email_optional;
	struct profile profile;
};
checked err token_oidc_check(struct request *, struct token_oidc *);

#endif
