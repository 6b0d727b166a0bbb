/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/json_check.h"
#include "base/utf8.h"

struct json_scan
json_scan_start(struct arena *arena, const char *text, size_t len)
{
	return ((struct json_scan){ .text = text, .len = len, .string = buf_new(arena) });
}

/* The next byte, or NUL at the end: no rule of JSON knows NUL, so it is refused wherever it stands. */
static char
peek(const struct json_scan *scan)
{
	return (scan->at < scan->len ? scan->text[scan->at] : '\0');
}

static bool
bad(struct json_scan *scan, const char *why)
{
	scan->why = scan->at < scan->len ? why : "unexpected end";
	return (false);
}

static bool
digits_take(struct json_scan *scan)
{
	size_t start = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return (scan->at > start || bad(scan, "a digit is missing in a number"));
}

static bool
number_take(struct json_scan *scan)
{
	scan->at += peek(scan) == '-';
	if (peek(scan) == '0')
		scan->at++;
	else if (!digits_take(scan))
		return (false);
	if (peek(scan) == '.') {
		scan->at++;
		if (!digits_take(scan))
			return (false);
	}
	if (peek(scan) == 'e' || peek(scan) == 'E') {
		scan->at++;
		scan->at += peek(scan) == '+' || peek(scan) == '-';
		if (!digits_take(scan))
			return (false);
	}
	return (true);
}

static int
hex_value(char c)
{
	const char *digits = "0123456789abcdef", *found;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	found = c == '\0' ? NULL : strchr(digits, c);
	return (found == NULL ? -1 : (int)(found - digits));
}

static bool
unit_take(struct json_scan *scan, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++, scan->at++) {
		int digit = hex_value(peek(scan));

		if (digit < 0)
			return (bad(scan, "a \\u escape needs four hexadecimal digits"));
		*unit = *unit << 4 | (uint32_t)digit;
	}
	return (true);
}

/* The second half of a surrogate pair, if it comes next: all that may follow is another escape. */
static bool
low_half_take(struct json_scan *scan, uint32_t *low)
{
	struct json_scan ahead = *scan;

	if (peek(&ahead) != '\\')
		return (false);
	ahead.at++;
	if (peek(&ahead) != 'u')
		return (false);
	ahead.at++;
	if (!unit_take(&ahead, low) || *low < 0xDC00 || *low > 0xDFFF)
		return (false);
	scan->at = ahead.at;
	return (true);
}

/* Behind "\u".  Half a pair is what JavaScript makes of a cut emoji: it stands for U+FFFD, as in Go. */
static bool
escaped_point_take(struct json_scan *scan)
{
	uint32_t point, low;

	if (!unit_take(scan, &point))
		return (false);
	if (point == 0)
		return (bad(scan, "NUL in a string"));
	if (point >= 0xD800 && point <= 0xDBFF && low_half_take(scan, &low))
		point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
	else if (point >= 0xD800 && point <= 0xDFFF)
		point = UTF8_REPLACEMENT;
	utf8_put(&scan->string, point);
	return (true);
}

/* Behind a backslash. */
static bool
escape_take(struct json_scan *scan)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(scan);
	const char *found = c == '\0' ? NULL : strchr(from, c);

	if (c == 'u') {
		scan->at++;
		return (escaped_point_take(scan));
	}
	if (found == NULL)
		return (bad(scan, "unknown escape in a string"));
	scan->at++;
	buf_putc(&scan->string, to[found - from]);
	return (true);
}

/* A run of characters that stand for themselves. */
static bool
plain_take(struct json_scan *scan)
{
	size_t start = scan->at, step;
	uint32_t point;

	while (scan->at < scan->len && peek(scan) != '"' && peek(scan) != '\\') {
		if ((unsigned char)peek(scan) < 0x20)
			return (bad(scan, "control character in a string"));
		step = utf8_read(scan->text + scan->at, scan->len - scan->at, &point);
		if (step == 0)
			return (bad(scan, "invalid UTF-8"));
		scan->at += step;
	}
	buf_put(&scan->string, scan->text + start, scan->at - start);
	return (true);
}

/* Behind the opening quote. */
static bool
string_take(struct json_scan *scan)
{
	scan->string.len = 0;
	scan->string.data[0] = '\0';
	for (;;) {
		if (!plain_take(scan))
			return (false);
		if (scan->at >= scan->len)
			return (bad(scan, ""));
		if (scan->text[scan->at++] == '"')
			return (true);
		if (!escape_take(scan))
			return (false);
	}
}

static enum json_token
literal_next(struct json_scan *scan)
{
	static const struct {
		const char *word;
		enum json_token token;
	} literals[] = { { "null", JSON_WORD_NULL }, { "true", JSON_WORD_TRUE }, { "false", JSON_WORD_FALSE } };

	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		size_t len = strlen(literals[i].word);

		if (scan->len - scan->at >= len && memcmp(scan->text + scan->at, literals[i].word, len) == 0) {
			scan->at += len;
			return (literals[i].token);
		}
	}
	bad(scan, "unexpected character");
	return (JSON_BAD);
}

static enum json_token
number_next(struct json_scan *scan)
{
	size_t start = scan->at;

	if (!number_take(scan))
		return (JSON_BAD);
	scan->word = scan->text + start;
	scan->word_len = scan->at - start;
	return (JSON_WORD_NUMBER);
}

static enum json_token
mark_next(struct json_scan *scan, enum json_token token)
{
	scan->mark = scan->text[scan->at++];
	return (token);
}

enum json_token
json_scan_next(struct json_scan *scan)
{
	while (scan->at < scan->len && memchr(" \t\r\n", scan->text[scan->at], 4) != NULL)
		scan->at++;
	if (scan->at >= scan->len) {
		bad(scan, "");
		return (JSON_END);
	}
	switch (scan->text[scan->at]) {
	case '{':
	case '[':
		return (mark_next(scan, JSON_OPEN));
	case '}':
	case ']':
		return (mark_next(scan, JSON_CLOSE));
	case ',':
		return (mark_next(scan, JSON_COMMA));
	case ':':
		return (mark_next(scan, JSON_COLON));
	case '"':
		scan->at++;
		return (string_take(scan) ? JSON_WORD_STRING : JSON_BAD);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return (number_next(scan));
	default:
		return (literal_next(scan));
	}
}
