/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/setting.h"
#include "base/str.h"
#include "sec/breached_file.h"

static struct breached_file {
	int fd;
	unsigned char *head; /* up to the entries; NULL: no file is open */
} file = { .fd = -1 };

static uint64_t
index_at(const unsigned char *head, size_t prefix)
{
	uint64_t n;

	memcpy(&n, head + BREACHED_INDEX + prefix * sizeof(n), sizeof(n));
	return (be64toh(n));
}

static bool
index_in_order(const unsigned char *head)
{
	bool good = index_at(head, 0) == 0;

	for (size_t i = 0; good && i < BREACHED_PREFIXES; i++)
		good = index_at(head, i) <= index_at(head, i + 1);
	return (good);
}

static bool
read_at(int fd, void *into, size_t len, uint64_t offset)
{
	return (pread(fd, into, len, (off_t)offset) == (ssize_t)len);
}

/* NULL, or what is wrong. */
static const char *
file_read(struct breached_file *f, const char *path)
{
	struct stat st;

	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* nobody writes into a pipe of that name */
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return (strerror(errno));
	f->head = malloc(BREACHED_ENTRIES);
	if (f->head == NULL)
		return ("there is no memory for its index");
	if (!S_ISREG(st.st_mode) || !read_at(f->fd, f->head, BREACHED_ENTRIES, 0) || memcmp(f->head, BREACHED_MARK, BREACHED_INDEX) != 0)
		return ("it is not a file that postern breached has made");
	if (!index_in_order(f->head) ||
	    (uint64_t)st.st_size - BREACHED_ENTRIES != index_at(f->head, BREACHED_PREFIXES) * BREACHED_ENTRY_LEN)
		return ("it is damaged: make it anew by postern breached");
	return (NULL);
}

static void
file_close(struct breached_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->head);
	*f = (struct breached_file){ .fd = -1 };
}

const char *
breached_file_open(struct arena *a)
{
	const char *path = cfg->postern_password_breached_file, *wrong = NULL;
	struct breached_file found = { .fd = -1 };

	if (!str_empty(path))
		wrong = file_read(&found, path);
	if (wrong != NULL) {
		file_close(&found);
		return (arena_printf(a, "POSTERN_PASSWORD_BREACHED_FILE: %s can't be used: %s.", path, wrong));
	}
	file_close(&file);
	file = found;
	return (NULL);
}

/* By reading and not by mapping: where somebody cuts the file off, it is an error and not the worker's end. */
bool
breached_file_find(const unsigned char sha1[SHA1_LEN], bool *known)
{
	size_t prefix = (size_t)sha1[0] << 8 | sha1[1];
	uint64_t low, high;
	unsigned char entry[BREACHED_ENTRY_LEN];

	*known = false;
	if (file.head == NULL)
		return (false);
	low = index_at(file.head, prefix);
	high = index_at(file.head, prefix + 1);
	while (!*known && low < high) {
		uint64_t middle = low + (high - low) / 2;
		int order;

		if (!read_at(file.fd, entry, sizeof(entry), BREACHED_ENTRIES + middle * BREACHED_ENTRY_LEN))
			return (false);
		order = memcmp(sha1 + BREACHED_PREFIX_LEN, entry, sizeof(entry));
		*known = order == 0;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (true);
}
