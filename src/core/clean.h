/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLEAN_H
#define CORE_CLEAN_H

#include <stdbool.h>

#include "base/err.h"

struct db;

/*
 * Deletes rows that nobody can need any more: some of each kind in src/clean.def, each kind in a transaction of its own that waits for
 * nobody, so that any number of processes may do it.  *more: of one kind there were as many as a turn takes.
 */
checked err clean_turn(struct db *, bool *more);

/* The same again and again, until nothing is left. */
checked err clean_all(struct db *);

/* When a process that goes on does it: clean_when_due() returns at once until a minute, or a second where there was more, has gone. */
void clean_when_due(struct db *);

#endif
