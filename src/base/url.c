/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"

/* Where a byte stands decides whether it may stand there as it is. */
enum part { PART_HOST, PART_USERINFO, PART_PATH, PART_SEGMENT, PART_QUERY, PART_FRAGMENT };

/* Besides letters, digits and "-._~". */
static const char *const plain_in[] = {
	[PART_HOST] = "!\"$&'()*+,:;<=>[]",
	[PART_USERINFO] = "$&+,;=",
	[PART_PATH] = "$&+,/:;=@",
	[PART_SEGMENT] = "$&+:=@",
	[PART_QUERY] = "",
	[PART_FRAGMENT] = "!$&()*+,/:;=?@",
};

static bool
letter_is(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

static bool
digit_is(char c)
{
	return (c >= '0' && c <= '9');
}

static bool
one_of(char c, const char *set)
{
	return (c != '\0' && strchr(set, c) != NULL);
}

static bool
plain_is(char c, enum part part)
{
	return (letter_is(c) || digit_is(c) || one_of(c, "-._~") || one_of(c, plain_in[part]));
}

static int
hex_value(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF", *found = c == '\0' ? NULL : strchr(digits, c);

	return (found == NULL ? -1 : (int)(found - digits) % 16);
}

/* The byte that %xx at text stands for, or -1. */
static int
escaped_byte(const char *text, size_t len)
{
	int high, low;

	if (len < 3 || text[0] != '%')
		return (-1);
	high = hex_value(text[1]);
	low = hex_value(text[2]);
	return (high < 0 || low < 0 ? -1 : high << 4 | low);
}

/* Appends the decoded text; false for a bad escape. */
static bool
decode(struct buf *out, const char *text, size_t len, enum part part)
{
	for (size_t i = 0; i < len; i++) {
		int byte;

		if (text[i] == '%') {
			byte = escaped_byte(text + i, len - i);
			if (byte < 0)
				return (false);
			buf_putc(out, (char)byte);
			i += 2;
		} else
			buf_putc(out, text[i] == '+' && part == PART_QUERY ? ' ' : text[i]);
	}
	return (true);
}

static void
encode(struct buf *out, const char *text, size_t len, enum part part)
{
	for (size_t i = 0; i < len; i++) {
		if (plain_is(text[i], part))
			buf_putc(out, text[i]);
		else if (text[i] == ' ' && part == PART_QUERY)
			buf_putc(out, '+');
		else
			buf_printf(out, "%%%02X", (unsigned char)text[i]);
	}
}

char *
url_escape(struct arena *arena, const char *text)
{
	struct buf out = buf_new(arena);

	text = str_or(text, "");
	encode(&out, text, strlen(text), PART_QUERY);
	return (out.data);
}

char *
url_path_escape(struct arena *arena, const char *text)
{
	struct buf out = buf_new(arena);

	text = str_or(text, "");
	encode(&out, text, strlen(text), PART_SEGMENT);
	return (out.data);
}

char *
url_unescape(struct arena *arena, const char *text, size_t len)
{
	struct buf out = buf_new(arena);

	if (!decode(&out, text, len, PART_QUERY) || memchr(out.data, '\0', out.len) != NULL)
		return (NULL);
	return (out.data);
}

static bool
escapes_valid(const char *text)
{
	for (; (text = strchr(text, '%')) != NULL; text += 3) {
		if (escaped_byte(text, strnlen(text, 3)) < 0)
			return (false);
	}
	return (true);
}

/* Cuts text at the first of that character; gives what stands behind it, or NULL. */
static char *
cut(char *text, char at)
{
	char *found = strchr(text, at);

	if (found == NULL)
		return (NULL);
	*found = '\0';
	return (found + 1);
}

static bool
controls_in(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return (true);
	}
	return (false);
}

bool
url_web(const struct url *url)
{
	return (str_equal(url->scheme, "http") || str_equal(url->scheme, "https"));
}

/* Takes the scheme off; *rest is then what follows its colon.  False when the scheme is empty. */
static bool
scheme_take(struct arena *arena, char **rest, struct url *url)
{
	char *c = *rest;

	url->scheme = "";
	if (*c == ':')
		return (false);
	if (!letter_is(*c))
		return (true);
	while (letter_is(*c) || digit_is(*c) || one_of(*c, "+-._"))
		c++;
	if (*c != ':')
		return (true);
	*c = '\0';
	url->scheme = str_lower(arena, *rest);
	*rest = c + 1;
	return (true);
}

