/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mailer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/signals.h"
#include "core/clean.h"
#include "core/outbox_seal.h"
#include "db/db.h"
#include "letter/letter.h"
#include "net/mime.h"
#include "net/transport.h"
#include "query/outbox.h"
#include "web/request.h"

#define MS INT64_C(1000000)
#define POLL_MS 1000
#define POLL_NO_NOTIFY_MS 100 /* where neither a pipe nor the database wakes us */
#define PAUSE_FIRST_MS 250
#define PAUSE_MOST_MS 10000
#define CHILD_SECONDS 30
#define CHILD_LAST_START 15 /* a letter begun later might not end in time */

struct mailer {
	struct db *db;
	struct arena *arena; /* of the letter in hand */
	int wake;
	int listening;     /* the backend that was asked to listen; 0: none was */
	bool no_notify;    /* what it hears does not come to us */
	bool tidying;      /* there is more to tidy, when no letter waits */
	unsigned pause_ms; /* how long the mail server, which can't be reached, is left alone */
	sigset_t mask;     /* while waiting */
};

/* What became of a letter. */
enum delivery_result {
	DELIVERY_DONE,      /* a letter less, or put off */
	DELIVERY_IDLE,      /* none is due */
	DELIVERY_UNREACHED, /* the mail server is away */
	DELIVERY_NO_DATABASE,
};

static volatile sig_atomic_t stopping;
static const int ends[] = { SIGTERM, SIGINT, 0 };

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

/* --- One letter --- */

static void
letter_log(enum log_level level, const char *what, const struct outbox_claim *c, const char *why)
{
	log_event(level, what, "component", "mailer", "mail_type", c->letter, "mail_id", c->id, "message_id", c->message_id, "error", why,
	    NULL);
}

static enum delivery_result
letter_remove(struct mailer *m, const struct outbox_claim *c)
{
	struct outbox_remove removed;

	return (outbox_remove(m->db, &removed, .id = c->id) == OK ? DELIVERY_DONE : DELIVERY_NO_DATABASE);
}

static enum delivery_result
letter_fail(struct mailer *m, const struct outbox_claim *c, const char *why)
{
	struct outbox_fail kept;

	letter_log(LOG_ERROR, "a letter has failed", c, why);
	return (outbox_fail(m->db, &kept, .id = c->id, .claim = c->claim, .error = why) == OK ? DELIVERY_DONE : DELIVERY_NO_DATABASE);
}

/* One letter that is not wanted now says nothing of the next, but a server that is away will have none of them. */
static enum delivery_result
letter_postpone(struct mailer *m, const struct outbox_claim *c, const char *why)
{
	bool unreached = transport_in_use()->probe(m->arena) != NULL;
	struct outbox_postpone put;

	letter_log(LOG_WARN, unreached ? "the mail server can't be reached" : "a letter will be tried again", c, why);
	if (outbox_postpone(m->db, &put, .id = c->id, .claim = c->claim, .error = why, .unreached = unreached ? "t" : "f") != OK)
		return (DELIVERY_NO_DATABASE);
	if (put.found && put.failed)
		letter_log(LOG_ERROR, "a letter has failed", c, "too old");
	return (unreached ? DELIVERY_UNREACHED : DELIVERY_DONE);
}

static enum mail_outcome
letter_send(struct arena *a, const struct outbox_claim *c, enum letter_id id, const struct letter_content *content, const char **why)
{
	struct mail mail = { .from = cfg->gotrue_smtp_admin_email, .to = c->recipient };
	struct letter letter;

	letter_render(a, id, content->language, content->values, &letter);
	mail.data = mime_build(a,
	    &(const struct mime_letter){ .to = c->recipient,
		.subject = letter.subject,
		.text = letter.text,
		.html = letter.html,
		.message_id = c->message_id,
		.kind = letter_row(id)->message_type,
		.date = c->created_at },
	    &mail.len);
	return (transport_in_use()->send(a, &mail, why));
}

