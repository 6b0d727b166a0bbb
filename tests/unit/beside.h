/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_BESIDE_H
#define UNIT_BESIDE_H

/* For the unit tests that a real server serves (tests/with-database): a connection of their own, beside that of what is tested. */
#include <stdio.h>

#include <libpq-fe.h>

#include "fixture.h"

#define SKIPPED 77

static PGconn *beside;

static inline void
sql(const char *text)
{
	PGresult *res = PQexec(beside, text);

	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", text, PQerrorMessage(beside));
	PQclear(res);
}

/* The group of tests with the connection around it; the exit status. */
static inline int
run_beside(int (*run)(void))
{
	int failed;

	beside = PQconnectdb("");
	if (PQstatus(beside) != CONNECTION_OK) {
		fputs(PQerrorMessage(beside), stderr);
		return (1);
	}
	sql("set client_min_messages = warning");
	failed = run();
	PQfinish(beside);
	return (failed);
}

#endif
