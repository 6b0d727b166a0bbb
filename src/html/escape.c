/* SPDX-License-Identifier: Apache-2.0 */
#include "html/escape.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define FAILSAFE "ZgotmplZ" /* Go's: what stands where a value was not safe */

/* clang-format off */
static const char *const html_for[128] = { ['"'] = "&#34;", ['&'] = "&amp;", ['\''] = "&#39;", ['+'] = "&#43;", ['<'] = "&lt;", ['>'] = "&gt;" };

static const char *const plain_for[128] = { ['"'] = "&#34;", ['&'] = "&amp;", ['\''] = "&#39;", ['<'] = "&lt;", ['>'] = "&gt;" };

static const char *const nospace_for[128] = { ['\t'] = "&#9;", ['\n'] = "&#10;", ['\v'] = "&#11;", ['\f'] = "&#12;", ['\r'] = "&#13;", [' '] = "&#32;",
	['"'] = "&#34;", ['&'] = "&amp;", ['\''] = "&#39;", ['+'] = "&#43;", ['<'] = "&lt;", ['='] = "&#61;", ['>'] = "&gt;", ['`'] = "&#96;" };
/* clang-format on */

static void
table_put(struct buf *out, const char *const table[128], const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x80 && table[(unsigned char)*s] != NULL)
			buf_puts(out, table[(unsigned char)*s]);
		else
			buf_putc(out, *s);
}

/* U+FDD0-FDEF and U+FFF0-FFFF, which old browsers took for ends of a value; 0 for others.  Their UTF-8 is EF B7 90-AF and EF BF B0-BF. */
static unsigned
noncharacter(const unsigned char *s)
{
	if (s[0] != 0xef || (s[1] != 0xb7 && s[1] != 0xbf) || s[2] == '\0')
		return (0);
	if (s[1] == 0xb7)
		return (s[2] >= 0x90 && s[2] <= 0xaf ? 0xfdc0 + (s[2] & 0x3fu) : 0);
	return (s[2] >= 0xb0 ? 0xffc0 + (s[2] & 0x3fu) : 0);
}

static void
nospace_put(struct buf *out, const char *s)
{
	struct buf safe = buf_new(out->arena);
	unsigned code;

	if (*s == '\0') {
		buf_puts(out, FAILSAFE);
		return;
	}
	table_put(&safe, nospace_for, s);
	for (const unsigned char *p = (const unsigned char *)safe.data; *p != '\0'; p++)
		if ((code = noncharacter(p)) != 0) {
			buf_printf(out, "&#x%x;", code);
			p += 2;
		} else
			buf_putc(out, (char)*p);
}

static bool
url_is_safe(const char *s)
{
	static const char *const schemes[] = { "http", "https", "mailto" };
	const char *colon = strchr(s, ':');
	size_t len = colon != NULL ? (size_t)(colon - s) : 0;

	if (colon == NULL || memchr(s, '/', len) != NULL)
		return (true);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i]) == len && strncasecmp(s, schemes[i], len) == 0)
			return (true);
	return (false);
}

static bool
is_hex(char c)
{
	return ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
}

static bool
url_keeps(const char *s, bool normal)
{
	if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL)
		return (true);
	if (!normal)
		return (false);
	return (strchr("!#$&*+,/:;=?@[]", *s) != NULL || (*s == '%' && is_hex(s[1]) && is_hex(s[2])));
}

static char *
url_escaped(struct arena *a, const char *s, bool normal)
{
	struct buf out = buf_new(a);

	for (; *s != '\0'; s++)
		if (url_keeps(s, normal))
			buf_putc(&out, *s);
		else
			buf_printf(&out, "%%%02x", (unsigned char)*s);
	return (out.len > 0 ? out.data : arena_strdup(a, ""));
}

static char *
query_escaped(struct arena *a, const char *s)
{
	struct buf out = buf_new(a);

	for (; *s != '\0'; s++)
		if (*s == ' ')
			buf_putc(&out, '+');
		else if (url_keeps(s, false))
			buf_putc(&out, *s);
		else
			buf_printf(&out, "%%%02X", (unsigned char)*s);
	return (out.len > 0 ? out.data : arena_strdup(a, ""));
}

/* What Unicode takes for no letter, mark, number, sign or blank of ASCII, as far as it is assigned at all. */
static bool
code_prints(unsigned long code)
{
	static const unsigned long unseen[][2] = { { 0x80, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c }, { 0x6dd, 0x6dd },
		{ 0x70f, 0x70f }, { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 },
		{ 0xe000, 0xf8ff }, { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe00ff },
		{ 0xf0000, 0x10ffff } };

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (code >= unseen[i][0] && code <= unseen[i][1])
			return (false);
	return (true);
}

static unsigned long
code_of(const char *s, size_t len)
{
	unsigned long code = (unsigned char)*s & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return (code);
}

static void
js_put(struct buf *out, const char *s)
{
	size_t len;

	for (; *s != '\0'; s += len) {
		len = utf8_first(s);
		if (len == 1 && strchr("\\'\"", *s) != NULL)
			buf_printf(out, "\\%c", *s);
		else if (len == 1 && ((unsigned char)*s < ' ' || strchr("<>&=", *s) != NULL))
			buf_printf(out, "\\u%04X", (unsigned char)*s);
		else if (len == 1 || code_prints(code_of(s, len)))
			buf_put(out, s, len);
		else
			buf_printf(out, "\\u%04lX", code_of(s, len));
	}
}

void
escape_put(struct buf *out, unsigned escapes, const char *value)
{
	if ((escapes & ESCAPE_AWAY) != 0)
		return;
	if ((escapes & ESCAPE_URL_FILTER) != 0 && !url_is_safe(value))
		value = "#" FAILSAFE;
	if ((escapes & (ESCAPE_URL_NORMAL | ESCAPE_URL_PART)) != 0)
		value = url_escaped(out->arena, value, (escapes & ESCAPE_URL_NORMAL) != 0);
	if ((escapes & ESCAPE_URL_QUERY) != 0)
		value = query_escaped(out->arena, value);
	if ((escapes & ESCAPE_JS) != 0)
		js_put(out, value);
	else if ((escapes & ESCAPE_NOSPACE) != 0)
		nospace_put(out, value);
	else if ((escapes & ESCAPE_HTML_PLAIN) != 0)
		table_put(out, plain_for, value);
	else if ((escapes & ESCAPE_HTML) != 0)
		table_put(out, html_for, value);
	else
		buf_puts(out, value);
}