static enum delivery_result
letter_deliver(struct mailer *m, const struct outbox_claim *c)
{
	const struct sealed_row row = { c->id, c->letter, c->recipient, c->key_id, c->sealed };
	struct letter_content content;
	enum mail_outcome outcome;
	enum letter_id id;
	const char *why;

	if (c->stale) {
		letter_log(LOG_INFO, "a letter was dropped: its link is no longer good", c, NULL);
		return (letter_remove(m, c));
	}
	if (c->expired)
		return (letter_fail(m, c, "its link expired before it could be sent"));
	if (!letter_find(c->letter, &id))
		return (letter_fail(m, c, "this version knows no such letter"));
	if (!outbox_unseal(m->arena, &row, &content))
		return (letter_fail(m, c, "no key of POSTERN_QUEUE_KEYS opens it, nor GOTRUE_JWT_SECRET"));
	outcome = letter_send(m->arena, c, id, &content, &why);
	if (outcome == MAIL_REFUSED)
		return (letter_fail(m, c, why));
	if (outcome == MAIL_LATER)
		return (letter_postpone(m, c, why));
	letter_log(cfg->gotrue_smtp_logging_enabled ? LOG_INFO : LOG_DEBUG, "mail sent", c, NULL);
	return (letter_remove(m, c));
}

static enum delivery_result
letter_next(struct mailer *m)
{
	struct arena *a = m->arena;
	struct outbox_claim claimed = { 0 };
	enum delivery_result result = DELIVERY_NO_DATABASE;

	db_start(m->db, a);
	if (outbox_claim(m->db, &claimed, .seconds = arena_printf(a, "%.3f", (double)cfg->postern_smtp_timeout / 1e9 * 2),
		.lifetime = arena_printf(a, "%lld", (long long)cfg->gotrue_mailer_otp_exp)) == OK)
		result = claimed.found ? letter_deliver(m, &claimed) : DELIVERY_IDLE;
	if (result == DELIVERY_NO_DATABASE)
		log_event(LOG_ERROR, "the mailer can't use the database", "component", "mailer", "error", db_error(m->db)->message, NULL);
	arena_wipe(a);
	return (result);
}

/*
 * Templates of the site are fetched for their first letter; a mistake in them is to be known before.  One at a time, when there is
 * nothing else to do, for what fetches them may be slow.
 */
static void
template_look(struct mailer *m)
{
	static int looked;
	const char *wrong = looked < LETTER_COUNT ? letter_check(m->arena, (enum letter_id)looked++, true) : NULL;

	if (wrong != NULL)
		log_event(LOG_ERROR, "a letter's template can't be used, so our own goes", "component", "mailer", "error", wrong, NULL);
	arena_wipe(m->arena);
}

/* --- Waiting --- */

/* Once for each connection.  A pooler would pass what comes on to whoever uses its connection just then. */
static void
database_listen(struct mailer *m)
{
	struct outbox_backend backend;

	if (m->wake >= 0 || (m->listening != 0 && m->listening == db_backend(m->db)))
		return;
	db_start(m->db, m->arena);
	m->listening = 0;
	if (outbox_listen(m->db) == OK && outbox_backend(m->db, &backend) == OK) {
		m->listening = db_backend(m->db);
		m->no_notify = backend.pid != m->listening;
	}
	arena_wipe(m->arena);
}

static int
wait_ms(struct mailer *m, enum delivery_result result)
{
	if (result == DELIVERY_DONE || m->tidying)
		return (0);
	if (result == DELIVERY_UNREACHED)
		return ((int)(m->pause_ms * 3 / 4 + clock_mono_ns() % (m->pause_ms / 2)));
	return (m->wake < 0 && m->no_notify ? POLL_NO_NOTIFY_MS : POLL_MS);
}

static void
pause_adapt(struct mailer *m, enum delivery_result result)
{
	if (result == DELIVERY_UNREACHED)
		m->pause_ms = m->pause_ms == 0 ? PAUSE_FIRST_MS : m->pause_ms * 2 < PAUSE_MOST_MS ? m->pause_ms * 2 : PAUSE_MOST_MS;
	else if (result == DELIVERY_DONE)
		m->pause_ms = 0;
}

