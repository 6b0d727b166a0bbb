/* SPDX-License-Identifier: Apache-2.0 */
#include "net/mime.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"

/* "=_" can't appear in quoted-printable, so no part can hold this. */
#define BOUNDARY "=_postern"
#define LINE_MAX_WANTED 76
#define WORD_FRAME 12 /* what stands around the base64 of an encoded word */

static char *
text_on_one_line(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, str_or(s, ""));

	for (char *p = out; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return (out);
}

/* What RFC 2047 must encode: anything but ASCII, and what would be taken for an encoded word. */
static bool
text_needs_words(const char *s)
{
	if (strstr(s, "=?") != NULL)
		return (true);
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return (true);
	return (false);
}

/* Encoded words, cut between characters, each as long as the line has room for; column: of what stands on the line already. */
static void
words_put(struct buf *out, const char *s, size_t column)
{
	size_t left = strlen(s);

	while (left > 0) {
		size_t room = column < 60 ? (LINE_MAX_WANTED - column - WORD_FRAME) / 4 * 3 : 4, n = left < room ? left : room;

		while (n < left && n > 1 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		buf_printf(out, "=?UTF-8?B?%s?=", base64_encode(out->arena, s, n));
		s += n;
		left -= n;
		column = 1;
		if (left > 0)
			buf_puts(out, "\r\n ");
	}
}

/* Words of plain text, a new line before what would pass the wanted length.  column: of what stands on the line already. */
static void
folded_put(struct buf *out, const char *s, size_t column)
{
	while (*s != '\0') {
		size_t word = strspn(s, " ");

		word += strcspn(s + word, " ");
		if (column + word > LINE_MAX_WANTED && *s == ' ' && column > 1 && s[1] != ' ' && s[1] != '\0') {
			buf_puts(out, "\r\n");
			column = 0;
		}
		buf_put(out, s, word);
		column += word;
		s += word;
	}
}

/* A single word without spaces that is longer than a line may be (998) has to be encoded, for nothing else can fold it. */
static bool
text_is_foldable(const char *s)
{
	size_t word;

	for (; *s != '\0'; s += word + (s[word] == ' '))
		if ((word = strcspn(s, " ")) > 900)
			return (false);
	return (true);
}

static void
header_put(struct buf *out, const char *name, const char *value)
{
	const char *line = str_trim(out->arena, text_on_one_line(out->arena, value));

	buf_printf(out, "%s: ", name);
	if (text_needs_words(line) || !text_is_foldable(line))
		words_put(out, line, strlen(name) + 2);
	else
		folded_put(out, line, strlen(name) + 2);
	buf_puts(out, "\r\n");
}

/* "Name" <address>: a quoted string, or encoded words. */
static void
from_put(struct buf *out)
{
	const char *name = text_on_one_line(out->arena, cfg->gotrue_smtp_sender_name);
	const char *address = text_on_one_line(out->arena, cfg->gotrue_smtp_admin_email);

	buf_puts(out, "From: ");
	if (*name != '\0' && text_needs_words(name))
		words_put(out, name, strlen("From: "));
	else if (*name != '\0') {
		buf_putc(out, '"');
		for (; *name != '\0'; name++) {
			if (*name == '"' || *name == '\\')
				buf_putc(out, '\\');
			buf_putc(out, *name);
		}
		buf_putc(out, '"');
	}
	buf_printf(out, *cfg->gotrue_smtp_sender_name != '\0' ? " <%s>\r\n" : "%s\r\n", address);
}

static char *
date_text(struct arena *a, usec when)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(when / 1000000);
	struct tm t;

	gmtime_r(&seconds, &t);
	return (arena_printf(a, "%s, %02d %s %d %02d:%02d:%02d +0000", days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900,
	    t.tm_hour, t.tm_min, t.tm_sec));
}

/* RFC 5322 3.6.8: printable US-ASCII but the colon. */
static bool
header_name_valid(const char *name)
{
	const char *p = name;

	for (; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == ':')
			return (false);
	return (p != name && p - name <= 70);
}

