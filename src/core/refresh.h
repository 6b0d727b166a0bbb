/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REFRESH_H
#define CORE_REFRESH_H

#include "core/session.h"

/*
 * Changes a refresh token for new tokens, both algorithms: rows of auth.refresh_tokens (12 characters) and signed counters of a session.
 * Of many refreshes of one token at once each gets the same new token.
 */
checked err refresh(struct request *, const char *token, struct tokens *);

#endif
