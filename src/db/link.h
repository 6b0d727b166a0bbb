/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_LINK_H
#define DB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "db/db.h"

/*
 * The connection itself: made when first needed, made anew when it is found dead, thrown away when the server does not answer in time.
 * It knows which statements are prepared, and nothing of transactions.  Only db/ includes this.
 */
struct link;

struct link_call {
	const struct db_statement *statement;
	const char *const *inputs;
	bool prepares; /* link.c's: its Parse travels along */
};

enum link_state {
	LINK_OK,
	LINK_REFUSED, /* the server answered with an error */
	LINK_STALE,   /* it did not know a statement we had prepared: try again, on a fresh connection, what can be tried again */
	LINK_LOST,    /* the connection died on the way */
	LINK_LATE,    /* no answer in time */
	LINK_DOWN     /* there is no connection to be had; nothing was sent */
};

/* Statements without a name are not prepared: link_call_text() gives the text of one that calls a function. */
const char *link_call_text(struct arena *, const char *schema, const char *function);

struct link_reply {
	PGresult *last;    /* of the last call that gives rows, else of the last, when LINK_OK; the caller's */
	bool wanted;       /* it is of one that gives rows */
	PGresult *refused; /* the first error the server gave; the caller's, may be NULL */
	const char *why;   /* words for the other states, in the arena */
};

/* The server goes, and said so before it had answered all: then nothing of what was sent is done. */
bool link_farewell(const struct link_reply *);

struct link *link_new(const char *url, const char *schema);
void link_free(struct link *);
void link_drop(struct link *);                              /* the next exchange makes a new connection */
void link_wait(struct link *, int64_t ns, struct outage *); /* see db_wait() */
void link_limit(struct link *, int64_t ns);                 /* for connections made from now on */
bool link_in_transaction(const struct link *);

/* See db_socket(), db_backend() and db_hear(). */
int link_socket(const struct link *);
int link_backend(const struct link *);
bool link_hear(struct link *);

/* Sends the calls in one pipeline, which is one implicit transaction unless they say otherwise, and reads all answers. */
enum link_state link_exchange(struct link *, struct arena *, struct link_call *, size_t calls, struct link_reply *);

#endif
