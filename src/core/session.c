/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/session.h"
#include "core/user_json.h"
#include "db/db.h"
#include "query/refresh.h"
#include "query/session.h"
#include "query/user.h"

usec
session_last_used(const struct user *u, usec token_time)
{
	if (u->session_refreshed_at != 0)
		return (u->session_refreshed_at);
	return (token_time > u->session_created_at ? token_time : u->session_created_at);
}

enum session_verdict
session_validity(const struct request *r, const struct user *u, usec token_time)
{
	usec last = session_last_used(u, token_time);

	if (u->session_not_after != 0 && r->now > u->session_not_after)
		return (SESSION_PAST_NOT_AFTER);
	if (cfg->gotrue_sessions_timebox.ns > 0 && r->now > u->session_created_at + cfg->gotrue_sessions_timebox.ns / 1000)
		return (SESSION_PAST_TIMEBOX);
	if (cfg->gotrue_sessions_inactivity_timeout.ns > 0 && r->now > last + cfg->gotrue_sessions_inactivity_timeout.ns / 1000)
		return (SESSION_INACTIVE);
	if (cfg->gotrue_sessions_allow_low_aal.ns > 0 && !session_is_aal2(u) && user_has_factor(r->arena, u) &&
	    r->now > u->session_created_at + cfg->gotrue_sessions_allow_low_aal.ns / 1000)
		return (SESSION_LOW_AAL);
	return (SESSION_VALID);
}

/* The first refresh token, of the configured algorithm; key is NULL for rows of auth.refresh_tokens. */
static err
first_refresh_token(struct request *r, const struct user *in, const char *key, struct tokens *t)
{
	if (key == NULL) {
		t->refresh = refresh_token_v1_new(r->arena);
		reply_header(r, "sb-auth-refresh-token-prefix", arena_strndup(r->arena, t->refresh, 5));
		return (refresh_token_add(r->db, .token = t->refresh, .user_id = in->id, .session_id = in->session_id, .now = r->now_text));
	}
	if ((t->refresh = session_token_v2(r->arena, in->session_id, 0, key)) == NULL)
		return (fail(r, E_UNEXPECTED_FAILURE, "Failed to get session's refresh token key"));
	reply_header(r, "sb-auth-refresh-token-counter", "0");
	return (OK);
}

static err
session_rows(struct request *r, const struct user *in, const struct session_origin *origin, const char *key)
{
	TRY(session_add(r->db, .id = in->session_id, .user_id = in->id, .now = r->now_text, .aal = in->session_aal,
	    .not_after = origin->not_after, .user_agent = r->user_agent, .address = r->inet, .tag = origin->tag,
	    .client_id = origin->client_id, .scopes = origin->scopes, .hmac_key = key));
	return (session_method_add(r->db, .id = uuid_new(r->arena), .session_id = in->session_id, .method = origin->method,
	    .now = r->now_text));
}

static err
user_mark_signed_in(struct request *r, const struct user *u, const struct session_origin *origin, struct tokens *t)
{
	struct user in;
	struct user_signed_up_and_in up;

	if (origin->signed_up != NULL) {
		TRY(user_signed_up_and_in(r->db, &up, .id = u->id, .provider = origin->signed_up, .now = r->now_text));
		t->user_json = up.json;
	} else {
		TRY(user_signed_in(r->db, &in, .id = u->id, .now = r->now_text));
		t->user_json = user_text(r->arena, &in);
	}
	return (OK);
}

static err
session_write(struct request *r, const struct user *u, const struct session_origin *origin, struct tokens *t)
{
	struct user in = *u;
	const struct access access = {
		.method = origin->method,
		.client_id = origin->client_id,
		.scopes = origin->scopes,
		.amr = amr_text(r->arena, u, NULL, origin->method, r->now),
	};
	const char *key;

	in.session_id = uuid_new(r->arena);
	in.session_aal = "aal1";
	in.session_created_at = r->now;
	key = cfg->gotrue_security_refresh_token_algorithm_version == 2 ? session_key_new(r->arena, in.session_id) : NULL;
	reply_header(r, "sb-auth-user-id", u->id);
	reply_header(r, "sb-auth-session-id", in.session_id);
	TRY(session_assert(r->db, .user_id = u->id, .password = origin->password));
	if (origin->renewed_password != NULL)
		TRY(user_renew_password(r->db, .id = u->id, .was = origin->password, .password = origin->renewed_password));
	TRY(session_rows(r, &in, origin, key));
	TRY(first_refresh_token(r, &in, key, t));
	TRY(access_token(r, &in, &access, t));
	TRY_DB(r, user_mark_signed_in(r, u, origin, t), "Database error granting user");
	return (OK);
}

/* What session_assert() has to say comes with whatever travels next. */
static err
session_refused(struct request *r, const struct session_origin *origin, err error)
{
	const struct db_error *said = db_error(r->db);

	if (!str_equal(said->sqlstate, "PO001"))
		return (error);
	if (str_equal(said->message, "banned"))
		return (fail_as(r, E_USER_BANNED, origin->password != NULL ? 400 : 403, "User is banned"));
	if (str_equal(said->message, "password"))
		return (fail(r, E_INVALID_CREDENTIALS, NULL));
	if (str_equal(said->message, "gone"))
		return (fail(r, E_USER_NOT_FOUND, NULL));
	return (error);
}

err
session_start(struct request *r, const struct user *u, const struct session_origin *origin, struct tokens *t)
{
	err error = session_write(r, u, origin, t);

	return (error == OK ? OK : session_refused(r, origin, error));
}

err
session_still(struct request *r)
{
	const struct user *u = r->user;

	TRY(user_hold(r->db, .id = u->id));
	return (session_assert_bearer(r->db, .user_id = u->id, .session = u->session_id));
}
