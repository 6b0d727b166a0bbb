/* SPDX-License-Identifier: Apache-2.0 */
/* Statements over a connection: what is prepared of them, sending, reading. */
#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "db/link_part.h"

#define GRACE (5000 * MS) /* the server cancels by itself; this is for one that hangs */

/*
 * Settings the site has made for the role, the database or in the URL win over ours, but for those that the meaning of
 * results depends on.  Not sent as startup options: pgbouncer refuses those.  Each statement is planned once, and fetches few rows by an
 * index: also when its plan was made while tables were empty.
 */
static const char greeting[] =
    "select set_config(v.name, v.value, false) from (values ('TimeZone', 'UTC', true), ('DateStyle', 'ISO, MDY', true), "
    "('client_min_messages', 'warning', true), ('statement_timeout', $1, false), ('idle_in_transaction_session_timeout', '30s', false), "
    "('lock_timeout', '5s', false), ('jit', 'off', false), ('plan_cache_mode', 'force_generic_plan', false), "
    "('random_page_cost', '1.1', false), ('search_path', quote_ident($2), false)) v(name, value, ours) join pg_settings s using (name) "
    "where v.value <> '0' and (v.ours or s.source in ('default', 'configuration file'))";

/* --- What is prepared --- */

static bool
is_known(const struct link *l, const struct db_statement *st)
{
	for (size_t i = 0; i < l->known_len; i++)
		if (l->known[i] == st)
			return (true);
	return (false);
}

static void
know(struct link *l, const struct db_statement *st)
{
	if (l->known_len == l->known_cap) {
		const struct db_statement **more;

		l->known_cap = l->known_cap == 0 ? 128 : l->known_cap * 2;
		more = arena_new_array(l->arena, const struct db_statement *, l->known_cap);
		for (size_t i = 0; i < l->known_len; i++)
			more[i] = l->known[i];
		l->known = more;
	}
	l->known[l->known_len++] = st;
}

static void
forget(struct link *l, const struct db_statement *st)
{
	for (size_t i = 0; i < l->known_len; i++)
		if (l->known[i] == st)
			l->known[i] = l->known[--l->known_len];
}

static bool
is_word(char c)
{
	return (isalnum((unsigned char)c) || c == '_' || c == '$' || c == '"' || c == '.');
}

static void
put_identifier(struct buf *b, const char *name)
{
	buf_putc(b, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"')
			buf_putc(b, '"');
		buf_putc(b, *name);
	}
	buf_putc(b, '"');
}

const char *
link_call_text(struct arena *a, const char *schema, const char *function)
{
	struct buf b = buf_new(a);

	buf_puts(&b, "select ");
	put_identifier(&b, schema);
	buf_putc(&b, '.');
	put_identifier(&b, function);
	buf_puts(&b, "($1) limit 1");
	return (b.data);
}

/* The statement with "auth." outside of string constants replaced by the schema that holds the tables here. */
static const char *
sql_placed(const struct link *l, struct arena *a, const char *sql)
{
	struct buf b;
	bool quoted = false;

	if (str_empty(l->schema) || strcmp(l->schema, "auth") == 0)
		return (sql);
	b = buf_new(a);
	for (const char *p = sql; *p != '\0'; p++) {
		if (*p == '\'')
			quoted = !quoted;
		if (!quoted && strncmp(p, "auth.", 5) == 0 && (p == sql || !is_word(p[-1]))) {
			put_identifier(&b, l->schema);
			p += 4;
		}
		buf_putc(&b, *p);
	}
	return (b.data);
}

/* --- Sending --- */

static bool
send_greeting(struct link *l, struct arena *a)
{
	const char *const inputs[] = { arena_printf(a, "%llu", (unsigned long long)(l->limit / MS)),
		str_empty(l->schema) ? "auth" : l->schema };

	/* In a transaction of its own, so that it stands whatever becomes of what follows. */
	return (PQsendQueryParams(l->conn, greeting, 2, NULL, inputs, NULL, NULL, 0) == 1 && PQpipelineSync(l->conn) == 1);
}

static bool
send_call(struct link *l, struct arena *a, struct link_call *c)
{
	const struct db_statement *st = c->statement;
	int inputs = (int)st->inputs;

	c->prepares = false;
	if (l->unnamed || st->name == NULL)
		return (PQsendQueryParams(l->conn, sql_placed(l, a, st->sql), inputs, NULL, c->inputs, NULL, NULL, 0) == 1);
	if (!is_known(l, st)) {
		if (PQsendPrepare(l->conn, st->name, sql_placed(l, a, st->sql), 0, NULL) != 1)
			return (false);
		know(l, st);
		c->prepares = true;
	}
	return (PQsendQueryPrepared(l->conn, st->name, inputs, c->inputs, NULL, NULL, 0) == 1);
}

static bool
send_all(struct link *l, struct arena *a, struct link_call *call, size_t calls)
{
	if (!l->greeted && !send_greeting(l, a))
		return (false);
	for (size_t i = 0; i < calls; i++)
		if (!send_call(l, a, &call[i]))
			return (false);
	return (PQpipelineSync(l->conn) == 1);
}

static enum link_state
flush_all(struct link *l)
{
	int left;

	while ((left = PQflush(l->conn)) > 0) {
		if (!socket_wait(l->conn, POLLIN | POLLOUT, l->deadline))
			return (LINK_LATE);
		if (!PQconsumeInput(l->conn))
			return (LINK_LOST);
	}
	return (left < 0 ? LINK_LOST : LINK_OK);
}

/* --- Reading --- */

