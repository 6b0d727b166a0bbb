/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"

static const char hex_digits[] = "0123456789abcdef";

char *
hex_encode(struct arena *arena, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	char *text = arena_alloc_array(arena, len + 1, 2);

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = hex_digits[byte[i] >> 4];
		text[2 * i + 1] = hex_digits[byte[i] & 15];
	}
	return (text);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

bool
hex_read(const char *text, unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text[2 * i]), low = high < 0 ? -1 : hex_value(text[2 * i + 1]);

		if (low < 0)
			return (false);
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return (true);
}

unsigned char *
hex_decode(struct arena *arena, const char *text, size_t *len)
{
	size_t digits = text == NULL ? 0 : strlen(text);
	unsigned char *bytes;

	if (text == NULL || digits % 2 != 0)
		return (NULL);
	bytes = arena_alloc(arena, digits / 2 + 1);
	if (!hex_read(text, bytes, digits / 2))
		return (NULL);
	if (len != NULL)
		*len = digits / 2;
	return (bytes);
}

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

char *
base32_encode(struct arena *arena, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	char *text = arena_alloc_array(arena, len / 5 + 2, 8), *end = text;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | byte[i];
		for (have += 8; have >= 5; have -= 5)
			*end++ = base32_digits[bits >> (have - 5) & 31];
	}
	if (have > 0)
		*end++ = base32_digits[bits << (5 - have) & 31];
	return (text);
}

static int
base32_value(char c)
{
	const char *digit;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	digit = memchr(base32_digits, c, 32);
	return (digit != NULL ? (int)(digit - base32_digits) : -1);
}

unsigned char *
base32_decode(struct arena *arena, const char *text, size_t *len)
{
	size_t digits = str_empty(text) ? 0 : strlen(text), count = 0;
	unsigned char *bytes = arena_alloc(arena, digits / 8 * 5 + 5);
	uint32_t bits = 0;
	unsigned have = 0;

	while (digits > 0 && text[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++) {
		int value = base32_value(text[i]);

		if (value < 0)
			return (NULL);
		bits = bits << 5 | (uint32_t)value;
		have += 5;
		if (have >= 8) {
			have -= 8;
			bytes[count++] = (unsigned char)(bits >> have);
		}
	}
	if (len != NULL)
		*len = count;
	return (count > 0 ? bytes : NULL);
}

struct base64 {
	char digits[65];
	bool padded;
};

static const struct base64 standard = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true };
static const struct base64 url_safe = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false };

static char *
text_of_bytes(const struct base64 *form, struct arena *arena, const unsigned char *byte, size_t len)
{
	char *text = arena_alloc_array(arena, len / 3 + 2, 4), *end = text;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | byte[i];
		for (have += 8; have >= 6; have -= 6)
			*end++ = form->digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*end++ = form->digits[bits << (6 - have) & 63];
	while (form->padded && (end - text) % 4 != 0)
		*end++ = '=';
	return (text);
}

/* The digits of the text without padding, or SIZE_MAX when their number or the padding is wrong. */
static size_t
digits_len(const struct base64 *form, const char *text)
{
	size_t len = strlen(text), digits = len;

	if (form->padded) {
		if (len % 4 != 0)
			return (SIZE_MAX);
		while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
			digits--;
	}
	return (digits % 4 == 1 ? SIZE_MAX : digits);
}

static unsigned char *
bytes_of_text(const struct base64 *form, struct arena *arena, const char *text, size_t *len)
{
	size_t digits = text == NULL ? SIZE_MAX : digits_len(form, text), count = 0;
	unsigned char *bytes;
	uint32_t bits = 0;
	unsigned have = 0;

	if (digits == SIZE_MAX)
		return (NULL);
	bytes = arena_alloc(arena, digits / 4 * 3 + 3);
	for (size_t i = 0; i < digits; i++) {
		const char *digit = memchr(form->digits, text[i], 64);

		if (digit == NULL)
			return (NULL);
		bits = bits << 6 | (uint32_t)(digit - form->digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[count++] = (unsigned char)(bits >> have);
		}
	}
	/* Left-over bits must be zero, else two texts would mean the same bytes. */
	if ((bits & ((1u << have) - 1)) != 0)
		return (NULL);
	if (len != NULL)
		*len = count;
	return (bytes);
}

char *
base64_encode(struct arena *arena, const void *bytes, size_t len)
{
	return (text_of_bytes(&standard, arena, bytes, len));
}

unsigned char *
base64_decode(struct arena *arena, const char *text, size_t *len)
{
	return (bytes_of_text(&standard, arena, text, len));
}

char *
base64url_encode(struct arena *arena, const void *bytes, size_t len)
{
	return (text_of_bytes(&url_safe, arena, bytes, len));
}

unsigned char *
base64url_decode(struct arena *arena, const char *text, size_t *len)
{
	return (bytes_of_text(&url_safe, arena, text, len));
}
