/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_VERIFY_H
#define CORE_VERIFY_H

#include "core/onetime.h"
#include "query/row.h"
#include "web/request.h"

/* Links and codes come back: what they prove is taken, once, and what follows from it is written. */
struct verification {
	const char *word;       /* the type as asked for */
	enum onetime_type type; /* what it is; ONETIME_EMAIL becomes what is found */
	const char *token;      /* a typed code, "" without */
	const char *pkce;       /* the method of the PKCE flow that a link of the type asked for ends; NULL: none */
	const char *hash;       /* what stands in a link, or the typed code with its address as onetime_hash() gives it */
	const char *email, *phone;
	enum onetime_kind kind; /* which of the user's secrets it is */
	const char *stored;     /* how that is stored */
	const char *link;       /* what stands in the link of it; NULL where that is not known */
	struct user user;
	bool contested; /* others want the number, and a code that is not ours does not say whose it is */
	bool half_done; /* an email change waits for its other half: there is no session yet */
};

/* By what stands in a link: 403 otp_expired with the words for links. */
checked err verify_link(struct request *, struct verification *);

/* By a code typed with an address or number: 403 otp_expired with the words for codes.  Wrong ones are counted. */
checked err verify_code(struct request *, struct verification *);

/*
 * Writes what follows: address confirmed, change made, secrets gone, identities and providers told; the user is read again.
 */
checked err verify_apply(struct request *, struct verification *);

/* The new address of a user is proven (or need not be): address, identity, audit row, notice to the old one. */
checked err verify_change_email(struct request *, const struct user *, const char *email);
checked err verify_change_phone(struct request *, const struct user *, const char *phone);

#endif
