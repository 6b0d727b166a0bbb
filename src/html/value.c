/* SPDX-License-Identifier: Apache-2.0 */
#include "html/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct value
value_of(const json *j)
{
	struct value value = { VALUE_NIL, { 0 } };

	switch (json_kind(j)) {
	case JSON_NULL:
		value.json = j;
		break;
	case JSON_BOOL:
		value = (struct value){ VALUE_BOOL, { .yes = json_true(j) } };
		break;
	case JSON_NUMBER:
		value.kind = json_real(j, &value.real) ? VALUE_REAL : VALUE_NIL;
		break;
	case JSON_STRING:
		value = (struct value){ VALUE_TEXT, { .text = json_string(j) } };
		break;
	case JSON_ARRAY:
		value = (struct value){ VALUE_ARRAY, { .json = j } };
		break;
	case JSON_OBJECT:
		value = (struct value){ VALUE_OBJECT, { .json = j } };
		break;
	}
	return (value);
}

struct value
value_member(struct value object, const char *name)
{
	return (value_of(object.kind == VALUE_OBJECT ? json_get(object.json, name) : NULL));
}

/* The fewest digits that read back as the same number; with an exponent below 1e-04 and from 1e+06 on, as Go prints floats. */
static void
number_put(struct buf *out, double number)
{
	char digits[40];
	int precision = 0;
	long exponent;

	do
		snprintf(digits, sizeof(digits), "%.*e", precision, number);
	while (strtod(digits, NULL) != number && ++precision < 17);
	exponent = strtol(strchr(digits, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 6)
		buf_puts(out, digits);
	else
		buf_printf(out, "%.*f", precision > exponent ? (int)(precision - exponent) : 0, number);
}

struct members {
	size_t len;
	struct member *member;
};

static bool
member_add(void *arg, const char *name, json *value)
{
	struct members *m = arg;

	m->member[m->len++] = (struct member){ name, value_of(value) };
	return (true);
}

static int
member_compare(const void *a, const void *b)
{
	return (strcmp(((const struct member *)a)->name, ((const struct member *)b)->name));
}

struct member *
value_members(struct arena *a, struct value object)
{
	struct members m = { .member = arena_new_array(a, struct member, value_len(object) + 1) };

	json_each(object.json, member_add, &m);
	qsort(m.member, m.len, sizeof(m.member[0]), member_compare);
	return (m.member);
}

static void value_put(struct buf *, struct value);

static void
object_put(struct buf *out, struct value object)
{
	struct member *member = value_members(out->arena, object);

	buf_puts(out, "map[");
	for (size_t i = 0; i < value_len(object); i++) {
		buf_printf(out, "%s%s:", i > 0 ? " " : "", member[i].name);
		value_put(out, member[i].value);
	}
	buf_putc(out, ']');
}

static void
array_put(struct buf *out, const json *array)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < json_len(array); i++) {
		if (i > 0)
			buf_putc(out, ' ');
		value_put(out, value_of(json_at(array, i)));
	}
	buf_putc(out, ']');
}

static void
value_put(struct buf *out, struct value value)
{
	switch (value.kind) {
	case VALUE_NIL:
		buf_puts(out, "<nil>");
		break;
	case VALUE_BOOL:
		buf_puts(out, value.yes ? "true" : "false");
		break;
	case VALUE_INT:
		buf_printf(out, "%lld", (long long)value.integer);
		break;
	case VALUE_REAL:
		number_put(out, value.real);
		break;
	case VALUE_TEXT:
		buf_puts(out, value.text);
		break;
	case VALUE_ARRAY:
		array_put(out, value.json);
		break;
	case VALUE_OBJECT:
		object_put(out, value);
		break;
	}
}

const char *
value_text(struct arena *a, struct value value, const char *nil)
{
	struct buf out = buf_new(a);

	if (value.kind == VALUE_NIL)
		return (nil);
	if (value.kind == VALUE_TEXT)
		return (value.text);
	value_put(&out, value);
	return (out.data);
}

size_t
value_len(struct value value)
{
	switch (value.kind) {
	case VALUE_TEXT:
		return (strlen(value.text));
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		return (json_len(value.json));
	default:
		return (0);
	}
}

bool
value_true(struct value value)
{
	switch (value.kind) {
	case VALUE_BOOL:
		return (value.yes);
	case VALUE_INT:
		return (value.integer != 0);
	case VALUE_REAL:
		return (value.real != 0);
	default:
		return (value_len(value) > 0);
	}
}
