/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/credential.h"
#include "core/pkce.h"
#include "core/hook.h"
#include "core/owner.h"
#include "core/onetime.h"
#include "core/sending.h"
#include "core/signup.h"
#include "core/sms.h"
#include "core/user.h"
#include "query/account.h"
#include "query/onetime.h"
#include "sec/password.h"

static bool
by_email(const struct signup *p)
{
	return (!str_empty(p->email));
}

const char *
signup_provider(const struct signup *p)
{
	return (by_email(p) ? "email" : "phone");
}

static bool
confirms(const struct signup *p)
{
	return (by_email(p) ? cfg->gotrue_mailer_autoconfirm : cfg->gotrue_sms_autoconfirm);
}

static char *
provider_trait(struct request *r, const struct signup *p)
{
	return (json_pairs(r->arena, "provider", signup_provider(p), NULL));
}

/* The checks that need no database, in the reference's order. */
static err
signup_check(struct request *r, const struct signup *p)
{
	if (!p->by_code && str_empty(p->password))
		return (fail(r, E_VALIDATION_FAILED, "Signup requires a valid password"));
	if (!p->by_code)
		TRY(credential_check_strength(r, p->password));
	if (by_email(p) && !str_empty(p->phone))
		return (fail(r, E_VALIDATION_FAILED, "Only an email address or phone number should be provided on signup."));
	if (!by_email(p))
		TRY(sms_check_channel(r, str_or(p->channel, "sms")));
	if (!str_empty(p->phone) && !str_empty(p->code_challenge))
		return (fail(r, E_VALIDATION_FAILED, "PKCE not supported for phone signups"));
	return (pkce_check_challenge(r, p->code_challenge_method, p->code_challenge));
}

/* Checks the address and looks for somebody who has it. */
static err
signup_find(struct request *r, struct signup *p, struct user *u)
{
	if (by_email(p)) {
		if (!cfg->gotrue_external_email_enabled)
			return (fail_as(r, E_EMAIL_PROVIDER_DISABLED, 400, "Email signups are disabled"));
		TRY(address_check_email(r, &p->email));
		TRY_DB(r, user_find_email(r, p->email, NULL, NULL, u), "Database error finding user");
	} else {
		if (!cfg->gotrue_external_phone_enabled)
			return (fail(r, E_PHONE_PROVIDER_DISABLED, "Phone signups are disabled"));
		TRY(address_check_phone(r, &p->phone));
		TRY_DB(r, user_by_phone(r->db, u, .phone = p->phone), "Database error finding user");
	}
	return (OK);
}

struct attempt {
	struct signup *params;
	struct user *user;
	enum signup_outcome *outcome;
	bool repeats;         /* the user was there, unconfirmed */
	const char *password; /* as stored: what a repeated sign-up leaves them with; NULL: none */
};

/* Confirmed without proof, because the settings say so. */
static err
signup_confirmed(struct request *r, const struct attempt *at)
{
	const struct signup *p = at->params;
	struct user *u = at->user;
	const char *channel = by_email(p) ? NULL : str_or(p->channel, "sms");

	TRY(audit(r, u, AUDIT_SIGNED_UP, json_pairs(r->arena, "provider", signup_provider(p), "channel", channel, NULL)));
	if (at->repeats)
		TRY(owner_settle(r, u,
		    &(const struct proven){ .provider = signup_provider(p), .decided = true, .password = at->password }));
	if (by_email(p))
		TRY(user_confirm_email(r->db, .id = u->id, .now = r->now_text));
	else
		TRY(user_confirm_phone(r->db, .id = u->id, .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u->id));
	TRY_DB(r, user_reload(r, u), "Database error updating user");
	return (OK);
}

/* A hook that is told of users and fails is not the client's business, but what the database says through it is. */
static err
hook_told(struct request *r, const struct user *u)
{
	static const char words[] = "Error invoking hook";
	err error;

	if (!hook_enabled(HOOK_AFTER_USER_CREATED))
		return (OK);
	TRY(db_commit_early(r->db)); /* what goes wrong here is not the hook's */
	error = hook_after_user_created(r, user_text(r->arena, u));
	if (error == OK || error == E_UNAVAILABLE)
		return (error);
	return (fail(r, error == E_HOOK_FUNCTION ? E_HOOK_FUNCTION : E_UNEXPECTED_FAILURE, words));
}

/* Of somebody invited nothing that the inviter has said. */
static const char *
signup_shown(struct request *r, const struct signup *p, const struct user *u)
{
	struct user shown = *u;

	if (u->invited)
		shown.user_metadata = "{}";
	return (user_text_signed_up(r->arena, &shown, u->invited ? "" : signup_provider(p), r->now));
}

