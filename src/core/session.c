/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/custom_claims.h"
#include "core/session.h"
#include "core/user_json.h"
#include "db/db.h"
#include "query/refresh.h"
#include "query/session.h"
#include "query/user.h"
#include "sec/jwt.h"
#include "sec/secret.h"

#define SESSION_KEY_LEN 32
#define REFRESH_TOKEN_LEN 12
#define TOKEN_MOST 31000 /* the samples of contrib/ let 32 kB through in a header */

char *
session_key_new(struct arena *a, const char *session_id)
{
	char *key = secret_token(a, SESSION_KEY_LEN);

	return (cfg->gotrue_security_db_encryption_encrypt ? secret_seal(a, session_id, key) : key);
}

unsigned char *
session_key_open(struct arena *a, const char *session_id, const char *stored, size_t *len)
{
	const char *key = secret_unseal(a, session_id, stored, NULL);

	return (key == NULL ? NULL : base64url_decode(a, key, len));
}

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

/* An aal1 session of a user with factors may end before its token would. */
static long long
access_expiry(struct request *r, const struct user *u, const struct access *access)
{
	long long expires = r->now / 1000000 + cfg->gotrue_jwt_exp;
	long long low;

	if (cfg->gotrue_sessions_allow_low_aal.ns <= 0 || !str_equal(access->aal, "aal1") || !user_has_factor(r->arena, u))
		return (expires);
	low = (access->created_at + cfg->gotrue_sessions_allow_low_aal.ns / 1000) / 1000000;
	return (low < expires ? low : expires);
}

static char *
access_claims(struct request *r, const struct user *u, const struct access *access, long long expires_at)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_filled(&b, "iss", cfg->gotrue_jwt_issuer);
	json_put_text(&b, "sub", u->id);
	json_put_text(&b, "aud", u->aud);
	json_put_number(&b, "exp", expires_at);
	json_put_number(&b, "iat", r->now / 1000000);
	json_put_text(&b, "email", u->email);
	json_put_text(&b, "phone", u->phone);
	json_put_raw(&b, "app_metadata", u->app_metadata);
	json_put_raw(&b, "user_metadata", u->user_metadata);
	json_put_text(&b, "role", u->role);
	json_put_text(&b, "aal", access->aal);
	json_put_raw(&b, "amr", access->amr);
	json_put_text(&b, "session_id", access->session_id);
	json_put_bool(&b, "is_anonymous", u->anonymous);
	json_put_filled(&b, "client_id", access->client_id);
	json_put_filled(&b, "scope", access->scopes);
	json_object_end(&b);
	return (b.data);
}

/* Who has such a token can't use it: a redirect with it, or a request, is refused before it gets here. */
static void
warn_of_size(const struct request *r, const struct user *u, size_t bytes)
{
	if (bytes > TOKEN_MOST)
		log_event(LOG_WARN, "an access token is larger than web servers take: its user has too much metadata", "user_id", u->id,
		    "#bytes", arena_printf(r->arena, "%zu", bytes), NULL);
}

err
access_token(struct request *r, const struct user *u, const struct access *access, struct tokens *t)
{
	const char *claims;

	t->expires_at = access_expiry(r, u, access);
	t->session_id = access->session_id;
	claims = access_claims(r, u, access, t->expires_at);
	TRY(custom_claims(r, u->id, access->method, &claims));
	t->access = jwt_sign(r->arena, claims);
	if (t->access == NULL)
		return (fail(r, E_UNEXPECTED_FAILURE, "error generating jwt token"));
	warn_of_size(r, u, strlen(t->access));
	return (OK);
}

/* A refresh token of the configured algorithm; key is NULL for rows of auth.refresh_tokens. */
static err
first_refresh_token(struct request *r, const struct user *u, const char *session_id, const char *key, struct tokens *t)
{
	struct refresh_token_v2 token = { .counter = 0 };
	unsigned char *raw;
	size_t len;

	if (key == NULL) {
		t->refresh = secret_alphanumeric(r->arena, REFRESH_TOKEN_LEN);
		reply_header(r, "sb-auth-refresh-token-prefix", arena_strndup(r->arena, t->refresh, 5));
		return (refresh_token_add(r->db, .token = t->refresh, .user_id = u->id, .session_id = session_id, .now = r->now_text));
	}
	if ((raw = session_key_open(r->arena, session_id, key, &len)) == NULL)
		return (fail(r, E_UNEXPECTED_FAILURE, "Failed to get session's refresh token key"));
	snprintf(token.session_id, sizeof(token.session_id), "%s", session_id);
	t->refresh = refresh_token_v2_encode(r->arena, &token, raw, len);
	reply_header(r, "sb-auth-refresh-token-counter", "0");
	return (OK);
}

static err
session_rows(struct request *r, const struct user *u, const struct session_origin *origin, const char *id, const char *key)
{
	TRY(session_add(r->db, .id = id, .user_id = u->id, .now = r->now_text, .aal = "aal1", .factor_id = origin->factor_id,
	    .not_after = origin->not_after, .user_agent = r->user_agent, .address = r->inet, .tag = origin->tag, .hmac_key = key));
	return (session_method_add(r->db, .id = uuid_new(r->arena), .session_id = id, .method = origin->method, .now = r->now_text));
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
	const char *id = uuid_new(r->arena);
	const char *key = cfg->gotrue_security_refresh_token_algorithm_version == 2 ? session_key_new(r->arena, id) : NULL;
	const struct access access = { .session_id = id,
		.aal = "aal1",
		.method = origin->method,
		.created_at = r->now,
		.amr = arena_printf(r->arena, "[{\"method\":\"%s\",\"timestamp\":%lld}]", origin->method, (long long)(r->now / 1000000)) };

	reply_header(r, "sb-auth-user-id", u->id);
	reply_header(r, "sb-auth-session-id", id);
	TRY(session_assert(r->db, .user_id = u->id, .password = origin->password));
	if (origin->renewed_password != NULL)
		TRY(user_renew_password(r->db, .id = u->id, .was = origin->password, .password = origin->renewed_password));
	TRY(session_rows(r, u, origin, id, key));
	TRY(first_refresh_token(r, u, id, key, t));
	TRY(access_token(r, u, &access, t));
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

err
reply_tokens(struct request *r, const struct tokens *t)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_text(&b, "access_token", t->access);
	json_put_text(&b, "token_type", "bearer");
	json_put_number(&b, "expires_in", t->expires_at - (long long)(r->now / 1000000));
	json_put_number(&b, "expires_at", t->expires_at);
	json_put_text(&b, "refresh_token", t->refresh);
	json_put_raw(&b, "user", t->user_json);
	json_put_members(&b, t->extra);
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}

char *
tokens_redirect(struct request *r, const struct tokens *t, const char *url, struct query *extra)
{
	struct arena *a = r->arena;

	query_set(extra, "access_token", t->access);
	query_set(extra, "token_type", "bearer");
	query_set(extra, "expires_in", arena_printf(a, "%lld", t->expires_at - (long long)(r->now / 1000000)));
	query_set(extra, "expires_at", arena_printf(a, "%lld", t->expires_at));
	query_set(extra, "refresh_token", t->refresh);
	query_set(extra, "sb", "");
	return (arena_printf(a, "%s#%s", url, query_text(extra)));
}
