/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_TOKEN_OIDC_H
#define API_TOKEN_OIDC_H

#include "web/request.h"

/* A grant of POST /token. */
checked err grant_id_token(struct request *);

#endif
