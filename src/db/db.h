/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * The connection of one worker, its prepared statements and the transaction of the request in hand.
 *
 * Statements are the functions that sql/compile.awk makes of sql/query/<thing>.sql (include "query/<thing>.h"):
 *
 *	struct user u;
 *	TRY(user_by_id(r->db, &u, .id = id));          maybe: u.found tells
 *	TRY(audit_add(r->db, .payload = json));        none: queued, see below
 *
 * Inputs are text, NULL is SQL's NULL; results are text in the request's arena (NULL for NULL) unless typed in the heading
 * (:bool, :int, false and 0 for NULL; :time, a timestamptz in microseconds, 0 for NULL and infinity, the year 1 for -infinity;
 * :str, text, "" for NULL; :object, a jsonb, "{}" for NULL and null).  Every row struct starts with found; of a `many` it is true in each
 * row.
 *
 * What travels when:
 *   - A statement with a result is sent at once, one round trip, together with everything queued before it.
 *   - A statement `-> none` is queued and travels with the next one that has a result, or with db_commit().
 *   - The first write that has a result opens a transaction in the same round trip, and so does whatever takes a queue along;
 *     `final` statements do not: they and the queue before them are committed at once, all of it or nothing; where a transaction
 *     is open, the commit travels along.
 *     A queue alone is one implicit transaction as well.
 *   - db_commit() is called by the dispatcher when the handler gave OK (or COMMIT_WITH), db_rollback() otherwise: HACKING.md, "How a request
 *     ends".  No handler calls either; one that has to commit before it is through says db_commit_early().
 *
 * Errors: E_UNAVAILABLE (no database: 503; what was a read, or surely undone, is tried once more), E_REQUEST_TIMEOUT (statement
 * cancelled, or a lock not granted in time), E_DATABASE (anything else; db_error() has what the server said).
 * When what failed took part in a transaction or carried a queue along, everything after it fails as well, db_commit() too, until
 * db_rollback().
 */
struct db;

/* Of the last statement that failed; strings live as long as the arena of that request. */
struct db_error {
	const char *sqlstate, *message; /* never NULL; sqlstate is "" when it was not the server that spoke */
	const char *constraint;         /* or unique index, that refused; NULL: none did */
	const char *hint, *detail;
};

struct outage;

/* url: as DATABASE_URL (its unknown parameters become server settings); schema: search_path when the url and role set none. Lazy. */
struct db *db_new(const char *url, const char *schema);
void db_free(struct db *);

/*
 * Who finds no connection waits so long for one (a database that restarts), but not while it is known to be away (db/outage.h; shared: with
 * other processes, or NULL).  Without the call nobody waits.
 */
void db_wait(struct db *, int64_t ns, struct outage *shared);
void db_limit(struct db *, int64_t ns); /* for one statement (statement_timeout); 10 s when never called, 0: no limit */

void db_start(struct db *, struct arena *); /* a request begins: results live in this arena, counters are zero */
void db_arena(struct db *, struct arena *); /* from now on they live in this one */
checked err db_commit(struct db *);
void db_rollback(struct db *);            /* also drops what is queued */
checked err db_commit_early(struct db *); /* for what has to stand before the request is through, which can't begin anew any more */
bool db_kept(const struct db *);          /* something of the request is committed; what stands by itself (below) does not count */
bool db_in_transaction(const struct db *);
const struct db_error *db_error(const struct db *);
unsigned db_round_trips(const struct db *); /* since db_start() */
unsigned db_statements(const struct db *);

/*
 * Statements in committed transactions of their own, whatever the request's will become (limit counters): brackets the calls.  Not
 * while a transaction is open: then they are part of it, and the log says so.  What is queued stays queued.  After an error between them
 * db_autonomous_end() may be left out.
 */
void db_autonomous_begin(struct db *);
checked err db_autonomous_end(struct db *);

/*
 * Between the two nothing is open, so that somebody outside can be asked however far the request has come.  db_suspend() takes back what
 * its transaction has done, db_resume() does it again; what is queued stays queued.  Writes that find other rows the second time, or
 * something else true in them, give E_CONFLICT: everything after it fails until db_rollback().  Nothing else may be asked of the database
 * between the two.
 */
checked err db_suspend(struct db *);
checked err db_resume(struct db *);

/*
 * What failed last failed because somebody else was in the way (such an E_CONFLICT, a deadlock, a serialization failure, a row that came to
 * be or went meanwhile) or the connection was lost with a transaction in it, and nothing of the request is committed: it may begin anew.
 */
bool db_conflict(const struct db *);

/* What failed is not to be tried any more: the request has spent what is good once. */
void db_conflict_over(struct db *);

/*
 * A function of the site: select "schema"."name"(argument), the argument of whatever type the function takes.  Within the transaction
 * like any write; it may take limit_ns.  *text: the value, in the first row; NULL for SQL's NULL.
 */
struct db_function {
	const char *schema, *name;
	int64_t limit_ns;
};
checked err db_call(struct db *, const struct db_function *, const char *argument, const char **text);

checked err db_ping(struct db *);

/*
 * For who waits for NOTIFY: the descriptor that can be read when one comes (-1: there is no connection at the moment), the id of the
 * process that the connection believes to speak to (another one than pg_backend_pid() where a pooler sits between; 0 without a
 * connection), and the taking of all that came: whether anything had.
 */
int db_socket(const struct db *);
int db_backend(const struct db *);
bool db_hear(struct db *);

/* A list (NULL or ending with NULL) as the text of a text[] input. */
char *db_array(struct arena *, char *const *list);

/*
 * The other way: a text[] of rows of so many columns, as an array of structs of as many char pointers, NULL where SQL has it.  They come in
 * the order of their first column, a timestamptz, and the second; those without a time are the last.
 */
void *db_rows(struct arena *, const char *array, size_t columns, size_t *rows);

/* What the generated functions are made of. */
enum db_rows { DB_NONE, DB_ONE, DB_MAYBE, DB_MANY };
enum db_type { DB_TEXT, DB_BOOL, DB_INT, DB_TIME, DB_STR, DB_OBJECT };
struct db_column {
	const char *name;
	enum db_type type;
	size_t offset;
};
struct db_statement {
	const char *name, *sql;
	unsigned inputs;
	enum db_rows rows;
	bool write, final;
	bool custom; /* the best plan depends on the inputs */
	const struct db_column *column;
	unsigned columns;
	size_t row_size, found_offset;
};
checked err db_run(struct db *, const struct db_statement *, const char *const *inputs, void *row, size_t *count);
extern const struct db_statement *const db_statement_list[]; /* all of them, NULL at the end: the tests prepare each */

#endif
