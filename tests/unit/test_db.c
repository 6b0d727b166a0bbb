/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "beside.h"
#include "db/db.h"
#include "query/test.h"

#define SCHEMA "a \"b"
#define S "\"a \"\"b\""
#define URL "postgresql://?pool_max_conns=3&work_mem=1234kB"

struct fixture {
	struct arena *arena;
	struct db *db;
};

static long long
number(const char *text)
{
	PGresult *res = PQexec(beside, text);
	long long n;

	assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
	n = atoll(PQgetvalue(res, 0, 0));
	PQclear(res);
	return (n);
}

static long long
things(void)
{
	return (number("select count(*) from " S ".thing"));
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	sql("drop schema if exists " S " cascade; create schema " S);
	sql("create table " S ".thing (id text primary key, word text, good bool, n int)");
	sql("create table " S ".late (id text unique deferrable initially deferred)");
	f->arena = arena_new();
	f->db = db_new(URL, SCHEMA);
	db_start(f->db, f->arena);
	*state = f;
	return (0);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	db_rollback(f->db);
	db_free(f->db);
	arena_free(f->arena);
	free(f);
	return (0);
}

static void
next_request(struct fixture *f)
{
	arena_wipe(f->arena);
	db_start(f->db, f->arena);
}

static long long
pid_of(struct fixture *f)
{
	struct pid p;

	assert_int_equal(pid(f->db, &p), OK);
	return (p.n);
}

/* Ends the server's side of our connection and waits until it is gone. */
static void
cut(struct fixture *f)
{
	char text[128];

	snprintf(text, sizeof(text), "select pg_terminate_backend(%lld, 5000)::int", pid_of(f));
	assert_int_equal(number(text), 1);
	next_request(f);
}

static void
test_what_stands_for_null(void **state)
{
	struct fixture *f = *state;
	struct empty e;

	assert_int_equal(empty(f->db, &e, .a = "x", .b = "{\"a\": 1}"), OK);
	assert_null(e.no_text);
	assert_string_equal(e.no_str, "");
	assert_string_equal(e.no_object, "{}");
	assert_string_equal(e.null_object, "{}");
	assert_string_equal(e.text, "x");
	assert_string_equal(e.object, "{\"a\": 1}");
}

/* Of arrays: quotes, NULL and "NULL", and the order of times. */
static void
test_rows_of_an_array(void **state)
{
	struct fixture *f = *state;
	size_t n;
	char **row = db_rows(f->arena,
	    "{{NULL,b},{\"2026-01-01 00:00:00.5+00\",\"say \\\"NULL\\\", {}\"},{\"2026-01-01 00:00:00+00\",\"NULL\"},{NULL,a}}", 2, &n);

	assert_int_equal(n, 4);
	assert_string_equal(row[1], "NULL");
	assert_string_equal(row[3], "say \"NULL\", {}");
	assert_null(row[4]);
	assert_string_equal(row[5], "a");
	assert_string_equal(row[7], "b");
	(void)db_rows(f->arena, "{}", 2, &n);
	assert_int_equal(n, 0);
	(void)db_rows(f->arena, NULL, 2, &n);
	assert_int_equal(n, 0);
}

static void
test_read(void **state)
{
	struct fixture *f = *state;
	struct thing t;

	sql("insert into " S ".thing values ('a', 'w', true, -7)");
	assert_int_equal(thing_get(f->db, &t, .id = "a"), OK);
	assert_true(t.found && t.good);
	assert_string_equal(t.word, "w");
	assert_int_equal(t.n, -7);
	assert_int_equal(db_round_trips(f->db), 1); /* connecting, settings and Parse included */
	assert_int_equal(thing_get(f->db, &t, .id = "b"), OK);
	assert_false(t.found);
	assert_null(t.id);
	assert_int_equal(thing_get(f->db, &t, .id = NULL), OK);
	assert_false(t.found);
	assert_int_equal(db_round_trips(f->db), 3);
	assert_int_equal(db_statements(f->db), 3);
	assert_false(db_in_transaction(f->db));
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(db_round_trips(f->db), 3);
}

static void
test_null_and_many(void **state)
{
	struct fixture *f = *state;
	struct thing_rows list;

	assert_int_equal(thing_list(f->db, &list), OK);
	assert_int_equal(list.len, 0);
	sql("insert into " S ".thing values ('a', 'w', true, 1), ('b', null, null, null)");
	assert_int_equal(thing_list(f->db, &list), OK);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.row[0].word, "w");
	assert_true(list.row[0].found && list.row[1].found);
	assert_null(list.row[1].word);
	assert_false(list.row[1].good);
	assert_int_equal(list.row[1].n, 0);
}

