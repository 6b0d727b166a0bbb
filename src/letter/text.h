/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_TEXT_H
#define LETTER_TEXT_H

#include "base/arena.h"

/*
 * The text part of a letter made from its HTML: blocks become lines, links are followed by their address, list items begin with "- ",
 * title, style, script and what is hidden by display:none disappear.
 */
char *text_of_html(struct arena *, const char *html);

#endif
