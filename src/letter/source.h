/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_SOURCE_H
#define LETTER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "html/template.h"
#include "letter/letter_row.h"

/* Where the templates of letters come from. */

/* A file of the template directory: the first language of the list that has one, else the one without.  NULL without. */
char *source_file(struct arena *, const char *name, const char *languages, const char *ending);

/* What the URL serves, from the memory of this process while it is young enough; NULL when there never was a good one. */
const char *source_url(struct arena *, enum letter_id, const char *url);

/* Fetches without that memory.  NULL and *why when it can't be fetched or is no template. */
char *source_fetch(struct arena *, enum letter_id, const char *url, const char **why);

/* Every file of the directory for this letter is a template; NULL or what is wrong. */
const char *source_files_check(struct arena *, enum letter_id);

/* A body: where the letter proves something it must have what proves it, which an index page or a misspelt name has not. */
struct template *source_body(struct arena *, enum letter_id, const char *text, size_t len, const char **why);

#endif
