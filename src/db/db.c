/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "db/db_part.h"
#include "db/row.h"

const struct db_statement statement_begin = { .name = "postern_begin", .sql = "begin" };
const struct db_statement statement_commit = { .name = "postern_commit", .sql = "commit" };
const struct db_statement statement_rollback = { .name = "postern_rollback", .sql = "rollback" };
static const struct db_statement custom_plan = { .name = "postern_custom_plan",
	.sql = "select set_config('plan_cache_mode', 'force_custom_plan', true)" };
static const struct db_statement ping = { .name = "postern_ping", .sql = "select" };
/* A list is worked from left to right.  The way back is kept because the site may have a limit of its own for the role. */
static const struct db_statement timeout_set = { .name = "postern_timeout_set",
	.sql =
	    "select set_config('postern.statement_timeout', current_setting('statement_timeout'), true), set_config('statement_timeout', "
	    "$1, true)",
	.inputs = 1 };
static const struct db_statement timeout_reset = { .name = "postern_timeout_reset",
	.sql = "select set_config('statement_timeout', current_setting('postern.statement_timeout'), true)" };

/* By the first characters of the SQLSTATE; E_DATABASE when nothing fits. */
static const struct {
	const char *sqlstate;
	err err;
} meaning[] = {
	{ "57014", E_REQUEST_TIMEOUT }, /* cancelled: statement_timeout */
	{ "55P03", E_REQUEST_TIMEOUT }, /* lock_timeout */
	{ "57P", E_UNAVAILABLE },       /* shut down, starting up, crashed */
	{ "08", E_UNAVAILABLE },        /* connection exceptions, also a pooler's */
	{ "53", E_UNAVAILABLE },        /* out of connections, memory, disk */
	{ "25006", E_UNAVAILABLE },     /* read only: a standby that has not taken over yet */
	{ "25P03", E_UNAVAILABLE }      /* idle in a transaction too long: the connection is gone */
};

struct db *
db_new(const char *url, const char *schema)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		abort();
	db->link = link_new(url, schema);
	db->schema = schema;
	db->error = (struct db_error){ .sqlstate = "", .message = "" };
	return (db);
}

void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	link_free(db->link);
	free(db);
}

void
db_wait(struct db *db, int64_t ns, struct outage *shared)
{
	link_wait(db->link, ns, shared);
}

void
db_limit(struct db *db, int64_t ns)
{
	link_limit(db->link, ns);
}

void
db_start(struct db *db, struct arena *a)
{
	if (db->arena != NULL)
		db_rollback(db);
	db->arena = a;
	db->error = (struct db_error){ .sqlstate = "", .message = "" };
	db->queue = db->aside = (struct queue){ 0 };
	db->steps = (struct steps){ 0 };
	db->suspended = db->kept = db->conflict = false;
	db->round_trips = db->statements = 0;
}

void
db_arena(struct db *db, struct arena *a)
{
	db->arena = a;
	db->error = (struct db_error){ .sqlstate = "", .message = "" };
}

bool
db_in_transaction(const struct db *db)
{
	return (db->open);
}

const struct db_error *
db_error(const struct db *db)
{
	return (&db->error);
}

unsigned
db_round_trips(const struct db *db)
{
	return (db->round_trips);
}

unsigned
db_statements(const struct db *db)
{
	return (db->statements);
}

int
db_socket(const struct db *db)
{
	return (link_socket(db->link));
}

int
db_backend(const struct db *db)
{
	return (link_backend(db->link));
}

bool
db_hear(struct db *db)
{
	return (link_hear(db->link));
}

/* --- Errors --- */

static err
sqlstate_meaning(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(meaning) / sizeof(*meaning); i++)
		if (str_starts(sqlstate, meaning[i].sqlstate))
			return (meaning[i].err);
	return (E_DATABASE);
}

/*
 * A serialization failure, a deadlock, a row of ours that came to be or went since it was looked for, postern.assert() of what was seen.
 * A row of the site's, which its triggers write, is there the next time as well.
 */
static bool
error_is_conflict(const struct db *db, const PGresult *refused)
{
	static char *const lost[] = { "40001", "40P01", NULL }, *const rows[] = { "23503", "23505", NULL };
	const char *sqlstate = db->error.sqlstate, *schema = PQresultErrorField(refused, PG_DIAG_SCHEMA_NAME);

	if (strs_have(rows, sqlstate))
		return (str_equal(schema, db->schema) || str_equal(schema, "postern"));
	return (strs_have(lost, sqlstate) || (str_equal(sqlstate, "PO001") && str_equal(db->error.message, "changed")));
}

