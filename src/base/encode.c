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

/* Digits of so many bits each. */
struct base {
	char digits[65];
	unsigned bits;
	bool padded;
};

static const struct base base32 = { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, false };
static const struct base standard = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, true };
static const struct base url_safe = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, false };

static char *
text_of_bytes(const struct base *base, struct arena *arena, const unsigned char *byte, size_t len)
{
	unsigned last = (1u << base->bits) - 1, have = 0;
	char *text = arena_alloc_array(arena, len / base->bits + 2, 8), *end = text;
	uint32_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | byte[i];
		for (have += 8; have >= base->bits; have -= base->bits)
			*end++ = base->digits[bits >> (have - base->bits) & last];
	}
	if (have > 0)
		*end++ = base->digits[bits << (base->bits - have) & last];
	while (base->padded && (end - text) % 4 != 0)
		*end++ = '=';
	return (text);
}

/* NULL when one is no digit; *left: what the last one has that makes no byte. */
static unsigned char *
bytes_of_digits(const struct base *base, struct arena *arena, const char *text, size_t digits, size_t *len, uint32_t *left)
{
	unsigned char *bytes = arena_alloc(arena, digits * base->bits / 8 + 1);
	unsigned have = 0;

	*len = 0;
	*left = 0;
	for (size_t i = 0; i < digits; i++) {
		const char *at = memchr(base->digits, text[i], 1u << base->bits);

		if (at == NULL)
			return (NULL);
		*left = *left << base->bits | (uint32_t)(at - base->digits);
		have += base->bits;
		if (have >= 8) {
			have -= 8;
			bytes[(*len)++] = (unsigned char)(*left >> have);
			*left &= (1u << have) - 1;
		}
	}
	return (bytes);
}

char *
base32_encode(struct arena *arena, const void *bytes, size_t len)
{
	return (text_of_bytes(&base32, arena, bytes, len));
}

unsigned char *
base32_decode(struct arena *arena, const char *text, size_t *len)
{
	size_t digits = str_empty(text) ? 0 : strlen(text), count;
	char *capitals = arena_strndup(arena, str_or(text, ""), digits);
	unsigned char *bytes;
	uint32_t left;

	while (digits > 0 && text[digits - 1] == '=')
		digits--;
	for (char *c = capitals; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	bytes = bytes_of_digits(&base32, arena, capitals, digits, &count, &left);
	if (len != NULL)
		*len = count;
	return (count > 0 ? bytes : NULL);
}

/* The digits of the text without padding, or SIZE_MAX when their number or the padding is wrong. */
static size_t
digits_len(const struct base *base, const char *text)
{
	size_t len = strlen(text), digits = len;

	if (base->padded) {
		if (len % 4 != 0)
			return (SIZE_MAX);
		while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
			digits--;
	}
	return (digits % 4 == 1 ? SIZE_MAX : digits);
}

static unsigned char *
bytes_of_text(const struct base *base, struct arena *arena, const char *text, size_t *len)
{
	size_t digits = text == NULL ? SIZE_MAX : digits_len(base, text), count;
	unsigned char *bytes;
	uint32_t left;

	if (digits == SIZE_MAX)
		return (NULL);
	bytes = bytes_of_digits(base, arena, text, digits, &count, &left);
	/* Left-over bits must be zero, else two texts would mean the same bytes. */
	if (left != 0)
		return (NULL);
	if (bytes != NULL && len != NULL)
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
