/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_CHECK_H
#define BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Splits text into the words of JSON and refuses all that RFC 8259 does not allow.  For base/json.c alone. */
enum json_token {
	JSON_BAD, /* why says what is wrong, at says where */
	JSON_END,
	JSON_OPEN, /* [ or { */
	JSON_CLOSE,
	JSON_COMMA,
	JSON_COLON,
	JSON_WORD_NULL,
	JSON_WORD_TRUE,
	JSON_WORD_FALSE,
	JSON_WORD_NUMBER, /* word, word_len: as it stands in the text */
	JSON_WORD_STRING, /* string: decoded */
};

struct json_scan {
	const char *text;
	size_t len, at;
	const char *why;
	const char *word;
	size_t word_len;
	char mark; /* the bracket of JSON_OPEN and JSON_CLOSE */
	struct buf string;
};

struct json_scan json_scan_start(struct arena *, const char *text, size_t len);
enum json_token json_scan_next(struct json_scan *);

#endif
