/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SESSION_LIST_H
#define CORE_SESSION_LIST_H

#include "core/list.h"

/* Replies with the sessions of r->user that a refresh would not refuse, newest first; their own says that it is the current one. */
checked err session_list(struct request *);

/* All that r->user has, whether or not they could be refreshed. */
struct list *session_list_all(struct request *);

#endif
