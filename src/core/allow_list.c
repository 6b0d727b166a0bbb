/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/glob.h"
#include "base/str.h"
#include "core/allow_list.h"

/*
 * URLs and entries are cut into the same parts, and each part is matched by its own: what a browser takes for the end of the host can then
 * not be taken by a wildcard of the host.
 */
enum { SCHEME, COLON, HOST, PORT, REST, PARTS };

/* What ends the host: in an entry "?" may also be a wildcard of it. */
#define IN_URL "/?"
#define IN_ENTRY "/"

/* Of what stands before one of the ends; sets such as [!/] are left whole. */
static size_t
part_len(const char *text, const char *ends)
{
	size_t len = 0;

	while (text[len] != '\0' && strchr(ends, text[len]) == NULL)
		len += text[len] == '[' ? strcspn(text + len + 1, "]") + 1 : 1;
	return (len);
}

static void
host_cut(struct arena *a, const char *text, const char *part[PARTS])
{
	size_t host = part_len(text, ":");

	part[HOST] = arena_strndup(a, text, host);
	part[PORT] = text + host;
}

static void
parts_cut(struct arena *a, const char *text, const char *host_end, const char *part[PARTS])
{
	size_t scheme = strcspn(text, ":");
	const char *rest = text + scheme;

	part[SCHEME] = arena_strndup(a, text, scheme);
	part[COLON] = part[HOST] = part[PORT] = "";
	if (str_starts(rest, "://")) {
		size_t len = part_len(rest + 3, host_end);

		part[COLON] = "://";
		host_cut(a, arena_strndup(a, rest + 3, len), part);
		rest += 3 + len;
	} else if (str_equal(rest, ":**")) {
		part[COLON] = rest; /* the slashes are among what it takes */
		rest = "";
	} else if (*rest == ':') {
		part[COLON] = ":";
		rest++;
	}
	part[REST] = rest;
}

static bool
part_takes(struct arena *a, const char *pattern, const char *text)
{
	const struct glob *glob = glob_compile(a, pattern, "./");

	return (glob != NULL && glob_match(glob, text));
}

static bool
entry_takes(struct arena *a, const char *entry, const char *host_end, const char *const url[PARTS])
{
	const char *part[PARTS];
	size_t count = PARTS;

	parts_cut(a, entry, host_end, part);
	if (str_empty(part[REST]) && str_ends(entry, "**")) {
		while (str_empty(part[count - 1]))
			count--;
	}
	for (size_t i = 0; i < count; i++) {
		if (!part_takes(a, part[i], url[i]))
			return (false);
	}
	return (true);
}

/* Browsers resolve such segments, escaped ones too, before they go anywhere: "/team/../other". */
static bool
climbs(struct arena *a, const char *rest)
{
	const char *path = arena_strndup(a, rest, strcspn(rest, "?"));
	const char *plain = str_replace(a, str_replace(a, path, "%2e", "."), "%2E", ".");

	return (strs_have(str_split(a, plain, '/'), ".."));
}

/* Schemes that run what follows, or that browsers read in ways of their own; none of them leads to an application. */
static bool
scheme_odd(const struct url *url)
{
	static char *const odd[] = { "blob", "data", "file", "ftp", "javascript", "vbscript", "ws", "wss", NULL };

	return (str_empty(url->scheme) || strs_have(odd, url->scheme));
}

static bool
port_whole(const char *port)
{
	return (*port == '\0' || (port[1] != '\0' && port[1 + strspn(port + 1, "0123456789")] == '\0'));
}

/* By its text: for addresses, which no wildcard may open. */
static bool
list_names(char *const *list, const char *text)
{
	for (; *list != NULL; list++) {
		if (str_equal(*list, text) && strpbrk(text, "*?{\\") == NULL)
			return (true);
	}
	return (false);
}

bool
allow_list_has(struct arena *a, char *const *list, const char *text, const struct url *url)
{
	bool web = url_web(url);
	const char *part[PARTS];

	text = arena_strndup(a, text, strcspn(text, "#"));
	if (web && url_host(url) != HOST_NAME)
		return (url_host(url) == HOST_ADDRESS && list_names(list, text));
	parts_cut(a, text, IN_URL, part);
	if (scheme_odd(url) || climbs(a, part[REST]) || !port_whole(part[PORT]))
		return (false);
	for (; *list != NULL; list++) {
		/* A browser may take the part before a "?" for a host, an app knows its own scheme: "myapp://callback?x=*". */
		if (entry_takes(a, *list, IN_ENTRY, part) || (!web && entry_takes(a, *list, IN_URL, part)))
			return (true);
	}
	return (false);
}

char *
allow_list_example(struct arena *a, const char *entry)
{
	struct buf text = buf_new(a);
	const char *part[PARTS];

	parts_cut(a, entry, IN_ENTRY, part);
	for (size_t i = 0; i < PARTS; i++) {
		const struct glob *glob = glob_compile(a, part[i], "./");

		if (glob == NULL)
			return (NULL);
		buf_puts(&text, glob_example(a, glob, i == PORT ? '1' : 'a'));
	}
	if (str_empty(part[COLON]) && str_ends(entry, "**"))
		buf_puts(&text, "://a");
	return (text.data);
}
