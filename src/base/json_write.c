/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
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

void
buf_json(struct buf *buf, const char *text)
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

static void value_put(struct buf *, const json *);

struct members {
	struct buf *buf;
	bool more;
};

static bool
member_put(void *arg, const char *key, json *value)
{
	struct members *members = arg;

	if (members->more)
		buf_putc(members->buf, ',');
	members->more = true;
	buf_json(members->buf, key);
	buf_putc(members->buf, ':');
	value_put(members->buf, value);
	return (true);
}

static void
object_put(struct buf *buf, const json *object)
{
	struct members members = { .buf = buf };

	buf_putc(buf, '{');
	json_each(object, member_put, &members);
	buf_putc(buf, '}');
}

static void
array_put(struct buf *buf, const json *array)
{
	size_t len = json_len(array);

	buf_putc(buf, '[');
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			buf_putc(buf, ',');
		value_put(buf, json_at(array, i));
	}
	buf_putc(buf, ']');
}

static void
value_put(struct buf *buf, const json *value)
{
	switch (json_kind(value)) {
	case JSON_NULL:
		buf_puts(buf, "null");
		break;
	case JSON_BOOL:
		buf_puts(buf, json_true(value) ? "true" : "false");
		break;
	case JSON_NUMBER:
		buf_puts(buf, json_number(value));
		break;
	case JSON_STRING:
		buf_json(buf, json_string(value));
		break;
	case JSON_ARRAY:
		array_put(buf, value);
		break;
	case JSON_OBJECT:
		object_put(buf, value);
		break;
	}
}

char *
json_text(struct arena *arena, const json *value)
{
	struct buf buf = buf_new(arena);

	value_put(&buf, value);
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

	buf_json(&buf, text);
	return (buf.data);
}

char *
json_pairs(struct arena *arena, ...)
{
	struct buf buf = buf_new(arena);
	const char *name, *value;
	va_list args;

	buf_putc(&buf, '{');
	va_start(args, arena);
	while ((name = va_arg(args, const char *)) != NULL) {
		value = va_arg(args, const char *);
		if (value == NULL)
			continue;
		if (buf.len > 1)
			buf_putc(&buf, ',');
		buf_json(&buf, name);
		buf_putc(&buf, ':');
		buf_json(&buf, value);
	}
	va_end(args);
	buf_putc(&buf, '}');
	return (buf.data);
}
