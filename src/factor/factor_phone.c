/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/amr.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/sending.h"
#include "core/sms.h"
#include "factor/factor_part.h"
#include "query/factor.h"
#include "sec/secret.h"

/* Telephones. */

static bool
has_verified(struct request *r, const char *number)
{
	size_t count;
	const struct factor_row *row = user_factors(r->arena, r->user, &count);

	for (size_t i = 0; i < count; i++)
		if (str_equal(row[i].type, "phone") && str_equal(row[i].phone, number) && factor_verified(&row[i]))
			return (true);
	return (false);
}

err
phone_enroll(struct request *r, struct factor_enrolment *e)
{
	if (str_empty(e->phone))
		return (fail(r, E_VALIDATION_FAILED, "Phone number required to enroll Phone factor"));
	e->number = e->phone;
	TRY(address_check_phone(r, &e->number));
	if (has_verified(r, e->number))
		return (fail(r, E_MFA_VERIFIED_FACTOR_EXISTS, NULL));
	e->shown = json_pairs(r->arena, "phone", e->phone, NULL);
	return (OK);
}

static err
code_send(struct request *r, const char *code, const char *channel)
{
	const struct sms sms = { .phone = r->factor->phone, .code = code, .channel = channel, .mfa = true };
	const char *message_id;
	err sent = sms_deliver(r, r->user, &sms, &message_id);

	if (sent == OK || sent == E_UNAVAILABLE || !hook_enabled(HOOK_SEND_SMS))
		return (sent);
	return (fail(r, E_UNEXPECTED_FAILURE, "error invoking hook"));
}

/*
 * A factor that goes takes along when its number was told a code, which is asked elsewhere of one that comes anew.  And whoever waits for
 * nothing, such as many at once or one new number after another, has as many messages as all factors that a user may have.
 */
static err
check_often(struct request *r, const char *whom)
{
	usec last = clock_timestamptz(r->factor->last_challenged_at);
	int64_t most = cfg->gotrue_mfa_max_enrolled_factors > 1 ? (int64_t)cfg->gotrue_mfa_max_enrolled_factors : 1;
	setting_duration interval = cfg->gotrue_mfa_phone_max_frequency;
	const setting_rate rate = { .events = (double)most, .per_ns = interval / most + 1, .burst = true };
	bool allowed;

	TRY(sending_long_ago(r, E_OVER_SMS_SEND_RATE_LIMIT, last, interval));
	if (last == 0)
		TRY(sending_check(r, SENDING_FACTOR, whom, r->user));
	TRY(limit_take_message(r, arena_printf(r->arena, "factors of %s", r->user->id), rate, &allowed));
	return (allowed ? OK : fail(r, E_OVER_SMS_SEND_RATE_LIMIT, NULL));
}

err
phone_challenge(struct request *r, struct factor_challenge *c)
{
	static const struct param fields[] = { PARAM(struct factor_challenge, text, channel), PARAM_END };
	const struct factor_row *f = r->factor;
	const char *code = secret_otp(r->arena, (unsigned)cfg->gotrue_mfa_phone_otp_length);
	const char *whom = arena_printf(r->arena, "%s of %s", f->phone, r->user->id);

	TRY(params_read(r, fields, c));
	c->channel = str_or(c->channel, "sms");
	TRY(sms_check_channel(r, c->channel));
	TRY(check_often(r, whom));
	c->code = secret_seal(r->arena, c->id, code);
	TRY(code_send(r, code, c->channel));
	TRY(factor_hold(r));
	TRY(sending_note(r, SENDING_FACTOR, whom));
	return (factor_assert_challenged(r->db, .id = f->id, .at = f->last_challenged_at));
}

err
phone_compare(struct request *r, const struct factor_challenged *c, struct factor_code *code)
{
	const char *sent;
	bool reseal;

	if (sms_provider_verifies() && !hook_enabled(HOOK_SEND_SMS)) {
		code->right = true;
		return (sms_provider_check(r, r->factor->phone, code->typed));
	}
	sent = secret_unseal(r->arena, c->id, c->code, &reseal);
	if (sent == NULL)
		return (fail(r, E_UNEXPECTED_FAILURE, "Database error verifying MFA TOTP secret"));
	code->right = secret_equal_text(sent, code->typed);
	if (!reseal)
		return (OK);
	TRY(factor_hold(r));
	return (factor_challenge_reseal(r->db, .id = c->id, .was = c->code, .code = secret_seal(r->arena, c->id, sent)));
}
