/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static struct {
	enum log_level level;
	int fd;
	const char *request_id;
	struct arena *arena; /* of the line at hand: logging must work without a request */
} logger = { .level = LOG_INFO, .fd = STDERR_FILENO };

void
log_open(enum log_level level, const char *file)
{
	int fd = STDERR_FILENO;

	if (!str_empty(file))
		fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (logger.fd != STDERR_FILENO)
		close(logger.fd);
	logger.fd = fd < 0 ? STDERR_FILENO : fd;
	logger.level = level;
	if (fd < 0)
		log_event(LOG_ERROR, "the log file cannot be opened, logging to standard error", "file", file, "error", strerror(errno),
		    NULL);
}

void
log_context(const char *request_id)
{
	logger.request_id = request_id;
}

static struct buf
line_start(enum log_level level, const char *msg)
{
	struct buf line;

	if (logger.arena == NULL)
		logger.arena = arena_new();
	line = buf_new(logger.arena);
	json_object_begin(&line, NULL);
	json_put_pair(&line, "level", level_names[level]);
	json_put_pair(&line, "msg", msg);
	json_put_pair(&line, "time", clock_rfc3339(logger.arena, clock_now()));
	json_put_pair(&line, "request_id", logger.request_id);
	return (line);
}

/* One write() a line, so that the lines of several workers do not mix. */
static void
line_end(struct buf *line)
{
	size_t done = 0;
	ssize_t written;

	json_object_end(line);
	buf_putc(line, '\n');
	while (done < line->len) {
		written = write(logger.fd, line->data + done, line->len - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break; /* a full disk must not stop the service */
		done += (size_t)written;
	}
	arena_wipe(logger.arena);
}

void
log_event(enum log_level level, const char *msg, ...)
{
	int saved = errno;
	struct buf line;
	const char *name;
	va_list args;

	if (level > logger.level)
		return;
	line = line_start(level, msg);
	va_start(args, msg);
	while ((name = va_arg(args, const char *)) != NULL)
		json_put_pair(&line, name, va_arg(args, const char *));
	va_end(args);
	line_end(&line);
	errno = saved;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	struct buf line;
	char text[2048];
	va_list args;

	if (level > logger.level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	line = line_start(level, text);
	line_end(&line);
	errno = saved;
}