static void
test_counts_of_rows(void **state)
{
	struct fixture *f = *state;
	struct none_at_all n;
	struct thing t;

	assert_int_equal(none_at_all(f->db, &n), E_DATABASE);
	assert_string_equal(db_error(f->db)->message, "none_at_all: no row");
	assert_string_equal(db_error(f->db)->sqlstate, "");
	sql("insert into " S ".thing values ('a'), ('b')");
	assert_int_equal(thing_any(f->db, &t), E_DATABASE);
	assert_string_equal(db_error(f->db)->message, "thing_any: more than one row");
}

static void
test_queue(void **state)
{
	struct fixture *f = *state;
	char id[8] = "a";

	assert_int_equal(thing_add(f->db, .id = id, .word = "x"), OK);
	strcpy(id, "zzz"); /* it was copied */
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	assert_int_equal(db_round_trips(f->db), 0);
	assert_int_equal(things(), 0);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(db_round_trips(f->db), 1);
	assert_int_equal(number("select count(*) from " S ".thing where id in ('a', 'b')"), 2);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(db_round_trips(f->db), 1);
}

static void
test_queue_is_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	assert_int_equal(db_commit(f->db), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "23505");
	assert_string_equal(db_error(f->db)->constraint, "thing_pkey");
	assert_int_equal(things(), 0);
	next_request(f);
	assert_int_equal(thing_add(f->db, .id = "c"), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 1);
}

static void
test_transaction(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;
	struct thing_count c;

	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	assert_string_equal(p.id, "b");
	assert_true(db_in_transaction(f->db));
	assert_int_equal(db_round_trips(f->db), 1);
	assert_int_equal(things(), 0);
	assert_int_equal(thing_count(f->db, &c), OK);
	assert_int_equal(c.n, 2);
	assert_int_equal(thing_add(f->db, .id = "c"), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(db_round_trips(f->db), 3);
	assert_false(db_in_transaction(f->db));
	assert_int_equal(things(), 3);
}

/* What is queued may have rows that nobody wants. */
static void
test_commit_behind_a_lock(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_int_equal(thing_hold(f->db, .id = "a"), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 1);
	next_request(f);
	assert_int_equal(thing_hold(f->db, .id = "a"), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	assert_string_equal(p.id, "b");
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 2);
}

static void
test_rollback(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	db_rollback(f->db);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 0);
	assert_int_equal(thing_put(f->db, &p, .id = "c"), OK);
	next_request(f); /* forgotten by the dispatcher */
	assert_false(db_in_transaction(f->db));
	assert_int_equal(things(), 0);
}

static void
test_read_takes_queue(void **state)
{
	struct fixture *f = *state;
	struct thing_count c;

	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_count(f->db, &c), OK);
	assert_int_equal(c.n, 1);
	assert_true(db_in_transaction(f->db));
	db_rollback(f->db);
	assert_int_equal(things(), 0);
}

static void
test_final(void **state)
{
	struct fixture *f = *state;
	struct thing_swap s;

	sql("insert into " S ".thing values ('a', 'old')");
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	assert_int_equal(thing_swap(f->db, &s, .id = "a", .word = "new"), OK);
	assert_string_equal(s.word, "new");
	assert_false(db_in_transaction(f->db));
	assert_int_equal(number("select count(*) from " S ".thing where word = 'new' or id = 'b'"), 2);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(db_round_trips(f->db), 1);
}

static void
test_first_error_is_kept(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;
	struct thing_count c;

	sql("insert into " S ".thing values ('a')");
	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "23505");
	assert_non_null(strstr(db_error(f->db)->detail, "(a)"));
	assert_int_equal(thing_count(f->db, &c), E_DATABASE); /* what was lost must not go unnoticed */
	assert_int_equal(db_commit(f->db), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "23505");
	assert_int_equal(things(), 1);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 2);
}

static void
test_error_alone(void **state)
{
	struct fixture *f = *state;
	struct nap n;
	struct thing_count c;

	assert_int_equal(nap(f->db, &n, .seconds = "much"), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "22P02");
	assert_int_equal(thing_count(f->db, &c), OK);
	assert_int_equal(db_commit(f->db), OK);
}

