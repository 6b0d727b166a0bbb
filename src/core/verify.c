/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/attempts.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/hook.h"
#include "core/owner.h"
#include "core/notice.h"
#include "core/onetime.h"
#include "core/sms.h"
#include "core/user.h"
#include "core/verify.h"
#include "db/db.h"
#include "query/account.h"
#include "query/identity.h"
#include "query/onetime.h"
#include "query/session.h"
#include "sec/secret.h"

/* What each type of link or code may be found as, in the order in which it is looked for. */
static const struct type_row {
	const char *type;
	const char *kinds[3];
} types[] = {
	{ "email", { "confirmation_token", "recovery_token" } },
	{ "signup", { "confirmation_token" } },
	{ "invite", { "confirmation_token" } },
	{ "recovery", { "recovery_token" } },
	{ "magiclink", { "recovery_token" } },
	{ "email_change", { "email_change_token_current", "email_change_token_new" } },
	{ "sms", { "confirmation_token" } },
	{ "phone_change", { "phone_change_token" } },
};

static const struct type_row *
type_find(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_equal(type, types[i].type))
			return (&types[i]);
	return (NULL);
}

static bool
by_phone(const struct verification *v)
{
	return (str_equal(v->type, "sms") || str_equal(v->type, "phone_change"));
}

static const char *
stored_secret(const struct user *u, const char *kind)
{
	if (str_equal(kind, "confirmation_token"))
		return (u->confirmation_token);
	if (str_equal(kind, "recovery_token"))
		return (u->recovery_token);
	return (str_equal(kind, "phone_change_token") ? u->phone_change_token : "");
}

static usec
secret_sent_at(const struct user *u, const char *kind)
{
	if (str_equal(kind, "confirmation_token"))
		return (u->confirmation_sent_at);
	if (str_equal(kind, "recovery_token"))
		return (u->recovery_sent_at);
	return (str_equal(kind, "phone_change_token") ? u->phone_change_sent_at : u->email_change_sent_at);
}

/* Seconds that a secret lives. */
static long long
secret_life(const struct verification *v)
{
	return (by_phone(v) ? (long long)cfg->gotrue_sms_otp_exp : (long long)cfg->gotrue_mailer_otp_exp);
}

static bool
secret_expired(struct request *r, const struct verification *v, const char *kind)
{
	usec sent_at = secret_sent_at(&v->user, kind);

	return (sent_at == 0 || r->now > sent_at + (usec)secret_life(v) * 1000000);
}

/* Which of the two a code sent by e-mail turned out to be. */
static void
type_settle(struct verification *v)
{
	if (str_equal(v->type, "email"))
		v->type = str_equal(v->kind, "recovery_token") ? "magiclink" : "signup";
}

static err
link_expired(struct request *r)
{
	return (fail(r, E_OTP_EXPIRED, "Email link is invalid or has expired"));
}

static err
code_expired(struct request *r)
{
	r->jitter = true;
	return (fail(r, E_OTP_EXPIRED, NULL));
}

static const char *
life_text(struct request *r, const struct verification *v)
{
	return (arena_printf(r->arena, "%lld", secret_life(v)));
}

/* Of many at once, one gets it. */
static err
link_take(struct request *r, struct verification *v)
{
	const char *id = v->user.id;

	v->link = v->stored;
	TRY(onetime_take(r->db, &v->user, .user_id = id, .kind = v->kind, .hash = v->stored, .life = life_text(r, v)));
	return (v->user.found ? OK : link_expired(r));
}

