/* SPDX-License-Identifier: Apache-2.0 */
#include "html/template.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "html/template_part.h"

#define TRIMMED " \t\r\n"

char *
template_place(struct arena *a, const char *text, size_t len, size_t offset, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < offset && i < len; i++)
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80)
			column++;
	return (arena_printf(a, "line %zu, column %zu: %s", line, column, what));
}

void
mistake(struct parser *p, size_t offset, const char *what)
{
	if (p->why == NULL)
		p->why = template_place(p->arena, p->text, p->len, offset, what);
}

static bool
is_blank(char c)
{
	return (c != '\0' && strchr(TRIMMED, c) != NULL);
}

bool
is_name_byte(char c)
{
	return (c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80);
}

bool
text_has(const struct parser *p, size_t at, const char *s)
{
	size_t n = strlen(s);

	return (at + n <= p->len && memcmp(p->text + at, s, n) == 0);
}

void
blanks_skip(struct parser *p)
{
	while (p->at < p->len && is_blank(p->text[p->at]))
		p->at++;
}

bool
word_read(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	if (!text_has(p, p->at, word) || (p->at + n < p->len && is_name_byte(p->text[p->at + n])))
		return (false);
	p->at += n;
	blanks_skip(p);
	return (true);
}

/* --- Nodes --- */

/* Nodes as they come; end is where the next one goes. */
struct list {
	const struct node *first;
	const struct node **end;
};

static struct node *
node_add(struct parser *p, struct list *to, int kind)
{
	struct node *node = arena_new_object(p->arena, struct node);

	node->kind = kind;
	*to->end = node;
	to->end = &node->next;
	return (node);
}

