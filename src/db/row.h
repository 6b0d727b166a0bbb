/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ROW_H
#define DB_ROW_H

#include <stddef.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "db/db.h"

/*
 * Fills what the generated functions hand to db_run().  The texts stay in the result, which the arena owns.
 * NULL, or what is wrong with the result.
 */
const char *rows_fill(struct arena *, const struct db_statement *, PGresult *, void *row, size_t *count);

#endif
