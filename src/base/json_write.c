/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "base/str.h"
#include "base/utf8.h"

static void
escape_put(struct buf *buf, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = strchr(from, c);

	if (found != NULL) {
		buf_putc(buf, '\\');
		buf_putc(buf, to[found - from]);
	} else
		buf_printf(buf, "\\u%04x", c);
}

static void
string_put(struct buf *buf, const char *text)
{
	size_t len, at, start = 0, step;
	uint32_t point;

	if (text == NULL) {
		buf_puts(buf, "null");
		return;
	}
	len = strlen(text);
	buf_putc(buf, '"');
	for (at = 0; at < len; at += step) {
		step = utf8_read(text + at, len - at, &point);
		if (step > 0 && point >= 0x20 && point != '"' && point != '\\')
			continue;
		buf_put(buf, text + start, at - start);
		if (step > 0)
			escape_put(buf, (unsigned char)point);
		else
			utf8_put(buf, UTF8_REPLACEMENT); /* what we send must be JSON, whatever came in */
		step += step == 0;
		start = at + step;
	}
	buf_put(buf, text + start, len - start);
	buf_putc(buf, '"');
}

/* A comma stands behind all but what opens, and one that is there already: a value never ends so. */
static void
name_put(struct buf *buf, const char *name)
{
	char last = buf->len > 0 ? buf->data[buf->len - 1] : '[';

	if (strchr("{[,", last) == NULL)
		buf_putc(buf, ',');
	if (name == NULL)
		return;
	string_put(buf, name);
	buf_putc(buf, ':');
}

void
json_object_begin(struct buf *buf, const char *name)
{
	name_put(buf, name);
	buf_putc(buf, '{');
}

void
json_object_end(struct buf *buf)
{
	buf_putc(buf, '}');
}

void
json_array_begin(struct buf *buf, const char *name)
{
	name_put(buf, name);
	buf_putc(buf, '[');
}

void
json_array_end(struct buf *buf)
{
	buf_putc(buf, ']');
}

void
json_put_text(struct buf *buf, const char *name, const char *text)
{
	name_put(buf, name);
	string_put(buf, text);
}

void
json_put_filled(struct buf *buf, const char *name, const char *text)
{
	if (!str_empty(text))
		json_put_text(buf, name, text);
}

void
json_put_number(struct buf *buf, const char *name, long long number)
{
	name_put(buf, name);
	buf_printf(buf, "%lld", number);
}

const char *
json_boolean(bool value)
{
	return (value ? "true" : "false");
}

void
json_put_bool(struct buf *buf, const char *name, bool value)
{
	json_put_raw(buf, name, json_boolean(value));
}

void
json_put_raw(struct buf *buf, const char *name, const char *text)
{
	if (text == NULL)
		return;
	name_put(buf, name);
	buf_puts(buf, text);
}

void
json_put_list(struct buf *buf, const char *name, char *const *list)
{
	json_array_begin(buf, name);
	for (size_t i = 0; i < strs_len(list); i++)
		json_put_text(buf, NULL, list[i]);
	json_array_end(buf);
}

void
json_put_members(struct buf *buf, const char *object)
{
	size_t len = object == NULL ? 0 : strlen(object);

	if (len <= strlen("{}"))
		return;
	name_put(buf, NULL);
	buf_put(buf, object + 1, len - strlen("{}"));
}

static bool
member_put(void *buf, const char *name, json *value)
{
	json_put(buf, name, value);
	return (true);
}

struct except {
	struct buf *buf;
	char *const *names;
};

static bool
member_put_unless(void *arg, const char *name, json *value)
{
	const struct except *except = arg;

	if (!strs_have(except->names, name))
		json_put(except->buf, name, value);
	return (true);
}

void
json_put_except(struct buf *buf, const json *object, char *const *names)
{
	json_each(object, member_put_unless, &(struct except){ buf, names });
}

static void
array_put(struct buf *buf, const char *name, const json *array)
{
	json_array_begin(buf, name);
	for (size_t i = 0; i < json_len(array); i++)
		json_put(buf, NULL, json_at(array, i));
	json_array_end(buf);
}

void
json_put(struct buf *buf, const char *name, const json *value)
{
	switch (json_kind(value)) {
	case JSON_NULL:
		json_put_raw(buf, name, "null");
		break;
	case JSON_BOOL:
		json_put_bool(buf, name, json_true(value));
		break;
	case JSON_NUMBER:
		json_put_raw(buf, name, json_number(value));
		break;
	case JSON_STRING:
		json_put_text(buf, name, json_string(value));
		break;
	case JSON_ARRAY:
		array_put(buf, name, value);
		break;
	case JSON_OBJECT:
		json_object_begin(buf, name);
		json_each(value, member_put, buf);
		json_object_end(buf);
		break;
	}
}

char *
json_text(struct arena *arena, const json *value)
{
	struct buf buf = buf_new(arena);

	json_put(&buf, NULL, value);
	return (buf.data);
}

/* A string between its quotes: what is escaped takes two bytes, or six. */
static size_t
string_written(const char *text)
{
	size_t len = 2;

	for (; *text != '\0'; text++)
		len += strchr("\"\\\b\f\n\r\t", *text) != NULL ? 2 : (unsigned char)*text < 0x20 ? 6 : 1;
	return (len);
}

static bool
member_written(void *len, const char *key, json *value)
{
	*(size_t *)len += string_written(key) + strlen(": ") + json_written(value);
	return (true);
}

size_t
json_written(const json *value)
{
	size_t items = json_len(value), len = strlen("{}") + (items > 1 ? (items - 1) * strlen(", ") : 0);

	switch (json_kind(value)) {
	case JSON_NUMBER:
		return (number_written(json_number(value)));
	case JSON_STRING:
		return (string_written(json_string(value)));
	case JSON_ARRAY:
		for (size_t i = 0; i < items; i++)
			len += json_written(json_at(value, i));
		return (len);
	case JSON_OBJECT:
		json_each(value, member_written, &len);
		return (len);
	default:
		return (json_kind(value) == JSON_NULL || json_true(value) ? strlen("null") : strlen("false"));
	}
}

char *
json_quote(struct arena *arena, const char *text)
{
	struct buf buf = buf_new(arena);

	string_put(&buf, text);
	return (buf.data);
}

void
json_put_pair(struct buf *buf, const char *name, const char *value)
{
	if (*name == '#')
		json_put_raw(buf, name + 1, value);
	else if (value != NULL)
		json_put_text(buf, name, value);
}

char *
json_pairs(struct arena *arena, ...)
{
	struct buf buf = buf_new(arena);
	const char *name, *value;
	va_list args;

	json_object_begin(&buf, NULL);
	va_start(args, arena);
	while ((name = va_arg(args, const char *)) != NULL) {
		value = va_arg(args, const char *);
		json_put_pair(&buf, name, value);
	}
	va_end(args);
	json_object_end(&buf);
	return (buf.data);
}
