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
json *json_parse_text(struct arena *, const char *); /* one that ends with NUL; NULL for NULL, and for what is not JSON */

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
 * The writer.  Each call appends to the buffer, commas come by themselves.  name is the member's; NULL for what stands in an array or is
 * the whole text.
 */
void json_object_begin(struct buf *, const char *name);
void json_object_end(struct buf *);
void json_array_begin(struct buf *, const char *name);
void json_array_end(struct buf *);
void json_put_text(struct buf *, const char *name, const char *);   /* null for NULL */
void json_put_filled(struct buf *, const char *name, const char *); /* a text; nothing where it is empty or NULL */
void json_put_number(struct buf *, const char *name, long long);
void json_put_bool(struct buf *, const char *name, bool);
void json_put_raw(struct buf *, const char *name, const char *json);        /* what is JSON already; nothing for NULL */
void json_put_list(struct buf *, const char *name, char *const *list);      /* an array of texts */
void json_put(struct buf *, const char *name, const json *);                /* a value */
void json_put_members(struct buf *, const char *object);                    /* those of an object's text; nothing for NULL */
void json_put_except(struct buf *, const json *object, char *const *names); /* its members but for these */

/*
 * A pair is left out where its value is NULL.  The value is a text; that of a name with '#' is JSON already, as in log_event().
 * json_pairs() makes an object of them, up to a NULL name: json_pairs(a, "provider", p, "#valid", json_boolean(true), NULL).
 */
void json_put_pair(struct buf *, const char *name, const char *value);
char *json_pairs(struct arena *, ...) __attribute__((sentinel));
const char *json_boolean(bool);
char *json_quote(struct arena *, const char *); /* the string as JSON, "null" for NULL */

#endif
