/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/audit.h"
#include "core/refresh.h"
#include "core/user_json.h"
#include "db/db.h"
#include "query/refresh.h"
#include "query/session.h"
#include "query/user.h"
#include "sec/jwt.h"
#include "sec/secret.h"

#define TRIES 16 /* each loser of a race waits for a winner's commit, then reads anew */

/* Where a user has but one session, the newest. */
static err
outdated_check(struct request *r, const struct user *u, usec token_time)
{
	struct arena *a = r->arena;
	struct refresh_outdated other;

	if (!cfg->gotrue_sessions_single_per_user)
		return (OK);
	TRY(refresh_outdated(r->db, &other, .session_id = u->session_id, .last = clock_rfc3339(a, session_last_used(u, token_time)),
	    .tags = db_array(a, cfg->gotrue_sessions_tags), .timebox = session_interval(a, cfg->gotrue_sessions_timebox),
	    .inactivity = session_interval(a, cfg->gotrue_sessions_inactivity_timeout),
	    .low_aal = session_interval(a, cfg->gotrue_sessions_allow_low_aal)));
	return (other.newer ? fail(r, E_SESSION_EXPIRED, "Invalid Refresh Token: Session Expired (Revoked by Newer Login)") : OK);
}

/* What both kinds of token share: who may refresh at all.  In the reference's order. */
static err
refresh_allowed(struct request *r, const struct user *u, usec token_time)
{
	if (u->banned)
		return (fail_as(r, E_USER_BANNED, 400, "Invalid Refresh Token: User Banned"));
	if (u->session_id == NULL)
		return (fail_as(r, E_SESSION_NOT_FOUND, 400, "Invalid Refresh Token: No Valid Session Found"));
	reply_header(r, "sb-auth-session-id", u->session_id);
	switch (session_validity(r, u, token_time)) {
	case SESSION_VALID:
		break;
	case SESSION_INACTIVE:
		return (fail(r, E_SESSION_EXPIRED, "Invalid Refresh Token: Session Expired (Inactivity)"));
	case SESSION_LOW_AAL:
		return (fail(r, E_SESSION_EXPIRED, "Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)"));
	default:
		return (fail(r, E_SESSION_EXPIRED, "Invalid Refresh Token: Session Expired"));
	}
	return (outdated_check(r, u, token_time));
}

/* Sessions of OAuth clients are refreshed at the OAuth token endpoint only. */
static err
client_allowed(struct request *r, const char *client_id)
{
	if (str_empty(client_id) || str_equal(client_id, UUID_NIL))
		return (OK);
	return (fail_oauth(r, "invalid_client", "Client authentication required for OAuth session"));
}

static err
not_found(struct request *r)
{
	return (fail(r, E_REFRESH_TOKEN_NOT_FOUND, NULL));
}

static err
already_used(struct request *r)
{
	return (COMMIT_WITH(r, fail(r, E_REFRESH_TOKEN_ALREADY_USED, NULL)));
}

static err
new_access(struct request *r, const struct user *u, const char *methods, struct tokens *t)
{
	t->user_json = user_text(r->arena, u);
	return (access_token(r, u, &(const struct access){ .method = "token_refresh", .amr = amr_text(r->arena, u, methods, NULL, 0) }, t));
}

/* Whether this session is among the share of sessions that move to v2 tokens: the same answer for a session every time. */
static bool
session_upgrades(const char *session_id)
{
	int64_t percent = cfg->gotrue_security_refresh_token_upgrade_percentage;
	unsigned char digest[SHA256_LEN];

	if (cfg->gotrue_security_refresh_token_algorithm_version != 2 || percent <= 0)
		return (false);
	sha256(session_id, strlen(session_id), digest);
	return ((digest[0] << 8 | digest[1]) % 100 < percent);
}

/* Told before the access token is made, so that a hook that refuses it leaves the headers that the reference leaves. */
static void
prefix_tell(struct request *r, const struct tokens *t)
{
	reply_header(r, "sb-auth-refresh-token-prefix", arena_strndup(r->arena, t->refresh, 5));
}

