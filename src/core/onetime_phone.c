/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "core/limit.h"
#include "core/onetime.h"
#include "core/sms.h"
#include "sec/secret.h"

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

err
onetime_may_send_phone(struct request *r, enum onetime_type type, const struct user *u, const char *phone)
{
	usec sent_at = onetime_sent_at(u, onetime_rows[type].kinds[0]);

	TRY(sending_long_ago(r, E_OVER_SMS_SEND_RATE_LIMIT, sent_at, cfg->gotrue_sms_max_frequency));
	return (phone_take(r, phone));
}

err
onetime_send_phone(struct request *r, enum onetime_type type, const struct user *u, const char *phone, const char *channel,
    const char **message_id)
{
	const char *code = sms_test_code(r, phone);
	struct onetime secret;

	*message_id = "test-otp";
	TRY(onetime_may_send_phone(r, type, u, phone));
	if (code == NULL) {
		code = secret_otp(r->arena, (unsigned)cfg->gotrue_sms_otp_length);
		TRY(sms_deliver(r, u, &(const struct sms){ .phone = phone, .code = code, .type = type, .channel = channel }, message_id));
	}
	secret = onetime_of(r->arena, phone, code, false);
	return (onetime_store(r, type, u, &secret, phone));
}

err
onetime_pretend_phone(struct request *r, enum sending s, const char *phone)
{
	TRY(phone_take(r, phone));
	return (sending_note(r, s, phone));
}
