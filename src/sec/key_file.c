/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"

#define LARGEST (1024 * 1024)
#define CHUNK 16384

static const char *const state_names[] = { "standby", "current", "previous", "retired" };

const char *
key_state_name(enum key_state state)
{
	return (state_names[state]);
}

/* --- Reading --- */

static const char *
unreadable(struct arena *a)
{
	if (errno == ENOENT)
		return ("is not there: postern keys new makes it");
	return (arena_printf(a, "can't be read: %s", strerror(errno)));
}

static const char *
descriptor_read(struct arena *a, int fd, struct buf *text)
{
	struct stat st;
	ssize_t got;
	char *chunk = arena_alloc(a, CHUNK);

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return ("is not a file");
	while ((got = read(fd, chunk, CHUNK)) > 0 && text->len <= LARGEST)
		buf_put(text, chunk, (size_t)got);
	if (got < 0)
		return (unreadable(a));
	return (text->len > LARGEST ? "is larger than 1 MB: is it the right file?" : NULL);
}

static const char *
text_read(struct arena *a, const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *wrong;

	if (fd < 0)
		return (unreadable(a));
	wrong = descriptor_read(a, fd, text);
	close(fd);
	return (wrong);
}

static bool
state_read(const char *word, enum key_state *state)
{
	for (size_t i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++)
		if (str_equal(word, state_names[i])) {
			*state = (enum key_state)i;
			return (true);
		}
	return (false);
}

static const char *
entry_read(struct arena *a, const json *object, struct key_entry *entry)
{
	const json *key = json_get(object, "key");
	const char *since = json_string(json_get(object, "since"));

	entry->kid = arena_strdup(a, json_string(json_get(key, "kid")));
	entry->alg = arena_strdup(a, json_string(json_get(key, "alg")));
	if (!state_read(json_string(json_get(object, "state")), &entry->state))
		return ("\"state\" is none of standby, current, previous, retired");
	if (since == NULL || !clock_parse_rfc3339(since, &entry->since))
		return ("\"since\" is no time");
	if (str_empty(entry->kid) || str_empty(entry->alg))
		return ("\"key\" is no key with \"kid\" and \"alg\"");
	entry->jwk = json_text(a, key);
	return (NULL);
}

static const char *
entries_read(struct arena *a, const json *list, struct key_file *file)
{
	const char *wrong;

	if (json_kind(list) != JSON_ARRAY || json_len(list) > KEY_FILE_MOST)
		return ("is not an object with a list \"keys\" of 64 at most");
	for (file->len = 0; file->len < json_len(list); file->len++)
		if ((wrong = entry_read(a, json_at(list, file->len), &file->entry[file->len])) != NULL)
			return (arena_printf(a, "has a key %zu that can't be used: %s", file->len + 1, wrong));
	return (NULL);
}

const char *
key_file_read(struct arena *a, const char *path, struct key_file *file)
{
	struct buf text = buf_new(a);
	const char *wrong = text_read(a, path, &text), *why;
	const json *object;

	if (wrong != NULL)
		return (wrong);
	if ((object = json_parse(a, text.data, text.len, &why)) == NULL)
		return (arena_printf(a, "is not JSON: %s", why));
	return (entries_read(a, json_get(object, "keys"), file));
}

/* --- Writing --- */

static const char *
file_text(struct arena *a, const struct key_file *file)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_array_begin(&b, "keys");
	for (size_t i = 0; i < file->len; i++) {
		const struct key_entry *entry = &file->entry[i];

		json_object_begin(&b, NULL);
		json_put_text(&b, "state", key_state_name(entry->state));
		json_put_text(&b, "since", clock_rfc3339(a, entry->since));
		json_put_raw(&b, "key", entry->jwk);
		json_object_end(&b);
	}
	json_array_end(&b);
	json_object_end(&b);
	buf_putc(&b, '\n');
	return (b.data);
}

/* The server has to read what somebody else may have written for it, as their owner or in their group. */
static bool
readers_keep(const char *path, int fd)
{
	struct stat old, new;

	if (stat(path, &old) != 0 || fstat(fd, &new) != 0)
		return (true);
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) && fchown(fd, old.st_uid, old.st_gid) != 0)
		return (false);
	return (fchmod(fd, 0600 | (old.st_mode & S_IRGRP)) == 0);
}

static bool
text_write(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t put = write(fd, text, left);

		if (put < 0)
			return (false);
		text += put;
		left -= (size_t)put;
	}
	return (fsync(fd) == 0);
}

/* Who holds the lock owns this name: what stands there is of somebody who was interrupted. */
static bool
file_write(const char *path, const char *beside, const char *text)
{
	bool written;
	int fd;

	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return (false);
	written = readers_keep(path, fd) && text_write(fd, text);
	return (close(fd) == 0 && written && rename(beside, path) == 0);
}

const char *
key_change_write(struct arena *a, const struct key_change *change)
{
	const char *beside = arena_printf(a, "%s.new", change->path), *wrong;

	if (file_write(change->path, beside, file_text(a, &change->file)) && fsync(change->directory) == 0)
		return (NULL);
	wrong = arena_printf(a, "can't be written: %s", strerror(errno));
	unlink(beside);
	return (wrong);
}

/* A symbolic link would be replaced, and the file behind it stay as it is; to follow it is to write where somebody else says. */
const char *
key_change_begin(struct arena *a, const char *path, struct key_change *change)
{
	struct stat st = { 0 };

	*change = (struct key_change){ .path = path };
	change->directory = open(dirname(arena_strdup(a, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (change->directory < 0 || flock(change->directory, LOCK_EX) != 0)
		return (arena_printf(a, "is in a directory that can't be locked: %s", strerror(errno)));
	if (lstat(path, &st) != 0 && errno == ENOENT)
		return (NULL);
	if (S_ISLNK(st.st_mode))
		return ("is a symbolic link: POSTERN_JWT_KEYS_FILE has to be the name of the file itself");
	return (key_file_read(a, path, &change->file));
}

void
key_change_end(struct key_change *change)
{
	if (change->directory >= 0)
		close(change->directory);
}

/* --- Watching --- */

/*
 * Notes what is seen, where every process that is forked from us sees it too.  ctime, and not mtime, which copies may bring along, and which
 * stays when a file becomes readable.
 */
static bool
first_to_see(const struct stat *st)
{
	static _Atomic uint64_t *noted;
	uint64_t looks = (uint64_t)st->st_ctim.tv_sec * 1000000000 + (uint64_t)st->st_ctim.tv_nsec;

	looks += ((uint64_t)st->st_size << 40) + st->st_ino;
	if (noted == NULL) {
		void *shared = mmap(NULL, sizeof(*noted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (shared == MAP_FAILED)
			return (true);
		noted = shared;
	}
	return (atomic_exchange(noted, looks) != looks);
}

bool
key_file_changed(const char *path, bool *first)
{
	static struct stat seen;
	struct stat now;

	if (stat(path, &now) != 0)
		now = (struct stat){ 0 };
	if (now.st_ino == seen.st_ino && now.st_size == seen.st_size && now.st_ctim.tv_sec == seen.st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == seen.st_ctim.tv_nsec)
		return (false);
	seen = now;
	*first = first_to_see(&now);
	return (true);
}
