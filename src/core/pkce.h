/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PKCE_H
#define CORE_PKCE_H

#include "query/pkce.h"
#include "web/request.h"

/* PKCE (RFC 7636) for links and providers: auth.flow_state. */

/* 400 validation_failed unless both are empty or both good. */
checked err pkce_check_challenge(struct request *, const char *method, const char *challenge);

/* "s256" and "plain" are known, in any case; NULL for others, else in small letters. */
const char *pkce_method_known(struct arena *, const char *method);

/* Keeps the challenge of a flow for a user; nothing when there is none.  provider, method: as the columns are called. */
struct pkce {
	const char *provider, *method, *user_id;
	const char *challenge, *challenge_method;
};
checked err pkce_begin(struct request *, const struct pkce *);

/* The code with which a user's flow ends: 400 flow_state_not_found without one.  method: pkce_begin()'s; NULL has none. */
checked err pkce_code(struct request *, const char *user_id, const char *method, const char **code);

/* Reads the flow of a code and checks its age and the verifier; then takes it, which only one of many can. */
checked err pkce_find(struct request *, const char *code, const char *verifier, struct pkce_by_code *);
checked err pkce_spend(struct request *, const struct pkce_by_code *);

#endif
