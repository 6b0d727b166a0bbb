/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_TEMPLATE_H
#define HTML_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"

/*
 * The part of Go's templates that letters and pages need:
 *
 *	{{ .Email }}  {{ .Data.first_name }}  {{ $.Data.x }}      a value; an absent one prints nothing
 *	{{ if .X }} ... {{ else if .Y }} ... {{ else }} ... {{ end }}, likewise with and range, {{ range $i, $x := .Data.list }}
 *	{{ $x := .Data.x }}  {{ $x = "y" }}                       variables
 *	{{ eq .Data.lang "de" }}  {{ .Data.x | printf "%5.2f" }}  functions: see html/template_function.c; parentheses; 12, 0.5, "x", true
 *	comments of Go, and {{- -}}, which take the white space beside them
 *
 * In HTML each value is escaped for its place as html/template does (html/place.h), comments of HTML vanish; in plain text nothing is.
 * Everything else is refused: what is meant as a program must not go out as text.
 */
struct template;

/*
 * PAGE: HTML that we wrote ourselves.  There {{ safeURL .X }} is a URL that the program has judged: it may have any scheme, as an app's, and
 * be where a meta element sends browsers.
 */
enum template_kind { TEMPLATE_HTML, TEMPLATE_TEXT, TEMPLATE_PAGE };

/* NULL when it is refused; *why is then one sentence that begins "line 3, column 12: ". */
struct template *template_parse(struct arena *, const char *text, size_t len, enum template_kind, const char **why);

/* values: an object of what the names stand for.  NULL where Go would stop: *why is then such a sentence as well. */
char *template_render(struct arena *, const struct template *, const json *values, const char **why);

/* Whether it says this name of a value anywhere: .Token, or index . "Token". */
bool template_names(const struct template *, const char *name);

#endif
