/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "core/page.h"

#define SIZE_DEFAULT 50

/* More rows than any table has, and sums of it are still numbers of the database. */
#define ROWS_MAX UINT64_C(1000000000000000)

err
page_number(struct request *r, const char *text, uint64_t *number)
{
	size_t len = strlen(text);
	const char *why = "invalid syntax";

	errno = 0;
	*number = strtoull(text, NULL, 10);
	if (len > 0 && strspn(text, "0123456789") == len) {
		if (errno == 0)
			return (OK);
		why = "value out of range";
	}
	return (fail(r, E_VALIDATION_FAILED, "Bad Pagination Parameters: strconv.ParseUint: parsing %s: %s", json_quote(r->arena, text),
	    why));
}

/* a times b may be beyond all numbers. */
static uint64_t
rows_count(uint64_t a, uint64_t b)
{
	uint64_t rows;

	return (__builtin_mul_overflow(a, b, &rows) || rows > ROWS_MAX ? ROWS_MAX : rows);
}

err
page_read(struct request *r, struct page *p)
{
	const char *number = query_get(&r->query, "page"), *size = query_get(&r->query, "per_page");

	p->number = 1;
	p->size = SIZE_DEFAULT;
	if (!str_empty(number))
		TRY(page_number(r, number, &p->number));
	if (!str_empty(size))
		TRY(page_number(r, size, &p->size));
	if (p->size == 0)
		return (fail(r, E_VALIDATION_FAILED, "Bad Pagination Parameters: per_page must be greater than 0"));
	p->most = rows_count(p->size, 1);
	p->skip = rows_count(p->number > 0 ? p->number - 1 : 0, p->size);
	return (OK);
}

char *
page_url(struct request *r, const struct query *query)
{
	return (arena_printf(r->arena, "%s?%s", r->path, query_text(query)));
}

static char *
page_link(struct request *r, uint64_t number, const char *rel)
{
	struct query query = query_new(r->arena);

	for (size_t i = 0; i < r->query.len; i++)
		query_add(&query, r->query.pair[i].name, r->query.pair[i].value);
	query_set(&query, "page", arena_printf(r->arena, "%" PRIu64, number));
	return (arena_printf(r->arena, "<%s>; rel=\"%s\"", page_url(r, &query), rel));
}

void
page_headers(struct request *r, const struct page *p, long long total)
{
	uint64_t count = (uint64_t)total, pages = count / p->size + (count % p->size > 0);
	char *last = page_link(r, pages, "last");

	if (pages > p->number)
		last = arena_printf(r->arena, "%s, %s", page_link(r, p->number + 1, "next"), last);
	reply_header(r, "Link", last);
	reply_header(r, "X-Total-Count", arena_printf(r->arena, "%lld", total));
}