static enum link_state
read_next(struct link *l, PGresult **res)
{
	while (PQisBusy(l->conn)) {
		if (!socket_wait(l->conn, POLLIN, l->deadline))
			return (LINK_LATE);
		if (!PQconsumeInput(l->conn))
			break; /* what had come before the end is still to be read */
	}
	*res = PQgetResult(l->conn);
	return (LINK_OK);
}

static void
keep_first(struct link_reply *reply, PGresult *res)
{
	if (reply->refused == NULL && PQresultStatus(res) == PGRES_FATAL_ERROR)
		reply->refused = res;
	else
		PQclear(res);
}

/* The one result of one thing sent, and the NULL behind it.  *res stays NULL when it was an error. */
static enum link_state
read_one(struct link *l, struct link_reply *reply, PGresult **res)
{
	PGresult *end = NULL;
	enum link_state state = read_next(l, res);
	ExecStatusType status;

	if (state != LINK_OK)
		return (state);
	status = PQresultStatus(*res);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		keep_first(reply, *res);
		*res = NULL;
	}
	if (PQstatus(l->conn) == CONNECTION_BAD)
		return (LINK_LOST);
	state = read_next(l, &end);
	if (state == LINK_OK && end != NULL) {
		keep_first(reply, end);
		return (LINK_LOST);
	}
	return (state);
}

/* Deferred constraints and the like fail here. */
static enum link_state
read_sync(struct link *l, struct link_reply *reply)
{
	for (unsigned nothing = 0; nothing < 3;) {
		PGresult *res = NULL;
		enum link_state state = read_next(l, &res);

		if (state != LINK_OK)
			return (state);
		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
			PQclear(res);
			return (LINK_OK);
		}
		nothing += res == NULL;
		keep_first(reply, res);
		if (PQstatus(l->conn) == CONNECTION_BAD)
			return (LINK_LOST);
	}
	return (LINK_LOST);
}

static enum link_state
read_greeting(struct link *l, struct link_reply *reply)
{
	PGresult *res = NULL;
	enum link_state state = read_one(l, reply, &res);

	l->greeted = res != NULL;
	PQclear(res);
	return (state == LINK_OK ? read_sync(l, reply) : state);
}

static enum link_state
read_call(struct link *l, const struct link_call *c, struct link_reply *reply)
{
	PGresult *res = NULL;
	enum link_state state = LINK_OK;

	if (c->prepares) {
		state = read_one(l, reply, &res);
		if (res == NULL)
			forget(l, c->statement);
		PQclear(res);
		res = NULL;
	}
	if (state == LINK_OK)
		state = read_one(l, reply, &res);
	if (c->statement->rows == DB_NONE && reply->wanted) {
		PQclear(res); /* a commit behind the rows that are wanted */
		return (state);
	}
	PQclear(reply->last);
	reply->last = res;
	reply->wanted = c->statement->rows != DB_NONE;
	return (state);
}

static enum link_state
read_all(struct link *l, const struct link_call *call, size_t calls, struct link_reply *reply)
{
	enum link_state state = l->greeted ? LINK_OK : read_greeting(l, reply);

	for (size_t i = 0; i < calls && state == LINK_OK; i++)
		state = read_call(l, &call[i], reply);
	return (state == LINK_OK ? read_sync(l, reply) : state);
}

/* --- An exchange --- */

/*
 * The server says so when a table was altered under a plan, in words of its language: the place in its source has none.
 * That a name is unknown, or known already, only happens behind a pooler that deals out connections by the transaction.
 */
static bool
is_stale(struct link *l, const PGresult *refused)
{
	const char *state = str_or(PQresultErrorField(refused, PG_DIAG_SQLSTATE), "");
	const char *place = PQresultErrorField(refused, PG_DIAG_SOURCE_FUNCTION);

	if (!l->unnamed && (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0)) {
		l->unnamed = true;
		return (true);
	}
	return (strcmp(state, "0A000") == 0 && str_equal(place, "RevalidateCachedQuery"));
}

bool
link_farewell(const struct link_reply *reply)
{
	return (str_equal(PQresultErrorField(reply->refused, PG_DIAG_SQLSTATE), "57P01"));
}

static enum link_state
link_settle(struct link *l, struct arena *a, enum link_state state, struct link_reply *reply)
{
	if (state == LINK_OK && link_farewell(reply))
		state = LINK_LOST;
	if (state == LINK_OK && reply->refused != NULL)
		state = is_stale(l, reply->refused) ? LINK_STALE : LINK_REFUSED;
	if (state == LINK_LATE)
		reply->why = "the database did not answer in time";
	else if (state == LINK_LOST)
		reply->why = str_or(arena_strdup(a, PQerrorMessage(l->conn)), "the connection was lost");
	if (state != LINK_OK) {
		PQclear(reply->last);
		reply->last = NULL;
	}
	if (state != LINK_OK && state != LINK_REFUSED)
		link_drop(l);
	return (state);
}

enum link_state
link_exchange(struct link *l, struct arena *a, struct link_call *call, size_t calls, struct link_reply *reply)
{
	enum link_state state;

	*reply = (struct link_reply){ .why = "" };
	if (!link_ready(l, a, &reply->why))
		return (LINK_DOWN);
	l->deadline = l->limit == 0 ? 0 : clock_mono_ns() + l->limit + GRACE;
	state = send_all(l, a, call, calls) ? flush_all(l) : LINK_LOST;
	if (state == LINK_OK)
		state = read_all(l, call, calls, reply);
	return (link_settle(l, a, state, reply));
}