/* Puts a fresh token in the place of a row.  *done is false when somebody else was faster. */
static err
row_swap(struct request *r, const struct refresh_by_token *row, const char *token, struct tokens *t, bool *done)
{
	const struct user *u = &row->user;
	const char *fresh = refresh_token_v1_new(r->arena);
	const char *key = NULL, *counter = NULL;
	struct refresh_swap swap;

	t->refresh = fresh;
	if (session_upgrades(u->session_id)) {
		long long next = row->hmac_key == NULL ? 0 : row->counter + 1;

		key = str_or(row->hmac_key, NULL);
		if (key == NULL)
			key = session_key_new(r->arena, u->session_id);
		counter = arena_printf(r->arena, "%lld", next);
		t->refresh = session_token_v2(r->arena, u->session_id, next, key);
		if (t->refresh == NULL)
			return (fail(r, E_UNEXPECTED_FAILURE, "failed to load session signing key from database"));
	}
	if (counter != NULL)
		reply_header(r, "sb-auth-refresh-token-counter", counter);
	reply_header(r, "sb-auth-refresh-token-reuse", "false");
	prefix_tell(r, t);
	TRY(new_access(r, u, row->methods, t));
	TRY(refresh_swap(r->db, &swap, .token = token, .was_revoked = row->revoked ? "t" : "f", .fresh = fresh, .user_id = u->id,
	    .session_id = u->session_id, .hmac_key = key, .counter = counter, .now = r->now_text, .user_agent = r->user_agent,
	    .address = r->inet, .audit_address = audit_address(r, AUDIT_TOKEN_REFRESHED),
	    .refreshed = audit_text(r, u, AUDIT_TOKEN_REFRESHED, NULL), .swapped = audit_text(r, u, AUDIT_TOKEN_REVOKED, NULL)));
	*done = swap.done;
	return (OK);
}

/* counter, next: both NULL for a session that has none. */
static err
session_touch(struct request *r, const struct user *u, const char *counter, const char *next, bool *done)
{
	struct refresh_touch touch;

	TRY(refresh_touch(r->db, &touch, .session_id = u->session_id, .counter = counter, .next = next, .now = r->now_text,
	    .user_agent = r->user_agent, .address = r->inet, .audit_address = audit_address(r, AUDIT_TOKEN_REFRESHED),
	    .refreshed = audit_text(r, u, AUDIT_TOKEN_REFRESHED, NULL)));
	*done = touch.done;
	return (OK);
}

/* Somebody uses a token that has been used up: whoever has the others now may be a thief. */
static err
session_refused(struct request *r, const struct user *u)
{
	if (cfg->gotrue_security_refresh_token_rotation_enabled) {
		TRY(session_end(r->db, .id = u->session_id));
		reply_header(r, "sb-auth-refresh-token-rotated", "true");
	}
	return (already_used(r));
}

/* The parent of the active token: the client has missed our last answer and gets it again. */
static err
row_repeat(struct request *r, const struct refresh_by_token *row, const char *active, struct tokens *t, bool *done)
{
	const char *counter = row->hmac_key == NULL ? NULL : arena_printf(r->arena, "%lld", row->counter);

	t->refresh = active;
	prefix_tell(r, t);
	TRY(new_access(r, &row->user, row->methods, t));
	return (session_touch(r, &row->user, counter, counter, done));
}

/* Where v2 tokens have come in the place of rows, revoking rows would stop nobody. */
static err
row_refused(struct request *r, const struct refresh_by_token *row)
{
	const char *id = row->user.session_id;

	if (row->hmac_key != NULL)
		return (session_refused(r, &row->user));
	if (cfg->gotrue_security_refresh_token_rotation_enabled) {
		TRY(session_hold(r->db, .id = id));
		TRY(refresh_revoke_all(r->db, .session_id = id, .now = r->now_text));
	}
	return (already_used(r));
}

static err
row_reuse(struct request *r, const struct refresh_by_token *row, const char *token, struct tokens *t, bool *done)
{
	usec reuse = (usec)cfg->gotrue_security_refresh_token_reuse_interval * 1000000;
	struct refresh_active active;

	TRY(refresh_active(r->db, &active, .session_id = row->user.session_id));
	if (active.found && str_equal(active.parent, token))
		return (row_repeat(r, row, active.token, t, done));
	if (r->now > row->token_updated_at + reuse)
		return (row_refused(r, row));
	return (row_swap(r, row, token, t, done));
}

