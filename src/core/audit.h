/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

#include "web/request.h"

struct user;

enum audit_action {
#define AUDIT(id, action, type, address) AUDIT_##id,
#include "audit.def"
#undef AUDIT
};

/*
 * Writes a row of auth.audit_log_entries (unless GOTRUE_AUDIT_LOG_DISABLE_POSTGRES) with the request's transaction, and a line to the log.
 * traits: a JSON object's text, or NULL.
 */
checked err audit(struct request *, const struct user *actor, enum audit_action, const char *traits);

/* What such rows say of a user who is not the actor, or goes.  provider: NULL where it does not matter. */
const char *audit_traits(struct arena *, const struct user *, const char *provider);

/* The payload for a statement that writes the row itself; NULL when rows are not wanted.  Writes the line to the log. */
const char *audit_text(struct request *, const struct user *actor, enum audit_action, const char *traits);

/* The same by whoever holds the admin's token of this request. */
checked err audit_admin(struct request *, enum audit_action, const char *traits);

/* What the column ip_address gets for this action: the client's address, or "". */
const char *audit_address(const struct request *, enum audit_action);

#endif
