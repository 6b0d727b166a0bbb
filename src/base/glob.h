/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>

#include "base/arena.h"

/*
 * Patterns as github.com/gobwas/glob reads them: * is any text without a separator, ** any text, ? one character that is no
 * separator, [abc] [!abc] [a-z] [!a-z] one of a set (one range or one list, separators not excepted), {a,b} either (nested
 * too), a backslash makes the next character plain.  The whole text must match.  Time is at most pattern times text.
 */
struct glob;

/* separators is a string of them.  NULL when the pattern is malformed. */
struct glob *glob_compile(struct arena *, const char *pattern, const char *separators);
bool glob_match(const struct glob *, const char *text); /* not to be used in two threads at once */

/* A text that the pattern takes, with wild for each wildcard. */
char *glob_example(struct arena *, const struct glob *, char wild);

#endif
