/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepares every statement of sql/query on the server of DATABASE_URL, which holds the schema, and compares what it says of inputs and
 * columns with the headings.  Names the statements that are wrong and exits with 1.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "db/db.h"
#include "db/db_url.h"

#define SKIPPED 77

enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TIMESTAMPTZ = 1184 };

static bool
type_fits(enum db_type type, Oid oid)
{
	switch (type) {
	case DB_BOOL:
		return (oid == OID_BOOL);
	case DB_INT:
		return (oid == OID_INT2 || oid == OID_INT4 || oid == OID_INT8);
	case DB_TIME:
		return (oid == OID_TIMESTAMPTZ);
	default:
		return (oid != OID_BOOL); /* "t" as text is nearly always a forgotten :bool */
	}
}

static bool
column_fits(const struct db_statement *st, const PGresult *res, int i)
{
	const struct db_column *column = &st->column[i];
	const char *name = PQfname(res, i);

	if (strcmp(column->name, name) != 0)
		printf("%s: column %d is %s, the heading says %s\n", st->name, i + 1, name, column->name);
	else if (!type_fits(column->type, PQftype(res, i)))
		printf("%s: column %s has another type (oid %u) than the heading says\n", st->name, name, PQftype(res, i));
	else
		return (true);
	return (false);
}

static bool
columns_fit(const struct db_statement *st, const PGresult *res)
{
	int n = PQnfields(res);
	bool fit = true;

	if (PQnparams(res) != (int)st->inputs) {
		printf("%s: has %d inputs, the heading %u\n", st->name, PQnparams(res), st->inputs);
		fit = false;
	}
	if (st->rows == DB_NONE)
		return (fit);
	if (n != (int)st->columns) {
		printf("%s: gives %d columns, the heading has %u\n", st->name, n, st->columns);
		return (false);
	}
	for (int i = 0; i < n; i++)
		fit = column_fits(st, res, i) && fit;
	return (fit);
}

static bool
statement_fits(PGconn *conn, const struct db_statement *st)
{
	PGresult *res = PQprepare(conn, st->name, st->sql, 0, NULL);
	bool fit = false;

	if (PQresultStatus(res) == PGRES_COMMAND_OK) {
		PQclear(res);
		res = PQdescribePrepared(conn, st->name);
	}
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		printf("%s: %s\t%s\n", st->name, PQresultErrorMessage(res), st->sql);
	else
		fit = columns_fit(st, res);
	PQclear(res);
	return (fit);
}

int
main(int argc, char **unused)
{
	const char *url = getenv("DATABASE_URL");
	struct arena *a = arena_new();
	unsigned n = 0, wrong = 0;
	PGconn *conn;

	(void)unused;
	if (argc > 1) { /* anything: for tests/api/test_plans.py */
		for (; db_statement_list[n] != NULL; n++)
			printf("%s\t%d\t%s\n", db_statement_list[n]->name, db_statement_list[n]->custom, db_statement_list[n]->sql);
		return (0);
	}
	if (url == NULL) {
		puts("skipped: DATABASE_URL is not set");
		return (SKIPPED);
	}
	conn = PQconnectdb(db_conninfo(a, url, NULL));
	if (PQstatus(conn) != CONNECTION_OK) {
		fputs(PQerrorMessage(conn), stderr);
		return (1);
	}
	for (; db_statement_list[n] != NULL; n++)
		wrong += !statement_fits(conn, db_statement_list[n]);
	printf("%u statements, %u wrong\n", n, wrong);
	PQfinish(conn);
	arena_free(a);
	return (wrong > 0);
}
