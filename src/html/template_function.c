/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of Go's templates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "html/template_part.h"

static const struct value nothing = { VALUE_NIL, { 0 } };

static struct value
as_bool(bool yes)
{
	return ((struct value){ VALUE_BOOL, { .yes = yes } });
}

static struct value
as_text(struct buf *out)
{
	return ((struct value){ VALUE_TEXT, { .text = out->data != NULL ? out->data : "" } });
}

static struct value
refuse(struct call *c, const char *why)
{
	c->why = why;
	return (nothing);
}

static struct value
run_not(struct call *c)
{
	return (as_bool(!value_true(c->arg[0])));
}

/* --- Comparisons --- */

static bool
is_plain(struct value v)
{
	return (v.kind == VALUE_BOOL || v.kind == VALUE_INT || v.kind == VALUE_REAL || v.kind == VALUE_TEXT);
}

/* -1, 0 or 1, of two plain values of a kind. */
static int
compared(struct value a, struct value b)
{
	if (a.kind == VALUE_TEXT)
		return (strcmp(a.text, b.text));
	if (a.kind == VALUE_BOOL)
		return (a.yes - b.yes);
	if (a.kind == VALUE_INT)
		return ((a.integer > b.integer) - (a.integer < b.integer));
	return ((a.real > b.real) - (a.real < b.real));
}

/* What is not there is equal to nothing else. */
static bool
equal(struct call *c, struct value a, struct value b)
{
	if (a.kind == VALUE_NIL || b.kind == VALUE_NIL)
		return (a.kind == b.kind);
	if (a.kind != b.kind || !is_plain(a))
		c->why = "these are of different kinds and can't be compared (a number of metadata is 1.0, not 1)";
	return (c->why == NULL && compared(a, b) == 0);
}

static struct value
run_eq(struct call *c)
{
	bool yes = false;

	for (size_t i = 1; i < c->args && !yes && c->why == NULL; i++)
		yes = equal(c, c->arg[0], c->arg[i]);
	return (as_bool(yes));
}

static struct value
run_ne(struct call *c)
{
	return (as_bool(!equal(c, c->arg[0], c->arg[1])));
}

static int
ordered(struct call *c)
{
	struct value a = c->arg[0], b = c->arg[1];

	if (a.kind == b.kind && is_plain(a) && a.kind != VALUE_BOOL)
		return (compared(a, b));
	c->why = "these are of different kinds (a number of metadata is 1.0, not 1), or have no order";
	return (0);
}

static struct value
run_lt(struct call *c)
{
	return (as_bool(ordered(c) < 0));
}

static struct value
run_le(struct call *c)
{
	return (as_bool(ordered(c) <= 0));
}

static struct value
run_gt(struct call *c)
{
	return (as_bool(ordered(c) > 0));
}

static struct value
run_ge(struct call *c)
{
	return (as_bool(ordered(c) >= 0));
}

/* --- Lists and objects --- */

static struct value
run_len(struct call *c)
{
	struct value v = c->arg[0];

	if (v.kind != VALUE_TEXT && v.kind != VALUE_ARRAY && v.kind != VALUE_OBJECT)
		return (refuse(c, "this has no length"));
	return ((struct value){ VALUE_INT, { .integer = (int64_t)value_len(v) } });
}

static struct value
indexed(struct call *c, struct value of, struct value index)
{
	if (of.kind == VALUE_OBJECT && index.kind == VALUE_TEXT)
		return (value_member(of, index.text));
	if (of.kind != VALUE_ARRAY || index.kind != VALUE_INT)
		return (refuse(c, "this is no list with a number, and no object with a name"));
	if (index.integer < 0 || (uint64_t)index.integer >= value_len(of))
		return (refuse(c, "the list is not so long"));
	return (value_of(json_at(of.json, (size_t)index.integer)));
}

static struct value
run_index(struct call *c)
{
	struct value v = c->arg[0];

	if (v.kind == VALUE_NIL)
		return (refuse(c, "what is not there has nothing in it"));
	for (size_t i = 1; i < c->args && c->why == NULL; i++)
		v = indexed(c, v, c->arg[i]);
	return (v);
}

/* --- Escapers --- */

static struct value
escaped(struct call *c, unsigned how)
{
	struct buf out = buf_new(c->arena);

	escape_put(&out, how, value_text(c->arena, c->arg[0], "<no value>"));
	return (as_text(&out));
}

static struct value
run_html(struct call *c)
{
	return (escaped(c, ESCAPE_HTML_PLAIN));
}

static struct value
run_js(struct call *c)
{
	return (escaped(c, ESCAPE_JS));
}

static struct value
run_urlquery(struct call *c)
{
	return (escaped(c, ESCAPE_URL_QUERY));
}

/* --- printf --- */

struct verb {
	char is;           /* v, s, d, f or t */
	bool left, zeroes; /* flags "-" and "0" */
	int width;
	int precision; /* -1: none */
};

#define VERB_WIDEST 200

