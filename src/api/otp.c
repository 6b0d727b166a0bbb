/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for a code or link: /otp, /magiclink, /recover, /resend. */
#include <string.h>

#include "api/api.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/pkce.h"
#include "core/onetime.h"
#include "core/sending.h"
#include "core/signup.h"
#include "core/sms.h"
#include "core/user.h"

static err
reply_nothing(struct request *r)
{
	return (reply_json(r, 200, "{}"));
}

static err
reply_message_id(struct request *r, const char *id)
{
	return (reply_json(r, 200, str_empty(id) ? "{}" : json_pairs(r->arena, "message_id", id, NULL)));
}

/* --- /otp and /magiclink --- */

struct otp {
	const char *email, *phone, *data, *channel, *code_challenge, *code_challenge_method;
	const bool *create_user;
};

static const struct param otp_params[] = {
	PARAM(struct otp, text, email),
	PARAM(struct otp, text, phone),
	PARAM(struct otp, maybe_bool, create_user),
	PARAM(struct otp, raw_object, data),
	PARAM(struct otp, text, channel),
	PARAM(struct otp, text, code_challenge),
	PARAM(struct otp, text, code_challenge_method),
	PARAM_END,
};

/* Somebody new signs up with the first code they ask for. */
static err
otp_sign_up(struct request *r, const struct otp *p, struct user *u, enum signup_outcome *outcome, const char **message_id)
{
	struct signup s = { .email = p->email,
		.phone = p->phone,
		.data = p->data,
		.channel = p->channel,
		.aud = claims_audience(r),
		.code_challenge = p->code_challenge,
		.code_challenge_method = p->code_challenge_method,
		.by_code = true,
		.message_id = message_id };

	return (signup(r, &s, u, outcome));
}

static err
magic_link_send(struct request *r, const struct otp *p, struct user *u)
{
	TRY(onetime_begin_pkce(r, ONETIME_MAGIC_LINK, u, p->code_challenge, p->code_challenge_method));
	TRY(audit(r, u, AUDIT_RECOVERY_REQUESTED, NULL));
	TRY(onetime_send(r, ONETIME_MAGIC_LINK, u, !str_empty(p->code_challenge)));
	return (reply_nothing(r));
}

/* Somebody known takes as long as somebody new, who costs a second look and a reading of what was written. */
static err
magic_link_known(struct request *r, const struct otp *p, struct user *u)
{
	struct user again;

	TRY(user_find_email(r, p->email, u->aud, NULL, &again));
	TRY(magic_link_send(r, p, u));
	return (user_reload(r, u));
}

static err
magic_link(struct request *r, struct otp *p)
{
	enum signup_outcome outcome;
	struct user u;

	if (!cfg->gotrue_external_email_enabled)
		return (fail(r, E_EMAIL_PROVIDER_DISABLED, NULL));
	if (!cfg->gotrue_external_email_magic_link_enabled)
		return (fail(r, E_EMAIL_PROVIDER_DISABLED, "Login with magic link is disabled"));
	if (str_empty(p->email))
		return (fail_as(r, E_VALIDATION_FAILED, 422, "Password recovery requires an email"));
	TRY(address_check_email(r, &p->email));
	TRY(pkce_check_challenge(r, p->code_challenge_method, p->code_challenge));
	r->jitter = true;
	TRY_DB(r, user_by_email(r->db, &u, .email = p->email, .aud = claims_audience(r)), "Database error finding user");
	TRY(sending_check(r, SENDING_MAIL, p->email, &u));
	if (u.found && u.email_confirmed)
		return (magic_link_known(r, p, &u));
	TRY(otp_sign_up(r, p, &u, &outcome, NULL));
	return (outcome == SIGNUP_CONFIRMED ? magic_link_send(r, p, &u) : reply_nothing(r));
}

static err
sms_code_send(struct request *r, const struct otp *p, const struct user *u)
{
	const char *message_id;

	TRY(audit(r, u, AUDIT_RECOVERY_REQUESTED, json_pairs(r->arena, "channel", p->channel, NULL)));
	TRY(onetime_send_phone(r, ONETIME_SMS, u, p->phone, p->channel, &message_id));
	TRY(sending_note(r, SENDING_SMS, p->phone));
	return (reply_message_id(r, message_id));
}

static err
sms_code(struct request *r, struct otp *p)
{
	enum signup_outcome outcome;
	const char *message_id = "";
	struct user u;

	if (!cfg->gotrue_external_phone_enabled)
		return (fail(r, E_PHONE_PROVIDER_DISABLED, NULL));
	p->channel = str_or(p->channel, "sms");
	TRY(address_check_phone(r, &p->phone));
	TRY(sms_check_channel(r, p->channel));
	r->jitter = true;
	TRY_DB(r, user_by_phone(r->db, &u, .phone = p->phone, .aud = claims_audience(r)), "Database error finding user");
	TRY(sending_check(r, SENDING_SMS, p->phone, &u));
	if (u.found && u.phone_confirmed)
		return (sms_code_send(r, p, &u));
	TRY(otp_sign_up(r, p, &u, &outcome, &message_id));
	if (outcome == SIGNUP_CONFIRMED)
		return (sms_code_send(r, p, &u));
	/* The numbers with fixed codes are the operator's, who sees what the reference answers. */
	return (reply_message_id(r, sms_test_code(r, p->phone) == NULL ? message_id : NULL));
}