/* ":8080", ":" or "". */
static bool
port_take(const char *text, struct url *url)
{
	url->colon = *text == ':';
	url->port = url->colon ? text + 1 : "";
	return ((*text == '\0' || url->colon) && strspn(url->port, "0123456789") == strlen(url->port));
}

/* Only bytes beyond ASCII may be escaped in a host; behind the % of an IPv6 zone also what could stand there plainly, and a space. */
static bool
host_decode(struct buf *out, const char *text, bool zone)
{
	for (; *text != '\0'; text++) {
		int byte = escaped_byte(text, strnlen(text, 3));
		bool zone_byte = zone && (byte == ' ' || (byte > 0 && plain_is((char)byte, PART_HOST)));

		if (*text != '%') {
			if ((unsigned char)*text < 0x80 && !plain_is(*text, PART_HOST))
				return (false);
			buf_putc(out, *text);
			continue;
		}
		if (byte < 0x80 && byte != '%' && !zone_byte)
			return (false);
		buf_putc(out, (char)byte);
		text += 2;
	}
	return (true);
}

static bool
ipv6_is(struct arena *arena, const char *host)
{
	char *address = arena_strdup(arena, host), *zone = cut(address, '%');
	struct in6_addr parsed;

	return (inet_pton(AF_INET6, address, &parsed) == 1 && (zone == NULL || *zone != '\0'));
}

static bool
bracketed_take(struct arena *arena, char *text, struct url *url)
{
	char *end = strrchr(text, ']'), *zone;
	struct buf host = buf_new(arena);

	if (end == NULL || !port_take(end + 1, url))
		return (false);
	*end = '\0';
	zone = strstr(text, "%25");
	if (zone != NULL) {
		const char *before = arena_strndup(arena, text, (size_t)(zone - text));

		if (!host_decode(&host, before, false) || !host_decode(&host, zone, true))
			return (false);
	} else if (!host_decode(&host, text, false))
		return (false);
	url->host = host.data;
	url->bracketed = true;
	return (ipv6_is(arena, url->host));
}

static bool
host_take(struct arena *arena, char *text, struct url *url)
{
	struct buf host = buf_new(arena);
	char *bracket = strrchr(text, '['), *colon;

	if (bracket != NULL)
		return (bracket == text && bracketed_take(arena, text + 1, url));
	colon = url_web(url) ? strchr(text, ':') : strrchr(text, ':');
	if (colon != NULL) {
		if (!port_take(colon, url))
			return (false);
		*colon = '\0';
	}
	if (!host_decode(&host, text, false))
		return (false);
	url->host = host.data;
	return (true);
}

static bool
userinfo_valid(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (!letter_is(*c) && !digit_is(*c) && !one_of(*c, "-._:~!$&'()*+,;=%@"))
			return (false);
	}
	return (escapes_valid(text));
}

static bool
authority_take(struct arena *arena, char *text, struct url *url)
{
	char *at = strrchr(text, '@');

	if (at != NULL) {
		*at = '\0';
		if (!userinfo_valid(text))
			return (false);
		url->userinfo = text;
		text = at + 1;
	}
	return (host_take(arena, text, url));
}

/* What stands between the scheme and the query. */
static bool
hierarchy_take(struct arena *arena, char *rest, struct url *url)
{
	size_t first;

	if (*rest != '/' && *url->scheme != '\0') {
		url->opaque = rest;
		return (true);
	}
	first = strcspn(rest, "/");
	if (memchr(rest, ':', first) != NULL)
		return (false);
	url->path = rest;
	if (str_starts(rest, "//") && (*url->scheme != '\0' || !str_starts(rest, "///"))) {
		char *authority = rest + 2, *path = authority + strcspn(authority, "/");

		url->path = arena_strdup(arena, path);
		*path = '\0';
		url->authority = true;
		if (!authority_take(arena, authority, url))
			return (false);
	}
	return (escapes_valid(url->path));
}

bool
url_parse(struct arena *arena, const char *text, struct url *url)
{
	char *rest;

	*url = (struct url){ .scheme = "", .host = "", .port = "", .path = "" };
	text = str_or(text, "");
	rest = arena_strdup(arena, text);
	url->fragment = cut(rest, '#');
	if (controls_in(rest))
		return (false);
	if (str_empty(url->fragment))
		url->fragment = NULL;
	else if (!escapes_valid(url->fragment))
		return (false);
	if (!scheme_take(arena, &rest, url))
		return (false);
	url->query = cut(rest, '?');
	return (hierarchy_take(arena, rest, url));
}

/* Letters, digits, inner dots and hyphens. */
static bool
host_regular(const char *host)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t len = strlen(host);

	return (len > 0 && strspn(host, inner) == len && one_of(host[0], alnum) && one_of(host[len - 1], alnum));
}

