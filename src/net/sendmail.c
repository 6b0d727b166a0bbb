/* SPDX-License-Identifier: Apache-2.0 */
/* The pipe of shared hosting: `sendmail -i -f FROM -- TO`, the letter on its standard input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sysexits.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "net/transport.h"

/* sendmail wants lines that end with LF alone. */
static char *
letter_local(struct arena *a, const struct mail *mail, size_t *len)
{
	char *out = arena_alloc(a, mail->len + 1);
	size_t n = 0;

	for (size_t i = 0; i < mail->len; i++)
		if (mail->data[i] != '\r' || mail->data[i + 1] != '\n')
			out[n++] = mail->data[i];
	*len = n;
	return (out);
}

static pid_t
sendmail_start(const struct mail *mail, int *into)
{
	char *argv[] = { (char *)cfg->postern_sendmail_path, "-i", "-f", (char *)mail->from, "--", (char *)mail->to, NULL };
	char *env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL }; /* ours has secrets */
	posix_spawn_file_actions_t files;
	pid_t child = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return (-1);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&child, argv[0], &files, NULL, argv, env);
	posix_spawn_file_actions_destroy(&files);
	close(ends[0]);
	if (child < 0 || errno != 0) {
		close(ends[1]);
		return (-1);
	}
	*into = ends[1];
	return (child);
}

static int
milliseconds_left(uint64_t until_ns)
{
	uint64_t now = clock_mono_ns();

	return (now < until_ns ? (int)((until_ns - now) / 1000000) + 1 : 0);
}

static bool
letter_write(int into, const char *letter, size_t len, uint64_t until_ns)
{
	struct pollfd ready = { .fd = into, .events = POLLOUT };
	ssize_t n;

	fcntl(into, F_SETFL, O_NONBLOCK);
	while (len > 0) {
		if (poll(&ready, 1, milliseconds_left(until_ns)) == 0)
			return (false);
		n = write(into, letter, len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return (false);
		letter += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return (true);
}

/* The exit status, or -1 when it did not end in time and was killed. */
static int
sendmail_wait(pid_t child, uint64_t until_ns)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	int status = 0;
	pid_t got;

	while ((got = waitpid(child, &status, WNOHANG)) == 0 && milliseconds_left(until_ns) > 0)
		nanosleep(&nap, NULL);
	if (got == 0) {
		kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		return (-1);
	}
	return (got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

enum mail_outcome
sendmail_send(struct arena *a, const struct mail *mail, const char **why)
{
	uint64_t until = clock_mono_ns() + (uint64_t)cfg->postern_smtp_timeout;
	bool written;
	int into, status;
	size_t len;
	char *letter = letter_local(a, mail, &len);
	pid_t child;

	*why = NULL;
	if (!mail_address_sane(mail->from) || !mail_address_sane(mail->to)) {
		*why = "the sender's or the recipient's address can't be given to sendmail";
		return (MAIL_REFUSED);
	}
	child = sendmail_start(mail, &into);
	if (child < 0) {
		*why = arena_printf(a, "%s can't be started: %s", cfg->postern_sendmail_path, strerror(errno));
		return (MAIL_LATER);
	}
	written = letter_write(into, letter, len, until);
	close(into);
	status = sendmail_wait(child, until);
	if (written && status == EX_OK)
		return (MAIL_DELIVERED);
	*why = status == -1 ? "sendmail did not end in time" : arena_printf(a, "sendmail ended with status %d", status);
	return (status == EX_NOUSER || status == EX_NOHOST || status == EX_DATAERR ? MAIL_REFUSED : MAIL_LATER);
}

const char *
sendmail_probe(struct arena *a)
{
	if (access(cfg->postern_sendmail_path, X_OK) == 0)
		return (NULL);
	return (arena_printf(a, "%s: %s", cfg->postern_sendmail_path, strerror(errno)));
}
