/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/users/{user_id}/factors: operators see, rename and take away the second factors of users. */
#include "api/api.h"
#include "base/json.h"
#include "core/audit.h"
#include "factor/factor.h"

/* GET /admin/users/{user_id}/factors */
err
admin_factors_get(struct request *r)
{
	return (reply_json(r, 200, factors_text(r->arena, r->user)));
}

/* PUT /admin/users/{user_id}/factors/{factor_id} */
err
admin_factor_put(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct factor_change, text, friendly_name),
		PARAM(struct factor_change, text, phone),
		PARAM_END,
	};
	struct factor_change p = { 0 };
	const char *text;

	TRY(params_read(r, fields, &p));
	TRY_DB(r, factor_change(r, &p, &text), "Error updating factor");
	return (reply_json(r, 200, text));
}

/* DELETE /admin/users/{user_id}/factors/{factor_id}: in the audit log it is the user who has it deleted, as in the reference. */
err
admin_factor_delete(struct request *r)
{
	TRY(audit(r, r->user, AUDIT_FACTOR_DELETED, json_pairs(r->arena, "user_id", r->user->id, "factor_id", r->factor->id, NULL)));
	TRY_DB(r, factor_delete(r), "Database error deleting factor");
	return (reply_json(r, 200, factor_text(r->arena, r->factor)));
}
