/* SPDX-License-Identifier: Apache-2.0 */
/* POST /logout: ends sessions. */
#include "api/api.h"
#include "base/json.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/owner.h"
#include "query/row.h"
#include "query/session.h"
#include "query/user.h"

/* scope: all sessions of the user, this one, or all but this one.  A token without a session ends all. */
err
logout_post(struct request *r)
{
	const char *scope = str_or(query_get(&r->query, "scope"), "global");
	const struct user *u = r->user;
	bool local = str_equal(scope, "local"), others = str_equal(scope, "others");

	if (!local && !others && !str_equal(scope, "global"))
		return (fail(r, E_VALIDATION_FAILED, "Unsupported logout scope %s", json_quote(r->arena, scope)));
	TRY(audit(r, u, AUDIT_LOGOUT, NULL));
	if (local && u->session_id != NULL) {
		TRY(session_end(r->db, .id = u->session_id));
	} else {
		TRY(others ? user_hold(r->db, .id = u->id) : owner_undo(r, u->id, false));
		TRY(session_end_others(r->db, .user_id = u->id, .except = others ? u->session_id : NULL));
	}
	return (reply_empty(r, 204));
}