/* Hints count only where there was nothing to do: who can't send need not know that there is more to send. */
static void
mailer_wait(struct mailer *m, enum delivery_result result)
{
	int ms = wait_ms(m, result);
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * MS };
	struct pollfd from[] = { { .fd = m->wake, .events = POLLIN }, { .fd = m->wake < 0 ? db_socket(m->db) : -1, .events = POLLIN } };
	char bytes[256];

	/* What came together with the last answer can't be waited for. */
	if (result == DELIVERY_IDLE && m->wake < 0 && db_hear(m->db))
		return;
	if (ppoll(from, result == DELIVERY_IDLE ? 2 : 0, &time, &m->mask) <= 0)
		return;
	while (from[0].revents != 0 && read(m->wake, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		;
	if (from[1].revents != 0)
		(void)db_hear(m->db);
}

/* Between any two kinds of rows a letter may go; where none can, all kinds are gone through. */
static bool
tidy(struct mailer *m, enum delivery_result result)
{
	bool more = clean_step(m->db);

	while (more && result == DELIVERY_UNREACHED)
		more = clean_step(m->db);
	return (more);
}

int
mailer_run(struct db *db, int wake)
{
	struct mailer m = { .db = db, .arena = arena_new(), .wake = wake };

	signals_prepare(ends, stop, &m.mask);
	while (!stopping) {
		enum delivery_result result = DELIVERY_IDLE;

		if (transport_in_use() != NULL) {
			database_listen(&m);
			result = letter_next(&m);
			if (result == DELIVERY_IDLE)
				template_look(&m);
		}
		m.tidying = tidy(&m, result);
		pause_adapt(&m, result);
		mailer_wait(&m, result);
	}
	arena_free(m.arena);
	return (0);
}

err
mailer_drain(struct db *db, unsigned seconds)
{
	struct mailer m = { .db = db, .arena = arena_new(), .wake = -1 };
	uint64_t end = clock_mono_ns() + seconds * UINT64_C(1000000000);
	enum delivery_result result;

	signals_prepare(ends, stop, &m.mask);
	do {
		result = letter_next(&m);
		mailer_wait(&m, DELIVERY_DONE);
	} while (result == DELIVERY_DONE && !stopping && (seconds == 0 || clock_mono_ns() < end));
	arena_free(m.arena);
	return (result == DELIVERY_UNREACHED || result == DELIVERY_NO_DATABASE ? E_UNAVAILABLE : OK);
}

/* The parent's connection stays the parent's: nothing is freed here. */
static _Noreturn void
child_run(void)
{
	int nowhere = open("/dev/null", O_RDWR);

	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && nowhere >= 0; fd++)
		dup2(nowhere, fd);
	alarm(CHILD_SECONDS);
	_exit(mailer_drain(db_new(cfg->database_url, cfg->db_namespace), CHILD_LAST_START) == OK ? 0 : 1);
}

static void
mailer_start_child(void)
{
	static bool started; /* it takes all letters of the request */

	if (started)
		return;
	started = true;
	switch (fork()) {
	case 0:
		child_run();
	case -1:
		log_line(LOG_WARN, "no process can be started for the letters: %s", strerror(errno));
		break;
	default:
		break;
	}
}

/* --- Waking --- */

static struct {
	enum wake by;
	int pipe;
} waking = { WAKE_NOTIFY, -1 };

void
mailer_wake_by(enum wake by, int pipe)
{
	waking.by = by;
	waking.pipe = pipe;
}

/* Waking is a hint: a full pipe has hints enough, and the mailer looks by itself. */
static void
mailer_wake_late(struct request *r, void *unused)
{
	(void)unused;
	if (waking.by == WAKE_CHILD)
		mailer_start_child();
	else if (outbox_notify(r->db) != OK)
		log_line(LOG_DEBUG, "the mailer was not woken; it looks by itself");
}

/* A byte costs the client nothing; what costs more waits until the client has the reply. */
void
mailer_wake(struct request *r)
{
	const struct timespec grace = { .tv_sec = cfg->postern_mail_grace / 1000000000, .tv_nsec = cfg->postern_mail_grace % 1000000000 };

	if (waking.by == WAKE_PIPE)
		(void)!write(waking.pipe, "", 1);
	else
		after(r, mailer_wake_late, NULL);
	if (cfg->postern_mail_grace > 0)
		nanosleep(&grace, NULL);
}