/* What stands behind "%"; gives its length, 0 when it is not understood. */
static size_t
verb_read(const char *s, struct verb *v)
{
	const char *p = s;
	char *end;
	long width, precision = -1;

	*v = (struct verb){ .precision = -1 };
	if (*p == '-' || *p == '0') {
		v->left = *p == '-';
		v->zeroes = *p++ == '0';
	}
	width = *p >= '1' && *p <= '9' ? strtol(p, &end, 10) : 0;
	p += strspn(p, "0123456789");
	if (*p == '.') {
		precision = p[1] >= '0' && p[1] <= '9' ? strtol(p + 1, &end, 10) : 0;
		p += 1 + strspn(p + 1, "0123456789");
	}
	v->is = *p;
	v->width = (int)width;
	v->precision = (int)precision;
	if (*p == '\0' || strchr("vsdft", *p) == NULL || width > VERB_WIDEST || precision > VERB_WIDEST ||
	    (v->zeroes && *p != 'd' && *p != 'f') || (precision >= 0 && *p != 's' && *p != 'f'))
		return (0);
	return ((size_t)(p + 1 - s));
}

const char *
format_check(const char *format, size_t args)
{
	struct verb v;
	size_t n, wanted = 0;

	while ((format = strchr(format, '%')) != NULL) {
		if (format[1] == '%') {
			format += 2;
			continue;
		}
		if ((n = verb_read(format + 1, &v)) == 0)
			return ("printf understands %v, %s, %d, %f, %t and %%, with width and precision");
		format += 1 + n;
		wanted++;
	}
	return (wanted == args ? NULL : "printf has more or fewer values than its format");
}

static void
padded_put(struct buf *out, const struct verb *v, const char *text)
{
	size_t len = utf8_count(text);
	int fill = v->width > 0 && (size_t)v->width > len ? v->width - (int)len : 0;

	buf_printf(out, "%*s%s%*s", v->left ? 0 : fill, "", text, v->left ? fill : 0, "");
}

static const char *
cut(struct arena *a, const char *text, int characters)
{
	const char *p = text;

	for (; characters > 0 && *p != '\0'; characters--)
		p += utf8_first(p);
	return (arena_strndup(a, text, (size_t)(p - text)));
}

/* As fmt complains of a value that is not for the verb. */
static void
misfit_put(struct call *c, struct buf *out, const struct verb *v, struct value value)
{
	static const char *const kinds[] = { "", "bool", "int", "float64", "string", "", "" };

	if (v->width > 0 || v->precision >= 0 || value.kind == VALUE_ARRAY || value.kind == VALUE_OBJECT)
		c->why = "printf has a value that its format is not for";
	else
		buf_printf(out, "%%!%c(%s%s%s)", v->is, kinds[value.kind], value.kind == VALUE_NIL ? "" : "=",
		    value_text(c->arena, value, "<nil>"));
}

static void
verb_put(struct call *c, struct buf *out, const struct verb *v, struct value value)
{
	struct arena *a = c->arena;
	bool composed = value.kind == VALUE_ARRAY || value.kind == VALUE_OBJECT;

	if (v->is == 's' && value.kind == VALUE_TEXT)
		padded_put(out, v, v->precision < 0 ? value.text : cut(a, value.text, v->precision));
	else if (v->is == 'd' && value.kind == VALUE_INT)
		buf_printf(out, v->zeroes ? "%0*lld" : "%*lld", v->left ? -v->width : v->width, (long long)value.integer);
	else if (v->is == 'f' && value.kind == VALUE_REAL)
		buf_printf(out, v->zeroes ? "%0*.*f" : "%*.*f", v->left ? -v->width : v->width, v->precision < 0 ? 6 : v->precision,
		    value.real);
	else if ((v->is == 't' && value.kind == VALUE_BOOL) || (v->is == 'v' && !(composed && v->width > 0)))
		padded_put(out, v, value_text(a, value, "<nil>"));
	else
		misfit_put(c, out, v, value);
}

/* The format was checked when it was read. */
static struct value
run_printf(struct call *c)
{
	struct buf out = buf_new(c->arena);
	const struct value *arg = &c->arg[1];
	struct verb v;

	for (const char *p = c->arg[0].text; *p != '\0' && c->why == NULL;)
		if (*p != '%')
			buf_putc(&out, *p++);
		else if (p[1] == '%') {
			buf_putc(&out, '%');
			p += 2;
		} else {
			p += 1 + verb_read(p + 1, &v);
			verb_put(c, &out, &v, *arg++);
		}
	return (as_text(&out));
}

static struct value
run_safe_url(struct call *c)
{
	return (c->arg[0]);
}

static const struct function functions[] = {
	{ "and", 1, 8, NULL, FUNCTION_AND },
	{ "or", 1, 8, NULL, FUNCTION_OR },
	{ "not", 1, 1, run_not, FUNCTION_PLAIN },
	{ "eq", 2, 8, run_eq, FUNCTION_PLAIN },
	{ "ne", 2, 2, run_ne, FUNCTION_PLAIN },
	{ "lt", 2, 2, run_lt, FUNCTION_PLAIN },
	{ "le", 2, 2, run_le, FUNCTION_PLAIN },
	{ "gt", 2, 2, run_gt, FUNCTION_PLAIN },
	{ "ge", 2, 2, run_ge, FUNCTION_PLAIN },
	{ "len", 1, 1, run_len, FUNCTION_PLAIN },
	{ "index", 1, 8, run_index, FUNCTION_PLAIN },
	{ "printf", 1, 8, run_printf, FUNCTION_FORMAT },
	{ "html", 1, 1, run_html, FUNCTION_ESCAPER },
	{ "urlquery", 1, 1, run_urlquery, FUNCTION_ESCAPER },
	{ "js", 1, 1, run_js, FUNCTION_PLAIN },
	{ "safeURL", 1, 1, run_safe_url, FUNCTION_SAFE_URL },
};

const struct function *
function_find(const char *name)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (str_equal(functions[i].name, name))
			return (&functions[i]);
	return (NULL);
}
