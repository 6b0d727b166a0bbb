/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_SIGN_IN_H
#define EXTERNAL_SIGN_IN_H

#include "core/session.h"
#include "external/profile.h"
#include "query/row.h"
#include "web/request.h"

/*
 * From what somebody outside says about a person to a user of ours: who it is, whom it is joined with, what is written, and the session.
 * The one door for all who vouch for people: providers by a callback, apps with an identity token; what comes by SAML or a wallet as well.
 *
 * What is written rests on a look that was taken before, so that nobody outside (hooks, letters) is asked while a transaction is open.
 * The write itself waits for others who write about the same identity, address or ticket, asserts that all is still as it was seen
 * (postern.assert()), and is begun anew when it is not.
 */

/* What somebody comes with that is good once, such as the state of a callback. */
struct ticket {
	const char *lock; /* the name under which others who come with it wait */
	bool by_code;     /* the client fetches its tokens with a code: there is no session yet */
	const void *holds;

	/* The error that somebody hears who comes with it later. */
	checked err (*check)(struct request *, const struct ticket *);
	/* Queues its end, with postern.assert() that it is still there. */
	checked err (*spend)(struct request *, const struct ticket *, const struct user *);
};

struct sign_in {
	const char *provider; /* its name as stored */
	const char *method;   /* of the session: an amr method */
	struct profile *profile;
	bool email_optional;
	const char *target_id;       /* the user that asks for this identity; NULL: whoever it belongs to */
	const char *invite;          /* the token of an invitation; "" or NULL without */
	const struct ticket *ticket; /* NULL: none */
};

/* What came of it. */
struct signed_in {
	struct user user;
	bool created;
	bool issuing;         /* whose identity it is was no trouble: what failed is the session */
	const char *before;   /* a known user's JSON before anything was written */
	struct tokens tokens; /* not by code */
};
checked err sign_in(struct request *, const struct sign_in *, struct signed_in *);

#endif
