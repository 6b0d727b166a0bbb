/* SPDX-License-Identifier: Apache-2.0 */
/* How transactions end, and how they are left for a while. */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "db/db_part.h"

/* --- To the end --- */

err
db_commit(struct db *db)
{
	struct link_call call = { .statement = &statement_commit };
	struct batch b = { 0 };
	PGresult *res = NULL;
	err e = db->autonomous ? db_autonomous_end(db) : db_resume(db);
	bool sends, undone;

	b.last = db->open ? &call : NULL;
	sends = db->open || db->queue.len > 0 || db->broken != OK;
	if (e == OK && sends)
		e = db_send(db, &b, &res);
	undone = b.last != NULL && res != NULL && strcmp(PQcmdStatus(res), "COMMIT") != 0;
	if (undone)
		e = db_error_ours(db, E_DATABASE, "the transaction had failed and was rolled back");
	if (e != OK)
		db_rollback(db);
	db->kept = db->kept || (e == OK && sends);
	return (e);
}

err
db_commit_early(struct db *db)
{
	return (db_commit(db));
}

bool
db_kept(const struct db *db)
{
	return (db->kept);
}

void
db_rollback(struct db *db)
{
	struct link_call call = { .statement = &statement_rollback };
	struct db_error said = db->error;
	bool conflict = db->conflict;

	db->queue.len = 0;
	db->aside.len = 0;
	db->autonomous = db->suspended = false;
	db->broken = OK;
	/* A connection whose state is in doubt is not worth a second thought. */
	if (db->open && db_send(db, &(struct batch){ .last = &call }, NULL) != OK)
		link_drop(db->link);
	db->open = false;
	db->steps.len = 0;
	db->broken = OK;
	db->error = said;
	db->conflict = conflict;
}

/* --- Leaving a transaction for a while --- */

err
db_suspend(struct db *db)
{
	struct link_call call = { .statement = &statement_rollback };
	struct queue queued = db->queue;
	struct steps steps = db->steps;
	err e;

	if (!db->open)
		return (OK);
	db->queue = (struct queue){ 0 };
	e = db_send(db, &(struct batch){ .last = &call }, NULL);
	db->queue = queued;
	db->steps = steps;
	db->suspended = true;
	return (e);
}

/* Found is what there was to find: rows, and what is true in them.  Texts may have gone on without changing what was decided. */
static bool
found_again(const struct db_statement *st, const PGresult *then, const PGresult *now)
{
	if (PQntuples(then) != PQntuples(now))
		return (false);
	for (int row = 0; row < PQntuples(now); row++)
		for (int i = 0; i < (int)st->columns; i++)
			if (st->column[i].type == DB_BOOL && strcmp(PQgetvalue(then, row, i), PQgetvalue(now, row, i)) != 0)
				return (false);
	return (true);
}

static err
step_again(struct db *db, const struct step *step)
{
	struct batch b = { .first = db->open ? NULL : &statement_begin, .last = &step->call };
	PGresult *now = NULL;

	if (step->found == NULL) {
		db_queue_add(db->arena, &db->queue, &step->call);
		return (OK);
	}
	TRY(db_send(db, &b, &now));
	if (found_again(step->call.statement, step->found, now))
		return (OK);
	db->conflict = true;
	return (db->broken = db_error_ours(db, E_CONFLICT, "somebody else was faster"));
}

err
db_resume(struct db *db)
{
	struct queue queued = db->queue;
	struct steps steps = db->steps;
	err e = OK;

	if (!db->suspended)
		return (OK);
	db->suspended = false;
	db->queue = (struct queue){ 0 };
	db->steps = (struct steps){ 0 };
	for (size_t i = 0; i < steps.len && e == OK; i++)
		e = step_again(db, &steps.step[i]);
	for (size_t i = 0; i < queued.len && e == OK; i++)
		db_queue_add(db->arena, &db->queue, &queued.call[i]);
	return (e);
}

bool
db_conflict(const struct db *db)
{
	return (db->conflict && !db->kept);
}

void
db_conflict_over(struct db *db)
{
	db->conflict = false;
}

/* --- What stands by itself --- */

static void
autonomous_leave(struct db *db)
{
	db->queue = db->aside;
	db->aside = (struct queue){ 0 };
	db->autonomous = false;
	if (!db->open)
		db->broken = OK; /* that was not the request's */
}

void
db_autonomous_begin(struct db *db)
{
	if (db->open)
		log_line(LOG_ERROR, "what is to stand by itself runs within a transaction, and is gone if that is");
	if (db->autonomous)
		autonomous_leave(db);
	db->aside = db->queue;
	db->queue = (struct queue){ 0 };
	db->autonomous = true;
}

err
db_autonomous_end(struct db *db)
{
	err e = db->queue.len > 0 ? db_send(db, &(struct batch){ 0 }, NULL) : OK;

	autonomous_leave(db);
	return (e);
}