/* The address has to be proven first. */
static err
signup_unconfirmed(struct request *r, const struct attempt *at)
{
	const struct signup *p = at->params;
	struct user *u = at->user;
	const char *message_id;

	TRY(audit(r, u, AUDIT_CONFIRMATION_REQUESTED, provider_trait(r, p)));
	if (by_email(p)) {
		TRY(pkce_begin(r, &(const struct pkce){ .provider = "email",
				      .method = onetime_rows[ONETIME_SIGNUP].pkce,
				      .user_id = u->id,
				      .challenge = p->code_challenge,
				      .challenge_method = p->code_challenge_method }));
		TRY(onetime_send(r, ONETIME_SIGNUP, u, !str_empty(p->code_challenge)));
	} else {
		TRY(onetime_send_phone(r, ONETIME_SMS, u, p->phone, str_or(p->channel, "sms"),
		    p->message_id != NULL ? p->message_id : &message_id));
	}
	if (at->repeats)
		TRY(owner_wait(r, u->id, at->password, NULL));
	TRY(user_reload(r, u));
	u->told = signup_shown(r, p, u);
	return (hook_told(r, u));
}

static struct new_user
signup_user(const struct signup *p, const char *id)
{
	return ((struct new_user){ .id = id,
	    .aud = p->aud,
	    .role = cfg->gotrue_jwt_default_group_name,
	    .email = by_email(p) ? p->email : NULL,
	    .phone = by_email(p) ? NULL : p->phone,
	    .provider = signup_provider(p),
	    .user_metadata = p->data });
}

static err
signup_create(struct request *r, const struct signup *p, struct user *u)
{
	struct new_user made = signup_user(p, uuid_new(r->arena));

	*u = user_queued(r->arena, &made);
	if (!confirms(p))
		TRY(by_email(p) ? onetime_may_send(r, ONETIME_SIGNUP, u) : onetime_may_send_phone(r, ONETIME_SMS, u, p->phone));
	TRY(hook_before_user_created(r, &made));
	made.password = p->by_code ? credential_unknown(r, made.id) : credential_new(r, made.id, p->password);
	return (user_create(r, &made));
}

/* Somebody has signed up with this address before, and nobody has proven it. */
static err
signup_repeat(struct request *r, struct attempt *at)
{
	const struct signup *p = at->params;
	struct new_user again = signup_user(p, at->user->id);

	at->password = p->by_code ? NULL : credential_new(r, again.id, p->password);
	TRY(account_assert(r->db, .user_id = again.id, .provider = again.provider));
	TRY(owner_move(r, at->user, p->aud));
	return (account_identity(r->db, .id = uuid_new(r->arena), .user_id = again.id, .provider = again.provider,
	    .data = user_identity_data(r->arena, &again), .now = r->now_text));
}

/* Where no proof is asked for, nothing is sent either, so somebody who can't sign up is told. */
static bool
taken_is_told(void)
{
	return (cfg->gotrue_mailer_autoconfirm || cfg->gotrue_sms_autoconfirm);
}

static err
signup_check_frequency(struct request *r, const struct signup *p, const struct user *u)
{
	if (p->by_code || taken_is_told())
		return (OK);
	return (by_email(p) ? sending_check(r, SENDING_MAIL, p->email, u) : sending_check(r, SENDING_SMS, p->phone, u));
}

/* Where the client is not told, neither may the time tell: a new user costs a hash, a letter and a reading of what was written. */
static err
signup_taken(struct request *r, const struct signup *p, struct user *u)
{
	TRY(audit(r, u, AUDIT_REPEATED_SIGN_UP, provider_trait(r, p)));
	if (taken_is_told())
		return (COMMIT_WITH(r, fail(r, E_USER_ALREADY_EXISTS, NULL)));
	if (!p->by_code)
		password_waste(r->arena, p->password);
	TRY(by_email(p) ? onetime_pretend(r, ONETIME_SIGNUP, SENDING_MAIL, p->email) : onetime_pretend_phone(r, SENDING_SMS, p->phone));
	return (user_reload(r, u));
}

/* An account that is found by an identity alone is not the address's, and what nobody proves gives nothing of what somebody has proven. */
static bool
is_taken(const struct signup *p, const struct user *u)
{
	bool proven = by_email(p) ? u->email_confirmed : u->phone_confirmed, other = by_email(p) ? u->phone_confirmed : u->email_confirmed;
	bool elsewhere = !str_equal(u->aud, p->aud);

	return ((by_email(p) && !str_equal_nocase(u->email, p->email)) || proven || (other && (confirms(p) || elsewhere)));
}

static err
signup_run(struct request *r, struct attempt *at)
{
	const struct signup *p = at->params;
	struct user *u = at->user;

	r->jitter = !confirms(p);
	TRY(signup_find(r, at->params, u));
	TRY(signup_check_frequency(r, p, u));
	if (u->found && is_taken(p, u)) {
		*at->outcome = SIGNUP_TAKEN;
		return (signup_taken(r, p, u));
	}
	at->repeats = u->found;
	TRY(at->repeats ? signup_repeat(r, at) : signup_create(r, p, u));
	*at->outcome = confirms(p) ? SIGNUP_CONFIRMED : SIGNUP_UNCONFIRMED;
	return (confirms(p) ? signup_confirmed(r, at) : signup_unconfirmed(r, at));
}

err
signup(struct request *r, struct signup *p, struct user *u, enum signup_outcome *outcome)
{
	err error;

	if (cfg->gotrue_disable_signup)
		return (fail(r, E_SIGNUP_DISABLED, NULL));
	TRY(signup_check(r, p));
	error = signup_run(r, &(struct attempt){ .params = p, .user = u, .outcome = outcome });
	return (error == E_DATABASE ? fail(r, E_DATABASE, "Database error saving new user") : error);
}
