/* SPDX-License-Identifier: Apache-2.0 */
/* POST /invite: the operator invites somebody by mail. */
#include "api/api.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/hook.h"
#include "core/owner.h"
#include "core/onetime.h"
#include "core/user.h"

struct invite {
	const char *email, *data;
};

static const struct param invite_params[] = {
	PARAM(struct invite, text, email),
	PARAM(struct invite, raw_object, data),
	PARAM_END,
};

static err
invite(struct request *r, const struct invite *p)
{
	const char *aud = claims_audience(r);
	struct user u;
	bool known;

	TRY_DB(r, user_by_email(r->db, &u, .email = p->email), "Database error finding user");
	if (u.found && u.email_confirmed)
		return (fail(r, E_EMAIL_EXISTS, NULL));
	known = u.found;
	if (known) {
		TRY(owner_move(r, &u, aud));
	} else {
		TRY(onetime_may_send(r, ONETIME_INVITE, &(const struct user){ .email = p->email }));
		TRY(user_create_invited(r, &(const struct new_user){ .email = p->email, .aud = aud, .user_metadata = p->data }, &u));
	}
	TRY(audit_admin(r, AUDIT_INVITED, json_pairs(r->arena, "user_id", u.id, "user_email", u.email, NULL)));
	TRY(onetime_send(r, ONETIME_INVITE, &u, false));
	if (known)
		TRY(owner_wait(r, u.id, NULL, NULL));
	TRY(user_reload(r, &u));
	TRY(hook_after_user_created(r, user_text(r->arena, &u)));
	return (reply_json(r, 200, user_text(r->arena, &u)));
}

/* POST /invite */
err
invite_post(struct request *r)
{
	struct invite p = { 0 };

	TRY(params_read(r, invite_params, &p));
	TRY(address_check_email(r, &p.email));
	TRY_DB(r, invite(r, &p), "Database error saving new user");
	return (OK);
}
