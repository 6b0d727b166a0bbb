/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define FILE_MAX_SIZE (1024 * 1024)

/* The cursor over a settings file; the text ends with NUL and has none inside. */
struct scan {
	struct arena *arena;
	const char *at;
	unsigned line;
};

void
source_put(struct setting_source *s, const char *name, const char *value)
{
	for (size_t i = 0; i < s->len; i++) {
		if (strcmp(s->pair[i].name, name) == 0) {
			s->pair[i].value = value;
			return;
		}
	}
	if (s->len == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		struct setting_pair *more = arena_new_array(s->arena, struct setting_pair, cap);

		if (s->len > 0)
			memcpy(more, s->pair, s->len * sizeof(*more));
		s->pair = more;
		s->cap = cap;
	}
	s->pair[s->len++] = (struct setting_pair){ name, value };
}

const char *
source_get(const struct setting_source *s, const char *name)
{
	for (size_t i = 0; i < s->len; i++) {
		if (strcmp(s->pair[i].name, name) == 0)
			return (s->pair[i].value);
	}
	return (NULL);
}

static bool
is_blank(char c)
{
	return (c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r');
}

static void
skip_blanks(struct scan *s)
{
	while (is_blank(*s->at))
		s->at++;
}

/* Blank lines and comments. */
static void
skip_to_statement(struct scan *s)
{
	for (;;) {
		skip_blanks(s);
		if (*s->at == '#')
			s->at += strcspn(s->at, "\n");
		if (*s->at != '\n')
			return;
		s->line++;
		s->at++;
	}
}

static char *
read_name(struct scan *s)
{
	static const char export[] = "export";
	const char *start;
	char *name;

	if (str_starts(s->at, export) && is_blank(s->at[strlen(export)])) {
		s->at += strlen(export);
		skip_blanks(s);
	}
	start = s->at;
	s->at += strspn(s->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");
	name = arena_strndup(s->arena, start, (size_t)(s->at - start));
	skip_blanks(s);
	if (*name == '\0' || (*s->at != '=' && *s->at != ':'))
		return (NULL);
	s->at++;
	skip_blanks(s);
	return (name);
}

/* Nothing is substituted, but "\$" is still the way to write a dollar sign where other readers would. */
static char *
unescape_dollars(struct arena *a, const char *text)
{
	return (str_replace(a, text, "\\$", "$"));
}

/* The last " #" starts a comment: godotenv looks from the right. */
static char *
read_plain(struct scan *s)
{
	size_t len = strcspn(s->at, "\n\r"), end = len;

	for (size_t i = len; i-- > 1;) {
		if (s->at[i] == '#' && is_blank(s->at[i - 1])) {
			end = i;
			break;
		}
	}
	while (end > 0 && is_blank(s->at[end - 1]))
		end--;

	char *value = arena_strndup(s->arena, s->at, end);

	s->at += len;
	return (unescape_dollars(s->arena, value));
}

static char *
unescape(struct arena *a, const char *text)
{
	struct buf b = buf_new(a);

	for (; *text != '\0'; text++) {
		if (*text != '\\' || text[1] == '\0' || text[1] == '$') {
			buf_putc(&b, *text);
			continue;
		}
		text++;
		buf_putc(&b, *text == 'n' ? '\n' : *text == 'r' ? '\r' : *text);
	}
	return (unescape_dollars(a, b.data));
}

/* May go over several lines.  NULL when the second quote is missing. */
static char *
read_quoted(struct scan *s)
{
	char quote = *s->at++;
	const char *start = s->at;
	char *value;

	while (*s->at != '\0' && (*s->at != quote || s->at[-1] == '\\')) {
		if (*s->at == '\n')
			s->line++;
		s->at++;
	}
	if (*s->at == '\0')
		return (NULL);
	value = arena_strndup(s->arena, start, (size_t)(s->at - start));
	s->at++;
	return (quote == '"' ? unescape(s->arena, value) : value);
}

const char *
source_parse(struct setting_source *src, const char *text, size_t len)
{
	static const char mark[] = "\xEF\xBB\xBF";
	struct scan s = { .arena = src->arena, .at = NULL, .line = 1 };

	if (memchr(text, '\0', len) != NULL)
		return ("has a NUL byte in it: write it as plain text");
	s.at = str_replace(src->arena, arena_strndup(src->arena, text, len), "\r\n", "\n");
	if (str_starts(s.at, mark)) /* of editors that mean UTF-8 */
		s.at += strlen(mark);
	for (;;) {
		skip_to_statement(&s);
		if (*s.at == '\0')
			return (NULL);

		unsigned line = s.line;
		char *name = read_name(&s);

		if (name == NULL)
			return (arena_printf(src->arena, "has a line %u that is not NAME=value", line));

		char *value = *s.at == '\'' || *s.at == '"' ? read_quoted(&s) : read_plain(&s);

		if (value == NULL)
			return (arena_printf(src->arena, "has no closing quote for %s of line %u", name, line));
		source_put(src, name, value);
	}
}

const char *
source_read(struct setting_source *src, const char *file)
{
	FILE *f = fopen(file, "re");
	struct buf text = buf_new(src->arena);
	char chunk[4096];
	size_t len;

	if (f == NULL)
		return (arena_printf(src->arena, "can't be read: %s", strerror(errno)));
	while ((len = fread(chunk, 1, sizeof(chunk), f)) > 0 && text.len <= FILE_MAX_SIZE)
		buf_put(&text, chunk, len);

	const char *why = ferror(f) ? arena_printf(src->arena, "can't be read: %s", strerror(errno)) : NULL;

	explicit_bzero(chunk, sizeof(chunk));
	fclose(f);
	if (why != NULL)
		return (why);
	if (text.len > FILE_MAX_SIZE)
		return ("is larger than 1 MB: is it the right file?");
	return (source_parse(src, text.data, text.len));
}