static void
text_add(struct parser *p, struct list *to, size_t from, size_t end)
{
	struct buf printed = buf_new(p->arena);
	const char *why;
	size_t where = 0;

	if (from == end)
		return;
	if (p->kind == TEMPLATE_TEXT)
		buf_put(&printed, p->text + from, end - from);
	else if ((why = place_pass(&p->place, p->text + from, end - from, &printed, &where)) != NULL)
		mistake(p, from + where, why);
	if (printed.len > 0)
		node_add(p, to, NODE_TEXT)->text = printed.data;
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
		mistake(p, p->at, "this is not understood; the end of the action, }}, is wanted here");
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

static bool
calls(const struct expr *e, int way)
{
	return (e->kind == EXPR_CALL && (int)e->function->way == way);
}

/*
 * html/template lets a last html or urlquery take the place of an escaper that does the same; what they print for what is not there
 * depends on how they are called.  The unquoted value of an attribute is not safe with html.
 */
static struct expr *
escaper_merge(struct parser *p, struct expr *e, struct node *node)
{
	const unsigned urls = ESCAPE_URL_NORMAL | ESCAPE_URL_PART;
	bool html;

	if (!calls(e, FUNCTION_ESCAPER))
		return (e);
	html = str_equal(e->function->name, "html");
	if (html && (node->escapes & ESCAPE_NOSPACE) != 0)
		mistake(p, e->offset, "html is not enough for a value without quotes");
	if (!e->piped)
		node->nil = "<nil>";
	else if ((node->escapes & (html ? ESCAPE_URL_FILTER | urls : ESCAPE_URL_FILTER)) == 0)
		node->nil = "<no value>";
	node->escapes = html ? (node->escapes & ~ESCAPE_HTML) | ESCAPE_HTML_PLAIN : (node->escapes & ~urls) | ESCAPE_URL_QUERY;
	return (e->arg[0]);
}

/* Inside the pipeline they would be undone or done twice. */
static void
escapers_refuse(struct parser *p, const struct expr *e)
{
	for (; e->kind == EXPR_CALL && e->args > 0; e = e->arg[e->args - 1])
		if (calls(e, FUNCTION_ESCAPER) || calls(e, FUNCTION_SAFE_URL)) {
			mistake(p, e->offset, arena_printf(p->arena, "%s may only be the last function here", e->function->name));
			return;
		}
}

static void
value_escape(struct parser *p, struct node *node, struct expr *e, size_t offset)
{
	bool safe = calls(e, FUNCTION_SAFE_URL);
	const char *why = safe ? place_safe_url(&p->place, &node->escapes) : place_value(&p->place, &node->escapes);

	if (why != NULL)
		mistake(p, offset, why);
	if (e->kind == EXPR_CALL && e->args > 0)
		escapers_refuse(p, e->arg[e->args - 1]);
	node->expr = safe ? e->arg[0] : escaper_merge(p, e, node);
}

static void
value_add(struct parser *p, struct list *to, size_t offset)
{
	struct pipe pipe;
	struct node *node;

	if (!pipe_read(p, false, &pipe))
		return;
	node = node_add(p, to, pipe.variable == 0 ? NODE_VALUE : NODE_SET);
	node->expr = pipe.expr;
	node->variable = pipe.variable;
	node->nil = "";
	if (pipe.variable == 0 && p->kind != TEMPLATE_TEXT)
		value_escape(p, node, pipe.expr, offset);
}

/* --- Blocks --- */

static const struct node *list_read(struct parser *);

static void
stopped_here(struct parser *p, int stop, size_t offset)
{
	p->stop = stop;
	p->stopped_at = offset;
}

static const struct block_word {
	const char *word;
	int node;
} block_words[] = { { "if", NODE_IF }, { "with", NODE_WITH }, { "range", NODE_RANGE } };

static struct node *block_read(struct parser *, const struct block_word *, size_t offset);

/* "else", or "else if ..." and "else with ...", whose end is ours as well. */
static const struct node *
otherwise_read(struct parser *p, const struct block_word *word)
{
	size_t offset = p->stopped_at;
	const struct node *list;

	if (word->node != NODE_RANGE && word_read(p, word->word))
		return (block_read(p, word, offset));
	action_end(p);
	list = list_read(p);
	if (p->stop == STOP_ELSE)
		mistake(p, p->stopped_at, "a second else");
	return (list);
}

/* What is run again must find the place that it found before. */
static void
block_join(struct parser *p, const struct node *node, const struct place *before, const struct place *then, size_t offset)
{
	if (p->why != NULL || p->kind == TEMPLATE_TEXT)
		return;
	if (node->kind == NODE_RANGE && !place_equal(before, then))
		mistake(p, offset, "this range does not end in the place of the HTML where it begins");
	else if (!place_join(&p->place, then))
		mistake(p, offset, "the ways of this block end in different places of the HTML");
}

static struct node *
block_read(struct parser *p, const struct block_word *word, size_t offset)
{
	struct node *node = arena_new_object(p->arena, struct node);
	size_t outside = p->variables, inside;
	struct place before, then;
	struct pipe pipe;

	node->kind = word->node;
	if (p->depth == DEEPEST)
		mistake(p, offset, "too many blocks inside each other");
	if (p->why != NULL || !pipe_read(p, word->node == NODE_RANGE, &pipe))
		return (node);
	node->expr = pipe.expr;
	node->variable = pipe.variable;
	node->counter = pipe.counter;
	inside = p->variables;
	before = p->place;
	p->depth++;
	if (p->why == NULL)
		action_end(p);
	node->body = list_read(p);
	then = p->place;
	p->place = before;
	p->variables = inside;
	if (p->why == NULL && p->stop == STOP_ELSE)
		node->otherwise = otherwise_read(p, word);
	if (p->stop == STOP_TEXT)
		mistake(p, offset, arena_printf(p->arena, "this %s has no end", word->word));
	block_join(p, node, &before, &then, offset);
	p->variables = outside;
	p->depth--;
	return (node);
}

static void
block_add(struct parser *p, struct list *to, const struct block_word *word, size_t offset)
{
	struct node *node = block_read(p, word, offset);

	*to->end = node;
	to->end = &node->next;
	p->stop = STOP_TEXT;
}

/* One {{ ... }}; p->at is behind the braces.  false: it ends the list. */
static bool
action_pass(struct parser *p, struct list *to, size_t offset)
{
	if (text_has(p, p->at, "-") && p->at + 1 < p->len && is_blank(p->text[p->at + 1]))
		p->at += 2;
	if (text_has(p, p->at, "/*")) {
		comment_pass(p);
		return (true);
	}
	blanks_skip(p);
	for (size_t i = 0; i < sizeof(block_words) / sizeof(block_words[0]); i++)
		if (word_read(p, block_words[i].word)) {
			block_add(p, to, &block_words[i], offset);
			return (true);
		}
	if (word_read(p, "else")) {
		stopped_here(p, STOP_ELSE, offset);
		return (false);
	}
	if (word_read(p, "end"))
		stopped_here(p, STOP_END, offset);
	else
		value_add(p, to, offset);
	if (p->why == NULL)
		action_end(p);
	return (p->stop != STOP_END);
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

/* Until an else or end that belongs to who has called, or the end of the text. */
static const struct node *
list_read(struct parser *p)
{
	struct list list = { NULL, &list.first };

	p->stop = STOP_TEXT;
	while (p->why == NULL && p->at < p->len) {
		const char *braces = memmem(p->text + p->at, p->len - p->at, "{{", 2);
		size_t action = braces != NULL ? (size_t)(braces - p->text) : p->len;

		text_add(p, &list, p->at, text_end(p, p->at, action));
		p->at = action + 2;
		if (braces == NULL)
			p->at = p->len;
		else if (p->why == NULL && !action_pass(p, &list, action))
			break;
	}
	return (list.first);
}

static void
template_read(struct parser *p, struct template *t)
{
	p->variable[p->variables++] = "$";
	t->first = list_read(p);
	t->named = p->named;
	if (p->stop == STOP_ELSE)
		mistake(p, p->stopped_at, "an else without its if");
	if (p->stop == STOP_END)
		mistake(p, p->stopped_at, "an end without its if");
	if (p->place.state != PLACE_TEXT)
		mistake(p, p->len, "the HTML ends inside a tag, a comment, a title, a script or a style");
}

struct template *
template_parse(struct arena *a, const char *text, size_t len, enum template_kind kind, const char **why)
{
	struct parser *p = arena_new_object(a, struct parser);
	struct template *t = arena_new_object(a, struct template);

	*p = (struct parser){ .arena = a, .text = text, .len = len, .kind = kind };
	*t = (struct template){ .text = text, .len = len };
	if (memchr(text, '\0', len) != NULL || !utf8_valid(text, len))
		p->why = "line 1, column 1: this is not UTF-8 text";
	else
		template_read(p, t);
	*why = p->why;
	return (p->why == NULL ? t : NULL);
}

bool
template_names(const struct template *t, const char *name)
{
	for (const struct named *n = t->named; n != NULL; n = n->next)
		if (str_equal(n->name, name))
			return (true);
	return (false);
}
