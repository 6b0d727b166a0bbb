/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_AUDIT_LIST_H
#define CORE_AUDIT_LIST_H

#include "core/list.h"

/* What is asked of the audit log: "author:", "action:" or "type:" and a part of what stands there.  Those not asked for are NULL. */
struct audit_query {
	const char *who, *action, *type;
};

/* 400 validation_failed.  NULL and "" ask for everything. */
checked err audit_query_read(struct request *, const char *text, struct audit_query *);

/* Replies with a page of the audit log, newest first, as the request's query asks for it. */
checked err audit_list(struct request *);

/*
 * What the log has about r->user, the oldest first: what they did, but for what they did to others, and what was done to them.  All of it
 * is read since the user came, some hundred entries at a time, for the log has no index by user.
 */
struct list *audit_list_about(struct request *);

#endif
