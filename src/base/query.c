/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"

/* As Go's net/url: a flood of parameters is refused as a whole. */
#define PARAMETERS_MAX 10000

struct query
query_new(struct arena *arena)
{
	return ((struct query){ .arena = arena });
}

static void
pair_parse(struct query *query, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - text);
	const char *name, *value;

	if (len == 0 || memchr(text, ';', len) != NULL)
		return;
	name = url_unescape(query->arena, text, name_len);
	value = equals == NULL ? "" : url_unescape(query->arena, equals + 1, len - name_len - 1);
	if (name != NULL && value != NULL)
		query_add(query, name, value);
}

struct query
query_parse(struct arena *arena, const char *text)
{
	struct query query = query_new(arena);
	size_t count = 1, len;

	text = str_or(text, "");
	for (const char *c = text; *c != '\0'; c++)
		count += *c == '&';
	if (count > PARAMETERS_MAX)
		return (query);
	for (;; text += len + 1) {
		len = strcspn(text, "&");
		pair_parse(&query, text, len);
		if (text[len] == '\0')
			return (query);
	}
}

const char *
query_get(const struct query *query, const char *name)
{
	for (size_t i = 0; i < query->len; i++) {
		if (strcmp(query->pair[i].name, name) == 0)
			return (query->pair[i].value);
	}
	return (NULL);
}

void
query_add(struct query *query, const char *name, const char *value)
{
	if (query->len == query->cap) {
		struct query_pair *grown;

		query->cap = query->cap == 0 ? 8 : query->cap * 2;
		grown = arena_new_array(query->arena, struct query_pair, query->cap);
		if (query->len > 0)
			memcpy(grown, query->pair, query->len * sizeof(*grown));
		query->pair = grown;
	}
	query->pair[query->len++] = (struct query_pair){ name, value };
}

void
query_set(struct query *query, const char *name, const char *value)
{
	size_t kept = 0;

	for (size_t i = 0; i < query->len; i++) {
		if (strcmp(query->pair[i].name, name) != 0)
			query->pair[kept++] = query->pair[i];
	}
	query->len = kept;
	if (value != NULL)
		query_add(query, name, value);
}

/* By name; pairs of one name, which point into one array, keep their order. */
static int
pair_order(const void *a, const void *b)
{
	const struct query_pair *const *left = a, *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);

	return (order != 0 ? order : (*left > *right) - (*left < *right));
}

char *
query_text(const struct query *query)
{
	struct buf out = buf_new(query->arena);
	struct query_pair **sorted = arena_new_array(query->arena, struct query_pair *, query->len);

	for (size_t i = 0; i < query->len; i++)
		sorted[i] = &query->pair[i];
	if (query->len > 0)
		qsort(sorted, query->len, sizeof(*sorted), pair_order);
	for (size_t i = 0; i < query->len; i++) {
		buf_puts(&out, i > 0 ? "&" : "");
		buf_puts(&out, url_escape(query->arena, sorted[i]->name));
		buf_putc(&out, '=');
		buf_puts(&out, url_escape(query->arena, sorted[i]->value));
	}
	return (out.data);
}
