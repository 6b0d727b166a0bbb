/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "web/admission.h"
#include "web/deadline.h"
#include "web/gateway.h"

#define PARKED_MAX 64 /* so many requests a worker keeps, for want of a place or until their replies are due */
#define HELD_MAX 8000 /* of the 8192 bytes that libfcgi keeps */
/* How long a queue that never ends is served after TERM: the parent waits longer than that and the longest request. */
#define DRAIN_NS UINT64_C(15000000000)

static volatile sig_atomic_t stopping; /* the signal that said so */
static const int ends[] = { SIGTERM, SIGUSR1, 0 };

static void
stop(int sig)
{
	stopping = sig;
}

/*
 * A request that finds no place is parked, and the worker goes on with others.  It is begun but not read further: that waits in the socket.
 * One whose reply is not due is held: all is in libfcgi's buffer.  libfcgi's structs point to each other, so they stay where they are.
 */
struct visit {
	FCGX_Request request; /* first: it is the io of the gateway */
	uint64_t until;       /* when it is refused; 0: it is not parked */
	uint64_t due;         /* when its reply goes out; 0: it is not held */
	bool may_be_held;
};

/* The end of the body is the end of what the web server may take its time for. */
static size_t
fcgi_read(void *io, char *into, size_t len)
{
	FCGX_Request *request = io;
	int got = FCGX_GetStr(into, (int)len, request->in);

	if (got <= 0)
		deadline_stop();
	return (got > 0 ? (size_t)got : 0);
}

static bool
fcgi_write(void *io, const char *bytes, size_t len)
{
	FCGX_Request *request = io;

	deadline_start(request->ipcFd);
	return (FCGX_PutStr(bytes, (int)len, request->out) == (int)len);
}

static const char no_record[FCGI_HEADER_LEN];

/*
 * A web server that wants to keep the connection must not find the reply ended and the connection still open: it would send a request there
 * that nobody reads, and a POST it sends only once.  nginx keeps none that has something behind the end, so that comes in one piece with it.
 */
static void
fcgi_end_kept(FCGX_Request *request)
{
	struct {
		FCGI_Header output;
		FCGI_EndRequestRecord request;
		char behind[sizeof(no_record)];
	} end = { .output = { .version = FCGI_VERSION_1, .type = FCGI_STDOUT },
		.request.header = { .version = FCGI_VERSION_1, .type = FCGI_END_REQUEST, .contentLengthB0 = sizeof(FCGI_EndRequestBody) } };

	end.output.requestIdB1 = end.request.header.requestIdB1 = (unsigned char)(request->requestId >> 8);
	end.output.requestIdB0 = end.request.header.requestIdB0 = (unsigned char)request->requestId;
	FCGX_FFlush(request->out);
	(void)!write(request->ipcFd, &end, sizeof(end));
	FCGX_Free(request, 0);
}

/*
 * Whatever the web server asks: a connection that is kept would tie this worker to one of its processes and starve the others.  libfcgi
 * is told to keep it all the same and we close it: there is nothing to wait for, since all that it sent was read.
 */
static void
fcgi_finish(void *io)
{
	FCGX_Request *request = io;

	if (request->keepConnection)
		fcgi_end_kept(request);
	request->keepConnection = 1;
	FCGX_Finish_r(request);
	deadline_stop();
	if (request->ipcFd >= 0)
		close(request->ipcFd);
	request->ipcFd = -1;
}

/* What is more than libfcgi's buffer would go out at once. */
static bool
fcgi_hold(void *io, const struct held *held)
{
	struct visit *v = io;

	if (!v->may_be_held || held->len > HELD_MAX)
		return (false);
	(void)FCGX_PutStr(held->bytes, (int)held->len, v->request.out);
	v->due = held->due;
	return (true);
}

/* lighttpd notices an end that was not announced, nginx a record that is none; Apache puts an error page behind what there is. */
static void
fcgi_cut(void *io)
{
	FCGX_Request *request = io;

	(void)!write(request->ipcFd, no_record, sizeof(no_record));
	FCGX_Free(request, 1);
	deadline_stop();
}

/* What a web server would believe of an authorizer is not what our answers say; nothing of the request is read. */
static void
role_refuse(FCGX_Request *request)
{
	static const char refusal[] = "Status: 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

	log_line(LOG_ERROR, "the web server asks for FastCGI role %d: only responders are served here", request->role);
	fcgi_write(request, refusal, sizeof(refusal) - 1);
	fcgi_finish(request);
}

/* Of all the workers that wait, a connection wakes one; accept() must not block, for another may have been faster. */
static int
listener_prepare(int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int poll = epoll_create1(EPOLL_CLOEXEC);

	if (poll < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0)
		log_line(LOG_ERROR, "the listening socket cannot be waited for: %s", strerror(errno));
	else
		return (poll);
	if (poll >= 0)
		close(poll);
	return (-1);
}

struct worker {
	const struct server *server;
	struct arena *arena;
	int poll;
	sigset_t mask;
	uint64_t end; /* of the time that is left after TERM; 0: there was none */
	size_t parked;
	struct visit visit[PARKED_MAX + 1]; /* one is free for the next */
};

/* How long to wait for a connection at most, in ms; -1: for ever. */
static int
fcgi_patience(const struct worker *w)
{
	uint64_t now = clock_mono_ns(), least = ADMISSION_TURN_MS * UINT64_C(1000000);

	if (w->parked == 0)
		return (stopping ? 0 : -1);
	for (const struct visit *v = w->visit; v <= w->visit + PARKED_MAX; v++)
		if (v->due != 0)
			least = v->due <= now ? 0 : v->due - now < least ? v->due - now : least;
	return ((int)((least + 999999) / 1000000));
}

