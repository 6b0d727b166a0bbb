/* SPDX-License-Identifier: Apache-2.0 */
/* POST /signup: with an e-mail address, with a phone number, or anonymously. */
#include "api/api.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/flow.h"
#include "core/limit.h"
#include "core/proof.h"
#include "core/session.h"
#include "core/user.h"
#include "db/db.h"
#include "query/identity.h"
#include "query/onetime.h"

struct signup {
	const char *email, *phone, *password, *data, *channel, *code_challenge, *code_challenge_method;
	const char *aud, *provider;
};

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

static bool
by_email(const struct signup *p)
{
	return (!str_empty(p->email));
}

static err
signup_anonymously(struct request *r, const struct signup *p)
{
	struct user u = { .id = uuid_new(r->arena) };
	struct tokens t = { 0 };

	if (cfg->gotrue_disable_signup)
		return (fail(r, E_SIGNUP_DISABLED, NULL));
	TRY(user_create(r,
	    &(const struct new_user){ .id = u.id, .aud = p->aud, .role = cfg->gotrue_jwt_default_group_name, .user_metadata = p->data }));
	TRY_DB(r, user_reload(r, &u), "Database error creating anonymous user");
	TRY_DB(r, session_start(r, &u, &(const struct grant){ .method = "anonymous" }, &t), "Database error creating anonymous user");
	return (reply_tokens(r, &t));
}

/* The checks that need no database, in the reference's order. */
static err
signup_check(struct request *r, const struct signup *p)
{
	if (str_empty(p->password))
		return (fail(r, E_VALIDATION_FAILED, "Signup requires a valid password"));
	TRY(credential_check_strength(r, p->password));
	if (by_email(p) && !str_empty(p->phone))
		return (fail(r, E_VALIDATION_FAILED, "Only an email address or phone number should be provided on signup."));
	if (!by_email(p))
		TRY(address_check_channel(r, str_or(p->channel, "sms")));
	if (!str_empty(p->phone) && !str_empty(p->code_challenge))
		return (fail(r, E_VALIDATION_FAILED, "PKCE not supported for phone signups"));
	return (flow_check_challenge(r, p->code_challenge_method, p->code_challenge));
}

/* Checks the address and looks for somebody who has it. */
static err
signup_find(struct request *r, struct signup *p, struct user *u)
{
	if (by_email(p)) {
		if (!cfg->gotrue_external_email_enabled)
			return (fail_as(r, E_EMAIL_PROVIDER_DISABLED, 400, "Email signups are disabled"));
		TRY(address_check_email(r, &p->email));
		TRY_DB(r, user_find_email(r, p->email, p->aud, NULL, u), "Database error finding user");
	} else {
		if (!cfg->gotrue_external_phone_enabled)
			return (fail(r, E_PHONE_PROVIDER_DISABLED, "Phone signups are disabled"));
		TRY(address_check_phone(r, &p->phone));
		TRY_DB(r, user_by_phone(r->db, u, .phone = p->phone, .aud = p->aud), "Database error finding user");
	}
	return (OK);
}

/* Somebody who is not told that the address is taken sees a user that could be theirs. */
static char *
disguised_user(struct request *r, const struct signup *p)
{
	struct arena *a = r->arena;
	const char *now = json_quote(a, r->now_text);

	return (arena_printf(a,
	    "{\"id\":\"%s\",\"aud\":%s,\"role\":\"\",\"email\":%s,\"phone\":%s,\"confirmation_sent_at\":%s,"
	    "\"app_metadata\":{\"provider\":\"%s\",\"providers\":[\"%s\"]},\"user_metadata\":%s,\"identities\":[],"
	    "\"created_at\":%s,\"updated_at\":%s,\"is_anonymous\":false}",
	    uuid_new(a), json_quote(a, p->aud), json_quote(a, by_email(p) ? p->email : ""), json_quote(a, by_email(p) ? "" : p->phone), now,
	    p->provider, p->provider, str_or(p->data, "{}"), now, now));
}

