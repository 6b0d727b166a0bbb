/* SPDX-License-Identifier: Apache-2.0 */
#include "letter/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"

struct writer {
	struct buf out;
	bool space;         /* a blank is owed */
	int lines;          /* line ends that are owed */
	const char *hidden; /* the name of the element that we are hidden in; NULL: none */
	size_t hidden_deep; /* elements of that name inside it */
	const char *href;   /* of the link that we are in */
	size_t link_start;  /* where its text begins in out */
};

enum block { BLOCK_NONE, BLOCK_BREAK, BLOCK_LINE, BLOCK_PARAGRAPH, BLOCK_ITEM, BLOCK_HIDDEN, BLOCK_CELL };

static const struct {
	const char *name;
	enum block block;
} blocks[] = {
	/* clang-format off */
	{ "br", BLOCK_BREAK }, { "p", BLOCK_PARAGRAPH }, { "h1", BLOCK_PARAGRAPH }, { "h2", BLOCK_PARAGRAPH }, { "h3", BLOCK_PARAGRAPH },
	{ "h4", BLOCK_PARAGRAPH }, { "ul", BLOCK_PARAGRAPH }, { "ol", BLOCK_PARAGRAPH }, { "table", BLOCK_PARAGRAPH }, { "hr", BLOCK_PARAGRAPH },
	{ "blockquote", BLOCK_PARAGRAPH }, { "div", BLOCK_LINE }, { "tr", BLOCK_LINE }, { "section", BLOCK_LINE }, { "td", BLOCK_CELL },
	{ "th", BLOCK_CELL }, { "li", BLOCK_ITEM }, { "title", BLOCK_HIDDEN }, { "style", BLOCK_HIDDEN }, { "script", BLOCK_HIDDEN },
	/* clang-format on */
};

static const struct {
	const char *name, *text;
} entities[] = { { "amp;", "&" }, { "lt;", "<" }, { "gt;", ">" }, { "quot;", "\"" }, { "apos;", "'" }, { "nbsp;", " " },
	{ "mdash;", "\xe2\x80\x94" }, { "ndash;", "\xe2\x80\x93" }, { "hellip;", "\xe2\x80\xa6" }, { "copy;", "\xc2\xa9" } };

static void
code_point_put(struct buf *out, unsigned long c)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		buf_putc(out, (char)c);
		return;
	}
	if (c >= 0x10000)
		buf_putc(out, (char)(0xf0 | c >> 18));
	if (c >= 0x800)
		buf_putc(out, (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3f) : 0xe0 | c >> 12));
	buf_putc(out, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6));
	buf_putc(out, (char)(0x80 | (c & 0x3f)));
}

/* One character of HTML, an entity decoded; gives how much of s it took. */
static size_t
character_put(struct buf *out, const char *s)
{
	bool hex = s[0] == '&' && s[1] == '#' && (s[2] == 'x' || s[2] == 'X');
	char *end = NULL;
	unsigned long code;

	if (s[0] == '&' && s[1] == '#' && strchr("0123456789abcdefABCDEF", s[2 + hex]) != NULL && s[2 + hex] != '\0') {
		code = strtoul(s + 2 + hex, &end, hex ? 16 : 10);
		if (*end == ';') {
			code_point_put(out, code);
			return ((size_t)(end + 1 - s));
		}
	}
	for (size_t i = 0; *s == '&' && i < sizeof(entities) / sizeof(entities[0]); i++)
		if (str_starts(s + 1, entities[i].name)) {
			buf_puts(out, entities[i].text);
			return (1 + strlen(entities[i].name));
		}
	buf_putc(out, *s);
	return (1);
}

static char *
text_decoded(struct arena *a, const char *s)
{
	struct buf out = buf_new(a);

	while (*s != '\0')
		s += character_put(&out, s);
	return (out.len > 0 ? out.data : arena_strdup(a, ""));
}

static void
lines_owe(struct writer *w, int lines)
{
	if (w->lines < lines)
		w->lines = lines;
}

/* Pays the blanks and line ends that are owed; none at the start of the text, and no blank at the start of a line. */
static void
debts_pay(struct writer *w)
{
	if (w->out.len > 0) {
		for (int i = 0; i < w->lines; i++)
			buf_putc(&w->out, '\n');
		if (w->space && w->lines == 0 && w->out.data[w->out.len - 1] != '\n')
			buf_putc(&w->out, ' ');
	}
	w->lines = 0;
	w->space = false;
}

static size_t
text_pass(struct writer *w, const char *s)
{
	if (strchr(" \t\r\n\f", *s) != NULL) {
		w->space = true;
		return (1);
	}
	if (w->hidden != NULL)
		return (1);
	debts_pay(w);
	return (character_put(&w->out, s));
}

