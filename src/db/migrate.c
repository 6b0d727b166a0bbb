/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/db_url.h"
#include "db/migrate.h"
#include "db/schema_sql.h"

#define OLDEST_SERVER 130000 /* gen_random_uuid() without an extension */

struct migration {
	struct arena *arena;
	PGconn *con;
	const char *schema;
	FILE *out;
};

/* What there is to do; the lists end with NULL. */
struct plan {
	char **schemas;  /* to be made */
	char **versions; /* of the reference, that are missing */
	char **files;    /* of our own, that have not run */
};

struct table {
	const char *schema, *name;
};

static void complain(const char *fmt, ...) printf_like(1, 2);

static void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("postern migrate: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static void
clear_result(void *result)
{
	PQclear(result);
}

static void
close_connection(void *con)
{
	PQfinish(con);
}

/* A text array. */
static char *
array_text(struct arena *a, const char *const *list)
{
	struct buf b = buf_new(a);

	for (size_t i = 0; list[i] != NULL; i++)
		buf_printf(&b, "%c\"%s\"", i == 0 ? '{' : ',', list[i]);
	buf_puts(&b, b.len == 0 ? "{}" : "}");
	return (b.data);
}

static const char **
own_files(struct arena *a)
{
	size_t n = 0, len = 0;
	const char **list;

	while (schema_files[n].name != NULL)
		n++;
	list = arena_new_array(a, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (schema_files[i].own)
			list[len++] = schema_files[i].name;
	return (list);
}

/* Asking the server. */

static const char *
sqlstate_of(const PGresult *result)
{
	return (str_or(PQresultErrorField(result, PG_DIAG_SQLSTATE), ""));
}

/* Sends a statement and lends its result; NULL, with a complaint, when it failed. */
static const PGresult *
ask(struct migration *m, const char *sql, const char *one, const char *two)
{
	const char *inputs[] = { one, two };
	PGresult *result = PQexecParams(m->con, sql, two != NULL ? 2 : one != NULL ? 1 : 0, NULL, inputs, NULL, NULL, 0);

	arena_defer(m->arena, clear_result, result);
	if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
		return (result);
	complain("%s", str_trim(m->arena, PQerrorMessage(m->con)));
	return (NULL);
}

/* The first column as a list. */
static checked err
ask_list(struct migration *m, char ***list, const char *sql, const char *input)
{
	const PGresult *result = ask(m, sql, input, NULL);
	int rows;

	if (result == NULL)
		return (E_DATABASE);
	rows = PQntuples(result);
	*list = arena_new_array(m->arena, char *, (size_t)rows + 1);
	for (int i = 0; i < rows; i++)
		(*list)[i] = arena_strdup(m->arena, PQgetvalue(result, i, 0));
	return (OK);
}

/* Those of the list that the table of versions does not have; all of them when there is no table that we may read. */
static checked err
ask_missing(struct migration *m, char ***missing, struct table table, const char *const *list)
{
	const PGresult *readable = ask(m,
	    "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2 "
	    "and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))",
	    table.schema, table.name);
	const char *sql = "select v from unnest($1::text[]) v";

	if (readable == NULL)
		return (E_DATABASE);
	if (*PQgetvalue(readable, 0, 0) == 't')
		sql = arena_printf(m->arena, "%s where not exists (select from \"%s\".%s m where m.version = v)", sql, table.schema,
		    table.name);
	return (ask_list(m, missing, sql, array_text(m->arena, list)));
}

static checked err
plan_make(struct migration *m, struct plan *p)
{
	TRY(ask_list(m, &p->schemas,
	    "select s from unnest(array[$1, 'postern']) s where not exists (select from pg_namespace where nspname = s)", m->schema));
	TRY(ask_missing(m, &p->versions, (struct table){ m->schema, "schema_migrations" }, schema_versions));
	return (ask_missing(m, &p->files, (struct table){ "postern", "migrations" }, own_files(m->arena)));
}

static bool
plan_empty(const struct plan *p)
{
	return (strs_len(p->versions) + strs_len(p->files) == 0);
}

static const char *
newest_version(void)
{
	size_t n = 0;

	while (schema_versions[n + 1] != NULL)
		n++;
	return (schema_versions[n]);
}

static void
plan_tell(struct migration *m, const struct plan *p, bool dry_run)
{
	size_t missing = strs_len(p->versions);

	if (plan_empty(p))
		fprintf(m->out, "Nothing to do: the schema %s is at version %s.\n", m->schema, newest_version());
	for (char **s = p->schemas; *s != NULL && !plan_empty(p); s++)
		fprintf(m->out, "%s the schema %s.\n", dry_run ? "Would make" : "Making", *s);
	if (missing > 0)
		fprintf(m->out, "%s the schema %s to version %s: %zu more, from %s on.\n", dry_run ? "Would bring" : "Bringing", m->schema,
		    newest_version(), missing, p->versions[0]);
	for (char **f = p->files; *f != NULL; f++)
		fprintf(m->out, "%s %s.\n", dry_run ? "Would run" : "Running", *f);
	fflush(m->out);
}

/* May we? */

/* One row a thing that we may not do: what it is, and what the administrator is to run. */
static const char rights_sql[] =
    "select format('The schema %I does not exist, and %I may not make one in the database %I.', s, current_user, current_database()), "
    "format('create schema %I authorization %I;', s, current_user) "
    "from unnest(array[$1, 'postern']) s where not exists (select from pg_namespace where nspname = s) "
    "and not has_database_privilege(current_database(), 'create') "
    "union all "
    "select format('%I may not make tables in the schema %I.', current_user, nspname), "
    "format('grant usage, create on schema %I to %I;', nspname, current_user) "
    "from pg_namespace where nspname in ($1, 'postern') "
    "and not (has_schema_privilege(oid, 'usage') and has_schema_privilege(oid, 'create'))";

/* The same for what belongs to somebody else, when the server has refused us. */
static const char owners_sql[] =
    "select format('The %s %s belongs to %I.', o.kind, o.name, pg_get_userbyid(o.owner)), "
    "format('alter %s %s owner to %I;', o.kind, o.name, current_user) from ("
    "select 'table' as kind, format('%I.%I', nspname, relname) as name, relowner as owner "
    "from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ($1, 'postern') and relkind in ('r', 'p') "
    "union all "
    "select 'function', format('%I.%I()', nspname, proname), proowner from pg_proc join pg_namespace n on n.oid = pronamespace "
    "where nspname = $1 and proname in ('uid', 'role', 'email', 'jwt') "
    "union all "
    "select 'type', format('%I.%I', nspname, typname), typowner from pg_type join pg_namespace n on n.oid = typnamespace "
    "where nspname = $1 and typtype = 'e'"
    ") o where not pg_has_role(current_user, o.owner, 'usage') order by 1";

static void
rights_tell(const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows); i++)
		complain("%s", PQgetvalue(rows, i, 0));
	if (PQntuples(rows) == 0)
		return;
	complain("Have an administrator run this in that database, then try again:");
	for (int i = 0; i < PQntuples(rows); i++)
		fprintf(stderr, "  %s\n", PQgetvalue(rows, i, 1));
}

