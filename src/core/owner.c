/* SPDX-License-Identifier: Apache-2.0 */
#include "core/owner.h"

#include "base/str.h"
#include "db/db.h"
#include "query/account.h"
#include "query/onetime.h"
#include "query/session.h"
#include "query/user.h"

err
owner_wait(struct request *r, const char *user_id, const char *password, const char *identity_id)
{
	return (account_wait(r->db, .user_id = user_id, .password = password, .identity_id = identity_id));
}

err
owner_move(struct request *r, const struct user *u, const char *aud)
{
	return (str_equal(u->aud, aud) ? OK : account_move(r->db, .user_id = u->id, .aud = aud, .now = r->now_text));
}

err
owner_settle(struct request *r, const struct user *u, const struct proven *p)
{
	if (u->email_confirmed || u->phone_confirmed)
		return (OK);
	TRY(account_settle(r->db, .user_id = u->id, .link = p->link, .provider = p->provider, .decided = p->decided ? "t" : "f",
	    .password = p->password, .identity_id = p->identity_id, .metadata = p->metadata, .now = r->now_text));
	return (owner_undo(r, u->id, false));
}

err
owner_undo(struct request *r, const char *user_id, bool flows)
{
	return (account_undo(r->db, .user_id = user_id, .all = flows ? "t" : "f"));
}

/* Users, sessions, secrets: the order of locks. */
err
owner_set_password(struct request *r, const char *user_id, const char *password, const char *except)
{
	TRY(user_set_password(r->db, .id = user_id, .password = password, .now = r->now_text));
	if (except == NULL)
		TRY(account_drop_keys(r->db, .user_id = user_id));
	TRY(owner_undo(r, user_id, true));
	TRY(session_end_others(r->db, .user_id = user_id, .except = except));
	return (onetime_clear(r->db, .user_id = user_id));
}
