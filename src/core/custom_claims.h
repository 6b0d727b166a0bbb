/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CUSTOM_CLAIMS_H
#define CORE_CUSTOM_CLAIMS_H

#include "web/request.h"

/*
 * The claims of an access token after the custom_access_token hook: as they were where it is off.  method: what the token is made for,
 * password, token_refresh ...  500 when what it gives lacks something that every token has.
 */
checked err custom_claims(struct request *, const char *user_id, const char *method, const char **claims);

#endif
