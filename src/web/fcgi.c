/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/deadline.h"
#include "web/gateway.h"

/* How long a queue that never ends is served after TERM: the parent waits longer than that and the longest request. */
#define DRAIN_NS UINT64_C(15000000000)

static volatile sig_atomic_t stopping; /* the signal that said so */

static void
stop(int sig)
{
	stopping = sig;
}

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

/*
 * Whatever the web server asks: a connection that is kept would tie this worker to one of its processes and starve the others.  libfcgi
 * is told to keep it all the same and we close it: there is nothing to wait for, since all that it sent was read.
 */
static void
fcgi_finish(void *io)
{
	FCGX_Request *request = io;

	request->keepConnection = 1;
	FCGX_Finish_r(request);
	deadline_stop();
	if (request->ipcFd >= 0)
		close(request->ipcFd);
	request->ipcFd = -1;
}

/* lighttpd notices an end that was not announced, nginx a record that is none; Apache puts an error page behind what there is. */
static void
fcgi_cut(void *io)
{
	static const char no_record[8];
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

/*
 * The signals that end a worker arrive nowhere but in fcgi_wait(), so that no request is disturbed and none of them is missed
 * between the look at the flag and the waiting.  mask: what to block while waiting.
 */
static void
signals_prepare(sigset_t *mask)
{
	static const int ends[] = { SIGTERM, SIGUSR1 };
	struct sigaction action;
	sigset_t block;

	memset(&action, 0, sizeof(action));
	action.sa_handler = stop;
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaddset(&block, ends[i]);
		sigaction(ends[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &block, mask);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(mask, ends[i]);
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

/*
 * False when it is time to end, which is never before a look at what is queued: what came together with the signal had its one wake-up
 * here.
 */
static bool
fcgi_wait(int poll, const sigset_t *mask)
{
	struct epoll_event event;
	int ready;

	do
		ready = epoll_pwait(poll, &event, 1, stopping ? 0 : -1, mask);
	while (ready < 0 && errno == EINTR);
	return (ready > 0);
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
connection_serve(const struct server *server, struct arena *arena, FCGX_Request *request, int fd)
{
	struct gateway gateway = { NULL, fcgi_read, fcgi_write, fcgi_finish, fcgi_cut, request };

	if (!request_begin(request, fd)) {
		deadline_stop();
		return;
	}
	gateway.variables = request->envp;
	if (request->role == FCGI_RESPONDER)
		gateway_serve(server, arena, &gateway);
	else
		role_refuse(request);
}

/* After USR1 others go on, after TERM nobody does: what is queued is served. */
static bool
goes_on(uint64_t *end)
{
	if (stopping == SIGTERM && *end == 0)
		*end = clock_mono_ns() + DRAIN_NS;
	return (!stopping || (stopping == SIGTERM && clock_mono_ns() < *end));
}

/* Gives the exit status.  A socket that does not work would be tried for ever, so whoever started us shall start another worker. */
static int
fcgi_loop(const struct server *server, FCGX_Request *request, int poll, const sigset_t *mask)
{
	struct arena *arena = arena_new();
	uint64_t end = 0;
	int fd = 0;

	while (fcgi_wait(poll, mask)) {
		fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			connection_serve(server, arena, request, fd);
		else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			break;
		if (!goes_on(&end))
			break;
	}
	if (!stopping)
		log_line(LOG_ERROR, "the FastCGI socket fails: %s", strerror(errno));
	arena_free(arena);
	return (stopping ? 0 : 1);
}

int
server_fastcgi(const struct server *server)
{
	FCGX_Request request;
	sigset_t mask;
	int poll, status;

	signals_prepare(&mask);
	deadline_prepare();
	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, -1, 0) != 0) {
		log_line(LOG_ERROR, "libfcgi could not start");
		return (1);
	}
	poll = listener_prepare(STDIN_FILENO);
	if (poll < 0)
		return (1);
	status = fcgi_loop(server, &request, poll, &mask);
	FCGX_Free(&request, 1);
	close(poll);
	return (status);
}

bool
server_is_fastcgi(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0);
}
