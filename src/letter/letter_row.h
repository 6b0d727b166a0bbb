/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_LETTER_ROW_H
#define LETTER_LETTER_ROW_H

#include <stdbool.h>

/* The table letter.def. */
enum letter_id {
#define LETTER(id, ...) LETTER_##id,
#define NOTICE(id, ...) LETTER_##id,
#include "letter.def"
	LETTER_COUNT
};

struct letter_row {
	const char *name;         /* "magic_link": of settings, files and the outbox */
	const char *message_type; /* for struct mime_letter's kind */
	bool notice;
};

const struct letter_row *letter_row(enum letter_id);
bool letter_find(const char *name, enum letter_id *); /* by its name */

#endif
