/* SPDX-License-Identifier: Apache-2.0 */
/* /user: the signed-in user reads and changes themselves. */
#include "api/api.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/gate.h"
#include "core/owner.h"
#include "core/notice.h"
#include "core/onetime.h"
#include "core/session.h"
#include "core/sms.h"
#include "core/user.h"
#include "core/verify.h"
#include "query/onetime.h"
#include "query/session.h"

/* GET /user */
err
user_get(struct request *r)
{
	if (r->claims->aud == NULL || !str_equal(claims_audience(r), r->claims->aud))
		return (fail(r, E_VALIDATION_FAILED, "Token audience doesn't match request audience"));
	return (reply_json(r, 200, user_text(r->arena, r->user)));
}

struct user_update {
	const char *email, *phone, *password, *current_password, *nonce, *channel;
	const char *data, *app_metadata;
	const char *code_challenge, *code_challenge_method;
};

static const struct param user_update_params[] = {
	PARAM(struct user_update, text, email),
	PARAM(struct user_update, maybe_text, password),
	PARAM(struct user_update, maybe_text, current_password),
	PARAM(struct user_update, text, nonce),
	PARAM(struct user_update, raw_object, data),
	PARAM(struct user_update, raw_object, app_metadata),
	PARAM(struct user_update, text, phone),
	PARAM(struct user_update, text, channel),
	PARAM(struct user_update, text, code_challenge),
	PARAM(struct user_update, text, code_challenge_method),
	PARAM_END,
};

static bool
changes_email(const struct user_update *p, const struct user *u)
{
	return (!str_empty(p->email) && !str_equal(p->email, u->email));
}

static bool
changes_phone(const struct user_update *p, const struct user *u)
{
	return (!str_empty(p->phone) && !str_equal(p->phone, u->phone));
}

/* The forms of what was sent. */
static err
update_check_forms(struct request *r, struct user_update *p)
{
	if (!str_empty(p->email))
		TRY(address_check_email(r, &p->email));
	if (!str_empty(p->phone)) {
		TRY(address_check_phone(r, &p->phone));
		TRY(sms_check_channel(r, str_or(p->channel, "sms")));
	}
	if (p->password != NULL)
		TRY(credential_check_strength(r, p->password));
	return (OK);
}

/* Who may change what. */
static err
update_check_rights(struct request *r, const struct user_update *p)
{
	static const struct aal2_refusal aal2 = { 401, "AAL2 session is required to update email or password when MFA is enabled." };
	const struct user *u = r->user;
	bool sets_password = !str_empty(p->password);
	bool is_admin = str_equal(cfg->gotrue_jwt_aud, u->aud) && str_equal(u->role, cfg->gotrue_jwt_admin_group_name);

	if (p->app_metadata != NULL && !is_admin)
		return (fail(r, E_NOT_ADMIN, "Updating app_metadata requires admin privileges"));
	if (sets_password || changes_email(p, u) || changes_phone(p, u))
		TRY(gate_aal2(r, &aal2));
	if (u->anonymous && sets_password && str_empty(p->email) && str_empty(p->phone))
		return (fail_as(r, E_VALIDATION_FAILED, 422,
		    "Updating password of an anonymous user without an email or phone is not allowed"));
	if (u->sso && (sets_password || changes_email(p, u) || changes_phone(p, u) || !str_empty(p->nonce)))
		return (fail(r, E_USER_SSO_MANAGED, NULL));
	return (OK);
}

/* Nobody else has the new addresses. */
static err
update_check_taken(struct request *r, const struct user_update *p)
{
	struct user other;

	if (changes_email(p, r->user)) {
		TRY_DB(r, user_find_email(r, p->email, NULL, r->user->id, &other), "Database error checking email");
		if (other.found)
			return (fail(r, E_EMAIL_EXISTS, NULL));
	}
	if (changes_phone(p, r->user)) {
		TRY_DB(r, user_by_phone(r->db, &other, .phone = p->phone), "Database error checking phone");
		if (other.found)
			return (fail(r, E_PHONE_EXISTS, "A user with this phone number has already been registered"));
	}
	return (OK);
}

#define DAY 86400000000LL

/* A session older than a day has to show a nonce. */
static err
password_check_fresh(struct request *r, const struct user_update *p)
{
	const struct user *u = r->user;

	if (!cfg->gotrue_security_update_password_require_reauthentication)
		return (OK);
	if (u->session_id != NULL && r->now <= u->session_created_at + DAY)
		return (OK);
	if (str_empty(p->nonce))
		return (fail(r, E_REAUTHENTICATION_NEEDED, NULL));
	return (onetime_spend_nonce(r, u, p->nonce));
}

/* Whether the old password is asked for: not of who has just proven an address, they may have forgotten it. */
static err
current_wanted(struct request *r, bool *wanted)
{
	struct session_proven s = { 0 };

	*wanted = cfg->gotrue_security_update_password_require_current_password;
	if (*wanted)
		TRY(session_proven(r->db, &s, .id = r->user->session_id));
	*wanted = *wanted && !s.proven;
	return (OK);
}

