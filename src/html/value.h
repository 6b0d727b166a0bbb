/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_VALUE_H
#define HTML_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

/* What templates work with: JSON as Go's templates see what encoding/json made of it, and what they write down and count themselves. */
struct value {
	enum { VALUE_NIL, VALUE_BOOL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_ARRAY, VALUE_OBJECT } kind;
	union {
		bool yes;
		int64_t integer;
		double real;
		const char *text;
		const json *json; /* ARRAY, OBJECT; of NIL the null, or NULL where there is nothing at all */
	};
};

struct value value_of(const json *); /* NULL and null are NIL */
struct value value_member(struct value object, const char *name);

/* What fmt.Sprint prints: 1e+06, map[a:1 b:[x y]]; nil: what stands for NIL itself. */
const char *value_text(struct arena *, struct value, const char *nil);

bool value_true(struct value); /* what if takes for true: not empty, not zero */
size_t value_len(struct value);

/* The members of an object in the order of their names. */
struct member {
	const char *name;
	struct value value;
};
struct member *value_members(struct arena *, struct value);

#endif