static bool
header_is_ours(const char *name)
{
	static const char *const ours[] = { "To", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (str_equal_nocase(ours[i], name))
			return (true);
	return (false);
}

struct extra {
	struct buf *out;
	const char *kind;
};

/* One member of GOTRUE_SMTP_HEADERS: a list of values, which gomail joins with ", ". */
static bool
extra_put(void *arg, const char *name, json *values)
{
	struct extra *e = arg;
	struct buf value = buf_new(e->out->arena);

	if (!header_name_valid(name) || header_is_ours(name))
		return (true);
	for (size_t i = 0; i < json_len(values); i++) {
		const char *one = json_string(json_at(values, i));

		if (!str_empty(one))
			buf_printf(&value, "%s%s", value.len > 0 ? ", " : "", str_replace(e->out->arena, one, "$messageType", e->kind));
	}
	if (value.len > 0)
		header_put(e->out, name, value.data);
	return (true);
}

static json *
extra_headers(struct arena *a)
{
	return (json_parse_text(a, cfg->gotrue_smtp_headers));
}

static void
headers_put(struct buf *out, const struct mime_letter *letter)
{
	json *more = extra_headers(out->arena);
	struct extra e = { out, letter->kind };

	if (json_get_nocase(more, "From") == NULL)
		from_put(out);
	buf_printf(out, "To: %s\r\n", text_on_one_line(out->arena, letter->to));
	if (json_get_nocase(more, "Subject") == NULL)
		header_put(out, "Subject", letter->subject);
	header_put(out, "Date", date_text(out->arena, letter->date));
	header_put(out, "Message-ID", letter->message_id);
	if (json_get_nocase(more, "Auto-Submitted") == NULL)
		buf_puts(out, "Auto-Submitted: auto-generated\r\n");
	json_each(more, extra_put, &e);
	buf_puts(out, "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\r\n\r\n");
}

/* How much of the text stands for one line end; 0: none is here. */
static size_t
line_end(const char *s)
{
	return (*s == '\n' ? 1 : *s == '\r' ? 1 + (s[1] == '\n') : 0);
}

/* Quoted-printable, RFC 2045 6.7: white space before a line end and everything but printable ASCII is written =XX. */
static void
quoted_put(struct buf *out, const char *s)
{
	size_t column = 0;

	while (*s != '\0') {
		size_t end = line_end(s);
		bool space = *s == ' ' || *s == '\t', last = s[1] == '\0' || line_end(s + 1) > 0;
		bool plain = (*s > ' ' && *s < 0x7f && *s != '=' && !(*s == '.' && column == 0)) || (space && !last);

		if (end > 0) {
			buf_puts(out, "\r\n");
			column = 0;
			s += end;
			continue;
		}
		if (column + (plain ? 1 : 3) > LINE_MAX_WANTED - 1) {
			buf_puts(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_putc(out, *s);
		else
			buf_printf(out, "=%02X", (unsigned char)*s);
		column += plain ? 1 : 3;
		s++;
	}
}

static void
part_put(struct buf *out, const char *type, const char *content)
{
	buf_printf(out, "--" BOUNDARY "\r\nContent-Type: %s; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", type);
	quoted_put(out, content);
	buf_puts(out, "\r\n");
}

char *
mime_build(struct arena *a, const struct mime_letter *letter, size_t *len)
{
	struct buf out = buf_new(a);

	headers_put(&out, letter);
	part_put(&out, "text/plain", letter->text);
	part_put(&out, "text/html", letter->html);
	buf_puts(&out, "--" BOUNDARY "--\r\n");
	*len = out.len;
	return (out.data);
}

char *
mime_message_id(struct arena *a)
{
	struct url own;
	bool named = url_parse(a, cfg->api_external_url, &own) && !str_empty(own.host) && strchr(own.host, ':') == NULL;

	return (arena_printf(a, "<%s@%s>", uuid_new(a), named ? own.host : "localhost"));
}
