/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "sec/breached_file.h"

#define HEX_LEN ((size_t)2 * SHA1_LEN)
#define KEPT_LEN (BREACHED_PREFIX_LEN + BREACHED_ENTRY_LEN)

struct maker {
	struct arena *arena;
	FILE *text, *out;
	unsigned char last[SHA1_LEN];
	uint64_t line, entries, *index; /* index: so far how many digests each prefix has */
};

const char *
breached_count_read(const char *text, bool *counts)
{
	const char *end = text + strspn(text, "0123456789");

	*counts = strspn(text, "0") < (size_t)(end - text);
	return (end > text ? end : NULL);
}

/* SHA1:count, with the line's end of any system or none. */
static bool
line_read(const char *line, unsigned char sha1[SHA1_LEN], bool *counts)
{
	const char *end;

	if (strlen(line) <= HEX_LEN || line[HEX_LEN] != ':' || !hex_read(line, sha1, SHA1_LEN))
		return (false);
	end = breached_count_read(line + HEX_LEN + 1, counts);
	return (end != NULL && strspn(end, "\r\n") == strlen(end));
}

/* What is alike in all that is kept is one. */
static bool
digest_put(struct maker *m, const unsigned char sha1[SHA1_LEN])
{
	int order = memcmp(sha1, m->last, SHA1_LEN);

	if (m->entries > 0 && order < 0)
		return (false);
	if (m->entries == 0 || memcmp(sha1, m->last, KEPT_LEN) != 0) {
		fwrite(sha1 + BREACHED_PREFIX_LEN, BREACHED_ENTRY_LEN, 1, m->out);
		m->index[(size_t)sha1[0] << 8 | sha1[1]]++;
		m->entries++;
	}
	memcpy(m->last, sha1, SHA1_LEN);
	return (true);
}

static const char *
text_read(struct maker *m)
{
	unsigned char sha1[SHA1_LEN];
	char line[128];
	bool counts;

	while (fgets(line, sizeof(line), m->text) != NULL) {
		m->line++;
		if (!line_read(line, sha1, &counts))
			return (arena_printf(m->arena,
			    "line %llu is not the SHA-1 of a password and a count (40 digits, a colon, a number)",
			    (unsigned long long)m->line));
		if (counts && !digest_put(m, sha1))
			return (arena_printf(m->arena, "line %llu comes before the one above it: the text has to be ordered by hash",
			    (unsigned long long)m->line));
	}
	if (ferror(m->text))
		return (strerror(errno));
	return (m->entries == 0 ? "the text has no passwords" : NULL);
}

static void
number_put(FILE *out, uint64_t n)
{
	n = htobe64(n);
	fwrite(&n, sizeof(n), 1, out);
}

static const char *
file_write(struct maker *m)
{
	uint64_t sum = 0;
	const char *wrong;

	if (fseek(m->out, (long)BREACHED_ENTRIES, SEEK_SET) != 0)
		return (strerror(errno));
	if ((wrong = text_read(m)) != NULL)
		return (wrong);
	rewind(m->out);
	fputs(BREACHED_MARK, m->out);
	for (size_t i = 0; i < BREACHED_PREFIXES; i++) {
		number_put(m->out, sum);
		sum += m->index[i];
	}
	number_put(m->out, sum);
	if (fflush(m->out) != 0 || ferror(m->out) || fchmod(fileno(m->out), 0644) != 0 || fsync(fileno(m->out)) != 0)
		return (strerror(errno));
	return (NULL);
}

const char *
breached_file_make(struct arena *a, FILE *text, const char *path)
{
	char *new = arena_printf(a, "%s.XXXXXX", path);
	struct maker m = { .arena = a, .text = text, .index = arena_new_array(a, uint64_t, BREACHED_PREFIXES) };
	int fd = mkostemp(new, O_CLOEXEC);
	const char *wrong;

	if (fd < 0 || (m.out = fdopen(fd, "w")) == NULL)
		return (arena_printf(a, "%s can't be made: %s", path, strerror(errno)));
	wrong = file_write(&m);
	if (fclose(m.out) != 0 && wrong == NULL)
		wrong = strerror(errno);
	if (wrong == NULL && rename(new, path) != 0)
		wrong = strerror(errno);
	if (wrong != NULL) {
		unlink(new);
		return (arena_printf(a, "%s is not made: %s", path, wrong));
	}
	return (NULL);
}
