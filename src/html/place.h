/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_PLACE_H
#define HTML_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Where in an HTML document a template stands, so that each value is escaped for its place: the rules of Go's html/template.  Start with
 * all zero: the text between tags.  Values in scripts, styles, srcset and names of tags and attributes are refused.
 */
enum place_state {
	PLACE_TEXT,
	PLACE_TAG, /* behind the name of a tag */
	PLACE_ATTR_NAME,
	PLACE_AFTER_NAME,
	PLACE_BEFORE_VALUE, /* behind the "=" */
	PLACE_VALUE,        /* in the value of an attribute */
	PLACE_COMMENT,      /* printed nowhere */
	PLACE_RCDATA,       /* in <title> and <textarea> */
	PLACE_RAW,          /* in <script> and <style> */
};

struct place {
	enum place_state state;
	enum { DELIM_NONE, DELIM_DOUBLE, DELIM_SINGLE, DELIM_SPACE } delim; /* what ends the value */
	enum { ATTR_PLAIN, ATTR_URL, ATTR_CODE } attr;                      /* CODE: scripts, styles and what else can't take a value */
	enum { ELEMENT_NONE, ELEMENT_SCRIPT, ELEMENT_STYLE, ELEMENT_TEXTAREA, ELEMENT_TITLE, ELEMENT_META } element;
	enum { URL_START, URL_PATH, URL_QUERY, URL_UNSURE } url; /* how far in the URL */
};

/* Moves over text and appends what of it is printed.  NULL, or why it can't be followed; *at is then the offset. */
const char *place_pass(struct place *, const char *text, size_t len, struct buf *out, size_t *at);

/* What a value needs here, flags of html/escape.h.  NULL, or why none may stand here. */
const char *place_value(struct place *, unsigned *escapes);

/* The same of a URL that the program has judged. */
const char *place_safe_url(struct place *, unsigned *escapes);

/* After if and else have gone their ways: where they meet.  false: they end in different places. */
bool place_join(struct place *, const struct place *other);
bool place_equal(const struct place *, const struct place *);

#endif
