/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_TEMPLATE_H
#define LETTER_TEMPLATE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"

/*
 * The part of Go's templates that letters need:
 *
 *	{{ .Email }}  {{ .Data.first_name }}     a value; an absent one prints nothing
 *	{{ if .X }} ... {{ else if .Y }} ... {{ else }} ... {{ end }}
 *	comments of Go, and {{- -}}, which take the white space beside them
 *
 * In HTML each value is escaped for its place as html/template does (letter/place.h), comments of HTML vanish; in plain text nothing is.
 * Everything else is refused: what is meant as a program must not go out as text.
 */
struct template;

enum template_kind { TEMPLATE_HTML, TEMPLATE_TEXT };

/* NULL when it is refused; *why is then one sentence that begins "line 3, column 12: ". */
struct template *template_parse(struct arena *, const char *text, size_t len, enum template_kind, const char **why);

/* values: an object of what the names stand for. */
char *template_render(struct arena *, const struct template *, const json *values);

#endif