static err
password_check_current(struct request *r, const struct user_update *p)
{
	const struct user *u = r->user;

	if (str_empty(p->current_password))
		return (fail(r, E_CURRENT_PASSWORD_REQUIRED, NULL));
	if (!credential_verify(r, u, u->id, p->current_password, NULL))
		return (fail(r, E_CURRENT_PASSWORD_INVALID, NULL));
	return (OK);
}

/* *stored is what the database gets: NULL for an empty password, which takes the old one away. */
static err
password_prepare(struct request *r, const struct user_update *p, const char **stored)
{
	const struct user *u = r->user;
	bool wanted;

	TRY(current_wanted(r, &wanted));
	TRY(password_check_fresh(r, p));
	if (!str_empty(p->password) && !str_empty(u->password)) {
		if (wanted)
			TRY(password_check_current(r, p));
		if (credential_verify(r, u, u->id, p->password, NULL))
			return (fail(r, E_SAME_PASSWORD, NULL));
	}
	*stored = credential_new(r, u->id, p->password);
	return (OK);
}

/* Who signs in by password from now on may be shown to do so, where the settings ask for it and the address is proven. */
static err
password_first(struct request *r)
{
	const struct user *u = r->user;

	if (!cfg->gotrue_experimental_create_email_identity_on_password_set_enabled || !str_empty(u->password) || u->sso || u->anonymous ||
	    str_empty(u->email) || !u->email_confirmed)
		return (OK);
	TRY(user_identity_put(r, u->id, &(const struct own_identity){ .provider = "email", .address = u->email, .verified = true }));
	return (user_refresh_providers(r->db, .id = u->id, .now = r->now_text));
}

/* Whoever knew the old password is signed out everywhere else. */
static err
password_write(struct request *r, const char *stored)
{
	const struct user *u = r->user;

	TRY(owner_set_password(r, u->id, stored, u->session_id));
	TRY(audit(r, u, AUDIT_PASSWORD_UPDATED, NULL));
	if (stored != NULL)
		TRY(password_first(r));
	return (notice_send(r, u, &(const struct notice){ .letter = LETTER_PASSWORD_CHANGED }));
}

static bool
email_needs_no_proof(const struct user *u)
{
	return (u->anonymous && cfg->gotrue_mailer_autoconfirm);
}

/* A new address counts when it is proven; where the settings ask for no proof, at once. */
static err
update_email(struct request *r, const struct user *u, const struct user_update *p)
{
	if (email_needs_no_proof(u))
		return (verify_change_email(r, u, p->email));
	TRY(onetime_begin_pkce(r, ONETIME_EMAIL_CHANGE, u, p->code_challenge, p->code_challenge_method));
	return (onetime_send_email_change(r, u, p->email, !str_empty(p->code_challenge)));
}

static err
update_phone(struct request *r, const struct user *u, const struct user_update *p)
{
	const char *message_id;

	if (cfg->gotrue_sms_autoconfirm)
		return (verify_change_phone(r, u, p->phone));
	return (onetime_send_phone(r, ONETIME_PHONE_CHANGE, u, p->phone, str_or(p->channel, "sms"), &message_id));
}

static err
update_reload(struct request *r, struct user *u)
{
	return (user_reload_changed(r, u, "Error updating user"));
}

/* Who is told of a step is told the user as the steps before it have left them. */
static err
update_addresses(struct request *r, const struct user_update *p)
{
	bool email = changes_email(p, r->user), phone = changes_phone(p, r->user);
	bool changed = p->password != NULL || p->data != NULL || p->app_metadata != NULL;
	struct user u = *r->user;

	if (email && !email_needs_no_proof(&u))
		TRY(onetime_may_change_email(r, &u, p->email));
	if (phone && !cfg->gotrue_sms_autoconfirm)
		TRY(onetime_may_send_phone(r, ONETIME_PHONE_CHANGE, &u, p->phone));
	if ((email || phone) && changed)
		TRY(update_reload(r, &u));
	if (email)
		TRY(update_email(r, &u, p));
	if (email && phone)
		TRY(update_reload(r, &u));
	return (phone ? update_phone(r, &u, p) : OK);
}

/* PUT /user */
err
user_put(struct request *r)
{
	struct user_update p = { 0 };
	const char *stored = NULL;
	struct user u;

	TRY(params_read(r, user_update_params, &p));
	TRY(update_check_forms(r, &p));
	TRY(update_check_rights(r, &p));
	TRY(update_check_taken(r, &p));
	if (p.password != NULL)
		TRY(password_prepare(r, &p, &stored));
	TRY(session_still(r));
	/* First of all: a new password also takes back what is sent out for addresses. */
	if (p.password != NULL)
		TRY(password_write(r, stored));
	if (p.data != NULL || p.app_metadata != NULL)
		TRY(user_merge(r, r->user->id, p.data, p.app_metadata));
	TRY(update_addresses(r, &p));
	u = *r->user;
	TRY(update_reload(r, &u));
	TRY(audit(r, &u, AUDIT_USER_MODIFIED, NULL));
	return (reply_json(r, 200, user_text(r->arena, &u)));
}