static err
row_refresh(struct request *r, const char *token, struct tokens *t, bool *done)
{
	struct refresh_by_token row;

	TRY(refresh_by_token(r->db, &row, .token = token));
	if (!row.found)
		return (not_found(r));
	reply_header(r, "sb-auth-user-id", row.user.id);
	if (row.user.session_id == NULL && !row.user.banned) {
		TRY(refresh_forget(r->db, .token = token));
		request_commit_anyway(r);
	}
	TRY(refresh_allowed(r, &row.user, row.token_updated_at));
	TRY(client_allowed(r, row.client_id));
	return (row.revoked ? row_reuse(r, &row, token, t, done) : row_swap(r, &row, token, t, done));
}

/* Why an older counter may still be used, joined by commas; "" when it may not. */
static const char *
counter_reuse_cause(struct request *r, const struct user *u, long long behind)
{
	usec last = u->session_refreshed_at != 0 ? u->session_refreshed_at : u->session_created_at;
	usec ago = r->now > last ? r->now - last : last - r->now;
	struct buf causes = buf_new(r->arena);

	if (ago < (usec)cfg->gotrue_security_refresh_token_reuse_interval * 1000000)
		buf_puts(&causes, "concurrent-refresh");
	if (behind == 1)
		buf_puts(&causes, causes.len > 0 ? ",fail-to-save" : "fail-to-save");
	if (cfg->gotrue_security_refresh_token_allow_reuse)
		buf_puts(&causes, causes.len > 0 ? ",always-allow" : "always-allow");
	return (causes.data);
}

/* Gives the token of counter `next`, which is the current one when an older one was used again. */
static err
counter_step(struct request *r, const struct refresh_by_session *row, long long next, struct tokens *t, bool *done)
{
	const char *now = arena_printf(r->arena, "%lld", row->counter);
	const char *then = arena_printf(r->arena, "%lld", next);

	t->refresh = session_token_v2(r->arena, row->user.session_id, next, row->hmac_key);
	reply_header(r, "sb-auth-refresh-token-counter", then);
	TRY(new_access(r, &row->user, row->methods, t));
	return (session_touch(r, &row->user, now, then, done));
}

static err
counter_refresh(struct request *r, const char *token, const struct refresh_token_v2 *given, struct tokens *t, bool *done)
{
	struct refresh_by_session row;
	unsigned char *key = NULL;
	long long behind;
	const char *cause;
	size_t len;

	TRY(refresh_by_session(r->db, &row, .session_id = given->session_id));
	if (row.found && row.hmac_key != NULL)
		key = session_key_open(r->arena, row.user.session_id, row.hmac_key, &len);
	if (key == NULL || !refresh_token_v2_signed(r->arena, token, key, len))
		return (not_found(r));
	reply_header(r, "sb-auth-user-id", row.user.id);
	TRY(refresh_allowed(r, &row.user, 0));
	TRY(client_allowed(r, row.client_id));
	if ((behind = row.counter - given->counter) < 0)
		return (fail(r, E_VALIDATION_FAILED, "Invalid Refresh Token: Not Issued By This Server"));
	if (behind == 0) {
		reply_header(r, "sb-auth-refresh-token-reuse", "false");
		return (counter_step(r, &row, row.counter + 1, t, done));
	}
	cause = counter_reuse_cause(r, &row.user, behind);
	if (str_empty(cause))
		return (session_refused(r, &row.user));
	reply_header(r, "sb-auth-refresh-token-reuse-cause", cause);
	return (counter_step(r, &row, row.counter, t, done));
}

err
refresh(struct request *r, const char *token, struct tokens *t)
{
	bool is_row = refresh_token_v1_valid(token), done = false;
	const struct request asked = *r;
	struct refresh_token_v2 given;

	if (!is_row && !refresh_token_v2_parse(r->arena, token, &given))
		return (fail(r, E_VALIDATION_FAILED, "Refresh token is not valid"));
	for (int tries = 0; tries < TRIES; tries++) {
		if (is_row)
			TRY(row_refresh(r, token, t, &done));
		else
			TRY(counter_refresh(r, token, &given, t, &done));
		if (done)
			return (OK);
		request_restart(r, &asked);
	}
	db_conflict_over(r->db);
	return (fail(r, E_CONFLICT, "Too many concurrent token refresh requests on the same session or refresh token"));
}