static checked err
rights_check(struct migration *m)
{
	const PGresult *rows = ask(m, rights_sql, m->schema, NULL);

	if (rows == NULL)
		return (E_DATABASE);
	rights_tell(rows);
	return (PQntuples(rows) == 0 ? OK : E_DATABASE);
}

/* Doing it. */

static void
put_line(struct buf *b, const char *line, const char *schema)
{
	const char *at = line;

	for (const char *hit = line; (hit = strstr(hit, "auth.")) != NULL; hit += 5) {
		if (hit > line && (isalnum((unsigned char)hit[-1]) || strchr("_.\"$", hit[-1]) != NULL))
			continue;
		buf_put(b, at, (size_t)(hit - at));
		buf_printf(b, "\"%s\".", schema);
		at = hit + 5;
	}
	buf_puts(b, at);
	buf_putc(b, '\n');
}

static checked err
run_failed(struct migration *m, const char *name, PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	bool refused = strcmp(sqlstate_of(result), "42501") == 0; /* insufficient_privilege */
	const PGresult *rows;

	complain("%s failed, and nothing was changed: %s%s%s", name, str_or(message, str_trim(m->arena, PQerrorMessage(m->con))),
	    detail != NULL ? ": " : "", str_or(detail, ""));
	if (refused && ask(m, "rollback", NULL, NULL) != NULL && (rows = ask(m, owners_sql, m->schema, NULL)) != NULL)
		rights_tell(rows);
	return (E_DATABASE);
}