static void
test_deferred(void **state)
{
	struct fixture *f = *state;
	struct thing_late_put p;
	struct thing_put t;

	sql("insert into " S ".late values ('a')");
	assert_int_equal(thing_late_put(f->db, &p, .id = "a"), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "23505");
	assert_int_equal(thing_late(f->db, .id = "a"), OK);
	assert_int_equal(db_commit(f->db), E_DATABASE);
	assert_int_equal(thing_late(f->db, .id = "a"), OK);
	assert_int_equal(thing_put(f->db, &t, .id = "t"), OK);
	assert_int_equal(db_commit(f->db), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "23505");
	assert_int_equal(things(), 0);
	assert_int_equal(thing_late_put(f->db, &p, .id = "b"), OK);
	assert_int_equal(number("select count(*) from " S ".late"), 2);
}

static void
test_settings(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = { { "timezone", "UTC" }, { "application_name", "postern" }, { "client_min_messages", "warning" },
		{ "statement_timeout", "2s" }, { "idle_in_transaction_session_timeout", "30s" }, { "search_path", S },
		{ "work_mem", "1234kB" }, { "client_encoding", "UTF8" } };
	struct fixture *f = *state;
	struct setting s;

	db_limit(f->db, INT64_C(2000000000));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(setting(f->db, &s, .name = cases[i].name), OK);
		assert_string_equal(s.value, cases[i].value);
	}
}

static void
test_settings_of_the_site_win(void **state)
{
	struct fixture *f = *state;
	struct setting s;
	struct db *db = db_new("postgresql://?search_path=public&statement_timeout=7s&timezone=Asia/Tokyo", "auth");

	db_start(db, f->arena);
	assert_int_equal(setting(db, &s, .name = "search_path"), OK);
	assert_string_equal(s.value, "public");
	assert_int_equal(setting(db, &s, .name = "statement_timeout"), OK);
	assert_string_equal(s.value, "7s");
	assert_int_equal(setting(db, &s, .name = "timezone"), OK);
	assert_string_equal(s.value, "UTC");
	db_free(db);
}

static void
test_text_is_not_rewritten(void **state)
{
	struct fixture *f = *state;
	struct quoted q;

	assert_int_equal(quoted(f->db, &q), OK);
	assert_string_equal(q.value, "auth.");
}

static void
test_dead_while_idle(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	cut(f);
	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK); /* seen before anything was sent: a write as well */
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(db_round_trips(f->db), 2);
	cut(f);
	assert_int_equal(db_ping(f->db), OK);
}

static void
test_dead_in_transaction(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;
	struct thing_count c;
	char text[64];

	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	snprintf(text, sizeof(text), "select pg_terminate_backend(%lld, 5000)", pid_of(f));
	sql(text);
	assert_int_equal(thing_count(f->db, &c), E_UNAVAILABLE);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), E_UNAVAILABLE);
	assert_int_equal(db_commit(f->db), E_UNAVAILABLE);
	assert_int_equal(things(), 0);
	next_request(f);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	assert_int_equal(db_commit(f->db), OK);
}

/* The connection dies while the statement runs: a child sees to that. */
static void
cut_soon(long long victim)
{
	char text[96];

	if (fork() != 0)
		return;
	usleep(200000);
	snprintf(text, sizeof(text), "psql -qtc 'select pg_terminate_backend(%lld)' >/dev/null", victim);
	_exit(system(text) != 0);
}

static void
test_dead_under_way(void **state)
{
	struct fixture *f = *state;
	struct nap n;
	long long victim = pid_of(f);

	next_request(f);
	cut_soon(victim);
	assert_int_equal(nap(f->db, &n, .seconds = "2"), OK); /* a lone read: done again */
	assert_int_equal(db_round_trips(f->db), 2);
	assert_int_not_equal(pid_of(f), victim);
	next_request(f);
	victim = pid_of(f);
	next_request(f);
	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	cut_soon(victim);
	assert_int_equal(nap(f->db, &n, .seconds = "2"), OK); /* a transaction that had not begun */
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 1);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	victim = pid_of(f);
	cut_soon(victim);
	assert_int_equal(nap(f->db, &n, .seconds = "2"), E_UNAVAILABLE);
	assert_string_equal(db_error(f->db)->sqlstate, "57P01");
	assert_int_equal(db_commit(f->db), E_UNAVAILABLE);
	assert_int_equal(things(), 1);
}

static void
test_cancelled(void **state)
{
	struct fixture *f = *state;
	struct nap n;

	db_limit(f->db, INT64_C(100000000));
	assert_int_equal(nap(f->db, &n, .seconds = "5"), E_REQUEST_TIMEOUT);
	assert_string_equal(db_error(f->db)->sqlstate, "57014");
	assert_int_equal(nap(f->db, &n, .seconds = "0"), OK);
}

