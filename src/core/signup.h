/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SIGNUP_H
#define CORE_SIGNUP_H

#include "query/row.h"
#include "web/request.h"

/* Signing up by e-mail or phone: POST /signup, and the first magic link or code of somebody new. */
struct signup {
	const char *email, *phone; /* one of them */
	const char *password, *data, *channel, *code_challenge, *code_challenge_method;
	const char *aud;
	bool by_code;            /* without a password; whoever calls has done sending_check() */
	const char **message_id; /* gets that of a text message; may be NULL */
};

const char *signup_provider(const struct signup *); /* email, phone */

enum signup_outcome {
	SIGNUP_TAKEN,      /* somebody has proven the address, or the other one of its account, and the client shall not see it */
	SIGNUP_CONFIRMED,  /* no proof is asked for: the user may have a session */
	SIGNUP_UNCONFIRMED /* the letter or message goes out */
};

/*
 * Makes the user, or repeats what an unconfirmed one waits for: who follows the letter then has the password of this request.  u: the user
 * as the database has them; for SIGNUP_UNCONFIRMED u->told is the reply of POST /signup.  Where an address is confirmed without proof, one
 * that is taken is 422 user_already_exists.  That somebody tried is audited either way.
 */
checked err signup(struct request *, struct signup *, struct user *u, enum signup_outcome *);

#endif