static err
error_said(struct db *db, PGresult *refused)
{
	struct arena *a = db->arena;

	db->error = (struct db_error){ .sqlstate = str_or(arena_strdup(a, PQresultErrorField(refused, PG_DIAG_SQLSTATE)), ""),
		.message = str_or(arena_strdup(a, PQresultErrorField(refused, PG_DIAG_MESSAGE_PRIMARY)), "unknown error"),
		.constraint = arena_strdup(a, PQresultErrorField(refused, PG_DIAG_CONSTRAINT_NAME)),
		.hint = arena_strdup(a, PQresultErrorField(refused, PG_DIAG_MESSAGE_HINT)),
		.detail = arena_strdup(a, PQresultErrorField(refused, PG_DIAG_MESSAGE_DETAIL)) };
	db->conflict = error_is_conflict(db, refused);
	PQclear(refused);
	return (sqlstate_meaning(db->error.sqlstate));
}

err
db_error_ours(struct db *db, err e, const char *message)
{
	db->error = (struct db_error){ .sqlstate = "", .message = message };
	return (e);
}

static err
error_of(struct db *db, enum link_state state, struct link_reply *reply)
{
	const char *sqlstate = PQresultErrorField(reply->refused, PG_DIAG_SQLSTATE);

	if (state == LINK_REFUSED)
		return (error_said(db, reply->refused));
	/* The server's last words are better than libpq's, if there are any. */
	if (str_empty(sqlstate)) {
		PQclear(reply->refused);
		return (db_error_ours(db, E_UNAVAILABLE, reply->why));
	}
	(void)error_said(db, reply->refused);
	return (E_UNAVAILABLE);
}

/* --- The queue --- */

/* Inputs may be in a buffer on the stack of a caller that has long returned when the queue travels. */
static const char *const *
inputs_copy(struct arena *a, const struct db_statement *st, const char *const *inputs)
{
	const char **copy = arena_new_array(a, const char *, st->inputs + 1);

	for (unsigned i = 0; i < st->inputs; i++)
		copy[i] = arena_strdup(a, inputs[i]);
	return (copy);
}

void
db_queue_add(struct arena *a, struct queue *q, const struct link_call *call)
{
	if (q->len == q->cap) {
		struct link_call *more;

		q->cap = q->cap == 0 ? 8 : q->cap * 2;
		more = arena_new_array(a, struct link_call, q->cap);
		if (q->len > 0)
			memcpy(more, q->call, q->len * sizeof(*more));
		q->call = more;
	}
	q->call[q->len++] = *call;
}

/* --- Steps --- */

static void
steps_add(struct db *db, const struct link_call *call, const PGresult *found)
{
	struct steps *s = &db->steps;

	if (s->len == s->cap) {
		struct step *more;

		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		more = arena_new_array(db->arena, struct step, s->cap);
		if (s->len > 0)
			memcpy(more, s->step, s->len * sizeof(*more));
		s->step = more;
	}
	s->step[s->len++] = (struct step){ .call = *call, .found = found };
}

static void
result_release(void *res)
{
	PQclear(res);
}

/* --- Sending --- */

static struct queue
batch_calls(struct db *db, const struct batch *b)
{
	struct queue all = { 0 };

	if (b->first != NULL)
		db_queue_add(db->arena, &all, &(struct link_call){ .statement = b->first });
	for (size_t i = 0; i < db->queue.len; i++)
		db_queue_add(db->arena, &all, &db->queue.call[i]);
	if (b->last != NULL && b->last->statement->custom)
		db_queue_add(db->arena, &all, &(struct link_call){ .statement = &custom_plan });
	if (b->last != NULL)
		db_queue_add(db->arena, &all, b->last);
	if (b->end != NULL)
		db_queue_add(db->arena, &all, &(struct link_call){ .statement = b->end });
	return (all);
}

/*
 * The connection died: is surely nothing of it done?  Without a word of the server a commit may have been, and writes that no transaction
 * stood around.
 */
static bool
surely_undone(const struct db *db, const struct queue *all, const struct link_reply *reply)
{
	bool within = db->open || all->call->statement == &statement_begin;

	if (link_farewell(reply))
		return (true);
	for (size_t i = 0; i < all->len; i++)
		if (all->call[i].statement == &statement_commit || (!within && all->call[i].statement->write))
			return (false);
	return (true);
}

/* Sent again where nothing is done, unless there is more of the transaction: then the request may begin anew. */
static enum link_state
calls_exchange(struct db *db, struct queue *all, struct link_reply *reply, bool *undone)
{
	enum link_state state;

	for (int tries = 2;; PQclear(reply->refused)) {
		state = link_exchange(db->link, db->arena, all->call, all->len, reply);
		db->round_trips += state != LINK_DOWN;
		*undone = state == LINK_STALE || (state == LINK_LOST && surely_undone(db, all, reply));
		if (--tries == 0 || db->open || !*undone)
			return (state);
	}
}

