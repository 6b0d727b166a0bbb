/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_LINKING_H
#define EXTERNAL_LINKING_H

#include "external/sign_in.h"

/* Whose identity it is: sign_in.c calls the three ways, which share what follows them.  For these files, but for identity_unlink(). */

/* One attempt of a sign-in. */
struct linking {
	struct request *r;
	const struct sign_in *in;
	struct signed_in *out;
	const char *sub, *data; /* of the identity; data: what identity_data gets */
	const char *email;      /* the primary address in small letters, "" without */
	bool email_verified;    /* the primary one */
	bool shown_verified;    /* what identity_data says of its address */
	const char *verified;   /* all that count for joining, as an array of SQL */
	bool email_counts;      /* the primary one, for joining: verified, or the settings ask for no proof */
	const char *identity_id;
	bool refused; /* what is written stands, and the client gets the error in r->failure */
};

/* The three ways.  Each looks, decides, and queues what is to be written, locks and conditions in front; out->user is who it is. */
checked err linking_automatic(struct linking *);
checked err linking_by_hand(struct linking *);
checked err linking_invited(struct linking *);

/* Queues the locks: the identity, its addresses, the ticket. */
checked err linking_begin(struct linking *);

/* Queues an identity for the user, and its row in the audit log. */
checked err linking_add_identity(struct linking *, const struct user *);
checked err linking_audit(struct linking *, const struct user *, const char *identity_id);

/* Queues what follows when nobody has proven an address of the user: the new identity is all that is left. */
checked err linking_disown_others(struct linking *, const struct user *);

/*
 * The letter that asks for a proof of the address; the letter and the hook tell of the user as changed so far.  asks: the identity waits for it;
 * else it has been there, and what others want of the account meanwhile stays.
 */
checked err linking_send_confirmation(struct linking *, bool asks);

/* What is queued stands, and the client is told that the letter is on its way. */
err linking_refuse_unverified(struct linking *, err);

/* Queues that the address is proven, and that no letter asks for it any more. */
checked err linking_confirm(struct linking *, const struct user *);

/* Takes an identity away from the bearer: 422 single_identity_not_deletable, identity_not_found, email_conflict_identity_not_deletable. */
checked err identity_unlink(struct request *, const char *id);

#endif