/* Who may not sign up by a code must be there already. */
static err
otp_check_known(struct request *r, struct otp *p)
{
	const char *aud = claims_audience(r);
	struct user u = { .found = true };

	if (!str_empty(p->email)) {
		if (address_check_email(r, &p->email) != OK)
			return (fail(r, E_OTP_DISABLED, NULL));
		TRY(user_by_email(r->db, &u, .email = p->email, .aud = aud));
	} else if (!str_empty(p->phone)) {
		if (address_check_phone(r, &p->phone) != OK)
			return (fail(r, E_OTP_DISABLED, NULL));
		TRY(user_by_phone(r->db, &u, .phone = p->phone, .aud = aud));
	}
	return (u.found ? OK : fail(r, E_OTP_DISABLED, NULL));
}

/* POST /otp */
err
otp_post(struct request *r)
{
	struct otp p = { 0 };

	TRY(params_read(r, otp_params, &p));
	if (!str_empty(p.email) && !str_empty(p.phone))
		return (fail(r, E_VALIDATION_FAILED, "Only an email address or phone number should be provided"));
	if (!str_empty(p.email) && !str_empty(p.channel))
		return (fail(r, E_VALIDATION_FAILED, "Channel should only be specified with Phone OTP"));
	TRY(pkce_check_challenge(r, p.code_challenge_method, p.code_challenge));
	if (p.create_user != NULL && !*p.create_user)
		TRY(otp_check_known(r, &p));
	if (!str_empty(p.email))
		return (magic_link(r, &p));
	if (!str_empty(p.phone))
		return (sms_code(r, &p));
	return (fail(r, E_VALIDATION_FAILED, "One of email or phone must be set"));
}

static const struct param magiclink_params[] = {
	PARAM(struct otp, text, email),
	PARAM(struct otp, raw_object, data),
	PARAM(struct otp, text, code_challenge),
	PARAM(struct otp, text, code_challenge_method),
	PARAM_END,
};

/* POST /magiclink */
err
magiclink_post(struct request *r)
{
	struct otp p = { .phone = "", .channel = "" };
	err error;

	if (!cfg->gotrue_external_email_enabled)
		return (fail(r, E_EMAIL_PROVIDER_DISABLED, NULL));
	if (!cfg->gotrue_external_email_magic_link_enabled)
		return (fail(r, E_EMAIL_PROVIDER_DISABLED, "Login with magic link is disabled"));
	if ((error = params_read(r, magiclink_params, &p)) == E_BAD_JSON)
		return (fail(r, E_BAD_JSON, "Could not read verification params%s", strchr(r->failure.message, ':')));
	TRY(error);
	return (magic_link(r, &p));
}

/* --- /recover --- */

struct recover {
	const char *email, *code_challenge, *code_challenge_method;
};

static const struct param recover_params[] = {
	PARAM(struct recover, text, email),
	PARAM(struct recover, text, code_challenge),
	PARAM(struct recover, text, code_challenge_method),
	PARAM_END,
};

static err
recover_known(struct request *r, const struct recover *p, const struct user *u)
{
	TRY(onetime_begin_pkce(r, ONETIME_RECOVERY, u, p->code_challenge, p->code_challenge_method));
	TRY(audit(r, u, AUDIT_RECOVERY_REQUESTED, NULL));
	return (onetime_send(r, ONETIME_RECOVERY, u, !str_empty(p->code_challenge)));
}

/* POST /recover: the reply is the same whether the address is known or not. */
err
recover_post(struct request *r)
{
	struct recover p = { 0 };
	struct user u;

	TRY(params_read(r, recover_params, &p));
	if (str_empty(p.email))
		return (fail(r, E_VALIDATION_FAILED, "Password recovery requires an email"));
	TRY(address_check_email(r, &p.email));
	TRY(pkce_check_challenge(r, p.code_challenge_method, p.code_challenge));
	r->jitter = true;
	TRY_DB(r, user_by_email(r->db, &u, .email = p.email, .aud = claims_audience(r)), "Unable to process request");
	TRY(sending_check(r, SENDING_MAIL, p.email, &u));
	TRY(u.found ? recover_known(r, &p, &u) : onetime_pretend(r, ONETIME_RECOVERY, SENDING_MAIL, p.email));
	return (reply_nothing(r));
}

/* --- /resend --- */

struct resend {
	const char *type, *email, *phone, *code_challenge, *code_challenge_method;
};

static const struct param resend_params[] = {
	PARAM(struct resend, text, type),
	PARAM(struct resend, text, email),
	PARAM(struct resend, text, phone),
	PARAM(struct resend, text, code_challenge),
	PARAM(struct resend, text, code_challenge_method),
	PARAM_END,
};

