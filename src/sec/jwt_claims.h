/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_JWT_CLAIMS_H
#define SEC_JWT_CLAIMS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/json.h"

/* The claims of an access token.  NULL, or the name of the first that has not its type. */
const char *jwt_claims_type(struct arena *, const json *claims);

/* NULL, or why the token does not hold now. */
const char *jwt_claims_time(struct arena *, const json *claims, usec now);

#endif