/*
 * True when there is a connection.  After a signal nobody waits, but never before a look at what is queued: what came together with the
 * signal had its one wake-up here.
 */
static bool
fcgi_wait(const struct worker *w)
{
	struct epoll_event event;
	int ready;

	do
		ready = epoll_pwait(w->poll, &event, 1, fcgi_patience(w), &w->mask);
	while (ready < 0 && errno == EINTR);
	return (ready > 0);
}

static void
visit_serve(struct worker *w, struct visit *v, enum patience patience)
{
	struct gateway gateway = { .variables = v->request.envp,
		.read = fcgi_read,
		.write = fcgi_write,
		.finish = fcgi_finish,
		.cut = fcgi_cut,
		.hold = fcgi_hold,
		.io = v };
	bool was_parked = v->until != 0;

	v->may_be_held = was_parked || w->parked < PARKED_MAX;
	prefork_in_request(true);
	if (gateway_serve(w->server, w->arena, &gateway, patience)) {
		w->parked -= was_parked;
		w->parked += v->due != 0;
		v->until = 0;
	} else {
		deadline_stop();
		w->parked++;
		v->until = clock_mono_ns() + ADMISSION_WAIT_NS;
	}
	prefork_in_request(false);
}

static void
held_finish(struct worker *w)
{
	uint64_t now = clock_mono_ns();

	for (struct visit *v = w->visit; v <= w->visit + PARKED_MAX; v++)
		if (v->due != 0 && v->due <= now) {
			deadline_start(v->request.ipcFd);
			fcgi_finish(&v->request);
			v->due = 0;
			w->parked--;
		}
}

/* The oldest first. */
static void
parked_serve(struct worker *w)
{
	held_finish(w);
	while (w->parked > 0) {
		struct visit *oldest = NULL;
		bool late;

		for (struct visit *v = w->visit; v <= w->visit + PARKED_MAX; v++)
			if (v->until != 0 && (oldest == NULL || v->until < oldest->until))
				oldest = v;
		late = oldest != NULL && clock_mono_ns() >= oldest->until;
		if (oldest == NULL || (!late && !admission_enter()))
			return;
		deadline_start(oldest->request.ipcFd);
		visit_serve(w, oldest, late ? IS_LATE : WAITS_NO_LONGER);
	}
}

/*
 * The connection is accepted by us, and libfcgi finds it open: it would wait for its first bytes without us.  False: what came was no
 * request.
 */
static bool
request_begin(FCGX_Request *request, int fd)
{
	request->ipcFd = fd;
	request->keepConnection = 1; /* else it would be closed as what is left of the request before */
	deadline_start(fd);
	return (FCGX_Accept_r(request) == 0);
}

static void
connection_serve(struct worker *w, int fd)
{
	struct visit *v = w->visit;

	while (v->until != 0 || v->due != 0)
		v++;
	if (!request_begin(&v->request, fd))
		deadline_stop();
	else if (v->request.role == FCGI_RESPONDER)
		visit_serve(w, v, w->parked == PARKED_MAX ? WAITS_NO_LONGER : WAITS);
	else
		role_refuse(&v->request);
}

/* After USR1 others go on, after TERM nobody does: what is queued is served. */
static bool
goes_on(struct worker *w)
{
	if (stopping == SIGTERM && w->end == 0)
		w->end = clock_mono_ns() + DRAIN_NS;
	return (!stopping || (stopping == SIGTERM && clock_mono_ns() < w->end));
}

/* False when it is time to end, or the socket does not work. */
static bool
worker_turn(struct worker *w)
{
	bool came = fcgi_wait(w);
	int fd = came ? accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC) : -1;

	if (fd >= 0)
		connection_serve(w, fd);
	else if (came && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		return (false);
	parked_serve(w);
	return (goes_on(w) && (came || !stopping || w->parked > 0));
}

static void
parked_finish(struct worker *w)
{
	const struct timespec turn = { .tv_nsec = ADMISSION_TURN_MS * 1000000 };

	for (; w->parked > 0; nanosleep(&turn, NULL))
		parked_serve(w);
}

/* Gives the exit status.  A socket that does not work would be tried for ever, so whoever started us shall start another worker. */
static int
fcgi_loop(struct worker *w)
{
	while (worker_turn(w))
		;
	if (!stopping)
		log_line(LOG_ERROR, "the FastCGI socket fails: %s", strerror(errno));
	parked_finish(w);
	return (stopping ? 0 : 1);
}

int
server_fastcgi(const struct server *server)
{
	static struct worker w;
	bool ready = FCGX_Init() == 0;
	int status;

	signals_prepare(ends, stop, &w.mask);
	deadline_prepare();
	admission_join();
	for (size_t i = 0; i <= PARKED_MAX; i++)
		ready = ready && FCGX_InitRequest(&w.visit[i].request, -1, 0) == 0;
	if (!ready) {
		log_line(LOG_ERROR, "libfcgi could not start");
		return (1);
	}
	w.poll = listener_prepare(STDIN_FILENO);
	if (w.poll < 0)
		return (1);
	w.server = server;
	w.arena = arena_new();
	status = fcgi_loop(&w);
	arena_free(w.arena);
	close(w.poll);
	return (status);
}

bool
server_is_fastcgi(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0);
}