/* Text of several statements. */
static checked err
run(struct migration *m, const char *name, const char *sql)
{
	PGresult *result = PQexec(m->con, sql);

	arena_defer(m->arena, clear_result, result);
	return (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK ? OK : run_failed(m, name, result));
}

static checked err
run_file(struct migration *m, const struct schema_file *file)
{
	struct buf sql = buf_new(m->arena);

	for (const char *const *line = file->lines; *line != NULL; line++)
		put_line(&sql, *line, m->schema);
	if (file->own)
		buf_printf(&sql, "insert into postern.migrations (version) values ('%s');\n", file->name);
	return (run(m, file->name, sql.data));
}

/* A time limit that is meant for requests would end a long migration; a search_path could put another's functions before PostgreSQL's. */
static checked err
lock(struct migration *m)
{
	const PGresult *locked;

	TRY(run(m, "begin",
	    "begin; set local statement_timeout = 0; set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0;"
	    "set local client_min_messages = warning; set local search_path = pg_catalog"));
	if ((locked = ask(m, "select pg_try_advisory_xact_lock(hashtextextended('postern migrate', 0))", NULL, NULL)) == NULL)
		return (E_DATABASE);
	if (*PQgetvalue(locked, 0, 0) == 't')
		return (OK);
	fputs("Another migration is running; waiting for it.\n", m->out);
	fflush(m->out);
	return (run(m, "lock", "select pg_advisory_xact_lock(hashtextextended('postern migrate', 0))"));
}

static checked err
apply(struct migration *m, const struct plan *p)
{
	for (char **s = p->schemas; *s != NULL; s++)
		TRY(run(m, *s, arena_printf(m->arena, "create schema \"%s\"", *s)));
	for (const struct schema_file *f = schema_files; f->name != NULL; f++)
		if (f->own ? strs_have(p->files, f->name) : *p->versions != NULL)
			TRY(run_file(m, f));
	return (run(m, "commit", "commit"));
}

static checked err
migrate_locked(struct migration *m)
{
	struct plan p;

	TRY(lock(m));
	TRY(plan_make(m, &p)); /* anew: another may have done it while we waited */
	plan_tell(m, &p, false);
	TRY(apply(m, &p));
	fputs(plan_empty(&p) ? "" : "Done.\n", m->out);
	return (OK);
}

static checked err
migrate(struct migration *m, bool dry_run)
{
	struct plan p;

	TRY(plan_make(m, &p));
	if (plan_empty(&p) || dry_run)
		plan_tell(m, &p, dry_run);
	if (plan_empty(&p))
		return (OK);
	TRY(rights_check(m));
	return (dry_run ? OK : migrate_locked(m));
}

