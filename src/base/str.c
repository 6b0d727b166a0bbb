/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

bool
str_empty(const char *text)
{
	return (text == NULL || *text == '\0');
}

const char *
str_or(const char *text, const char *otherwise)
{
	return (str_empty(text) ? otherwise : text);
}

bool
str_equal(const char *a, const char *b)
{
	return (strcmp(str_or(a, ""), str_or(b, "")) == 0);
}

static char
ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
}

bool
str_equal_nocase(const char *a, const char *b)
{
	a = str_or(a, "");
	b = str_or(b, "");
	while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
		a++;
		b++;
	}
	return (ascii_lower(*a) == ascii_lower(*b));
}

char *
str_lower(struct arena *arena, const char *text)
{
	char *lower = arena_strdup(arena, str_or(text, ""));

	for (char *c = lower; *c != '\0'; c++)
		*c = ascii_lower(*c);
	return (lower);
}

bool
str_ascii(const char *text)
{
	for (const char *c = str_or(text, ""); *c != '\0'; c++)
		if ((unsigned char)*c > 0x7F)
			return (false);
	return (true);
}

bool
str_starts(const char *text, const char *prefix)
{
	prefix = str_or(prefix, "");
	return (strncmp(str_or(text, ""), prefix, strlen(prefix)) == 0);
}

bool
str_ends(const char *text, const char *suffix)
{
	size_t text_len, suffix_len;

	text = str_or(text, "");
	suffix = str_or(suffix, "");
	text_len = strlen(text);
	suffix_len = strlen(suffix);
	return (suffix_len <= text_len && strcmp(text + text_len - suffix_len, suffix) == 0);
}

char *
str_replace(struct arena *arena, const char *text, const char *from, const char *to)
{
	struct buf out = buf_new(arena);
	const char *found;

	text = str_or(text, "");
	while (!str_empty(from) && (found = strstr(text, from)) != NULL) {
		buf_put(&out, text, (size_t)(found - text));
		buf_puts(&out, to);
		text = found + strlen(from);
	}
	buf_puts(&out, text);
	return (out.data);
}

char **
str_split(struct arena *arena, const char *text, char at)
{
	size_t count = 1;
	char **list, *rest, *found;

	rest = arena_strdup(arena, str_or(text, ""));
	for (const char *c = rest; *c != '\0'; c++)
		count += *c == at;
	list = arena_new_array(arena, char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		list[i] = rest;
		found = strchr(rest, at);
		if (i + 1 < count) {
			*found = '\0';
			rest = found + 1;
		}
	}
	return (list);
}

char *
str_join(struct arena *a, char *const *list, const char *between)
{
	struct buf b = buf_new(a);

	for (; list != NULL && *list != NULL; list++) {
		buf_puts(&b, *list);
		if (list[1] != NULL)
			buf_puts(&b, between);
	}
	return (b.data);
}

size_t
strs_len(char *const *list)
{
	size_t len = 0;

	while (list != NULL && list[len] != NULL)
		len++;
	return (len);
}

bool
strs_have(char *const *list, const char *wanted)
{
	for (; list != NULL && *list != NULL; list++) {
		if (str_equal(*list, wanted))
			return (true);
	}
	return (false);
}
