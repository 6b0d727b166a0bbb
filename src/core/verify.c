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

static bool
by_phone(const struct verification *v)
{
	return (onetime_rows[v->type].sms != NULL);
}

static const enum onetime_kind *
kinds_of(const struct verification *v)
{
	return (onetime_rows[v->type].kinds);
}

/* Which of the two a code sent by e-mail turned out to be. */
static void
type_settle(struct verification *v)
{
	if (v->type == ONETIME_EMAIL)
		v->type = v->kind == KIND_RECOVERY ? ONETIME_MAGIC_LINK : ONETIME_SIGNUP;
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
	return (arena_printf(r->arena, "%lld", onetime_seconds(v->type)));
}

/* Of many at once, one gets it. */
static err
link_take(struct request *r, struct verification *v)
{
	const char *id = v->user.id;

	v->link = v->stored;
	TRY(onetime_take(r->db, &v->user, .user_id = id, .kind = onetime_kind_name(v->kind), .hash = v->stored, .life = life_text(r, v)));
	return (v->user.found ? OK : link_expired(r));
}

err
verify_link(struct request *r, struct verification *v)
{
	struct onetime_holder holder;

	if (!onetime_find(v->word, &v->type) || by_phone(v))
		return (fail(r, E_VALIDATION_FAILED, "Invalid email verification type"));
	v->pkce = onetime_rows[v->type].pkce;
	TRY_DB(r, onetime_by_link(r, v->type, v->hash, &holder), "Database error finding user from email link");
	if (!holder.found)
		return (link_expired(r));
	v->user = holder.user;
	v->kind = onetime_kind_find(holder.kind);
	v->stored = v->hash;
	if (v->user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	if (onetime_expired(r, &v->user, v->type, v->kind))
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
	if (v->type == ONETIME_PHONE_CHANGE)
		return (phone_changer(r, v, aud));
	if (by_phone(v))
		return (user_by_phone(r->db, &v->user, .phone = v->phone, .aud = aud));
	return (user_by_email(r->db, &v->user, .email = v->email, .aud = aud));
}

/* Whether the code is the secret of this kind; counts it as wrong against the secret otherwise. */
static bool
code_fits(struct request *r, const struct verification *v, enum onetime_kind kind)
{
	const char *stored = onetime_token(&v->user, kind);

	if (str_empty(stored) || onetime_expired(r, &v->user, v->type, kind))
		return (false);
	return (secret_equal_text(stored, v->hash) || secret_equal_text(stored, arena_printf(r->arena, "pkce_%s", v->hash)));
}

/* Each secret that the code could have been is one wrong try the nearer to its end.  Fixed codes have none. */
static err
code_wrong(struct request *r, const struct verification *v)
{
	char *hashes[3] = { NULL };
	size_t n = 0;

	if (by_phone(v) && sms_test_code(r, v->phone) != NULL)
		return (code_expired(r));
	for (const enum onetime_kind *kind = kinds_of(v); *kind != KIND_NONE; kind++) {
		const char *stored = onetime_token(&v->user, *kind);

		if (!str_empty(stored) && !onetime_expired(r, &v->user, v->type, *kind))
			hashes[n++] = arena_strdup(r->arena, stored);
	}
	if (n > 0)
		TRY(attempts_count_wrong(r, hashes));
	return (code_expired(r));
}

static err
code_take(struct request *r, struct verification *v)
{
	struct onetime_take_column taken;
	bool too_many;

	TRY(attempts_check(r, v->stored, &too_many));
	if (too_many)
		return (code_wrong(r, v));
	TRY(onetime_take_column(r->db, &taken, .user_id = v->user.id, .kind = onetime_kind_name(v->kind), .hash = v->stored,
	    .life = life_text(r, v)));
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
	return (sms_provider_check(r, v->type == ONETIME_PHONE_CHANGE ? v->user.phone_change : v->phone, v->token));
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
	const char *address = onetime_address(&v->user, v->kind);

	return (!str_equal(v->user.aud, aud) && str_equal_nocase(address, v->email));
}

/* The address may be either of the two. */
static err
change_code(struct request *r, struct verification *v, const char *aud)
{
	const enum onetime_kind *kinds = kinds_of(v) + (cfg->gotrue_mailer_secure_email_change_enabled ? 0 : 1);
	char *typed[] = { arena_strdup(r->arena, v->hash), arena_printf(r->arena, "pkce_%s", v->hash), NULL };
	const char *list = onetime_kind_names(r->arena, kinds);
	struct onetime_changer changer;
	bool too_many;

	TRY(onetime_changer(r->db, &changer, .address = v->email, .typed = db_array(r->arena, typed), .kinds = list));
	if (!changer.found)
		return (change_wrong(r, v, list));
	v->user = changer.user;
	v->kind = onetime_kind_find(changer.kind);
	v->stored = changer.link;
	if (change_elsewhere(v, aud))
		return (code_expired(r));
	if (v->user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	TRY(attempts_check(r, changer.typed, &too_many));
	if (too_many || onetime_expired(r, &v->user, v->type, v->kind))
		return (code_expired(r));
	TRY(onetime_take(r->db, &v->user, .user_id = v->user.id, .kind = onetime_kind_name(v->kind), .hash = v->stored,
	    .life = life_text(r, v)));
	return (v->user.found ? OK : code_expired(r));
}

err
verify_code(struct request *r, struct verification *v)
{
	bool known = onetime_find(v->word, &v->type), decided = false;
	const char *aud = claims_audience(r);

	if (!known || str_empty(by_phone(v) ? v->phone : v->email))
		return (code_expired(r));
	if (v->type == ONETIME_EMAIL_CHANGE)
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
	for (const enum onetime_kind *kind = kinds_of(v); *kind != KIND_NONE; kind++)
		if (code_fits(r, v, *kind)) {
			v->kind = *kind;
			v->stored = onetime_token(&v->user, *kind);
			type_settle(v);
			return (code_take(r, v));
		}
	return (code_wrong(r, v));
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
		return (user_half_changed(r->db, .id = u->id, .kind = onetime_kind_name(v->kind), .now = r->now_text));
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

	if (v->type == ONETIME_PHONE_CHANGE)
		return (verify_change_phone(r, u, u->phone_change));
	TRY(signed_up(r, u, "phone"));
	TRY(owner_settle(r, u, &(const struct proven){ .provider = "phone", .link = v->link }));
	TRY(user_confirm_phone(r->db, .id = u->id, .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u->id));
	return (user_no_longer_anonymous(r->db, .id = u->id, .now = r->now_text));
}

static err
apply_nothing(struct request *r, struct verification *v)
{
	(void)v;
	return (fail(r, E_VALIDATION_FAILED, "Unsupported verification type"));
}

static err (*const applies[ONETIME_COUNT])(struct request *, struct verification *) = {
#define ONETIME(id, word, life, then, ...) [ONETIME_##id] = apply_##then,
#include "onetime.def"
};

err
verify_apply(struct request *r, struct verification *v)
{
	TRY(applies[v->type](r, v));
	if (v->half_done)
		return (OK);
	TRY(user_refresh_providers(r->db, .id = v->user.id, .now = r->now_text));
	return (user_reload_changed(r, &v->user, "Error confirming user"));
}
