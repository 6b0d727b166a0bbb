/* SPDX-License-Identifier: Apache-2.0 */
#include "letter/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

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
	struct member {
		const char *key;
		json *value;
	} * member;
};

static bool
member_add(void *arg, const char *key, json *value)
{
	struct members *m = arg;

	m->member[m->len++] = (struct member){ key, value };
	return (true);
}

static int
member_compare(const void *a, const void *b)
{
	return (strcmp(((const struct member *)a)->key, ((const struct member *)b)->key));
}

static void value_put(struct buf *, const json *);

static void
object_put(struct buf *out, const json *object)
{
	struct members m = { .member = arena_new_array(out->arena, struct member, json_len(object) + 1) };

	json_each(object, member_add, &m);
	qsort(m.member, m.len, sizeof(m.member[0]), member_compare);
	buf_puts(out, "map[");
	for (size_t i = 0; i < m.len; i++) {
		buf_printf(out, "%s%s:", i > 0 ? " " : "", m.member[i].key);
		value_put(out, m.member[i].value);
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
		value_put(out, json_at(array, i));
	}
	buf_putc(out, ']');
}

static void
value_put(struct buf *out, const json *value)
{
	double number = 0;

	switch (json_kind(value)) {
	case JSON_NULL:
		buf_puts(out, "<nil>");
		break;
	case JSON_BOOL:
		buf_puts(out, json_true(value) ? "true" : "false");
		break;
	case JSON_NUMBER:
		if (json_real(value, &number))
			number_put(out, number);
		break;
	case JSON_STRING:
		buf_puts(out, json_string(value));
		break;
	case JSON_ARRAY:
		array_put(out, value);
		break;
	case JSON_OBJECT:
		object_put(out, value);
		break;
	}
}

const char *
value_text(struct arena *a, const json *value)
{
	struct buf out = buf_new(a);

	if (json_kind(value) == JSON_STRING)
		return (json_string(value));
	if (json_kind(value) != JSON_NULL)
		value_put(&out, value);
	return (out.len > 0 ? out.data : "");
}

bool
value_true(const json *value)
{
	double number = 0;

	switch (json_kind(value)) {
	case JSON_BOOL:
		return (json_true(value));
	case JSON_NUMBER:
		return (json_real(value, &number) && number != 0);
	case JSON_STRING:
		return (*json_string(value) != '\0');
	case JSON_ARRAY:
	case JSON_OBJECT:
		return (json_len(value) > 0);
	case JSON_NULL:
		break;
	}
	return (false);
}
