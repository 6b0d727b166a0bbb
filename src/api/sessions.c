/* SPDX-License-Identifier: Apache-2.0 */
/* /user/sessions and /admin/users/{user_id}/sessions: where somebody is signed in, and the end of one of these. */
#include "api/api.h"
#include "base/json.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/session_list.h"
#include "query/row.h"
#include "query/session.h"

err
sessions_get(struct request *r)
{
	TRY_DB(r, session_list(r), "Database error finding sessions");
	return (OK);
}

/*
 * The session goes whether or not it could be refreshed.  No aal2 is asked for, as by POST /logout: who has lost a device has to be able to
 * end its session with whatever is left.
 */
static err
session_delete(struct request *r, const char **id)
{
	struct session_end_of gone;

	if ((*id = uuid_parse(r->arena, request_path_arg(r, "session_id"))) == NULL)
		return (fail_as(r, E_VALIDATION_FAILED, 404, "session_id must be an UUID"));
	TRY(session_end_of(r->db, &gone, .id = *id, .user_id = r->user->id));
	return (gone.found ? reply_empty(r, 204) : fail_as(r, E_SESSION_NOT_FOUND, 404, "Session not found"));
}

/* DELETE /user/sessions/{session_id} */
err
user_session_delete(struct request *r)
{
	const char *id;

	TRY(session_delete(r, &id));
	return (audit(r, r->user, AUDIT_LOGOUT, json_pairs(r->arena, "session_id", id, NULL)));
}

/* DELETE /admin/users/{user_id}/sessions/{session_id} */
err
admin_session_delete(struct request *r)
{
	const char *id;

	TRY(session_delete(r, &id));
	return (audit_admin(r, AUDIT_LOGOUT, json_pairs(r->arena, "user_id", r->user->id, "session_id", id, NULL)));
}
