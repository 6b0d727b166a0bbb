/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/users: operators read, make, change and delete users. */
#include "api/api.h"
#include "core/admin_user.h"
#include "core/user_json.h"
#include "core/user_list.h"

static const struct param admin_user_params[] = {
	PARAM(struct admin_user, text, id),
	PARAM(struct admin_user, text, aud),
	PARAM(struct admin_user, text, role),
	PARAM(struct admin_user, text, email),
	PARAM(struct admin_user, text, phone),
	PARAM(struct admin_user, maybe_text, password),
	PARAM(struct admin_user, text, password_hash),
	PARAM(struct admin_user, boolean, email_confirm),
	PARAM(struct admin_user, boolean, phone_confirm),
	PARAM(struct admin_user, raw_object, user_metadata),
	PARAM(struct admin_user, raw_object, app_metadata),
	PARAM(struct admin_user, text, ban_duration),
	PARAM_END,
};

/* GET /admin/users */
err
admin_users_get(struct request *r)
{
	return (user_list(r));
}

/* POST /admin/users */
err
admin_users_post(struct request *r)
{
	struct admin_user p = { 0 };
	const char *text;

	TRY(params_read(r, admin_user_params, &p));
	TRY(admin_user_create(r, &p, &text));
	return (reply_json(r, 200, text));
}

/* GET /admin/users/{user_id} */
err
admin_user_get(struct request *r)
{
	return (reply_json(r, 200, user_text(r->arena, r->user)));
}

/* PUT /admin/users/{user_id} */
err
admin_user_put(struct request *r)
{
	struct admin_user p = { 0 };
	const char *text;

	TRY(params_read(r, admin_user_params, &p));
	TRY(admin_user_update(r, &p, &text));
	return (reply_json(r, 200, text));
}

struct deletion {
	bool should_soft_delete;
};

/* DELETE /admin/users/{user_id} */
err
admin_user_delete(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct deletion, boolean, should_soft_delete),
		PARAM_END,
	};
	struct deletion p = { 0 };

	TRY(params_read_optional(r, fields, &p));
	TRY_DB(r, admin_user_erase(r, p.should_soft_delete), "Database error deleting user");
	return (reply_json(r, 200, "{}"));
}
