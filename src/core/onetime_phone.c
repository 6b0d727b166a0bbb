/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/limit.h"
#include "core/onetime.h"
#include "core/sms.h"
#include "db/db.h"
#include "query/onetime.h"
#include "sec/secret.h"

static usec
phone_sent_at(const char *kind, const struct user *u)
{
	if (str_equal(kind, "phone_change"))
		return (u->phone_change_sent_at);
	return (str_equal(kind, "reauthentication") ? u->reauthentication_sent_at : u->confirmation_sent_at);
}

static err
sms_take(struct request *r)
{
	bool allowed = true;

	if (cfg->gotrue_sms_autoconfirm)
		return (OK);
	if (cfg->gotrue_rate_limit_sms_sent.events <= 0)
		allowed = false;
	else
		TRY(limit_take_message(r, "sms_sent", cfg->gotrue_rate_limit_sms_sent, &allowed));
	return (allowed ? OK : fail(r, E_OVER_SMS_SEND_RATE_LIMIT, NULL));
}

/* The numbers with fixed codes get no message. */
static err
phone_take(struct request *r, const char *phone)
{
	return (sms_test_code(r, phone) == NULL ? sms_take(r) : OK);
}

static err
phone_store(struct request *r, const struct user *u, const char *phone, const char *kind, const char *code)
{
	const char *token = arena_printf(r->arena, "%s_token", kind);
	struct onetime secret = onetime_of(r->arena, phone, code, false);

	if (str_equal(kind, "phone_change"))
		TRY(user_set_phone_change(r->db, .id = u->id, .phone = phone, .hash = secret.typed, .now = r->now_text));
	else if (str_equal(kind, "reauthentication"))
		TRY(user_set_reauthentication(r->db, .id = u->id, .hash = secret.typed, .now = r->now_text));
	else
		TRY(user_set_confirmation(r->db, .id = u->id, .hash = secret.typed, .invited = "f", .now = r->now_text));
	return (onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = token, .hash = secret.link, .relates_to = phone,
	    .now = r->now_text));
}

err
onetime_may_send_phone(struct request *r, const struct user *u, const char *phone, const char *kind)
{
	TRY(sending_long_ago(r, E_OVER_SMS_SEND_RATE_LIMIT, phone_sent_at(kind, u), cfg->gotrue_sms_max_frequency));
	return (phone_take(r, phone));
}

err
onetime_send_phone(struct request *r, const struct user *u, const char *phone, const char *kind, const char *channel,
    const char **message_id)
{
	const char *code = sms_test_code(r, phone);

	*message_id = "test-otp";
	TRY(onetime_may_send_phone(r, u, phone, kind));
	if (code == NULL) {
		code = secret_otp(r->arena, (unsigned)cfg->gotrue_sms_otp_length);
		TRY(sms_deliver(r, u, &(const struct sms){ .phone = phone, .code = code, .kind = kind, .channel = channel }, message_id));
	}
	return (phone_store(r, u, phone, kind, code));
}

err
onetime_pretend_phone(struct request *r, enum sending s, const char *phone)
{
	TRY(phone_take(r, phone));
	return (sending_note(r, s, phone));
}
