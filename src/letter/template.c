/* SPDX-License-Identifier: Apache-2.0 */
#include "letter/template.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "letter/escape.h"
#include "letter/place.h"
#include "letter/value.h"

#define IFS_MAX 64
#define TRIMMED " \t\r\n"
#define UNDERSTOOD "only {{ .Name }}, {{ if .Name }}, {{ else }}, {{ else if .Name }}, {{ end }} and {{/* comments */}} are understood"

/* The template as a list that is walked from front to end; only if and else jump. */
struct node {
	enum { NODE_TEXT, NODE_VALUE, NODE_IF, NODE_ELSE } kind;
	const char *text; /* TEXT: what is printed */
	char **path;      /* VALUE, IF: "Data", "x", NULL */
	unsigned escapes; /* VALUE */
	size_t jump;      /* IF: where to go when it is not true; ELSE: behind the end */
};

/* clang-format off */
struct template {
	struct node *node;
	size_t len, cap;
};
/* clang-format on */

/* An if whose end has not come yet. */
struct open_if {
	size_t offset, if_node, else_node;
	bool has_else, chained; /* chained: of an "else if", closed by the end of the if before it */
	struct place before;    /* where the if stood */
	struct place then;      /* where its first half ended */
};

struct parser {
	struct arena *arena;
	const char *text;
	size_t len, at;
	enum template_kind kind;
	struct template *out;
	struct place place;
	struct open_if open[IFS_MAX];
	size_t depth;
	const char *why; /* the first mistake */
};

/* The line and column (in characters) of an offset. */
static void
mistake(struct parser *p, size_t offset, const char *what)
{
	size_t line = 1, column = 1;

	if (p->why != NULL)
		return;
	for (size_t i = 0; i < offset && i < p->len; i++)
		if (p->text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)p->text[i] & 0xc0) != 0x80)
			column++;
	p->why = arena_printf(p->arena, "line %zu, column %zu: %s", line, column, what);
}

static struct node *
node_add(struct parser *p, int kind)
{
	struct template *t = p->out;

	if (t->len == t->cap) {
		struct node *more = arena_new_array(p->arena, struct node, t->cap * 2 + 16);

		if (t->len > 0)
			memcpy(more, t->node, t->len * sizeof(*more));
		t->node = more;
		t->cap = t->cap * 2 + 16;
	}
	t->node[t->len].kind = kind;
	return (&t->node[t->len++]);
}

static void
text_add(struct parser *p, size_t from, size_t to)
{
	struct buf printed = buf_new(p->arena);
	const char *why;
	size_t where = 0;

	if (from == to)
		return;
	if (p->kind == TEMPLATE_TEXT)
		buf_put(&printed, p->text + from, to - from);
	else if ((why = place_pass(&p->place, p->text + from, to - from, &printed, &where)) != NULL)
		mistake(p, from + where, why);
	if (printed.len > 0)
		node_add(p, NODE_TEXT)->text = printed.data;
}

static bool
is_blank(char c)
{
	return (c != '\0' && strchr(TRIMMED, c) != NULL);
}

static bool
is_name_byte(char c)
{
	return (c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80);
}

static bool
text_has(const struct parser *p, size_t at, const char *s)
{
	size_t n = strlen(s);

	return (at + n <= p->len && memcmp(p->text + at, s, n) == 0);
}

static void
blanks_skip(struct parser *p)
{
	while (p->at < p->len && is_blank(p->text[p->at]))
		p->at++;
}

/* ".Data.x" as its parts; NULL and a mistake when something else stands here. */
static char **
path_read(struct parser *p)
{
	size_t start = p->at;

	while (p->at < p->len && p->text[p->at] == '.') {
		size_t name = ++p->at;

		while (p->at < p->len && is_name_byte(p->text[p->at]))
			p->at++;
		if (p->at == name || (p->text[name] >= '0' && p->text[name] <= '9'))
			break;
		if (p->at < p->len && p->text[p->at] == '.')
			continue;
		return (str_split(p->arena, arena_strndup(p->arena, p->text + start + 1, p->at - start - 1), '.'));
	}
	p->at = start;
	mistake(p, start, "a name like .Email or .Data.x is wanted here");
	return (NULL);
}

static bool
word_read(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	if (!text_has(p, p->at, word) || (p->at + n < p->len && is_name_byte(p->text[p->at + n])))
		return (false);
	p->at += n;
	blanks_skip(p);
	return (true);
}

static void
value_add(struct parser *p, size_t offset)
{
	char **path = path_read(p);
	unsigned escapes = 0;
	const char *why = p->kind == TEMPLATE_HTML && path != NULL ? place_value(&p->place, &escapes) : NULL;
	struct node *node;

	if (path == NULL)
		return;
	if (why != NULL) {
		mistake(p, offset, why);
		return;
	}
	node = node_add(p, NODE_VALUE);
	node->path = path;
	node->escapes = escapes;
}

static void
if_open(struct parser *p, size_t offset, bool chained)
{
	char **path = path_read(p);

	if (path == NULL)
		return;
	if (p->depth == IFS_MAX) {
		mistake(p, offset, "too many ifs inside each other");
		return;
	}
	p->open[p->depth++] = (struct open_if){ .offset = offset, .if_node = p->out->len, .chained = chained, .before = p->place };
	node_add(p, NODE_IF)->path = path;
}

