/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_EXTERNAL_STATE_H
#define EXTERNAL_EXTERNAL_STATE_H

#include "external/provider.h"
#include "external/sign_in.h"
#include "query/external_state.h"

/* A sign-in on its way to a provider and back: rows of auth.flow_state and auth.oauth_client_states. */

/* Where somebody is sent to sign in with this provider.  target: the user that the identity is for; NULL: whose it will be. */
checked err external_state_begin(struct request *, const char *target_id, const char **url);

/* The state of a callback: 400 bad_oauth_callback, bad_oauth_state, flow_state_already_used. */
checked err external_state_find(struct request *, const char *state, struct external_state_by_id *);

/* The state as what ends with the sign-in; access, refresh: the provider's tokens, which its code brings as well. */
struct ticket external_state_ticket(struct request *, const struct external_state_by_id *, const char *access, const char *refresh);

/* The verifier of PKCE towards the provider, which is gone from now on; NULL when the state has none and none is needed. */
checked err external_state_verifier(struct request *, const struct external_state_by_id *, const struct provider *, const char **verifier);

/* An error that has no error_code in the redirect; error is what OAuth calls this HTTP status. */
err external_state_fail(struct request *, int status, const char *words);

/* The gate of the callbacks: r->state, or a redirect to the site. */
checked err gate_external_state(struct request *, const void *);

#endif