err
verify_link(struct request *r, struct verification *v)
{
	const struct type_row *row = type_find(v->type);
	struct onetime_holder holder;

	if (row == NULL || by_phone(v))
		return (fail(r, E_VALIDATION_FAILED, "Invalid email verification type"));
	TRY_DB(r, onetime_holder(r->db, &holder, .link = v->hash, .kinds = db_array(r->arena, (char *const *)row->kinds)),
	    "Database error finding user from email link");
	if (!holder.found)
		return (link_expired(r));
	v->user = holder.user;
	v->kind = holder.kind;
	v->stored = v->hash;
	if (v->user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	if (secret_expired(r, v, v->kind))
		return (link_expired(r));
	type_settle(v);
	return (link_take(r, v));
}

/* --- Typed codes --- */

static err
phone_changer(struct request *r, struct verification *v, const char *aud)
{
	struct user_by_phone_change changer;

	TRY(user_by_phone_change(r->db, &changer, .phone = v->phone, .aud = aud, .typed = v->hash, .life = life_text(r, v)));
	v->user = changer.user;
	v->user.found = changer.found;
	v->contested = changer.found && changer.contested;
	return (OK);
}

static err
code_find_user(struct request *r, struct verification *v, const char *aud)
{
	if (str_equal(v->type, "phone_change"))
		return (phone_changer(r, v, aud));
	if (str_equal(v->type, "sms"))
		return (user_by_phone(r->db, &v->user, .phone = v->phone, .aud = aud));
	return (user_by_email(r->db, &v->user, .email = v->email, .aud = aud));
}

/* Whether the code is the secret of this kind; counts it as wrong against the secret otherwise. */
static bool
code_fits(struct request *r, const struct verification *v, const char *kind)
{
	const char *stored = stored_secret(&v->user, kind);

	if (str_empty(stored) || secret_expired(r, v, kind))
		return (false);
	return (secret_equal_text(stored, v->hash) || secret_equal_text(stored, arena_printf(r->arena, "pkce_%s", v->hash)));
}

/* Each secret that the code could have been is one wrong try the nearer to its end.  Fixed codes have none. */
static err
code_wrong(struct request *r, const struct verification *v, const struct type_row *row)
{
	char *hashes[3] = { NULL };
	size_t n = 0;

	if (by_phone(v) && sms_test_code(r, v->phone) != NULL)
		return (code_expired(r));
	for (size_t i = 0; row->kinds[i] != NULL; i++) {
		const char *stored = stored_secret(&v->user, row->kinds[i]);

		if (!str_empty(stored) && !secret_expired(r, v, row->kinds[i]))
			hashes[n++] = arena_strdup(r->arena, stored);
	}
	if (n > 0)
		TRY(attempts_count_wrong(r, hashes));
	return (code_expired(r));
}

static err
code_take(struct request *r, struct verification *v, const struct type_row *row)
{
	struct onetime_take_column taken;
	bool too_many;

	TRY(attempts_check(r, v->stored, &too_many));
	if (too_many)
		return (code_wrong(r, v, row));
	TRY(onetime_take_column(r->db, &taken, .user_id = v->user.id, .kind = v->kind, .hash = v->stored, .life = life_text(r, v)));
	v->user = taken.user;
	v->link = taken.link;
	return (taken.found ? OK : code_expired(r));
}

/* Codes that are not ours to compare.  *done: it was decided here, rightly or not. */
static err
code_of_others(struct request *r, const struct verification *v, bool *done)
{
	const char *test = sms_test_code(r, v->phone);

	*done = test != NULL && secret_equal_text(test, v->token);
	if (*done || hook_enabled(HOOK_SEND_SMS) || !sms_provider_verifies())
		return (OK);
	if (v->contested)
		return (code_expired(r));
	*done = true;
	return (sms_provider_check(r, str_equal(v->type, "phone_change") ? v->user.phone_change : v->phone, v->token));
}

static err
change_wrong(struct request *r, const struct verification *v, const char *kinds)
{
	struct onetime_sent_to_rows sent;
	char **hashes;

	TRY(onetime_sent_to(r->db, &sent, .address = v->email, .kinds = kinds, .life = life_text(r, v)));
	if (sent.len == 0)
		return (code_expired(r));
	hashes = arena_new_array(r->arena, char *, sent.len + 1);
	for (size_t i = 0; i < sent.len; i++)
		hashes[i] = arena_strdup(r->arena, sent.row[i].typed);
	hashes[sent.len] = NULL;
	TRY(attempts_count_wrong(r, hashes));
	return (code_expired(r));
}

/* Whether the address is somebody's of another audience. */
static bool
change_elsewhere(const struct verification *v, const char *aud)
{
	const char *address = str_equal(v->kind, "email_change_token_current") ? v->user.email : v->user.email_change;

	return (!str_equal(v->user.aud, aud) && str_equal_nocase(address, v->email));
}

/* The address may be either of the two. */
static err
change_code(struct request *r, struct verification *v, const char *aud)
{
	static const char *const both[] = { "email_change_token_current", "email_change_token_new", NULL };
	const char *const *kinds = cfg->gotrue_mailer_secure_email_change_enabled ? both : both + 1;
	char *typed[] = { arena_strdup(r->arena, v->hash), arena_printf(r->arena, "pkce_%s", v->hash), NULL };
	const char *list = db_array(r->arena, (char *const *)kinds);
	struct onetime_changer changer;
	bool too_many;

	TRY(onetime_changer(r->db, &changer, .address = v->email, .typed = db_array(r->arena, typed), .kinds = list));
	if (!changer.found)
		return (change_wrong(r, v, list));
	v->user = changer.user;
	v->kind = changer.kind;
	v->stored = changer.link;
	if (change_elsewhere(v, aud))
		return (code_expired(r));
	if (v->user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	TRY(attempts_check(r, changer.typed, &too_many));
	if (too_many || secret_expired(r, v, v->kind))
		return (code_expired(r));
	TRY(onetime_take(r->db, &v->user, .user_id = v->user.id, .kind = v->kind, .hash = v->stored, .life = life_text(r, v)));
	return (v->user.found ? OK : code_expired(r));
}

err
verify_code(struct request *r, struct verification *v)
{
	const struct type_row *row = type_find(v->type);
	const char *aud = claims_audience(r);
	bool decided = false;

	if (str_empty(by_phone(v) ? v->phone : v->email))
		return (code_expired(r));
	if (str_equal(v->type, "email_change"))
		return (change_code(r, v, aud));
	TRY_DB(r, code_find_user(r, v, aud), "Database error finding user");
	if (!v->user.found)
		return (code_expired(r));
	if (v->user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	if (by_phone(v))
		TRY(code_of_others(r, v, &decided));
	if (decided)
		return (OK);
	for (size_t i = 0; row != NULL && row->kinds[i] != NULL; i++)
		if (code_fits(r, v, row->kinds[i])) {
			v->kind = row->kinds[i];
			v->stored = stored_secret(&v->user, v->kind);
			type_settle(v);
			return (code_take(r, v, row));
		}
	return (row == NULL ? code_expired(r) : code_wrong(r, v, row));
}

/* --- What follows --- */

static err
signed_up(struct request *r, const struct user *u, const char *provider)
{
	return (audit(r, u, AUDIT_SIGNED_UP, json_pairs(r->arena, "provider", provider, NULL)));
}

static err
apply_signup(struct request *r, struct verification *v)
{
	const struct user *u = &v->user;

	TRY(signed_up(r, u, "email"));
	TRY(owner_settle(r, u, &(const struct proven){ .provider = "email", .link = v->link }));
	if (u->invited) /* they go on with a password that nobody knows, until they set one */
		TRY(user_fill_password(r->db, .id = u->id, .password = credential_unknown(r, u->id), .now = r->now_text));
	TRY(user_confirm_email(r->db, .id = u->id, .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u->id));
	return (identity_email_verified(r->db, .user_id = u->id, .now = r->now_text));
}

static err
apply_recovery(struct request *r, struct verification *v)
{
	const struct user *u = &v->user;

	TRY(user_recovered(r->db, .id = u->id, .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u->id));
	if (u->email_confirmed) {
		TRY(owner_undo(r, u->id, false));
		return (audit(r, u, AUDIT_LOGIN, NULL));
	}
	TRY(signed_up(r, u, "email"));
	TRY(account_address(r->db, .id = uuid_new(r->arena), .user_id = u->id, .email = u->email, .now = r->now_text));
	TRY(owner_settle(r, u, &(const struct proven){ .provider = "email", .decided = true }));
	return (user_confirm_email(r->db, .id = u->id, .now = r->now_text));
}

err
verify_change_email(struct request *r, const struct user *u, const char *email)
{
	TRY(audit(r, u, AUDIT_USER_MODIFIED, NULL));
	TRY(user_change_email(r->db, .id = u->id, .email = email, .now = r->now_text));
	TRY(user_identity_put(r, u->id, &(const struct own_identity){ .provider = "email", .address = email, .verified = true }));
	TRY(onetime_clear(r->db, .user_id = u->id));
	if (!u->email_confirmed)
		TRY(user_confirm_email(r->db, .id = u->id, .now = r->now_text));
	if (str_empty(u->email) || str_equal(u->email, email))
		return (OK);
	return (notice_send(r, u,
	    &(const struct notice){ .letter = LETTER_EMAIL_CHANGED,
		.to = u->email,
		.more = json_pairs(r->arena, "OldEmail", u->email, "Email", email, NULL) }));
}

static err
apply_email_change(struct request *r, struct verification *v)
{
	const struct user *u = &v->user;

	v->half_done = !cfg->gotrue_mailer_autoconfirm && cfg->gotrue_mailer_secure_email_change_enabled && u->email_change_status == 0 &&
		       !str_empty(u->email);
	if (v->half_done)
		return (user_half_changed(r->db, .id = u->id, .kind = v->kind, .now = r->now_text));
	return (verify_change_email(r, u, u->email_change));
}

/* Of the new number, and of the identity where the user had none for a phone. */
static err
phone_tell(struct request *r, const struct user *u, const char *phone, bool had_identity)
{
	if (!str_empty(u->phone) && !str_equal(u->phone, phone))
		TRY(notice_send(r, u,
		    &(const struct notice){
			.letter = LETTER_PHONE_CHANGED, .more = json_pairs(r->arena, "OldPhone", u->phone, "Phone", phone, NULL) }));
	if (had_identity)
		return (OK);
	return (notice_send(r, u,
	    &(const struct notice){ .letter = LETTER_IDENTITY_LINKED, .more = json_pairs(r->arena, "Provider", "phone", NULL) }));
}

err
verify_change_phone(struct request *r, const struct user *u, const char *phone)
{
	struct identity_by_provider identity = { 0 };

	if (letter_enabled(LETTER_IDENTITY_LINKED))
		TRY(identity_by_provider(r->db, &identity, .provider_id = u->id, .provider = "phone"));
	TRY(audit(r, u, AUDIT_USER_MODIFIED, NULL));
	TRY(user_change_phone(r->db, .id = u->id, .phone = phone, .now = r->now_text));
	TRY(user_identity_put(r, u->id, &(const struct own_identity){ .provider = "phone", .address = phone, .verified = true }));
	TRY(onetime_clear(r->db, .user_id = u->id));
	return (phone_tell(r, u, phone, identity.found));
}

static err
apply_sms(struct request *r, struct verification *v)
{
	const struct user *u = &v->user;

	if (str_equal(v->type, "phone_change"))
		return (verify_change_phone(r, u, u->phone_change));
	TRY(signed_up(r, u, "phone"));
	TRY(owner_settle(r, u, &(const struct proven){ .provider = "phone", .link = v->link }));
	TRY(user_confirm_phone(r->db, .id = u->id, .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u->id));
	return (user_no_longer_anonymous(r->db, .id = u->id, .now = r->now_text));
}

static const struct {
	const char *type;
	checked err (*apply)(struct request *, struct verification *);
} applies[] = {
	{ "signup", apply_signup },
	{ "invite", apply_signup },
	{ "recovery", apply_recovery },
	{ "magiclink", apply_recovery },
	{ "email_change", apply_email_change },
	{ "sms", apply_sms },
	{ "phone_change", apply_sms },
};

err
verify_apply(struct request *r, struct verification *v)
{
	size_t i;

	for (i = 0; i < sizeof(applies) / sizeof(applies[0]); i++)
		if (str_equal(v->type, applies[i].type))
			break;
	if (i == sizeof(applies) / sizeof(applies[0]))
		return (fail(r, E_VALIDATION_FAILED, "Unsupported verification type"));
	TRY(applies[i].apply(r, v));
	if (v->half_done)
		return (OK);
	TRY(user_refresh_providers(r->db, .id = v->user.id, .now = r->now_text));
	return (user_reload_changed(r, &v->user, "Error confirming user"));
}
