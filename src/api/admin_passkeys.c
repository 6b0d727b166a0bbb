/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/users/{user_id}/passkeys: operators see and take away the passkeys of users, also where passkeys are switched off. */
#include "api/api.h"
#include "base/json.h"
#include "core/audit.h"
#include "factor/passkey.h"
#include "query/row.h"

/* GET /admin/users/{user_id}/passkeys */
err
admin_passkeys_get(struct request *r)
{
	const char *text;

	TRY(passkey_list_text(r, &text));
	return (reply_json(r, 200, text));
}

/* DELETE /admin/users/{user_id}/passkeys/{passkey_id} */
err
admin_passkey_delete(struct request *r)
{
	const char *id;

	TRY(passkey_named(r, &id));
	TRY(passkey_take_away(r, id));
	TRY(audit_admin(r, AUDIT_PASSKEY_DELETED, json_pairs(r->arena, "user_id", r->user->id, "passkey_id", id, NULL)));
	return (reply_empty(r, 204));
}
