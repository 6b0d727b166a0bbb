/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between braces: values, functions with their arguments, "|" and variables. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "html/template_part.h"

#define DIGITS "0123456789"

static bool
at_end_of_value(const struct parser *p)
{
	return (p->at >= p->len || strchr(" \t\r\n|)}", p->text[p->at]) != NULL);
}

/* Where an argument could begin: not at the end of the action, nor of a parenthesis, nor at "|". */
static bool
at_value(const struct parser *p)
{
	return (!at_end_of_value(p) && !text_has(p, p->at, "-}}") && p->text[p->at] != ',' && !text_has(p, p->at, ":="));
}

static char *
name_read(struct parser *p)
{
	size_t start = p->at;

	while (p->at < p->len && is_name_byte(p->text[p->at]))
		p->at++;
	return (arena_strndup(p->arena, p->text + start, p->at - start));
}

/* --- What is written down --- */

/* The character that a backslash stands before. */
static bool
escaped_read(struct parser *p, struct buf *out)
{
	static const char letters[] = "abfnrtv\\\"", means[] = "\a\b\f\n\r\t\v\\\"";
	const char *found = p->at + 1 < p->len ? strchr(letters, p->text[p->at + 1]) : NULL;

	if (found == NULL || *found == '\0')
		return (false);
	buf_putc(out, means[found - letters]);
	p->at += 2;
	return (true);
}

static bool
quoted_read(struct parser *p, struct value *value)
{
	char quote = p->text[p->at];
	struct buf out = buf_new(p->arena);
	size_t start = p->at++;

	while (p->at < p->len && p->text[p->at] != quote && (quote == '`' || p->text[p->at] != '\n'))
		if (quote == '"' && p->text[p->at] == '\\') {
			if (!escaped_read(p, &out)) {
				mistake(p, p->at, "this backslash is not understood");
				return (false);
			}
		} else
			buf_putc(&out, p->text[p->at++]);
	if (p->at >= p->len || p->text[p->at] != quote) {
		mistake(p, start, "a text without its end");
		return (false);
	}
	p->at++;
	*value = (struct value){ VALUE_TEXT, { .text = out.data != NULL ? out.data : "" } };
	return (true);
}

static size_t
digits_at(const struct parser *p, size_t at)
{
	size_t n = 0;

	while (at + n < p->len && p->text[at + n] >= '0' && p->text[at + n] <= '9')
		n++;
	return (n);
}

/* 12, -3, 0.5, .5, 1e3: whole ones are whole, as in Go. */
static bool
number_read(struct parser *p, struct value *value)
{
	size_t start = p->at, whole, part = 0, power = 0;
	char *text;

	p->at += p->text[p->at] == '-' || p->text[p->at] == '+';
	whole = digits_at(p, p->at);
	p->at += whole;
	if (p->at < p->len && p->text[p->at] == '.')
		p->at += 1 + (part = digits_at(p, p->at + 1));
	if (whole + part > 0 && p->at < p->len && (p->text[p->at] == 'e' || p->text[p->at] == 'E')) {
		size_t sign = p->at + 1 < p->len && (p->text[p->at + 1] == '-' || p->text[p->at + 1] == '+');

		p->at += 1 + sign + (power = digits_at(p, p->at + 1 + sign));
	}
	text = arena_strndup(p->arena, p->text + start, p->at - start);
	if (!at_end_of_value(p) || whole + part == 0 || whole + part + power > 18 || (whole > 1 && text[strcspn(text, DIGITS)] == '0') ||
	    strchr(DIGITS, text[strlen(text) - 1]) == NULL) {
		mistake(p, start, "this number is not understood");
		return (false);
	}
	if (strpbrk(text, ".eE") != NULL)
		*value = (struct value){ VALUE_REAL, { .real = strtod(text, NULL) } };
	else
		*value = (struct value){ VALUE_INT, { .integer = strtoll(text, NULL, 10) } };
	return (true);
}

/* true, false and nil. */
static bool
word_is_value(const char *word, struct value *value)
{
	if (str_equal(word, "nil"))
		*value = (struct value){ VALUE_NIL, { 0 } };
	else if (str_equal(word, "true") || str_equal(word, "false"))
		*value = (struct value){ VALUE_BOOL, { .yes = str_equal(word, "true") } };
	else
		return (false);
	return (true);
}

/* --- Values --- */

static struct expr *
expr_new(struct parser *p, int kind)
{
	struct expr *e = arena_new_object(p->arena, struct expr);

	e->kind = kind;
	e->offset = p->at;
	e->path = arena_new_array(p->arena, char *, 1);
	return (e);
}

static void
name_note(struct parser *p, const char *name)
{
	struct named *named = arena_new_object(p->arena, struct named);

	*named = (struct named){ name, p->named };
	p->named = named;
}

