/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/audit.h"
#include "core/session.h"
#include "core/user_json.h"
#include "db/db.h"
#include "query/refresh.h"
#include "query/session.h"
#include "query/user.h"

#define RAISE_STEP 2 /* of the counter: one step on, the token in hand would still give the next one */

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
	usec last = session_last_used(u, token_time), low_aal_end = session_low_aal_end(r->arena, u);

	if (u->session_not_after != 0 && r->now > u->session_not_after)
		return (SESSION_PAST_NOT_AFTER);
	if (cfg->gotrue_sessions_timebox.ns > 0 && r->now > u->session_created_at + cfg->gotrue_sessions_timebox.ns / 1000)
		return (SESSION_PAST_TIMEBOX);
	if (cfg->gotrue_sessions_inactivity_timeout.ns > 0 && r->now > last + cfg->gotrue_sessions_inactivity_timeout.ns / 1000)
		return (SESSION_INACTIVE);
	if (low_aal_end != 0 && r->now > low_aal_end)
		return (SESSION_LOW_AAL);
	return (SESSION_VALID);
}

const char *
session_interval(struct arena *a, setting_maybe_duration d)
{
	return (d.ns > 0 ? arena_printf(a, "%lld microseconds", (long long)(d.ns / 1000)) : NULL);
}

static err
v2_refresh_token(struct request *r, const char *session_id, long long counter, const char *key, struct tokens *t)
{
	t->refresh = session_token_v2(r->arena, session_id, counter, key);
	return (t->refresh != NULL ? OK : fail(r, E_UNEXPECTED_FAILURE, "Failed to get session's refresh token key"));
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
	TRY(v2_refresh_token(r, in->session_id, 0, key, t));
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

	TRY(user_signed_in(r->db, &in, .id = u->id, .now = r->now_text));
	t->user_json = origin->signed_up == NULL ? user_text(r->arena, &in) : user_text_signed_up(r->arena, &in, origin->signed_up, r->now);
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
	return (session_assert_bearer(r->db, .user_id = u->id, .session = u->session_id, .aal = u->session_aal));
}

/* --- Raising --- */

/* What is over gets no new tokens.  One that is too long at aal1 is refreshed no more until its user has shown a factor: that is now. */
static err
raise_allowed(struct request *r, const struct session_state *s)
{
	enum session_verdict verdict = session_validity(r, &s->user, s->token_time);

	if (verdict == SESSION_VALID || verdict == SESSION_LOW_AAL)
		return (OK);
	return (fail_as(r, E_SESSION_EXPIRED, 403, "Session is no longer valid"));
}

err
session_to_raise(struct request *r, struct session_state *s)
{
	TRY(session_state(r->db, s, .id = r->user->session_id));
	if (!s->found || (s->hmac_key == NULL && s->active == NULL))
		return (fail(r, E_SESSION_NOT_FOUND, NULL));
	return (raise_allowed(r, s));
}

static char *
counter_text(struct arena *a, const struct session_state *s, long long more)
{
	return (s->hmac_key == NULL ? NULL : arena_printf(a, "%lld", (long long)s->counter + more));
}

static err
raise_refresh_token(struct request *r, const struct session_state *s, struct tokens *t)
{
	const struct user *u = &s->user;

	if (s->hmac_key == NULL) {
		t->refresh = refresh_token_v1_new(r->arena);
		TRY(audit(r, u, AUDIT_TOKEN_REVOKED, NULL));
		return (refresh_replace(r->db, .token = s->active, .fresh = t->refresh, .user_id = u->id, .session_id = u->session_id,
		    .now = r->now_text));
	}
	return (v2_refresh_token(r, u->session_id, s->counter + RAISE_STEP, s->hmac_key, t));
}

static err
raise_access_token(struct request *r, const struct session_state *s, const char *method, struct tokens *t)
{
	struct user in = s->user;
	const struct access access = {
		.method = method,
		.client_id = s->client_id,
		.scopes = s->scopes,
		.amr = amr_text(r->arena, &in, s->methods, method, r->now),
	};

	in.session_aal = "aal2";
	return (access_token(r, &in, &access, t));
}

err
session_raise(struct request *r, const struct session_state *s, const char *method, const char *factor_id, struct tokens *t)
{
	const char *id = s->user.session_id;
	struct user raised;

	TRY(session_still(r));
	TRY(session_assert_unchanged(r->db, .id = id, .counter = counter_text(r->arena, s, 0), .factor_id = factor_id));
	TRY(session_method_add(r->db, .id = uuid_new(r->arena), .session_id = id, .method = method, .now = r->now_text));
	TRY(session_end_lower(r->db, .user_id = s->user.id, .except = id));
	TRY(raise_refresh_token(r, s, t));
	TRY(raise_access_token(r, s, method, t));
	TRY(session_raised(r->db, &raised, .id = id, .factor_id = factor_id, .counter = counter_text(r->arena, s, RAISE_STEP),
	    .now = r->now_text));
	t->user_json = user_text(r->arena, &raised);
	return (OK);
}
