/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "web/deadline.h"

static volatile sig_atomic_t watched = -1, until; /* until: seconds of the monotonic clock */
static volatile sig_atomic_t armed;

static sig_atomic_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return ((sig_atomic_t)now.tv_sec);
}

static void
arm(sig_atomic_t left)
{
	armed = 1;
	alarm((unsigned)left);
}

/* The alarm is set once in a while and not for each request, which would be two calls of the kernel: it may find nothing to do. */
static void
ring(int sig)
{
	int saved = errno, fd = watched;
	sig_atomic_t left = until - seconds();

	(void)sig;
	armed = 0;
	if (fd >= 0 && left > 0)
		arm(left);
	else if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	errno = saved;
}

void
deadline_prepare(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = ring;
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
}

void
deadline_start(int fd)
{
	until = seconds() + PATIENCE;
	watched = fd;
	if (!armed)
		arm(PATIENCE);
}

void
deadline_stop(void)
{
	watched = -1;
}
