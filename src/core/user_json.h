/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_USER_JSON_H
#define CORE_USER_JSON_H

#include "base/arena.h"
#include "query/row.h"

/* The user as everybody is told of them: clients, operators, hooks.  What is NULL or empty, and a time that is none, is mostly left out. */
const char *user_text(struct arena *, const struct user *);

#endif