static void
test_server_hangs(void **state)
{
	struct fixture *f = *state;
	struct nap n;
	uint64_t began;
	pid_t server;

	db_limit(f->db, INT64_C(100000000));
	server = (pid_t)pid_of(f);
	if (kill(server, SIGSTOP) != 0)
		skip(); /* another user's */
	began = clock_mono_ns();
	assert_int_equal(nap(f->db, &n, .seconds = "0"), E_UNAVAILABLE);
	kill(server, SIGCONT);
	assert_in_range((clock_mono_ns() - began) / 1000000, 5000, 6500);
	assert_int_equal(nap(f->db, &n, .seconds = "0"), OK);
}

static void
test_no_server(void **state)
{
	struct fixture *f = *state;
	struct db *db = db_new("postgresql://x@127.0.0.1:1/x", "auth");
	struct thing_count c;

	db_start(db, f->arena);
	assert_int_equal(thing_count(db, &c), E_UNAVAILABLE);
	assert_non_null(strstr(db_error(db)->message, "refused"));
	assert_int_equal(db_ping(db), E_UNAVAILABLE);
	assert_int_equal(db_round_trips(db), 0);
	db_free(db);
	db = db_new("nonsense", "auth");
	db_start(db, f->arena);
	assert_int_equal(db_ping(db), E_UNAVAILABLE);
	db_free(db);
}

/* Something takes the connection and says nothing: one request waits for three seconds, the next not at all. */
static void
test_mute_server(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int mute = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t began = clock_mono_ns();
	struct db *db;
	char url[64];

	assert_int_equal(bind(mute, (struct sockaddr *)&at, sizeof(at)) | listen(mute, 5), 0);
	assert_int_equal(getsockname(mute, (struct sockaddr *)&at, &len), 0);
	snprintf(url, sizeof(url), "postgresql://x@127.0.0.1:%d/x", ntohs(at.sin_port));
	db = db_new(url, "auth");
	db_start(db, f->arena);
	assert_int_equal(db_ping(db), E_UNAVAILABLE);
	assert_in_range((clock_mono_ns() - began) / 1000000, 2900, 3500);
	assert_int_equal(db_ping(db), E_UNAVAILABLE);
	assert_in_range((clock_mono_ns() - began) / 1000000, 2900, 3500);
	db_free(db);
	close(mute);
}

static void
test_altered_table(void **state)
{
	struct fixture *f = *state;
	struct thing_swap s;
	struct thing_put p;

	sql("insert into " S ".thing values ('a', 'x')");
	for (int i = 0; i < 7; i++)
		assert_int_equal(thing_swap(f->db, &s, .id = "a", .word = "y"), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	db_rollback(f->db);
	sql("alter table " S ".thing alter word type varchar(7)");
	assert_int_equal(thing_swap(f->db, &s, .id = "a", .word = "z"), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 2);
}

static void
test_forgotten_statements(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(thing_put(f->db, &p, .id = i == 0 ? "a" : "b"), OK);
		assert_int_equal(db_commit(f->db), OK);
		assert_int_equal(all_forget(f->db), OK);
		assert_int_equal(db_commit(f->db), OK);
	}
	assert_int_equal(thing_put(f->db, &p, .id = "c"), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 3);
}

static void
test_autonomous(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	assert_int_equal(thing_add(f->db, .id = "later"), OK);
	db_autonomous_begin(f->db);
	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_false(db_in_transaction(f->db));
	assert_int_equal(things(), 1);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	assert_int_equal(db_autonomous_end(f->db), OK);
	assert_int_equal(things(), 2);
	db_autonomous_begin(f->db);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	assert_int_equal(db_autonomous_end(f->db), E_DATABASE);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 3);
	db_autonomous_begin(f->db);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), E_DATABASE);
	db_autonomous_begin(f->db); /* without the end */
	assert_int_equal(thing_put(f->db, &p, .id = "b"), E_DATABASE);
	db_rollback(f->db);
	assert_int_equal(thing_put(f->db, &p, .id = "c"), OK);
	assert_true(db_in_transaction(f->db));
}

/* A mistake of ours, which ends no worker. */
static void
test_autonomous_in_a_transaction(void **state)
{
	struct fixture *f = *state;
	struct thing_swap s;
	struct thing_put p;

	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	db_autonomous_begin(f->db);
	assert_int_equal(thing_swap(f->db, &s, .id = "a", .word = "new"), OK);
	assert_int_equal(db_autonomous_end(f->db), OK);
	assert_true(db_in_transaction(f->db));
	assert_int_equal(things(), 0);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 2);
}

