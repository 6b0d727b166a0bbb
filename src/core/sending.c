/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/sending.h"
#include "query/limit.h"
#include "sec/secret.h"

static bool
by_phone(enum sending s)
{
	return (s == SENDING_SMS || s == SENDING_PHONE_CHANGE || s == SENDING_FACTOR);
}

static setting_duration
min_interval(enum sending s)
{
	if (s == SENDING_FACTOR)
		return (cfg->gotrue_mfa_phone_max_frequency);
	return (by_phone(s) ? cfg->gotrue_sms_max_frequency : cfg->gotrue_smtp_max_frequency);
}

/* Addresses may be of any length, keys not. */
static char *
sending_key(struct arena *a, enum sending s, const char *address)
{
	static const char *const names[] = { [SENDING_MAIL] = "mail",
		[SENDING_EMAIL_CHANGE] = "email_change",
		[SENDING_SMS] = "sms",
		[SENDING_PHONE_CHANGE] = "phone_change",
		[SENDING_FACTOR] = "factor" };

	return (arena_printf(a, "%s to %s", names[s], sha256_hex(a, address)));
}

/*
 * What strangers may ask for.  Letters of all kinds are one to them, for which of them goes out hangs on who has the address.  What was
 * sent to confirm it counts until it is confirmed.
 */
static usec
asked_at(enum sending s, const char *address, const struct user *u)
{
	if (!u->found)
		return (0);
	if (s == SENDING_SMS)
		return (u->phone_confirmed ? 0 : u->confirmation_sent_at);
	if (s != SENDING_MAIL || !str_equal_nocase(u->email, address))
		return (0);
	if (u->email_confirmed || u->recovery_sent_at > u->confirmation_sent_at)
		return (u->recovery_sent_at);
	return (u->confirmation_sent_at);
}

err
sending_long_ago(struct request *r, err refusal, usec sent_at, setting_duration interval)
{
	usec next = sent_at + interval / 1000;

	if (sent_at == 0 || next < r->now)
		return (OK);
	return (fail(r, refusal, "For security purposes, you can only request this after %lld seconds.",
	    (long long)((next - r->now) / 1000000)));
}

err
sending_check(struct request *r, enum sending s, const char *address, const struct user *u)
{
	err refusal = by_phone(s) ? E_OVER_SMS_SEND_RATE_LIMIT : E_OVER_EMAIL_SEND_RATE_LIMIT;
	struct sending_noted noted;

	TRY(sending_noted(r->db, &noted, .key = sending_key(r->arena, s, address)));
	TRY(sending_long_ago(r, refusal, noted.found ? noted.at : 0, min_interval(s)));
	return (sending_long_ago(r, refusal, asked_at(s, address, u), min_interval(s)));
}

err
sending_note(struct request *r, enum sending s, const char *address)
{
	return (sending_note_at(r->db, .key = sending_key(r->arena, s, address), .now = r->now_text,
	    .seconds = duration_seconds(r->arena, min_interval(s))));
}
