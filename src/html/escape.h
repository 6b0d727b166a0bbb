/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_ESCAPE_H
#define HTML_ESCAPE_H

#include "base/buf.h"

/* What is done to a value before it is printed, in this order: the escapers of Go's html/template. */
#define ESCAPE_URL_FILTER 1u /* schemes but http, https and mailto become "#ZgotmplZ" */
#define ESCAPE_URL_NORMAL 2u /* %XX for what can't be in a URL; escapes stay */
#define ESCAPE_URL_PART 4u   /* %XX for all but the unreserved */
#define ESCAPE_HTML 8u
#define ESCAPE_NOSPACE 16u    /* for a value without quotes */
#define ESCAPE_AWAY 32u       /* prints nothing */
#define ESCAPE_HTML_PLAIN 64u /* the function html, which leaves "+" */
#define ESCAPE_URL_QUERY 128u /* the function urlquery: a blank is "+" */
#define ESCAPE_JS 256u        /* the function js */

void escape_put(struct buf *out, unsigned escapes, const char *value);

#endif