static err
resend_check_address(struct request *r, struct resend *p)
{
	if (!str_empty(p->email) && !str_empty(p->phone))
		return (fail(r, E_VALIDATION_FAILED, "Only an email address or phone number should be provided."));
	if (!str_empty(p->email)) {
		if (!cfg->gotrue_external_email_enabled)
			return (fail_as(r, E_EMAIL_PROVIDER_DISABLED, 400, "Email logins are disabled"));
		return (address_check_email(r, &p->email));
	}
	if (!str_empty(p->phone)) {
		if (!cfg->gotrue_external_phone_enabled)
			return (fail(r, E_PHONE_PROVIDER_DISABLED, "Phone logins are disabled"));
		return (address_check_phone(r, &p->phone));
	}
	return (fail(r, E_VALIDATION_FAILED, "Missing email address or phone number"));
}

static err
resend_check(struct request *r, struct resend *p)
{
	bool mail = str_equal(p->type, "signup") || str_equal(p->type, "email_change");

	if (mail)
		TRY(pkce_check_challenge(r, p->code_challenge_method, p->code_challenge));
	else if (!str_equal(p->type, "sms") && !str_equal(p->type, "phone_change"))
		return (fail(r, E_VALIDATION_FAILED, "Missing one of these types: signup, email_change, sms, phone_change"));
	if (str_empty(p->email) && str_equal(p->type, "signup"))
		return (fail(r, E_VALIDATION_FAILED, "Type provided requires an email address"));
	if (str_empty(p->phone) && str_equal(p->type, "sms"))
		return (fail(r, E_VALIDATION_FAILED, "Type provided requires a phone number"));
	return (resend_check_address(r, p));
}

static err
resend_signup(struct request *r, const struct resend *p, const struct user *u)
{
	TRY(sending_check(r, SENDING_MAIL, p->email, u));
	if (!u->found || u->email_confirmed)
		return (onetime_pretend(r, ONETIME_RECOVERY, SENDING_MAIL, p->email));
	TRY(audit(r, u, AUDIT_CONFIRMATION_REQUESTED, NULL));
	TRY(onetime_begin_pkce(r, ONETIME_SIGNUP, u, p->code_challenge, p->code_challenge_method));
	return (onetime_send(r, ONETIME_SIGNUP, u, !str_empty(p->code_challenge)));
}

/* Of a change that waits, the user's row has the time. */
static err
resend_email_change(struct request *r, const struct resend *p, const struct user *u)
{
	const char *address = str_or(p->email, p->phone);

	if (!u->found || str_empty(u->email_change)) {
		TRY(sending_check(r, SENDING_EMAIL_CHANGE, address, u));
		return (onetime_pretend(r, ONETIME_RECOVERY, SENDING_EMAIL_CHANGE, address));
	}
	TRY(onetime_begin_pkce(r, ONETIME_EMAIL_CHANGE, u, p->code_challenge, p->code_challenge_method));
	return (onetime_send_email_change(r, u, u->email_change, !str_empty(p->code_challenge)));
}

/* The gateway's name of the message stays here: there is none where nobody has the number. */
static err
resend_sms(struct request *r, const struct resend *p, const struct user *u)
{
	const char *message_id;

	TRY(sending_check(r, SENDING_SMS, p->phone, u));
	if (!u->found || u->phone_confirmed)
		return (onetime_pretend_phone(r, SENDING_SMS, p->phone));
	TRY(audit(r, u, AUDIT_RECOVERY_REQUESTED, NULL));
	return (onetime_send_phone(r, ONETIME_SMS, u, p->phone, "sms", &message_id));
}

static err
resend_phone_change(struct request *r, const struct resend *p, const struct user *u)
{
	const char *message_id, *address = str_or(p->phone, p->email);

	if (!u->found || str_empty(u->phone_change)) {
		TRY(sending_check(r, SENDING_PHONE_CHANGE, address, u));
		return (onetime_pretend_phone(r, SENDING_PHONE_CHANGE, address));
	}
	return (onetime_send_phone(r, ONETIME_PHONE_CHANGE, u, u->phone_change, "sms", &message_id));
}

/* POST /resend */
err
resend_post(struct request *r)
{
	static const struct {
		const char *type;
		checked err (*send)(struct request *, const struct resend *, const struct user *);
	} senders[] = {
		{ "signup", resend_signup },
		{ "email_change", resend_email_change },
		{ "sms", resend_sms },
		{ "phone_change", resend_phone_change },
	};
	const char *aud = claims_audience(r);
	struct resend p = { 0 };
	struct user u;

	TRY(params_read(r, resend_params, &p));
	TRY(resend_check(r, &p));
	r->jitter = true;
	if (!str_empty(p.email))
		TRY_DB(r, user_by_email(r->db, &u, .email = p.email, .aud = aud), "Unable to process request");
	else
		TRY_DB(r, user_by_phone(r->db, &u, .phone = p.phone, .aud = aud), "Unable to process request");
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++)
		if (str_equal(p.type, senders[i].type))
			TRY(senders[i].send(r, &p, &u));
	return (reply_nothing(r));
}
