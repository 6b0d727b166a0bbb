/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "db/db.h"
#include "sec/secret.h"
#include "sec/work.h"
#include "web/admission.h"
#include "web/gateway.h"

struct after {
	void (*call)(struct request *, void *);
	void *arg;
	struct after *next;
};

void
after(struct request *r, void (*call)(struct request *, void *), void *arg)
{
	struct after **end = &r->after;
	struct after *item = arena_new_object(r->arena, struct after);

	item->call = call;
	item->arg = arg;
	while (*end != NULL)
		end = &(*end)->next;
	*end = item;
}

/* What these calls write has no transaction of the request any more. */
static void
after_run(struct request *r)
{
	if (r->after == NULL)
		return;
	for (struct after *item = r->after; item != NULL; item = item->next)
		item->call(r, item->arg);
	if (db_commit(r->db) != OK)
		log_line(LOG_ERROR, "what was to be written after the reply was lost");
}

/* The reference's levels. */
static enum log_level
log_level_of(int status)
{
	return (status >= 500 ? LOG_ERROR : status >= 400 ? LOG_WARN : LOG_INFO);
}

static void
log_request(const struct request *r, uint64_t ns)
{
	const struct failure *f = &r->failure;
	struct arena *a = r->arena;

	if (strcmp(r->path, "/health") == 0)
		return;
	log_event(log_level_of(r->reply.status), "request completed", "component", "api", "method", r->method, "path", r->path, "#status",
	    arena_printf(a, "%d", r->reply.status), "#duration", arena_printf(a, "%" PRIu64, ns), "remote_addr", r->address,
	    "#db_round_trips", arena_printf(a, "%u", db_round_trips(r->db)), "#db_statements", arena_printf(a, "%u", db_statements(r->db)),
	    "error_code", f->code, "error", f->cause != NULL ? f->cause : f->message, NULL);
}

/* Without hashing, which takes its own time and as long for everybody. */
static uint64_t
quick_ns(void)
{
	return (clock_mono_ns() - work_ns());
}

/* When it goes out.  Chance hides what is left where a busy machine takes longer than the least time. */
static uint64_t
jitter_due(uint64_t start)
{
	uint64_t least = (uint64_t)cfg->postern_reply_jitter, taken = quick_ns() - start;
	uint16_t chance;

	secret_random(&chance, sizeof(chance));
	return (clock_mono_ns() + (taken < least ? least - taken : 0) + least / 4 / UINT16_MAX * chance);
}

/* True when the reply is kept until it is due; else that is now. */
static bool
reply_hold(const struct gateway *gateway, const struct buf *bytes, uint64_t due)
{
	const struct held held = { bytes->data, bytes->len, due };
	struct timespec until = { .tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000) };

	if (gateway->hold != NULL && gateway->hold(gateway->io, &held))
		return (true);
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return (false);
}

static void
request_handle(const struct server *server, struct request *r)
{
	if (request_ambiguous(r))
		reply_failure(r, fail(r, E_VALIDATION_FAILED, "A header is there twice, once with underscores in its name"));
	else
		server->handle(r);
	if (r->reply.status == 0)
		reply_failure(r, E_UNEXPECTED_FAILURE);
}

/* What follows the body, each piece in an arena of its own.  False when it breaks off. */
static bool
pieces_write(struct request *r, const struct gateway *gateway)
{
	struct arena *whole = r->arena;
	struct buf piece;
	err error;

	r->arena = arena_new();
	do {
		arena_wipe(r->arena);
		db_arena(r->db, r->arena);
		piece = buf_new(r->arena);
		error = r->reply.next(r, r->reply.state, &piece);
	} while (error == OK && piece.len > 0 && gateway->write(gateway->io, piece.data, piece.len));
	if (error != OK)
		log_line(LOG_ERROR, "the reply breaks off: %s", db_error(r->db)->message);
	arena_free(r->arena);
	r->arena = whole;
	db_arena(r->db, whole);
	return (error == OK);
}

static void
reply_write(struct request *r, const struct gateway *gateway, uint64_t start)
{
	struct buf bytes = reply_bytes(r);

	if (r->jitter && cfg->postern_reply_jitter > 0 && reply_hold(gateway, &bytes, jitter_due(start)))
		return;
	if (gateway->write(gateway->io, bytes.data, bytes.len) && r->reply.next != NULL && !pieces_write(r, gateway))
		gateway->cut(gateway->io);
	else
		gateway->finish(gateway->io);
}

bool
gateway_serve(const struct server *server, struct arena *arena, const struct gateway *gateway, enum patience patience)
{
	uint64_t start = clock_mono_ns(), quick_start;
	struct request *r;

	db_start(server->db, arena);
	r = request_open(arena, server->db, gateway->variables);
	r->crowded = server->slow != NULL && server->slow(r) && (patience == IS_LATE || !admission_enter());
	if (r->crowded && patience == WAITS) {
		arena_wipe(arena);
		return (false);
	}
	log_context(r->id);
	request_read_body(r, gateway);
	quick_start = quick_ns();
	request_handle(server, r);
	reply_write(r, gateway, quick_start);
	log_request(r, clock_mono_ns() - start);
	after_run(r);
	log_context(NULL);
	arena_wipe(arena);
	admission_leave();
	return (true);
}
