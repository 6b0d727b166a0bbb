/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/proof.h"
#include "db/db.h"
#include "query/onetime.h"
#include "sec/secret.h"

char *
proof_hash(struct arena *a, const char *address, const char *code)
{
	return (sha224_hex(a, arena_printf(a, "%s%s", address, code)));
}

/* Not more often than the setting says, counted for each user. */
static err
sent_long_ago(struct request *r, usec sent_at, setting_duration apart)
{
	usec next = sent_at + apart / 1000;

	if (sent_at == 0 || next <= r->now)
		return (OK);
	return (fail(r, E_OVER_EMAIL_SEND_RATE_LIMIT, "For security purposes, you can only request this after %lld seconds.",
	    (long long)((next - r->now) / 1000000)));
}

err
proof_send_confirmation(struct request *r, const struct user *u, bool pkce)
{
	const char *code = secret_otp(r->arena, (unsigned)cfg->gotrue_mailer_otp_length);
	const char *hash = arena_printf(r->arena, "%s%s", pkce ? "pkce_" : "", proof_hash(r->arena, u->email, code));

	TRY(sent_long_ago(r, u->confirmation_sent_at, cfg->gotrue_smtp_max_frequency));
	TRY(user_set_confirmation(r->db, .id = u->id, .hash = hash, .now = r->now_text));
	return (onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = "confirmation_token", .hash = hash, .relates_to = u->email,
	    .now = r->now_text));
}

static err
nonce_refused(struct request *r)
{
	return (fail(r, E_REAUTHENTICATION_NOT_VALID, NULL));
}

err
proof_spend_nonce(struct request *r, const struct user *u, const char *nonce)
{
	const char *address = str_or(u->email, u->phone);
	int64_t life = str_empty(u->email) ? cfg->gotrue_sms_otp_exp : cfg->gotrue_mailer_otp_exp;
	struct user_spend_reauthentication spent;
	err ended;

	if (str_empty(u->reauthentication_token) || u->reauthentication_sent_at == 0)
		return (nonce_refused(r));
	if (str_empty(address))
		return (fail(r, E_REAUTHENTICATION_NOT_VALID, "Reauthentication requires an email or a phone number"));
	if (!secret_equal_text(proof_hash(r->arena, address, nonce), u->reauthentication_token) ||
	    u->reauthentication_sent_at + (usec)life * 1000000 < r->now)
		return (nonce_refused(r));
	db_apart_begin(r->db);
	TRY(onetime_clear(r->db, .user_id = u->id));
	TRY(user_spend_reauthentication(r->db, &spent, .id = u->id, .hash = u->reauthentication_token));
	ended = db_apart_end(r->db);
	TRY(ended);
	return (spent.found ? OK : nonce_refused(r));
}
