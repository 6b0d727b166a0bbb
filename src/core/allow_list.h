/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ALLOW_LIST_H
#define CORE_ALLOW_LIST_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/url.h"

/*
 * GOTRUE_URI_ALLOW_LIST: where else a client may be sent.  Its entries are globs; a wildcard stays in its part of the URL, but one of the
 * path goes on through the query, and ** that ends an entry without a path takes all that follows.
 */

/* text: the URL as the client wrote it; url: the same, read. */
bool allow_list_has(struct arena *, char *const *list, const char *text, const struct url *url);

/* What the entry might take, for a look whether it takes anything at all; NULL when its parts are no patterns. */
char *allow_list_example(struct arena *, const char *entry);

#endif
