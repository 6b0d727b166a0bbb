/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_LINKING_H
#define EXTERNAL_LINKING_H

#include "core/session.h"
#include "external/profile.h"
#include "query/external_state.h"
#include "query/row.h"
#include "web/request.h"

/*
 * From what a provider says about somebody to a user of ours: who it is, whom it is joined with, what is written, and the session.
 *
 * What is written rests on a look that was taken before, so that nobody outside (hooks, letters) is asked while a transaction is open.
 * The write itself waits for others who write about the same identity, address or state, asserts that all is still as it was seen
 * (postern.assert()), and is begun anew when it is not.
 */
struct sign_in {
	const char *provider; /* its name as stored */
	struct profile *profile;
	bool email_optional;
	const char *target_id; /* the user that asks for this identity; NULL: whoever it belongs to */
	const char *invite;    /* the token of an invitation; "" or NULL without */

	/* Of a callback: the state that ends with it, and the tokens that go along. */
	const struct external_state_by_id *state; /* NULL: none */
	const char *access, *refresh;

	/* What came of it. */
	struct user user;
	bool created;
	bool issuing;         /* whose identity it is was no trouble: what failed is the session */
	const char *before;   /* a known user's JSON before anything was written */
	struct tokens tokens; /* not when the state ends in a code (PKCE) */
};
checked err sign_in(struct request *, struct sign_in *);

/* Takes an identity away from the bearer: 422 single_identity_not_deletable, identity_not_found, email_conflict_identity_not_deletable. */
checked err identity_unlink(struct request *, const char *id);

#endif