static void
else_pass(struct parser *p, size_t offset)
{
	struct open_if *o = p->depth > 0 ? &p->open[p->depth - 1] : NULL;

	if (o == NULL || o->has_else) {
		mistake(p, offset, "an else without its if");
		return;
	}
	o->has_else = true;
	o->then = p->place;
	o->else_node = p->out->len;
	node_add(p, NODE_ELSE);
	p->out->node[o->if_node].jump = p->out->len;
	p->place = o->before;
	if (word_read(p, "if"))
		if_open(p, offset, true);
}

static void
if_close(struct parser *p)
{
	struct open_if *o = &p->open[--p->depth];

	p->out->node[o->has_else ? o->else_node : o->if_node].jump = p->out->len;
	if (!place_join(&p->place, o->has_else ? &o->then : &o->before))
		mistake(p, o->offset, "the ways of this if end in different places of the HTML");
}

static void
end_pass(struct parser *p, size_t offset)
{
	bool chained;

	if (p->depth == 0) {
		mistake(p, offset, "an end without its if");
		return;
	}
	do {
		chained = p->open[p->depth - 1].chained;
		if_close(p);
	} while (chained);
}

/* Over "}}" or " -}}", which takes the blanks behind it. */
static void
action_end(struct parser *p)
{
	bool spaced = p->at > 0 && is_blank(p->text[p->at - 1]);

	blanks_skip(p);
	spaced = spaced || (p->at > 0 && is_blank(p->text[p->at - 1]));
	if (text_has(p, p->at, "}}"))
		p->at += 2;
	else if (spaced && text_has(p, p->at, "-}}")) {
		p->at += 3;
		blanks_skip(p);
	} else
		mistake(p, p->at, UNDERSTOOD);
}

static void
comment_pass(struct parser *p)
{
	const char *end = memmem(p->text + p->at, p->len - p->at, "*/", 2);

	if (end == NULL) {
		mistake(p, p->at, "a comment without its end");
		return;
	}
	p->at = (size_t)(end - p->text) + 2;
	action_end(p);
}

/* One {{ ... }}; p->at is behind the braces. */
static void
action_pass(struct parser *p, size_t offset)
{
	if (text_has(p, p->at, "-") && p->at + 1 < p->len && is_blank(p->text[p->at + 1]))
		p->at += 2;
	if (text_has(p, p->at, "/*")) {
		comment_pass(p);
		return;
	}
	blanks_skip(p);
	if (word_read(p, "if"))
		if_open(p, offset, false);
	else if (word_read(p, "else"))
		else_pass(p, offset);
	else if (word_read(p, "end"))
		end_pass(p, offset);
	else if (p->at < p->len && p->text[p->at] == '.')
		value_add(p, offset);
	else
		mistake(p, p->at, UNDERSTOOD);
	if (p->why == NULL)
		action_end(p);
}

/* Where the text before an action ends: its blanks belong to a "{{- ". */
static size_t
text_end(const struct parser *p, size_t from, size_t action)
{
	if (text_has(p, action, "{{-") && action + 3 < p->len && is_blank(p->text[action + 3]))
		while (action > from && is_blank(p->text[action - 1]))
			action--;
	return (action);
}

static void
template_read(struct parser *p)
{
	while (p->why == NULL && p->at < p->len) {
		const char *braces = memmem(p->text + p->at, p->len - p->at, "{{", 2);
		size_t action = braces != NULL ? (size_t)(braces - p->text) : p->len;

		text_add(p, p->at, text_end(p, p->at, action));
		p->at = action + 2;
		if (braces != NULL && p->why == NULL)
			action_pass(p, action);
	}
	if (p->depth > 0)
		mistake(p, p->open[p->depth - 1].offset, "an if without its end");
	if (p->place.state != PLACE_TEXT)
		mistake(p, p->len, "the HTML ends inside a tag, a comment, a title, a script or a style");
}

struct template *
template_parse(struct arena *a, const char *text, size_t len, enum template_kind kind, const char **why)
{
	struct parser *p = arena_new_object(a, struct parser);

	p->arena = a;
	p->text = text;
	p->len = len;
	p->kind = kind;
	p->out = arena_new_object(a, struct template);
	if (memchr(text, '\0', len) != NULL || !utf8_valid(text, len))
		p->why = "line 1, column 1: this is not UTF-8 text";
	else
		template_read(p);
	*why = p->why;
	return (p->why == NULL ? p->out : NULL);
}

static json *
value_at(const json *values, char *const *path)
{
	json *value = NULL;

	for (; *path != NULL; path++, values = value)
		value = json_get(values, *path);
	return (value);
}

char *
template_render(struct arena *a, const struct template *t, const json *values)
{
	struct buf out = buf_new(a);

	for (size_t i = 0; i < t->len; i++) {
		const struct node *node = &t->node[i];

		if (node->kind == NODE_TEXT)
			buf_puts(&out, node->text);
		else if (node->kind == NODE_VALUE)
			escape_put(&out, node->escapes, value_text(a, value_at(values, node->path)));
		else if (node->kind == NODE_ELSE || !value_true(value_at(values, node->path)))
			i = node->jump - 1;
	}
	return (out.len > 0 ? out.data : arena_strdup(a, ""));
}
