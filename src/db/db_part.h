/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_DB_PART_H
#define DB_DB_PART_H

#include "db/db.h"
#include "db/link.h"

/* What db.c, which sends statements, shares with db_transaction.c, which ends and leaves what they are part of. */
struct queue {
	struct link_call *call;
	size_t len, cap;
};

/* What a transaction has done so far, to do it again: writes, and what those found. */
struct step {
	struct link_call call;
	const PGresult *found; /* NULL: of a statement without a result */
};

struct steps {
	struct step *step;
	size_t len, cap;
};

struct db {
	struct link *link;
	const char *schema;  /* DB_NAMESPACE */
	struct arena *arena; /* of the request */
	struct queue queue;
	struct queue aside; /* what was queued before db_autonomous_begin() */
	struct steps steps; /* of the open transaction, or of the one that db_suspend() left */
	bool autonomous, suspended;
	bool open;     /* a transaction */
	bool kept;     /* something of the request is committed */
	bool conflict; /* the last exchange failed because somebody else was in the way */
	err broken;    /* something written in this transaction was lost: nothing may follow */
	struct db_error error;
	unsigned round_trips, statements;
};

/* What travels together. */
struct batch {
	const struct db_statement *first; /* begin, or NULL */
	const struct link_call *last;     /* NULL: the queue alone */
	const struct db_statement *end;   /* commit, or NULL */
};

extern const struct db_statement statement_begin, statement_commit, statement_rollback;

/* Sends the queue and what goes with it.  *result, when wanted, is the last one's; the arena owns it. */
checked err db_send(struct db *, const struct batch *, PGresult **result);

void db_queue_add(struct arena *, struct queue *, const struct link_call *);

/* Not the server's: our own words for e. */
err db_error_ours(struct db *, err e, const char *message);

#endif