/* ".Data.x" behind a value. */
static bool
path_read(struct parser *p, struct expr *e)
{
	size_t start = p->at;
	struct buf path = buf_new(p->arena);

	while (p->at + 1 < p->len && p->text[p->at] == '.' && is_name_byte(p->text[p->at + 1]) &&
	       strchr(DIGITS, p->text[p->at + 1]) == NULL) {
		const char *name;

		p->at++;
		name = name_read(p);
		name_note(p, name);
		buf_printf(&path, "%s%s", path.len > 0 ? "." : "", name);
	}
	if (path.len > 0)
		e->path = str_split(p->arena, path.data, '.');
	if (!at_end_of_value(p))
		mistake(p, start, "a name like .Email or .Data.x is wanted here");
	return (p->why == NULL);
}

static bool
variable_find(struct parser *p, const char *name, size_t *variable)
{
	for (size_t i = p->variables; i > 0; i--)
		if (str_equal(p->variable[i - 1], name)) {
			*variable = i - 1;
			return (true);
		}
	return (false);
}

static struct expr *
variable_read(struct parser *p)
{
	struct expr *e = expr_new(p, EXPR_VARIABLE);
	const char *name;

	p->at++;
	name = arena_printf(p->arena, "$%s", name_read(p));
	if (!variable_find(p, name, &e->variable)) {
		mistake(p, e->offset, arena_printf(p->arena, "there is no variable %s", name));
		return (NULL);
	}
	return (path_read(p, e) ? e : NULL);
}

static struct expr *pipeline_read(struct parser *);

static struct expr *
parenthesis_read(struct parser *p)
{
	size_t start = p->at++;
	struct expr *e, *inner;

	if (++p->depth > DEEPEST)
		mistake(p, start, "too many parentheses inside each other");
	inner = p->why == NULL ? pipeline_read(p) : NULL;
	p->depth--;
	if (inner == NULL)
		return (NULL);
	if (!text_has(p, p->at, ")")) {
		mistake(p, p->at, "a \")\" is wanted here");
		return (NULL);
	}
	p->at++;
	e = expr_new(p, EXPR_INNER);
	e->offset = start;
	e->arg[e->args++] = inner;
	return (path_read(p, e) ? e : NULL);
}

static struct expr *
written_read(struct parser *p)
{
	struct expr *e = expr_new(p, EXPR_WRITTEN);
	bool text = p->text[p->at] == '"' || p->text[p->at] == '`';
	bool good = text ? quoted_read(p, &e->written) : number_read(p, &e->written);

	if (good && !at_end_of_value(p))
		mistake(p, p->at, "a blank is wanted here");
	if (good && text)
		name_note(p, e->written.text);
	return (p->why == NULL ? e : NULL);
}

static struct expr *
word_value_read(struct parser *p)
{
	struct expr *e = expr_new(p, EXPR_WRITTEN);

	if (word_is_value(name_read(p), &e->written) && at_end_of_value(p))
		return (e);
	mistake(p, e->offset, "a value is wanted here");
	return (NULL);
}

static struct expr *
value_read(struct parser *p)
{
	char c = p->at < p->len ? p->text[p->at] : '\0', next = p->at + 1 < p->len ? p->text[p->at + 1] : '\0';
	struct expr *e = expr_new(p, EXPR_DOT);

	if (c == '$')
		return (variable_read(p));
	if (c == '(')
		return (parenthesis_read(p));
	if (c == '"' || c == '`' || (c != '\0' && strchr(DIGITS "+-", c) != NULL) ||
	    (c == '.' && next != '\0' && strchr(DIGITS, next) != NULL))
		return (written_read(p));
	if (c != '.')
		return (word_value_read(p));
	if (is_name_byte(next))
		return (path_read(p, e) ? e : NULL);
	p->at++;
	if (!at_end_of_value(p))
		mistake(p, e->offset, "a name like .Email or .Data.x is wanted here");
	return (p->why == NULL ? e : NULL);
}

/* --- Functions --- */

static void
arguments_check(struct parser *p, const struct expr *e)
{
	const struct function *f = e->function;
	const struct expr *format = e->args > 0 ? e->arg[0] : NULL;
	const char *why = NULL;

	if (e->args < f->least || e->args > f->most)
		why = arena_printf(p->arena, "%s takes %zu%s argument%s", f->name, f->least, f->least < f->most ? " or more" : "",
		    f->most > 1 ? "s" : "");
	else if (f->way == FUNCTION_FORMAT && (format->kind != EXPR_WRITTEN || format->written.kind != VALUE_TEXT))
		why = "the format of printf must be written down";
	else if (f->way == FUNCTION_FORMAT)
		why = format_check(format->written.text, e->args - 1);
	if (why != NULL)
		mistake(p, e->offset, why);
}

