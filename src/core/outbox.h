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

/* How this process wakes the mailer; NOTIFY until told otherwise. */
enum wake { WAKE_NOTIFY, WAKE_PIPE, WAKE_CHILD };
void outbox_wake_by(enum wake, int pipe);

/*
 * Opens what is sealed in a row; false when none of our keys does.  Keys: those of POSTERN_QUEUE_KEYS, the first of which seals, and one
 * derived from GOTRUE_JWT_SECRET, which seals where there is no other.
 */
struct sealed_row {
	const char *id, *letter, *recipient; /* what is sealed belongs to these alone */
	const char *key_id, *sealed;         /* hex */
};
struct letter_content {
	const char *language; /* as letter_render() takes it */
	json *values;
};
bool outbox_unseal(struct arena *, const struct sealed_row *, struct letter_content *);

#endif
