/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLAIMS_H
#define CORE_CLAIMS_H

#include "web/request.h"

/* What a verified access token says.  Strings are "" when the claim is absent. */
struct claims {
	const char *sub, *role, *session_id, *email;
	const char *aud; /* the first audience; NULL without any */
	bool anonymous;
};

/* Verifies the bearer token of the Authorization header: 401 no_authorization, 403 bad_jwt. */
checked err claims_read(struct request *, const struct claims **);

/* The token that the client means, X-JWT-AUD before the claims' (unless an admin's) before GOTRUE_JWT_AUD. */
const char *claims_audience(const struct request *);

bool claims_admin(const struct claims *); /* the role is one of GOTRUE_JWT_ADMIN_ROLES */

#endif
