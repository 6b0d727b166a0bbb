/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "base/str.h"
#include "letter/letter_row.h"

static const struct letter_row rows[] = {
#define LETTER(id, name, type, ...) { #name, type, false },
#define NOTICE(id, name, ...) { #name, #name, true },
#include "letter.def"
};

const struct letter_row *
letter_row(enum letter_id id)
{
	return (&rows[id]);
}

bool
letter_find(const char *name, enum letter_id *id)
{
	for (size_t i = 0; i < LETTER_COUNT; i++)
		if (str_equal(rows[i].name, name)) {
			*id = (enum letter_id)i;
			return (true);
		}
	return (false);
}
