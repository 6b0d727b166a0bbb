/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* What a first byte promises: how many bytes, and which second bytes exclude overlong forms, surrogates and >U+10FFFF. */
static const struct lead {
	unsigned char from, to, len, second_from, second_to;
} leads[] = {
	{ 0x00, 0x7F, 1, 0x00, 0x00 },
	{ 0xC2, 0xDF, 2, 0x80, 0xBF },
	{ 0xE0, 0xE0, 3, 0xA0, 0xBF },
	{ 0xE1, 0xEC, 3, 0x80, 0xBF },
	{ 0xED, 0xED, 3, 0x80, 0x9F },
	{ 0xEE, 0xEF, 3, 0x80, 0xBF },
	{ 0xF0, 0xF0, 4, 0x90, 0xBF },
	{ 0xF1, 0xF3, 4, 0x80, 0xBF },
	{ 0xF4, 0xF4, 4, 0x80, 0x8F },
};

static const struct lead *
lead_find(unsigned char first)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (first >= leads[i].from && first <= leads[i].to)
			return (&leads[i]);
	}
	return (NULL);
}

size_t
utf8_read(const char *text, size_t len, uint32_t *point)
{
	const unsigned char *byte = (const unsigned char *)text;
	const struct lead *lead = lead_find(byte[0]);
	uint32_t value;

	*point = UTF8_REPLACEMENT;
	if (lead == NULL || lead->len > len)
		return (0);
	if (lead->len > 1 && (byte[1] < lead->second_from || byte[1] > lead->second_to))
		return (0);
	value = lead->len == 1 ? byte[0] : byte[0] & (0x7Fu >> lead->len);
	for (size_t i = 1; i < lead->len; i++) {
		if ((byte[i] & 0xC0) != 0x80)
			return (0);
		value = value << 6 | (byte[i] & 0x3F);
	}
	*point = value;
	return (lead->len);
}

void
utf8_put(struct buf *buf, uint32_t point)
{
	if (point < 0x80) {
		buf_putc(buf, (char)point);
	} else if (point < 0x800) {
		buf_putc(buf, (char)(0xC0 | point >> 6));
		buf_putc(buf, (char)(0x80 | (point & 0x3F)));
	} else if (point < 0x10000) {
		buf_putc(buf, (char)(0xE0 | point >> 12));
		buf_putc(buf, (char)(0x80 | (point >> 6 & 0x3F)));
		buf_putc(buf, (char)(0x80 | (point & 0x3F)));
	} else {
		buf_putc(buf, (char)(0xF0 | point >> 18));
		buf_putc(buf, (char)(0x80 | (point >> 12 & 0x3F)));
		buf_putc(buf, (char)(0x80 | (point >> 6 & 0x3F)));
		buf_putc(buf, (char)(0x80 | (point & 0x3F)));
	}
}

bool
utf8_valid(const char *text, size_t len)
{
	uint32_t point;

	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_read(text + at, len - at, &point);
		if (step == 0 || point == 0)
			return (false);
	}
	return (true);
}

size_t
utf8_count(const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text), count = 0;
	uint32_t point;

	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_read(text + at, len - at, &point);
		step += step == 0;
		count++;
	}
	return (count);
}

bool
utf8_is_space(uint32_t point)
{
	return ((point >= 0x09 && point <= 0x0D) || point == ' ' || point == 0x85 || point == 0xA0 || point == 0x1680 ||
		(point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F ||
		point == 0x3000);
}

/* How much of the text is left when white space at its end is not counted. */
static size_t
trimmed_len(const char *text, size_t len)
{
	uint32_t point;
	size_t kept = 0;

	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_read(text + at, len - at, &point);
		step += step == 0;
		if (!utf8_is_space(point))
			kept = at + step;
	}
	return (kept);
}

char *
str_trim(struct arena *arena, const char *text)
{
	size_t len, at = 0, step;
	uint32_t point;

	text = str_or(text, "");
	len = trimmed_len(text, strlen(text));
	for (; at < len; at += step) {
		step = utf8_read(text + at, len - at, &point);
		if (!utf8_is_space(point))
			break;
	}
	return (arena_strndup(arena, text + at, len - at));
}

size_t
utf8_first(const char *text)
{
	size_t len = *text != '\0';

	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len++;
	return (len);
}
