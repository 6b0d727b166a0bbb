/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_LETTER_H
#define LETTER_LETTER_H

#include "base/arena.h"
#include "base/json.h"
#include "letter/letter_row.h"

bool letter_enabled(enum letter_id); /* a notice: whether its setting asks for it; others always */

struct letter {
	const char *subject, *html, *text;
};

/*
 * Renders subject and body; never fails.  values: {"Email": ..., "Data": {...}, ...} as the templates name them.
 * language: "de", or a whole Accept-Language; NULL: none.  It chooses among the files <name>.<language>.html and .subject in
 * POSTERN_MAILER_TEMPLATE_DIR; without such a file <name>.html there, then the URL of GOTRUE_MAILER_TEMPLATES_<name> (fetched at most every
 * _MAX_AGE, the last good one when that fails), then our own.
 */
void letter_render(struct arena *, enum letter_id, const char *language, const json *values, struct letter *);

/* Parses subject and files, and with fetch what the URL serves.  NULL, or one sentence that names the setting or file and the mistake. */
const char *letter_check(struct arena *, enum letter_id, bool fetch);

#endif