static err
signup_repeated(struct request *r, const struct signup *p, const struct user *u)
{
	TRY(audit(r, u, AUDIT_REPEATED_SIGN_UP, json_pairs(r->arena, "provider", p->provider, NULL)));
	if (cfg->gotrue_mailer_autoconfirm || cfg->gotrue_sms_autoconfirm)
		return (COMMIT_WITH(r, fail(r, E_USER_ALREADY_EXISTS, NULL)));
	return (reply_json(r, 200, disguised_user(r, p)));
}

/* Confirmed without proof, because the settings say so. */
static err
signup_confirmed(struct request *r, const struct signup *p, struct user *u)
{
	const char *provider = json_pairs(r->arena, "provider", p->provider, NULL);
	const char *channel = by_email(p) ? NULL : str_or(p->channel, "sms");
	struct tokens t = { 0 };

	TRY(audit(r, u, AUDIT_SIGNED_UP, json_pairs(r->arena, "provider", p->provider, "channel", channel, NULL)));
	if (by_email(p))
		TRY(user_confirm_email(r->db, .id = u->id, .now = r->now_text));
	else
		TRY(user_confirm_phone(r->db, .id = u->id, .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u->id));
	TRY_DB(r, user_reload(r, u), "Database error updating user");
	TRY(audit(r, u, AUDIT_LOGIN, provider));
	TRY(session_start(r, u, &(const struct grant){ .method = "password", .signed_up = true }, &t));
	return (reply_tokens(r, &t));
}

/* The address has to be proven first: the user is told of no session. */
static err
signup_unconfirmed(struct request *r, const struct signup *p, struct user *u)
{
	struct user_signed_up shown;

	TRY(audit(r, u, AUDIT_CONFIRMATION_REQUESTED, json_pairs(r->arena, "provider", p->provider, NULL)));
	if (!by_email(p))
		return (fail(r, E_UNEXPECTED_FAILURE, "Unable to get SMS provider"));
	TRY(flow_begin(r, &(const struct flow){ .provider = "email",
			      .method = "email/signup",
			      .user_id = u->id,
			      .challenge = p->code_challenge,
			      .challenge_method = p->code_challenge_method }));
	TRY(proof_send_confirmation(r, u, !str_empty(p->code_challenge)));
	TRY(user_signed_up(r->db, &shown, .id = u->id));
	return (reply_json(r, 200, shown.json));
}

static err
signup_create(struct request *r, const struct signup *p, struct user *u)
{
	const char *id = uuid_new(r->arena);

	TRY(user_create(r, &(const struct new_user){ .id = id,
			       .aud = p->aud,
			       .role = cfg->gotrue_jwt_default_group_name,
			       .email = by_email(p) ? p->email : NULL,
			       .phone = by_email(p) ? NULL : p->phone,
			       .provider = p->provider,
			       .password = credential_new(r, id, p->password),
			       .user_metadata = p->data }));
	*u = (struct user){ .id = id, .email = by_email(p) ? p->email : "", .phone = by_email(p) ? "" : p->phone };
	return (OK);
}

static err
signup_once(struct request *r, struct signup *p)
{
	bool confirms = by_email(p) ? cfg->gotrue_mailer_autoconfirm : cfg->gotrue_sms_autoconfirm;
	struct user u;

	TRY(signup_find(r, p, &u));
	if (u.found && (by_email(p) ? u.email_confirmed : u.phone_confirmed))
		return (signup_repeated(r, p, &u));
	if (!u.found)
		TRY(signup_create(r, p, &u));
	return (confirms ? signup_confirmed(r, p, &u) : signup_unconfirmed(r, p, &u));
}

static err
signup_with_password(struct request *r, struct signup *p)
{
	err error;

	if (cfg->gotrue_disable_signup)
		return (fail(r, E_SIGNUP_DISABLED, NULL));
	TRY(signup_check(r, p));
	p->provider = by_email(p) ? "email" : "phone";
	error = signup_once(r, p);
	if (error == E_DATABASE && str_equal(db_error(r->db)->sqlstate, "23505")) {
		/* Somebody with the same address came in between; the second look sees them. */
		db_rollback(r->db);
		error = signup_once(r, p);
	}
	return (error == E_DATABASE ? fail(r, E_DATABASE, "Database error saving new user") : error);
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
