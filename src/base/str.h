/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "base/arena.h"

/* Small questions about C strings.  NULL counts as the empty string unless said otherwise. */

bool str_empty(const char *);
bool str_equal(const char *, const char *);
bool str_ascii(const char *);
bool str_starts(const char *, const char *prefix);
bool str_ends(const char *, const char *suffix);
const char *str_or(const char *, const char *otherwise); /* the first unless empty */

/* Capitals of ASCII only, so that two names or addresses never become one by Unicode (the Kelvin sign is not a k). */
bool str_equal_nocase(const char *, const char *);
char *str_lower(struct arena *, const char *);

/* White space at both ends as Go's strings.TrimSpace; all occurrences. */
char *str_trim(struct arena *, const char *);
char *str_replace(struct arena *, const char *, const char *from, const char *to);

/* A list of strings that ends with NULL. */
char **str_split(struct arena *, const char *, char at); /* as Go's strings.Split; "" gives one "" */
size_t strs_len(char *const *);
char *str_join(struct arena *, char *const *list, const char *between);
bool strs_have(char *const *, const char *); /* a NULL list has nothing */

bool utf8_valid(const char *, size_t len); /* strict: RFC 3629, no surrogates, no overlong forms, no NUL */
size_t utf8_count(const char *);           /* code points */
size_t utf8_first(const char *);           /* bytes of the first character of valid text; 0 at its end */

/* RFC 4122 version 4, in small letters.  uuid_parse() takes what Go's uuid.FromString takes and gives the canonical form, or NULL. */
char *uuid_new(struct arena *);
char *uuid_parse(struct arena *, const char *);
#define UUID_NIL "00000000-0000-0000-0000-000000000000"

/* Go's time.Duration in nanoseconds: "1h30m", "300ms", "-1.5s", "0". */
bool duration_parse(const char *, int64_t *ns);
char *duration_complaint(struct arena *, const char *); /* what Go says of one that is not parsed */
char *duration_seconds(struct arena *, int64_t ns);     /* "1.5", for statements */

/* Bytes as text.  Decoders give NULL for what the encoder would not have written (hex: either case); len may be NULL. */
char *hex_encode(struct arena *, const void *, size_t);
unsigned char *hex_decode(struct arena *, const char *, size_t *len);
bool hex_read(const char *, unsigned char *bytes, size_t len);           /* so many bytes, whatever follows */
char *base32_encode(struct arena *, const void *, size_t);               /* RFC 4648 section 6, without padding */
unsigned char *base32_decode(struct arena *, const char *, size_t *len); /* either case, padded or not */
char *base64_encode(struct arena *, const void *, size_t);               /* RFC 4648 section 4, padded */
unsigned char *base64_decode(struct arena *, const char *, size_t *len);
char *base64url_encode(struct arena *, const void *, size_t); /* section 5, without padding */
unsigned char *base64url_decode(struct arena *, const char *, size_t *len);

#endif
