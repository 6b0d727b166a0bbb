/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/admission.h"
#include "web/deadline.h"
#include "web/gateway.h"

#define PATIENCE_NS (PATIENCE * UINT64_C(1000000000))

struct body {
	unsigned long long left;
	uint64_t end; /* when we wait no longer */
};

static bool
input_wait(uint64_t end)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t now = clock_mono_ns();

	return (now < end && poll(&input, 1, (int)((end - now) / 1000000) + 1) > 0);
}

/* What CONTENT_LENGTH says is all there is to read: some servers leave standard input open. */
static size_t
cgi_read(void *io, char *into, size_t len)
{
	struct body *body = io;
	ssize_t got;

	if (len > body->left)
		len = (size_t)body->left;
	do
		got = len > 0 && input_wait(body->end) ? read(STDIN_FILENO, into, len) : 0;
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (0);
	body->left -= (unsigned long long)got;
	return ((size_t)got);
}

/* lighttpd signals a process that is still there when the reply has its full length; what comes after it is to be done all the same. */
static bool
cgi_write(void *io, const char *bytes, size_t len)
{
	(void)io;
	signal(SIGTERM, SIG_IGN);
	while (len > 0) {
		ssize_t put = write(STDOUT_FILENO, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return (false);
		bytes += put;
		len -= (size_t)put;
	}
	return (true);
}

/*
 * Where a reply breaks off the web server cannot be told: its text, which has no end then, has to.
 *
 * The web server waits for the end of the output, not of the process: what comes after the reply need not keep the client.
 */
static void
cgi_finish(void *io)
{
	(void)io;
	close(STDOUT_FILENO);
}

static void
place_wait(void)
{
	const struct timespec turn = { .tv_nsec = ADMISSION_TURN_MS * 1000000 };
	uint64_t end = clock_mono_ns() + ADMISSION_WAIT_NS;

	while (!admission_enter() && clock_mono_ns() < end)
		nanosleep(&turn, NULL);
}

int
server_cgi(const struct server *server)
{
	const char *length = getenv("CONTENT_LENGTH");
	struct body body = { length != NULL ? strtoull(length, NULL, 10) : 0, clock_mono_ns() + PATIENCE_NS };
	struct gateway gateway = {
		.variables = environ, .read = cgi_read, .write = cgi_write, .finish = cgi_finish, .cut = cgi_finish, .io = &body
	};
	struct arena *arena = arena_new();

	signal(SIGPIPE, SIG_IGN);
	if (!gateway_serve(server, arena, &gateway, WAITS)) {
		place_wait();
		body.end = clock_mono_ns() + PATIENCE_NS;
		(void)gateway_serve(server, arena, &gateway, WAITS_NO_LONGER);
	}
	arena_free(arena);
	return (0);
}

bool
server_is_cgi(void)
{
	return (getenv("GATEWAY_INTERFACE") != NULL && getenv("REQUEST_METHOD") != NULL);
}
