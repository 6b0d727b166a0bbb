/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLEAN_H
#define CORE_CLEAN_H

#include <stdbool.h>

#include "base/err.h"

struct db;

/*
 * Deletes rows that nobody can need any more: some of each kind in src/clean.def, each kind in a transaction of its own that waits for
 * nobody, so that any number of processes may do it.  This goes on until nothing is left.
 */
checked err clean_all(struct db *);

/*
 * For a process that goes on and has other work: one kind, where its turn has come; true when the next one's has, too.  All have their turn
 * once a minute, or a second later where there was more.
 */
bool clean_step(struct db *);

#endif
