/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_VALUE_H
#define LETTER_VALUE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"

/* JSON as Go's templates see what encoding/json made of it. */

/* What fmt.Sprint prints: 1e+06, map[a:1 b:[x y]]; "" for null and NULL. */
const char *value_text(struct arena *, const json *);

bool value_true(const json *); /* what if takes for true: not empty, not zero */

#endif