/* Reads need not be done again: what they have found was used. */
static void
batch_remember(struct db *db, const struct queue *queued, const struct batch *b, const PGresult *found)
{
	const struct link_call *last = b->last;
	struct link_call call;

	if (!db->open) {
		db->steps.len = 0;
		return;
	}
	for (size_t i = 0; i < queued->len; i++)
		steps_add(db, &queued->call[i], NULL);
	if (last == NULL || !last->statement->write)
		return;
	call = *last;
	call.inputs = inputs_copy(db->arena, last->statement, last->inputs);
	steps_add(db, &call, found);
	if (b->end != NULL)
		steps_add(db, &(struct link_call){ .statement = b->end }, NULL);
}

err
db_send(struct db *db, const struct batch *b, PGresult **result)
{
	struct queue all = batch_calls(db, b), queued = db->queue;
	bool carries = db->open || b->first != NULL || db->queue.len > 0;
	struct link_reply reply;
	enum link_state state;
	bool undone;
	err e;

	if (db->broken != OK)
		return (db->broken);
	state = calls_exchange(db, &all, &reply, &undone);
	db->queue.len = 0;
	db->open = link_in_transaction(db->link);
	if (state != LINK_OK) {
		e = error_of(db, state, &reply);
		db->conflict = db->conflict || undone;
		if (carries)
			db->broken = e;
		return (e);
	}
	db->conflict = false;
	if (reply.last != NULL)
		arena_defer(db->arena, result_release, reply.last);
	batch_remember(db, &queued, b, reply.last);
	if (result != NULL)
		*result = reply.last;
	return (OK);
}

err
db_run(struct db *db, const struct db_statement *st, const char *const *inputs, void *row, size_t *count)
{
	struct link_call call = { .statement = st, .inputs = inputs };
	struct batch b = { .last = &call };
	PGresult *res = NULL;
	const char *wrong;

	db->statements++;
	if (st->rows == DB_NONE) {
		call.inputs = inputs_copy(db->arena, st, inputs);
		db_queue_add(db->arena, &db->queue, &call);
		return (OK);
	}
	if (!db->open && !db->autonomous && !st->final && (st->write || db->queue.len > 0))
		b.first = &statement_begin;
	if (db->open && st->final && !db->autonomous)
		b.end = &statement_commit;
	TRY(db_send(db, &b, &res));
	db->kept = db->kept || (st->final && !db->autonomous);
	wrong = rows_fill(db->arena, st, res, row, count);
	db->conflict = wrong != NULL;
	if (wrong != NULL)
		return (db_error_ours(db, E_DATABASE, arena_printf(db->arena, "%s: %s", st->name, wrong)));
	return (OK);
}

/* --- Functions of the site --- */

struct function_answer {
	bool found;
	const char *text;
};

err
db_call(struct db *db, const struct db_function *f, const char *argument, const char **text)
{
	static const struct db_column column = { "answer", DB_TEXT, offsetof(struct function_answer, text) };
	const char *const ms[] = { arena_printf(db->arena, "%lld", (long long)(f->limit_ns / 1000000)) };
	struct db_statement *st = arena_new_object(db->arena, struct db_statement);
	struct link_call first = { .statement = &timeout_set, .inputs = inputs_copy(db->arena, &timeout_set, ms) };
	struct link_call call = { .statement = st, .inputs = &argument };
	struct batch b = { .first = db->open || db->autonomous ? NULL : &statement_begin, .last = &call, .end = &timeout_reset };
	struct function_answer answer;
	PGresult *res = NULL;

	*st = (struct db_statement){ .sql = link_call_text(db->arena, f->schema, f->name),
		.inputs = 1,
		.rows = DB_ONE,
		.write = true,
		.column = &column,
		.columns = 1,
		.row_size = sizeof(answer),
		.found_offset = offsetof(struct function_answer, found) };
	db->statements++;
	db_queue_add(db->arena, &db->queue, &first);
	TRY(db_send(db, &b, &res));
	if (rows_fill(db->arena, st, res, &answer, NULL) != NULL)
		return (db_error_ours(db, E_DATABASE, arena_printf(db->arena, "%s.%s gave no value", f->schema, f->name)));
	*text = answer.text;
	return (OK);
}

err
db_ping(struct db *db)
{
	return (db_send(db, &(struct batch){ .last = &(struct link_call){ .statement = &ping } }, NULL));
}
