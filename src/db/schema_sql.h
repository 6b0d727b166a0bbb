/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_SCHEMA_SQL_H
#define DB_SCHEMA_SQL_H

#include <stdbool.h>

/* sql/schema/, as sql/embed.awk puts it into the program.  Lists end with NULL. */
struct schema_file {
	const char *name;         /* "20-users" */
	bool own;                 /* of the schema postern: runs once, and is recorded by its name */
	const char *const *lines; /* "auth." stands for the schema that DB_NAMESPACE names */
};

extern const struct schema_file schema_files[];
extern const char *const schema_versions[]; /* of the reference, in order: what the other files amount to */

#endif
