/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/url.h"
#include "fuzz.h"

/* A URL's text is a URL with the same host; a query's text is a query with the same pairs. */
static void
url_try(struct arena *arena, const char *text)
{
	struct url url, again;

	if (!url_parse(arena, text, &url))
		return;
	text = url_text(arena, &url);
	PROMISE(url_parse(arena, text, &again));
	PROMISE(str_equal(url.scheme, again.scheme) && str_equal(url.host, again.host) && str_equal(url.port, again.port));
	PROMISE(str_equal(url.query, again.query));
	PROMISE(str_equal(text, url_text(arena, &again)));
}

static void
query_try(struct arena *arena, const char *text)
{
	struct query query = query_parse(arena, text), again;

	text = query_text(&query);
	again = query_parse(arena, text);
	PROMISE(query.len == again.len);
	PROMISE(str_equal(text, query_text(&again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)bytes, len), *back;

	url_try(arena, text);
	query_try(arena, text);
	back = url_escape(arena, text);
	PROMISE(str_equal(url_unescape(arena, back, strlen(back)), text));
	back = url_path_escape(arena, text);
	PROMISE(str_equal(url_unescape(arena, back, strlen(back)), str_replace(arena, text, "+", " ")));
	arena_free(arena);
	return (0);
}