/* "1", "08", "0x1f", "0x". */
static bool
number_is(const char *label)
{
	if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
		return (label[2 + strspn(label + 2, "0123456789abcdefABCDEF")] == '\0');
	return (*label != '\0' && label[strspn(label, "0123456789")] == '\0');
}

enum url_host
url_host(const struct url *url)
{
	const char *dot = strrchr(url->host, '.');
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, url->host, &four) == 1)
		return (ntohl(four.s_addr) >> 24 == 127 ? HOST_LOOPBACK : HOST_ADDRESS);
	if (inet_pton(AF_INET6, url->host, &six) == 1) {
		if (IN6_IS_ADDR_V4MAPPED(&six))
			return (six.s6_addr[12] == 127 ? HOST_LOOPBACK : HOST_ADDRESS);
		return (IN6_IS_ADDR_LOOPBACK(&six) ? HOST_LOOPBACK : HOST_ADDRESS);
	}
	return (!host_regular(url->host) || number_is(dot == NULL ? url->host : dot + 1) ? HOST_ODD : HOST_NAME);
}

/*
 * As written where that is well-formed, else encoded anew.  An escaped slash or colon stays escaped even then (Go gives "//h" for
 * "/%2Fh"): it would make a host or a scheme of what was a path.
 */
static void
part_put(struct buf *out, const char *text, enum part part)
{
	const char *c = text;

	while (*c != '\0' && (plain_is(*c, part) || one_of(*c, "!$&'()*+,;=:@[]%")))
		c++;
	if (*c == '\0') {
		buf_puts(out, text);
		return;
	}
	for (c = text; *c != '\0'; c++) {
		int byte = escaped_byte(c, strnlen(c, 3));
		char plain = (char)byte;

		if (byte < 0)
			encode(out, c, 1, part);
		else if (one_of(plain, "/:"))
			buf_printf(out, "%%%02X", byte);
		else
			encode(out, &plain, 1, part);
		c += byte < 0 ? 0 : 2;
	}
}

static void
userinfo_put(struct buf *out, const char *userinfo)
{
	char *name = arena_strdup(out->arena, userinfo), *password = cut(name, ':');
	struct buf decoded = buf_new(out->arena);

	decode(&decoded, name, strlen(name), PART_USERINFO);
	encode(out, decoded.data, decoded.len, PART_USERINFO);
	if (password != NULL) {
		decoded = buf_new(out->arena);
		decode(&decoded, password, strlen(password), PART_USERINFO);
		buf_putc(out, ':');
		encode(out, decoded.data, decoded.len, PART_USERINFO);
	}
	buf_putc(out, '@');
}

static void
host_put(struct buf *out, const struct url *url)
{
	if (url->bracketed)
		buf_putc(out, '[');
	encode(out, url->host, strlen(url->host), PART_HOST);
	if (url->bracketed)
		buf_putc(out, ']');
	if (url->colon || *url->port != '\0')
		buf_printf(out, ":%s", url->port);
}

static void
authority_put(struct buf *out, const struct url *url)
{
	bool host = *url->host != '\0' || url->colon || *url->port != '\0';

	if (!host && url->userinfo == NULL && (!url->authority || *url->path == '\0'))
		return;
	buf_puts(out, "//");
	if (url->userinfo != NULL)
		userinfo_put(out, url->userinfo);
	if (host)
		host_put(out, url);
}

static void
hierarchy_put(struct buf *out, const struct url *url)
{
	authority_put(out, url);
	if (*url->path != '\0' && *url->path != '/' && *url->host != '\0')
		buf_putc(out, '/'); /* in a URL that was put together, not parsed */
	if (out->len == 0 && memchr(url->path, ':', strcspn(url->path, "/")) != NULL)
		buf_puts(out, "./");
	if (strcmp(url->path, "*") == 0)
		buf_putc(out, '*');
	else
		part_put(out, url->path, PART_PATH);
}

char *
url_text(struct arena *arena, const struct url *url)
{
	struct buf out = buf_new(arena);

	if (*url->scheme != '\0')
		buf_printf(&out, "%s:", url->scheme);
	if (!str_empty(url->opaque))
		buf_puts(&out, url->opaque);
	else
		hierarchy_put(&out, url);
	if (url->query != NULL)
		buf_printf(&out, "?%s", url->query);
	if (!str_empty(url->fragment)) {
		buf_putc(&out, '#');
		part_put(&out, url->fragment, PART_FRAGMENT);
	}
	return (out.data);
}
