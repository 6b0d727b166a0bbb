/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_ID_TOKEN_CHECK_H
#define EXTERNAL_ID_TOKEN_CHECK_H

#include "external/profile.h"
#include "web/request.h"

/* An identity token that an app has got from a provider by itself: POST /token?grant_type=id_token. */
struct id_token_check {
	const char *id_token, *access_token, *nonce;
	const char *provider, *client_id, *issuer; /* whose it is: the first, or the other two */

	/* What it says when it holds. */
	const char *name; /* of the provider, as stored */
	bool email_optional;
	struct profile profile;
};
checked err id_token_check(struct request *, struct id_token_check *);

#endif
