/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "query/flow.h"
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

/* The code with which a user's flow ends: 400 flow_state_not_found without one.  type: of the link that was followed. */
checked err flow_code(struct request *, const char *user_id, const char *type, const char **code);

/* Reads the flow of a code and checks its age and the verifier; then takes it, which only one of many can. */
checked err flow_find(struct request *, const char *code, const char *verifier, struct flow_by_code *);
checked err flow_spend(struct request *, const struct flow_by_code *);

#endif
