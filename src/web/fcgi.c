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

#include "base/log.h"
#include "web/gateway.h"

static volatile sig_atomic_t stopping;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static size_t
fcgi_read(void *io, char *into, size_t len)
{
	FCGX_Request *request = io;
	int got = FCGX_GetStr(into, (int)len, request->in);

	return (got > 0 ? (size_t)got : 0);
}

static bool
fcgi_write(void *io, const char *bytes, size_t len)
{
	FCGX_Request *request = io;

	return (FCGX_PutStr(bytes, (int)len, request->out) == (int)len);
}

/* Whatever the web server asks: a connection that is kept would tie this worker to one of its processes and starve the others. */
static void
fcgi_finish(void *io)
{
	FCGX_Request *request = io;

	request->keepConnection = 0;
	FCGX_Finish_r(request);
}

/* lighttpd notices an end that was not announced, nginx a record that is none; Apache puts an error page behind what there is. */
static void
fcgi_cut(void *io)
{
	static const char no_record[8];
	FCGX_Request *request = io;

	(void)!write(request->ipcFd, no_record, sizeof(no_record));
	FCGX_Free(request, 1);
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
 * False when it is time to end.  A connection that came together with the signal is served first: its one wake-up was for this worker.
 */
static bool
fcgi_wait(int poll, const sigset_t *mask)
{
	struct epoll_event event;
	int ready;

	do
		ready = epoll_pwait(poll, &event, 1, -1, mask);
	while (ready < 0 && errno == EINTR && !stopping);
	return (ready > 0);
}

/* Gives the exit status.  A socket that does not work would be tried for ever, so whoever started us shall start another worker. */
static int
fcgi_loop(const struct server *server, FCGX_Request *request, int poll, const sigset_t *mask)
{
	struct gateway gateway = { NULL, fcgi_read, fcgi_write, fcgi_finish, fcgi_cut, request };
	struct arena *arena = arena_new();
	int accepted = 0;

	while (fcgi_wait(poll, mask)) {
		accepted = FCGX_Accept_r(request);
		if (accepted < 0 && accepted != -EAGAIN && accepted != -EINTR)
			break;
		if (accepted < 0)
			continue;
		gateway.variables = request->envp;
		if (request->role == FCGI_RESPONDER)
			gateway_serve(server, arena, &gateway);
		else
			role_refuse(request);
	}
	arena_free(arena);
	if (!stopping)
		log_line(LOG_ERROR, "the FastCGI socket fails: %s", strerror(-accepted));
	return (stopping ? 0 : 1);
}

int
server_fastcgi(const struct server *server)
{
	FCGX_Request request;
	sigset_t mask;
	int poll, status;

	signals_prepare(&mask);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		log_line(LOG_ERROR, "standard input is not a FastCGI socket");
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