static void
notice(void *out, const PGresult *result)
{
	fprintf(out, "Warning: %s\n", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

/* The name stands in strings and names of the SQL, so it may have nothing that ends either. */
static checked err
schema_check(const char *schema)
{
	bool ours = strcmp(schema, "postern") == 0 || str_starts(schema, "pg_") || strcmp(schema, "information_schema") == 0;

	if (!ours && strlen(schema) < 64 && strpbrk(schema, "'\"\\$%") == NULL)
		return (OK);
	complain("DB_NAMESPACE can't be \"%s\"; it is usually \"auth\".", schema);
	return (E_DATABASE);
}

static checked err
connect_to(struct migration *m, const char *url)
{
	m->con = PQconnectdb(db_conninfo(m->arena, url, NULL));
	arena_defer(m->arena, close_connection, m->con);
	if (PQstatus(m->con) != CONNECTION_OK) {
		complain("no connection to the database: %s", str_trim(m->arena, PQerrorMessage(m->con)));
		return (E_UNAVAILABLE);
	}
	if (PQserverVersion(m->con) < OLDEST_SERVER) {
		complain("PostgreSQL 13 or later is needed; this is %s.", PQparameterStatus(m->con, "server_version"));
		return (E_DATABASE);
	}
	PQsetNoticeReceiver(m->con, notice, m->out);
	return (OK);
}

/* --- Going back --- */

/* Recovery codes go with their factors, and what these have raised falls, where we have made their tables: 99-extras-recovery.sql. */
static const char extras_sql[] =
    "select format('drop trigger %I on %I.%I', tgname, nspname, relname) from pg_trigger t join pg_class c on c.oid = tgrelid "
    "join pg_namespace n on n.oid = relnamespace where nspname = $1 and tgname like 'postern\\_%' and not tgisinternal "
    "union all "
    "select format('drop index %I.%I', nspname, relname) from pg_class c join pg_namespace n on n.oid = relnamespace "
    "where nspname = $1 and relkind = 'i' and relname like 'postern\\_%' "
    "union all "
    "select format(s, $1) from unnest(array["
    "'delete from %1$I.mfa_amr_claims where authentication_method = ''mfa/recovery_code''', "
    "'update %1$I.sessions s set aal = ''aal1'', factor_id = null from %1$I.mfa_factors f "
    "where f.id = s.factor_id and f.factor_type = ''recovery_code''', "
    "'delete from %1$I.mfa_factors where factor_type = ''recovery_code''', "
    "'drop table %1$I.mfa_recovery_codes, %1$I.mfa_recovery_code_sets', "
    "'delete from %1$I.schema_migrations where version in (''20260824000000'', ''20260824000001'')'"
    "]) s where obj_description(to_regclass(format('%I.mfa_recovery_code_sets', $1)), 'pg_class') like 'postern:%'";

/* A server that still runs counts by itself when there are no counts; the record would keep the next migration from making everything anew. */
static checked err
extras_forget(struct migration *m)
{
	const PGresult *there = ask(m, "select to_regclass('postern.user_counts') is not null", NULL, NULL);

	if (there == NULL)
		return (E_DATABASE);
	if (*PQgetvalue(there, 0, 0) != 't')
		return (OK);
	return (run(m, "postern", "delete from postern.user_counts; delete from postern.migrations where version like '%-extras%'"));
}

static checked err
extras_drop(struct migration *m, bool unused)
{
	char **drops;

	(void)unused;
	TRY(lock(m));
	TRY(ask_list(m, &drops, extras_sql, m->schema));
	for (char **drop = drops; *drop != NULL; drop++) {
		fprintf(m->out, "%s\n", *drop);
		TRY(run(m, *drop, *drop));
	}
	TRY(extras_forget(m));
	TRY(run(m, "commit", "commit"));
	fputs(*drops == NULL ? "Nothing to do.\n" : "Done.\n", m->out);
	return (OK);
}

static checked err
migration_run(struct migration *m, const char *url, err (*work)(struct migration *, bool), bool dry_run)
{
	err e;

	m->arena = arena_new();
	e = schema_check(m->schema);
	if (e == OK)
		e = connect_to(m, url);
	if (e == OK)
		e = work(m, dry_run);
	arena_free(m->arena);
	return (e);
}

err
migrate_run(const char *url, const char *schema, bool dry_run, FILE *out)
{
	return (migration_run(&(struct migration){ .schema = str_or(schema, "auth"), .out = out }, url, migrate, dry_run));
}

err
migrate_remove_extras(const char *url, const char *schema, FILE *out)
{
	return (migration_run(&(struct migration){ .schema = str_or(schema, "auth"), .out = out }, url, extras_drop, false));
}

err
migrate_pending(struct db *db, struct arena *a, int *pending)
{
	static const struct db_column column = { "missing", DB_INT, 0 };
	static const struct db_statement statement = {
		.name = "migrate_pending",
		.sql =
		    "select (select count(*) from unnest($1::text[]) v "
		    "where not exists (select from auth.schema_migrations m where m.version = v)) "
		    "+ (select count(*) from unnest($2::text[]) f "
		    "where not exists (select from postern.migrations m where m.version = f))",
		.inputs = 2,
		.rows = DB_ONE,
		.column = &column,
		.columns = 1,
		.row_size = sizeof(long long),
	};
	const char **files = own_files(a);
	const char *inputs[] = { array_text(a, schema_versions), array_text(a, files) };
	long long missing = 0;
	err e = db_run(db, &statement, inputs, &missing, NULL);

	/* undefined_table, invalid_schema_name */
	if (e == E_DATABASE && (str_equal(db_error(db)->sqlstate, "42P01") || str_equal(db_error(db)->sqlstate, "3F000"))) {
		missing = (long long)(strs_len((char *const *)schema_versions) + strs_len((char *const *)files));
		e = OK;
	}
	*pending = (int)missing;
	return (e);
}
