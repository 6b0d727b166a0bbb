/* SPDX-License-Identifier: Apache-2.0 */
/* POST /signup: with an e-mail address, with a phone number, or anonymously. */
#include "api/api.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/session.h"
#include "core/signup.h"
#include "core/user.h"
#include "db/db.h"

static const struct param signup_params[] = {
	PARAM(struct signup, text, email),
	PARAM(struct signup, text, phone),
	PARAM(struct signup, text, password),
	PARAM(struct signup, raw_object, data),
	PARAM(struct signup, text, channel),
	PARAM(struct signup, text, code_challenge),
	PARAM(struct signup, text, code_challenge_method),
	PARAM_END,
};

static err
anonymous_start(struct request *r, const struct new_user *made, struct tokens *t)
{
	struct user u = { .id = made->id };

	TRY(user_create(r, made));
	TRY(user_reload(r, &u));
	return (session_start(r, &u, &(const struct session_origin){ .method = "anonymous" }, t));
}

static err
signup_anonymously(struct request *r, const struct signup *p)
{
	const struct new_user made = {
		.id = uuid_new(r->arena), .aud = p->aud, .role = cfg->gotrue_jwt_default_group_name, .user_metadata = p->data
	};
	struct tokens t = { 0 };
	err error;

	if (cfg->gotrue_disable_signup)
		return (fail(r, E_SIGNUP_DISABLED, NULL));
	TRY(hook_before_user_created(r, &made));
	error = anonymous_start(r, &made, &t);
	if (error == E_UNAVAILABLE)
		return (error);
	/* Also what a hook has to say of the token. */
	if (error != OK)
		return (fail(r, error == E_DATABASE || error == E_HOOK_FUNCTION ? E_DATABASE : E_UNEXPECTED_FAILURE,
		    "Database error creating anonymous user"));
	TRY(hook_after_user_created(r, t.user_json));
	return (reply_tokens(r, &t));
}

/* Somebody who is not told that the address is taken sees a user that could be theirs. */
static const char *
disguised_user(struct request *r, const struct signup *p)
{
	bool email = !str_empty(p->email);
	struct user shown = user_unwritten(r->arena,
	    &(const struct new_user){ .id = uuid_new(r->arena),
		.aud = p->aud,
		.email = p->email,
		.phone = email ? NULL : p->phone,
		.provider = signup_provider(p),
		.user_metadata = p->data },
	    r->now_text);

	shown.confirmation_sent_at = r->now;
	return (user_text(r->arena, &shown));
}

static err
reply_signed_in(struct request *r, const struct signup *p, const struct user *u)
{
	struct tokens t = { 0 };

	/* A token that the hook refuses does not take back the sign-up. */
	if (hook_enabled(HOOK_CUSTOM_ACCESS_TOKEN))
		TRY(db_commit_early(r->db));
	TRY(audit(r, u, AUDIT_LOGIN, json_pairs(r->arena, "provider", signup_provider(p), NULL)));
	TRY(session_start(r, u, &(const struct session_origin){ .method = "password", .signed_up = signup_provider(p) }, &t));
	return (reply_tokens(r, &t));
}

static err
signup_with_password(struct request *r, struct signup *p)
{
	enum signup_outcome outcome;
	struct user u;

	TRY(signup(r, p, &u, &outcome));
	switch (outcome) {
	case SIGNUP_TAKEN:
		return (reply_json(r, 200, disguised_user(r, p)));
	case SIGNUP_CONFIRMED:
		return (reply_signed_in(r, p, &u));
	default:
		return (reply_json(r, 200, user_text(r->arena, &u)));
	}
}

/* POST /signup */
err
signup_post(struct request *r)
{
	struct signup p = { 0 };

	TRY(params_read(r, signup_params, &p));
	p.aud = claims_audience(r);
	if (str_empty(p.email) && str_empty(p.phone)) {
		if (!cfg->gotrue_external_anonymous_users_enabled)
			return (fail(r, E_ANONYMOUS_PROVIDER_DISABLED, NULL));
		TRY(limit_take(r, &limit_anonymous));
		return (signup_anonymously(r, &p));
	}
	TRY(limit_take(r, &limit_signup));
	return (signup_with_password(r, &p));
}
