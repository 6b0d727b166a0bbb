/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/* json-c's object; only base/json.c knows more of it. */
typedef struct json_object json;

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/*
 * Parses strict JSON (RFC 8259): strict UTF-8, no NUL in strings, 100 levels at most, nothing behind it; half a surrogate pair as an
 * escape is U+FFFD.
 * The arena owns the result.  NULL when it is not JSON; *why (may be NULL) then says what is wrong and where.
 * A JSON null is a value whose kind is JSON_NULL, never a NULL pointer.
 */
json *json_parse(struct arena *, const char *text, size_t len, const char **why);

enum json_kind json_kind(const json *);               /* NULL is JSON_NULL */
json *json_get(const json *, const char *key);        /* member, exact name, the last of two; NULL without one */
json *json_get_nocase(const json *, const char *key); /* capitals of ASCII alike; a null does not undo a value */
json *json_path(const json *, const char *dotted);    /* "a.b.0.c" */
size_t json_len(const json *);                        /* of an array or object */
json *json_at(const json *, size_t);                  /* of an array */
const char *json_string(const json *);                /* NULL unless a string; lives as long as the arena */
bool json_true(const json *);                         /* a JSON true */
const char *json_number(const json *);                /* its digits as number_kept() has them; NULL unless a number */
bool json_integer(const json *, int64_t *);           /* as Go reads an int64: false for 1.0, 1e3 and out of range */
bool json_real(const json *, double *);               /* false when too large */
/* Calls for each member in order; stops when the function gives false. */
void json_each(const json *, bool (*call)(void *, const char *key, json *value), void *arg);

/* Whether every number in it is one that a double can be: Go refuses others, and so does jsonb, much later. */
bool json_numbers_fit(const json *);

/* The value as compact text; numbers stand as json_number() has them, text is UTF-8. */
char *json_text(struct arena *, const json *);

/* How many bytes PostgreSQL's jsonb makes of it as text. */
size_t json_written(const json *);

/*
 * Writing.  json_quote() gives the string as JSON, "null" for NULL.  json_pairs() makes an object of name, value (a string)
 * pairs up to a NULL name, leaving out pairs whose value is NULL: json_pairs(a, "provider", p, "channel", NULL, NULL).
 */
char *json_quote(struct arena *, const char *);
char *json_pairs(struct arena *, ...) __attribute__((sentinel));
void buf_json(struct buf *, const char *); /* quoted, appended */

#endif