/* The value of an attribute of the tag, decoded; NULL without. */
static char *
tag_attribute(struct arena *a, const char *tag, const char *name)
{
	size_t n = strlen(name), len;
	char quote = '\0';

	for (const char *p = strpbrk(tag, " \t\r\n"); p != NULL && *p != '\0'; p += *p != '\0') {
		if ((*p == '"' || *p == '\'') && (quote == '\0' || quote == *p))
			quote = quote == '\0' ? *p : '\0';
		if (quote != '\0' || strchr(" \t\r\n", *p) == NULL || strncasecmp(p + 1, name, n) != 0)
			continue;
		p += 1 + n;
		p += strspn(p, " \t\r\n");
		if (*p != '=')
			return (NULL);
		p++;
		p += strspn(p, " \t\r\n");
		quote = *p == '"' || *p == '\'' ? *p++ : '\0';
		len = quote == '"' ? strcspn(p, "\"") : quote == '\'' ? strcspn(p, "'") : strcspn(p, " \t\r\n>");
		return (text_decoded(a, arena_strndup(a, p, len)));
	}
	return (NULL);
}

static void
link_open(struct writer *w, const char *tag)
{
	w->href = tag_attribute(w->out.arena, tag, "href");
	w->link_start = w->out.len;
}

/* The address behind the words, unless the words are the address. */
static void
link_close(struct writer *w)
{
	const char *words = w->out.len > w->link_start ? str_trim(w->out.arena, w->out.data + w->link_start) : "";

	if (!str_empty(w->href) && *w->href != '#' && !str_equal(words, w->href)) {
		if (!str_equal_nocase(words, str_starts(w->href, "mailto:") ? w->href + 7 : w->href)) {
			w->space = false;
			debts_pay(w);
			buf_printf(&w->out, *words != '\0' ? ":\n%s" : "%s", w->href);
			lines_owe(w, 1);
		}
	}
	w->href = NULL;
}

static void
block_apply(struct writer *w, enum block block, bool closing)
{
	if (block == BLOCK_BREAK)
		w->lines++;
	else if (block == BLOCK_LINE || block == BLOCK_ITEM)
		lines_owe(w, 1);
	else if (block == BLOCK_PARAGRAPH)
		lines_owe(w, 2);
	else if (block == BLOCK_CELL)
		w->space = true;
	if (block == BLOCK_ITEM && !closing) {
		debts_pay(w);
		buf_puts(&w->out, "- ");
	}
}

static bool
tag_hides(struct arena *a, const char *tag)
{
	const char *style = tag_attribute(a, tag, "style");

	return (style != NULL && strstr(str_replace(a, str_lower(a, style), " ", ""), "display:none") != NULL);
}

static void
hidden_pass(struct writer *w, const char *name, bool closing, bool empty)
{
	if (!str_equal_nocase(name, w->hidden) || empty)
		return;
	if (!closing)
		w->hidden_deep++;
	else if (w->hidden_deep-- == 0)
		w->hidden = NULL;
}

static void
tag_apply(struct writer *w, const char *tag, bool closing)
{
	struct arena *a = w->out.arena;
	const char *name = arena_strndup(a, tag, strcspn(tag, " \t\r\n/"));
	enum block block = BLOCK_NONE;

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (str_equal_nocase(blocks[i].name, name))
			block = blocks[i].block;
	if (w->hidden != NULL)
		hidden_pass(w, name, closing, str_ends(tag, "/"));
	else if (!closing && (block == BLOCK_HIDDEN || tag_hides(a, tag))) {
		w->hidden = name;
		w->hidden_deep = 0;
	} else if (str_equal_nocase(name, "a") && closing)
		link_close(w);
	else if (str_equal_nocase(name, "a"))
		link_open(w, tag);
	else
		block_apply(w, block, closing);
}

/* How long the tag is that starts here; quotes may hide a ">". */
static size_t
tag_length(const char *s)
{
	char quote = '\0';
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (quote != '\0')
			quote = s[i] == quote ? '\0' : quote;
		else if (s[i] == '"' || s[i] == '\'')
			quote = s[i];
		else if (s[i] == '>')
			return (i + 1);
	return (i);
}

static size_t
markup_pass(struct writer *w, const char *s)
{
	bool closing = s[1] == '/';
	size_t len = tag_length(s), name = 1 + closing;

	if (str_starts(s, "<!--")) {
		const char *end = strstr(s, "-->");

		return (end != NULL ? (size_t)(end + 3 - s) : strlen(s));
	}
	if (len > name + 1)
		tag_apply(w, arena_strndup(w->out.arena, s + name, len - name - 1), closing);
	return (len);
}

static bool
is_markup(const char *s)
{
	return (*s == '<' && s[1] != '\0' && strchr("/!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", s[1]) != NULL);
}

char *
text_of_html(struct arena *a, const char *html)
{
	struct writer w = { .out = buf_new(a) };

	while (*html != '\0')
		html += is_markup(html) ? markup_pass(&w, html) : text_pass(&w, html);
	if (w.out.len > 0)
		buf_putc(&w.out, '\n');
	return (w.out.len > 0 ? w.out.data : arena_strdup(a, ""));
}
