/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/custom_claims.h"
#include "core/tokens.h"
#include "sec/jwt.h"
#include "sec/secret.h"

#define SESSION_KEY_LEN 32
#define V1_LEN 12
#define TOKEN_MOST 31000 /* the samples of contrib/ let 32 kB through in a header */

/* --- Refresh tokens --- */

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

char *
session_token_v2(struct arena *a, const char *session_id, long long counter, const char *stored_key)
{
	struct refresh_token_v2 token = { .counter = counter };
	unsigned char *key;
	size_t len;

	if ((key = session_key_open(a, session_id, stored_key, &len)) == NULL)
		return (NULL);
	snprintf(token.session_id, sizeof(token.session_id), "%s", session_id);
	return (refresh_token_v2_encode(a, &token, key, len));
}

char *
refresh_token_v1_new(struct arena *a)
{
	return (secret_alphanumeric(a, V1_LEN));
}

bool
refresh_token_v1_valid(const char *token)
{
	for (const char *c = token; *c != '\0'; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c))
			return (false);
	return (strlen(token) == V1_LEN);
}

/* --- Access tokens --- */

/* An aal1 session of a user with factors may end before its token would. */
static long long
access_expiry(struct request *r, const struct user *u)
{
	long long expires = r->now / 1000000 + cfg->gotrue_jwt_exp, low = session_low_aal_end(r->arena, u) / 1000000;

	return (low != 0 && low < expires ? low : expires);
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
	json_put_text(&b, "aal", u->session_aal);
	json_put_raw(&b, "amr", access->amr);
	json_put_text(&b, "session_id", u->session_id);
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

	t->expires_at = access_expiry(r, u);
	t->session_id = u->session_id;
	claims = access_claims(r, u, access, t->expires_at);
	TRY(custom_claims(r, u->id, access->method, &claims));
	t->access = jwt_sign(r->arena, claims);
	if (t->access == NULL)
		return (fail(r, E_UNEXPECTED_FAILURE, "error generating jwt token"));
	warn_of_size(r, u, strlen(t->access));
	return (OK);
}

/* --- Replies --- */

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
