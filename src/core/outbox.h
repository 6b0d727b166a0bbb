/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include "letter/letter.h"
#include "query/row.h"
#include "web/request.h"

/* Letters on their way out: rows of postern.outbox, written with the change that they announce, sent by the mailer. */

struct letter_order {
	enum letter_id letter;
	const char *to;
	const char *kind, *hash; /* of the one-time token in it: the letter is dropped when that is no longer current.  NULL: always sent */
	const char *values;      /* JSON object: what templates print, by the names that they use */
};

/*
 * Queues the row with the request's transaction and wakes the mailer after the commit.  No row where no transport is set.
 * The letter's language is what the user's metadata say ("language", "locale" or "lang"), else Accept-Language.
 */
checked err outbox_add(struct request *, const struct user *, const struct letter_order *);

#endif