static void
test_begins_anew(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	sql("insert into " S ".thing values ('b')");
	assert_int_equal(thing_put(f->db, &p, .id = "b"), E_DATABASE);
	db_rollback(f->db);
	assert_true(db_conflict(f->db));
	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_false(db_conflict(f->db));
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), E_DATABASE);
	assert_false(db_conflict(f->db)); /* there is something of it that stands */
}

static void
test_long_input(void **state)
{
	struct fixture *f = *state;
	size_t len = (size_t)32 << 20;
	char *word = malloc(len + 1);
	struct long_word w;

	memset(word, 'x', len);
	word[len] = '\0';
	assert_int_equal(long_word(f->db, &w, .word = word), OK);
	assert_int_equal(w.n, len);
	free(word);
}

/* --- Left for a while --- */

static void
test_suspend(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;
	struct thing t;

	assert_int_equal(db_suspend(f->db), OK); /* nothing to leave */
	assert_int_equal(db_resume(f->db), OK);
	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_put(f->db, &p, .id = "b"), OK);
	assert_int_equal(thing_add(f->db, .id = "c"), OK);
	assert_int_equal(thing_get(f->db, &t, .id = "c"), OK);
	assert_int_equal(thing_add(f->db, .id = "d"), OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(db_suspend(f->db), OK);
		assert_false(db_in_transaction(f->db));
		assert_int_equal(number("select count(*) from pg_locks l join pg_class c on c.oid = l.relation where c.relname = 'thing'"),
		    0);
		assert_int_equal(db_resume(f->db), OK);
	}
	assert_int_equal(thing_get(f->db, &t, .id = "a"), OK);
	assert_true(t.found);
	assert_int_equal(things(), 0);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 4);
	assert_false(db_conflict(f->db));
}

static void
test_suspend_reads_only(void **state)
{
	struct fixture *f = *state;
	unsigned trips;
	struct thing t;

	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(thing_get(f->db, &t, .id = "a"), OK);
	assert_int_equal(db_suspend(f->db), OK);
	trips = db_round_trips(f->db);
	assert_int_equal(db_resume(f->db), OK);
	assert_int_equal(db_round_trips(f->db), trips); /* the write waits in the queue again */
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 1);
}

static void
overtake(struct fixture *f, const char *id, const char *change)
{
	struct thing_take got;
	struct thing_put p;

	assert_int_equal(thing_take(f->db, &got, .id = id), OK);
	assert_true(got.found && got.good);
	assert_int_equal(db_suspend(f->db), OK);
	sql(change);
	assert_int_equal(db_resume(f->db), E_CONFLICT);
	assert_true(db_conflict(f->db));
	assert_int_equal(thing_put(f->db, &p, .id = "new"), E_CONFLICT);
	db_rollback(f->db);
}

static void
test_conflict(void **state)
{
	struct fixture *f = *state;
	struct thing_take got;

	sql("insert into " S ".thing values ('a', 'w', true, 1), ('b', 'w', true, 1), ('c', 'w', true, 1)");
	overtake(f, "a", "delete from " S ".thing where id = 'a'");
	overtake(f, "b", "update " S ".thing set good = false where id = 'b'");
	assert_int_equal(things(), 2);
	next_request(f);
	assert_false(db_conflict(f->db));
	assert_int_equal(thing_take(f->db, &got, .id = "c"), OK);
	assert_int_equal(db_suspend(f->db), OK);
	sql("update " S ".thing set word = 'other' where id = 'c'"); /* what was decided by is the same */
	assert_int_equal(db_resume(f->db), OK);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 1);
}

static void
test_suspended_ends(void **state)
{
	struct fixture *f = *state;
	struct thing_put p;

	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_int_equal(db_suspend(f->db), OK);
	db_rollback(f->db);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 0);
	assert_int_equal(thing_put(f->db, &p, .id = "a"), OK);
	assert_int_equal(thing_add(f->db, .id = "b"), OK);
	assert_int_equal(db_suspend(f->db), OK);
	assert_int_equal(db_commit(f->db), OK); /* an error with which what was written stands */
	assert_int_equal(things(), 2);
	assert_int_equal(thing_put(f->db, &p, .id = "c"), OK);
	assert_int_equal(db_suspend(f->db), OK);
	sql("insert into " S ".thing values ('c')");
	assert_int_equal(db_resume(f->db), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "23505");
}

