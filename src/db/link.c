/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "db/db_url.h"
#include "db/link_part.h"
#include "db/outage.h"

#define CONNECT_WITHIN (3000 * MS)
#define ASK_AGAIN (20 * MS)
#define LIMIT_UNSET (10000 * MS)

struct link *
link_new(const char *url, const char *schema)
{
	struct arena *a = arena_new();
	struct link *l = arena_new_object(a, struct link);

	l->arena = a;
	l->conninfo = db_conninfo(a, url, NULL);
	l->schema = arena_strdup(a, schema);
	l->limit = LIMIT_UNSET;
	l->outage = outage_alone(a);
	return (l);
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_drop(l);
	arena_free(l->arena);
}

void
link_drop(struct link *l)
{
	PQfinish(l->conn);
	l->conn = NULL;
	l->known_len = 0;
	l->greeted = false;
}

void
link_limit(struct link *l, int64_t ns)
{
	l->limit = ns > 0 ? (uint64_t)ns : 0;
}

void
link_wait(struct link *l, int64_t ns, struct outage *shared)
{
	l->wait = ns > 0 ? (uint64_t)ns : 0;
	if (shared != NULL)
		l->outage = shared;
}

bool
link_in_transaction(const struct link *l)
{
	PGTransactionStatusType status = l->conn == NULL ? PQTRANS_IDLE : PQtransactionStatus(l->conn);

	return (status == PQTRANS_INTRANS || status == PQTRANS_INERROR);
}

int
link_socket(const struct link *l)
{
	return (l->conn == NULL ? -1 : PQsocket(l->conn));
}

int
link_backend(const struct link *l)
{
	return (l->conn == NULL ? 0 : PQbackendPID(l->conn));
}

bool
link_hear(struct link *l)
{
	PGnotify *notice;
	bool heard = false;

	if (l->conn != NULL && !PQconsumeInput(l->conn))
		link_drop(l);
	while (l->conn != NULL && (notice = PQnotifies(l->conn)) != NULL) {
		PQfreemem(notice);
		heard = true;
	}
	return (heard);
}

/* --- Waiting --- */

/* Milliseconds that poll() may sleep: -1 for ever, 0 when it is too late. */
static int
patience(uint64_t deadline)
{
	uint64_t now = clock_mono_ns();

	if (deadline == 0)
		return (-1);
	return (now >= deadline ? 0 : (int)((deadline - now) / MS) + 1);
}

bool
socket_wait(PGconn *conn, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = PQsocket(conn), .events = events };
	int n;

	do {
		n = poll(&p, 1, patience(deadline));
	} while (n < 0 && errno == EINTR);
	return (n > 0);
}

/* --- Connecting --- */

static void
notice_ignore(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

static PGconn *
connect_start(const struct link *l)
{
	static const char *const names[] = { "dbname", "client_encoding", "fallback_application_name", NULL };
	const char *const values[] = { l->conninfo, "UTF8", "postern", NULL };

	return (PQconnectStartParams(names, values, 1));
}

static bool
connect_finish(PGconn *conn, uint64_t deadline)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	if (PQstatus(conn) == CONNECTION_BAD)
		return (false);
	while (want == PGRES_POLLING_READING || want == PGRES_POLLING_WRITING) {
		if (!socket_wait(conn, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return (false);
		want = PQconnectPoll(conn);
	}
	return (want == PGRES_POLLING_OK && PQsetnonblocking(conn, 1) == 0 && PQenterPipelineMode(conn) == 1);
}

/* Something to read while nothing is asked is nearly always the server's farewell. */
static bool
conn_alive(PGconn *conn)
{
	struct pollfd p = { .fd = PQsocket(conn), .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		if (!PQconsumeInput(conn))
			return (false);
	return (PQstatus(conn) == CONNECTION_OK);
}

static void
connect_once(struct link *l, struct arena *a, uint64_t until, const char **why)
{
	PGconn *conn = connect_start(l);

	if (conn != NULL && connect_finish(conn, until)) {
		PQsetNoticeReceiver(conn, notice_ignore, NULL);
		l->conn = conn;
		return;
	}
	*why = str_or(arena_strdup(a, conn == NULL ? NULL : PQerrorMessage(conn)), "the database does not answer");
	PQfinish(conn);
}

/* A server that restarts refuses for a moment. */
static void
link_connect(struct link *l, struct arena *a, const char **why)
{
	uint64_t began = clock_mono_ns(), until = began + (l->wait > 0 ? l->wait : CONNECT_WITHIN);
	bool waits;

	*why = "the database did not answer a moment ago";
	if (!outage_ask(l->outage, began, until, &waits))
		return;
	connect_once(l, a, until, why);
	while (l->conn == NULL && waits && clock_mono_ns() + ASK_AGAIN < began + l->wait) {
		nanosleep(&(const struct timespec){ .tv_nsec = ASK_AGAIN }, NULL);
		connect_once(l, a, until, why);
	}
	if (l->conn != NULL)
		outage_over(l->outage, clock_mono_ns());
	else
		outage_goes_on(l->outage, began, clock_mono_ns());
}

bool
link_ready(struct link *l, struct arena *a, const char **why)
{
	if (l->conn != NULL && !link_in_transaction(l) && !conn_alive(l->conn))
		link_drop(l);
	if (l->conn == NULL)
		link_connect(l, a, why);
	return (l->conn != NULL);
}
