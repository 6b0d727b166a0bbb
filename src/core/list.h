/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include <stdint.h>

#include "base/buf.h"
#include "web/request.h"

/*
 * The reply that is as long as a table: its rows are read some hundred at a time, each time behind the last one, and go out before the
 * next are read.  A row without created_at has no place in that order and is read by its number.
 */
struct list {
	err (*read)(struct request *, struct list *, struct buf *); /* puts rows, list_row() before each */
	const void *wanted;                                         /* for read() */
	const char *end;                                            /* of the text */
	struct list *then;                                          /* see list_then() */
	bool undated_last;                                          /* where rows without created_at are; else they come first */

	/* What to read next: so many, behind this row.  NULL: by number, skip is that of the first one; or from the beginning. */
	uint64_t most, skip;
	const char *created_at, *id;
	long long total; /* by number only: read() says it */

	uint64_t left, rows, shown; /* that may come, that came, that are in the text */
	char last_created_at[48], last_id[40];
};

/* Of size rows behind the first skip. */
struct list *list_new(struct request *, uint64_t size, uint64_t skip);

/* A row's JSON follows.  created_at is as the database prints it. */
void list_row(struct list *, struct buf *, const char *created_at, const char *id);

/* Instead: a row that was read and is not shown. */
void list_pass(struct list *, const char *created_at, const char *id);

/* The head of a list that is a member of an object. */
struct buf list_begin(struct arena *, const char *name);

/* Another list goes on behind this one, as the next member of the object. */
void list_then(struct list *, struct arena *, const char *name, struct list *then);

/* 200, with the first rows behind head. */
checked err list_reply(struct request *, struct list *, const char *head);

#endif
