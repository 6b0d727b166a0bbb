/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>

#include "base/arena.h"

/*
 * Numbers of JSON as they are written.  PostgreSQL's jsonb writes them out, so that 1e-16383 becomes 16,385 characters; one with more
 * places than any double has is therefore kept as a double has it (1e-16383: 0), all others as they came, also 40 digits.
 */
char *number_kept(struct arena *, const char *text, size_t len); /* from a valid number; one beyond a double stays, for others to refuse */
size_t number_written(const char *);                             /* how many characters jsonb makes of it */

#endif
