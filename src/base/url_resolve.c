/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "base/url.h"

/* RFC 3986 section 5.2.4, on the segments of an absolute path. */
static char *
path_without_dots(struct arena *a, const char *path)
{
	char **segment = str_split(a, path + (*path == '/'), '/');
	struct buf out = buf_new(a);
	bool ends_open = false;

	for (; *segment != NULL; segment++) {
		ends_open = str_equal(*segment, ".") || str_equal(*segment, "..");
		if (str_equal(*segment, "..")) {
			while (out.len > 0 && out.data[--out.len] != '/')
				;
			out.data[out.len] = '\0';
		} else if (!ends_open) {
			buf_printf(&out, "/%s", *segment);
		}
	}
	if (ends_open || out.len == 0)
		buf_putc(&out, '/');
	return (out.data);
}

char *
url_resolve(struct arena *a, const char *base, const char *path, const char *query)
{
	struct url whole, ref;
	const char *last;

	if (!url_parse(a, base, &whole) || !url_parse(a, path, &ref))
		return (NULL);
	ref.query = query;
	ref.fragment = NULL;
	if (*ref.scheme != '\0' || ref.authority)
		return (url_text(a, &ref));
	whole.query = query;
	whole.fragment = NULL;
	if (*ref.path == '/') {
		whole.path = path_without_dots(a, ref.path);
	} else if (*ref.path != '\0') {
		last = strrchr(whole.path, '/');
		whole.path =
		    path_without_dots(a, arena_printf(a, "%.*s/%s", last == NULL ? 0 : (int)(last - whole.path), whole.path, ref.path));
	}
	return (url_text(a, &whole));
}
