/* SPDX-License-Identifier: Apache-2.0 */
/* A maildir for trying out: letters as files that any mail reader shows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/setting.h"
#include "base/str.h"
#include "net/transport.h"

static bool
folder_make(struct arena *a, const char *below)
{
	const char *path = arena_printf(a, "%s%s", cfg->postern_maildir, below);

	return (mkdir(path, 0700) == 0 || errno == EEXIST);
}

static bool
maildir_make(struct arena *a)
{
	return (folder_make(a, "") && folder_make(a, "/tmp") && folder_make(a, "/new") && folder_make(a, "/cur"));
}

static bool
file_write(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool whole = fd >= 0;

	while (whole && len > 0) {
		ssize_t n = write(fd, data, len);

		whole = n > 0 || (n < 0 && errno == EINTR);
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	whole = whole && fsync(fd) == 0;
	return (fd >= 0 && close(fd) == 0 && whole);
}

/* The envelope is lost in a maildir unless it is written down, as local delivery agents do. */
enum mail_outcome
maildir_send(struct arena *a, const struct mail *mail, const char **why)
{
	const char *name = uuid_new(a);
	const char *tmp = arena_printf(a, "%s/tmp/%s", cfg->postern_maildir, name);
	const char *done = arena_printf(a, "%s/new/%s", cfg->postern_maildir, name);
	const char *head = arena_printf(a, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", mail->from, mail->to);
	size_t head_len = strlen(head);
	char *letter = arena_alloc(a, head_len + mail->len + 1);

	*why = NULL;
	if (!mail_address_sane(mail->from) || !mail_address_sane(mail->to)) {
		*why = "the sender's or the recipient's address can't stand in a header";
		return (MAIL_REFUSED);
	}
	memcpy(letter, head, head_len);
	memcpy(letter + head_len, mail->data, mail->len);
	if (maildir_make(a) && file_write(tmp, letter, head_len + mail->len) && rename(tmp, done) == 0)
		return (MAIL_DELIVERED);
	*why = arena_printf(a, "the letter can't be written to %s: %s", cfg->postern_maildir, strerror(errno));
	unlink(tmp);
	return (MAIL_LATER);
}

const char *
maildir_probe(struct arena *a)
{
	if (*cfg->postern_maildir == '\0')
		return ("POSTERN_MAILDIR must be set: the directory that they are put into.");
	if (maildir_make(a) && access(cfg->postern_maildir, W_OK | X_OK) == 0)
		return (NULL);
	return (arena_printf(a, "POSTERN_MAILDIR %s can't be written: %s", cfg->postern_maildir, strerror(errno)));
}