static bool
argument_add(struct parser *p, struct expr *e, struct expr *argument)
{
	if (e->args == sizeof(e->arg) / sizeof(e->arg[0]))
		mistake(p, p->at, "too many arguments");
	else if (argument != NULL)
		e->arg[e->args++] = argument;
	return (p->why == NULL);
}

/* given: what stands before the "|", the last argument. */
static struct expr *
call_read(struct parser *p, struct expr *given)
{
	struct expr *e = expr_new(p, EXPR_CALL);
	const char *name = name_read(p);

	e->function = function_find(name);
	if (e->function == NULL || (e->function->way == FUNCTION_SAFE_URL && p->kind != TEMPLATE_PAGE))
		mistake(p, e->offset,
		    arena_printf(p->arena,
			"%s is not understood; functions are and, or, not, eq, ne, lt, le, gt, ge, len, "
			"index, printf, html, js, urlquery",
			name));
	else if (!at_end_of_value(p))
		mistake(p, p->at, "a blank is wanted here");
	blanks_skip(p);
	while (p->why == NULL && at_value(p)) {
		argument_add(p, e, value_read(p));
		blanks_skip(p);
	}
	e->piped = given != NULL;
	if (p->why == NULL && given != NULL)
		argument_add(p, e, given);
	if (p->why == NULL)
		arguments_check(p, e);
	return (p->why == NULL ? e : NULL);
}

static bool
at_function(const struct parser *p)
{
	struct parser look = *p;
	struct value value;

	return (p->at < p->len && is_name_byte(p->text[p->at]) && strchr(DIGITS, p->text[p->at]) == NULL &&
		!word_is_value(name_read(&look), &value));
}

static struct expr *
command_read(struct parser *p, struct expr *given)
{
	size_t start = p->at;
	struct expr *e;

	if (at_function(p))
		return (call_read(p, given));
	if (given != NULL) {
		mistake(p, start, "a function is wanted behind \"|\"");
		return (NULL);
	}
	e = value_read(p);
	blanks_skip(p);
	if (e != NULL && at_value(p))
		mistake(p, p->at, "only functions take arguments");
	else if (e != NULL && e->kind == EXPR_WRITTEN && e->written.kind == VALUE_NIL)
		mistake(p, start, "nil is not a value by itself");
	return (p->why == NULL ? e : NULL);
}

static struct expr *
pipeline_read(struct parser *p)
{
	struct expr *e = NULL;

	do {
		blanks_skip(p);
		e = command_read(p, e);
		blanks_skip(p);
	} while (e != NULL && text_has(p, p->at, "|") && ++p->at > 0);
	return (e);
}

/* --- Variables --- */

static bool
variable_declare(struct parser *p, const char *name, size_t *variable)
{
	if (p->variables == DEEPEST) {
		mistake(p, p->at, "too many variables");
		return (false);
	}
	*variable = p->variables;
	p->variable[p->variables++] = name;
	return (true);
}

/* "$x" with the blanks behind it; NULL: it is not the start of a declaration. */
static const char *
target_read(struct parser *p)
{
	const char *name;

	if (!text_has(p, p->at, "$") || p->at + 1 >= p->len || !is_name_byte(p->text[p->at + 1]))
		return (NULL);
	p->at++;
	name = arena_printf(p->arena, "$%s", name_read(p));
	blanks_skip(p);
	return (name);
}

struct targets {
	const char *first, *second;
	bool declare;
};

/* What stands before ":=" or "="; without one nothing was read. */
static void
targets_read(struct parser *p, bool pair, struct targets *t)
{
	size_t start = p->at;

	t->first = target_read(p);
	if (t->first != NULL && pair && text_has(p, p->at, ",")) {
		p->at++;
		blanks_skip(p);
		t->second = target_read(p);
	}
	t->declare = text_has(p, p->at, ":=");
	if (t->first != NULL && (t->declare || text_has(p, p->at, "="))) {
		p->at += 1 + (size_t)t->declare;
		return;
	}
	*t = (struct targets){ NULL, NULL, false };
	p->at = start;
}

static void
target_bind(struct parser *p, const struct targets *t, const char *name, size_t *variable)
{
	if (t->declare)
		variable_declare(p, name, variable);
	else if (!variable_find(p, name, variable))
		mistake(p, p->at, arena_printf(p->arena, "there is no variable %s", name));
}

bool
pipe_read(struct parser *p, bool pair, struct pipe *pipe)
{
	struct targets t = { NULL, NULL, false };

	*pipe = (struct pipe){ NULL, 0, 0 };
	targets_read(p, pair, &t);
	pipe->expr = pipeline_read(p);
	if (pipe->expr == NULL)
		return (false);
	/* A variable is known only behind its value; the first of two takes the index. */
	if (t.second != NULL)
		target_bind(p, &t, t.first, &pipe->counter);
	if (t.first != NULL && p->why == NULL)
		target_bind(p, &t, t.second != NULL ? t.second : t.first, &pipe->variable);
	return (p->why == NULL);
}
