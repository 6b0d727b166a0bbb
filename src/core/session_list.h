/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SESSION_LIST_H
#define CORE_SESSION_LIST_H

#include "web/request.h"

/* Replies with the sessions of r->user that a refresh would not refuse, newest first; their own says that it is the current one. */
checked err session_list(struct request *);

#endif
