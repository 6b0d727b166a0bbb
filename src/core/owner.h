/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OWNER_H
#define CORE_OWNER_H

#include "query/row.h"
#include "web/request.h"

/*
 * Whose an account is that nobody has proven yet.
 *
 * Anybody can sign up with anybody's address, so an unconfirmed account (neither address proven) is nobody's, and whoever first proves an
 * address of it has it alone: their identity, the password of the request whose letter they followed, and nothing that others had put
 * there.  What a request wants for that waits in postern.waiting beside its letter.
 */

/* Queued behind a letter or message to an unconfirmed account.  password: as stored, NULL none; identity_id: NULL is the address's own. */
checked err owner_wait(struct request *, const char *user_id, const char *password, const char *identity_id);

/* Queues that an unconfirmed account is in the audience of who asks for it now: its address is one user's, in whichever audience. */
checked err owner_move(struct request *, const struct user *, const char *aud);

/* How an account came to be proven. */
struct proven {
	const char *provider; /* of the identity that stays: email, phone, github ... */
	const char *link;     /* of the letter that was followed; NULL: not known, the last that was sent */
	bool decided;         /* what is left is said here, whatever waits: */
	const char *password, *identity_id;
	const char *metadata; /* NULL: stays */
};

/* Queues what a proof undoes; does nothing where the account is confirmed already.  Before the address is written down as confirmed. */
checked err owner_settle(struct request *, const struct user *, const struct proven *);

/*
 * Queues the end of what was begun in the name of a user who may not have been they: changes of address, nonces, sign-ins and links on
 * their way.  After a new password and a ban, flows of letters too; after a recovery and a sign-out everywhere.
 */
checked err owner_undo(struct request *, const char *user_id, bool flows);

/*
 * Queues a new password, as stored (NULL: none), and what it ends: all that was begun under the old one, and the sessions but `except`.
 * NULL: all, for an operator gives it; then passkeys and factors of an unconfirmed account go with them.
 */
checked err owner_set_password(struct request *, const char *user_id, const char *password, const char *except);

#endif