/* --- Functions of the site --- */

static void
test_call(void **state)
{
	struct fixture *f = *state;
	struct db_function function = { .schema = SCHEMA, .name = "the \"echo", .limit_ns = 1000000000 };
	struct setting s;
	const char *text;

	sql("create function " S ".\"the \"\"echo\"(event json) returns jsonb language sql as $$ select event::jsonb || '{\"b\": 2}' $$");
	sql("create function " S ".nothing(event jsonb) returns jsonb language sql as $$ select null::jsonb $$");
	sql("create function " S ".none(event jsonb) returns setof jsonb language sql as $$ select event where false $$");
	assert_int_equal(thing_add(f->db, .id = "a"), OK);
	assert_int_equal(db_call(f->db, &function, "{\"a\": 1}", &text), OK);
	assert_string_equal(text, "{\"a\": 1, \"b\": 2}");
	assert_true(db_in_transaction(f->db));
	assert_int_equal(db_round_trips(f->db), 1);
	assert_int_equal(things(), 0);
	assert_int_equal(setting(f->db, &s, .name = "statement_timeout"), OK);
	assert_string_equal(s.value, "10s"); /* as before */
	function.name = "nothing";
	assert_int_equal(db_call(f->db, &function, "{}", &text), OK);
	assert_null(text);
	function.name = "none";
	assert_int_equal(db_call(f->db, &function, "{}", &text), E_DATABASE);
	assert_int_equal(db_commit(f->db), OK);
	assert_int_equal(things(), 1);
}

static void
test_call_limit(void **state)
{
	struct fixture *f = *state;
	struct db_function slow = { .schema = SCHEMA, .name = "slow", .limit_ns = 100000000 },
			   missing = { .schema = SCHEMA, .name = "gone" };
	const char *text;

	sql("create function " S ".slow(event jsonb) returns jsonb language plpgsql as $$ begin insert into " S
	    ".thing values (event->>'id'); perform pg_sleep((event->>'s')::float8); return event; end $$");
	assert_int_equal(db_call(f->db, &slow, "{\"id\": \"a\", \"s\": 3}", &text), E_REQUEST_TIMEOUT);
	db_rollback(f->db);
	assert_int_equal(db_call(f->db, &missing, "{}", &text), E_DATABASE);
	assert_string_equal(db_error(f->db)->sqlstate, "42883");
	db_rollback(f->db);
	db_autonomous_begin(f->db);
	assert_int_equal(db_call(f->db, &slow, "{\"id\": \"b\", \"s\": 0}", &text), OK);
	assert_int_equal(things(), 1);
	assert_int_equal(db_autonomous_end(f->db), OK);
	assert_false(db_in_transaction(f->db));
	db_autonomous_begin(f->db);
	assert_int_equal(db_call(f->db, &slow, "{\"id\": \"c\", \"s\": 3}", &text), E_REQUEST_TIMEOUT);
	db_rollback(f->db);
	assert_int_equal(things(), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int
tests_run(void)
{
	const struct CMUnitTest tests[] = { TEST(test_read), TEST(test_what_stands_for_null), TEST(test_rows_of_an_array),
		TEST(test_null_and_many), TEST(test_counts_of_rows), TEST(test_queue), TEST(test_queue_is_one), TEST(test_transaction),
		TEST(test_commit_behind_a_lock), TEST(test_rollback), TEST(test_read_takes_queue), TEST(test_final),
		TEST(test_first_error_is_kept), TEST(test_error_alone), TEST(test_deferred), TEST(test_settings),
		TEST(test_settings_of_the_site_win), TEST(test_text_is_not_rewritten), TEST(test_dead_while_idle),
		TEST(test_dead_in_transaction), TEST(test_dead_under_way), TEST(test_cancelled), TEST(test_server_hangs),
		TEST(test_no_server), TEST(test_mute_server), TEST(test_altered_table), TEST(test_forgotten_statements),
		TEST(test_autonomous), TEST(test_autonomous_in_a_transaction), TEST(test_begins_anew), TEST(test_long_input),
		TEST(test_suspend), TEST(test_suspend_reads_only), TEST(test_conflict), TEST(test_suspended_ends), TEST(test_call),
		TEST(test_call_limit) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}

int
main(void)
{
	if (getenv("PGHOST") == NULL && getenv("PGPORT") == NULL) {
		puts("skipped: run it by tests/with-database");
		return (SKIPPED);
	}
	return (run_beside(tests_run));
}
