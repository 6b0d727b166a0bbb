/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "web/request.h"

/* PKCE (RFC 7636) for links and providers: auth.flow_state. */

/* 400 validation_failed unless both are empty or both good. */
checked err flow_check_challenge(struct request *, const char *method, const char *challenge);

/* Keeps the challenge of a flow for a user; nothing when there is none.  provider, method: as the columns are called. */
struct flow {
	const char *provider, *method, *user_id;
	const char *challenge, *challenge_method;
};
checked err flow_begin(struct request *, const struct flow *);

#endif
