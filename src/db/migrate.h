/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

/*
 * Brings a database to the schema of this program (sql/schema/): an empty one, or one that the reference made, at any version.  All in
 * one transaction; of two at once, one waits.  A database that is current is only looked at.
 *
 * url as DATABASE_URL; schema as DB_NAMESPACE.  Tells what it does on out; what goes wrong, and the cure, on standard error.
 * A dry run tells what there is to do and changes nothing.
 */
checked err migrate_run(const char *url, const char *schema, bool dry_run, FILE *out);

/*
 * Takes out of the reference's schema what is ours: indexes and triggers called postern_*, and recovery codes with their factors where we
 * have made their tables.  The next migrate_run() puts it back, but for the codes.
 */
checked err migrate_remove_extras(const char *url, const char *schema, FILE *out);

/* How many pieces of the schema are missing: 0 when it is current.  One statement. */
checked err migrate_pending(struct db *, struct arena *, int *pending);

#endif
