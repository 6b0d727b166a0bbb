/* SPDX-License-Identifier: Apache-2.0 */
/* POST /admin/generate_link: the link of a letter, without the letter. */
#include <string.h>

#include "api/api.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/hook.h"
#include "core/owner.h"
#include "core/onetime.h"
#include "core/redirect.h"
#include "core/user.h"
#include "query/onetime.h"
#include "sec/secret.h"

struct generate {
	const char *type, *email, *new_email, *password, *data, *redirect_to;
	const char *to;
	struct onetime secret;
	bool by_code; /* who is new gets a password that nobody knows */
};

static const struct param generate_params[] = {
	PARAM(struct generate, text, type),
	PARAM(struct generate, text, email),
	PARAM(struct generate, text, new_email),
	PARAM(struct generate, text, password),
	PARAM(struct generate, raw_object, data),
	PARAM(struct generate, text, redirect_to),
	PARAM_END,
};

static struct onetime
secret_new(struct request *r, const char *address)
{
	return (onetime_new(r->arena, address, (unsigned)cfg->gotrue_mailer_otp_length, false));
}

static err
make_recovery(struct request *r, struct generate *p, struct user *u)
{
	TRY(audit(r, u, AUDIT_RECOVERY_REQUESTED, NULL));
	return (onetime_store(r, ONETIME_RECOVERY, u, &p->secret, u->email));
}

static err
user_make(struct request *r, const struct generate *p, struct user *u, const char *id, const char *password)
{
	return (user_create_invited(r,
	    &(const struct new_user){
		.id = id, .email = p->email, .aud = claims_audience(r), .user_metadata = p->data, .password = password },
	    u));
}

/* Who follows the link of somebody known has the password of this request, if any. */
static err
confirmation_set(struct request *r, const struct generate *p, enum onetime_type type, const struct user *u, const char *password)
{
	TRY(onetime_store(r, type, u, &p->secret, u->email));
	if (!u->found)
		return (OK);
	TRY(owner_move(r, u, claims_audience(r)));
	return (owner_wait(r, u->id, password, NULL));
}

static err
make_invite(struct request *r, struct generate *p, struct user *u)
{
	if (u->found && u->email_confirmed)
		return (fail(r, E_EMAIL_EXISTS, NULL));
	if (!u->found)
		TRY(user_make(r, p, u, NULL, NULL));
	TRY(audit_admin(r, AUDIT_INVITED, json_pairs(r->arena, "user_id", u->id, "user_email", u->email, NULL)));
	return (confirmation_set(r, p, ONETIME_INVITE, u, NULL));
}

static err
password_make(struct request *r, const struct generate *p, const char *id, const char **stored)
{
	if (p->by_code) {
		*stored = credential_unknown(r, id);
		return (OK);
	}
	if (str_empty(p->password))
		return (fail(r, E_VALIDATION_FAILED, "Signup requires a valid password"));
	TRY(credential_check_strength(r, p->password));
	*stored = credential_new(r, id, p->password);
	return (OK);
}

static err
make_signup(struct request *r, struct generate *p, struct user *u)
{
	const char *id = uuid_new(r->arena), *stored = NULL; /* the id is part of what seals the password */

	if (u->found && u->email_confirmed)
		return (fail(r, E_EMAIL_EXISTS, NULL));
	if (u->found) {
		stored = credential_new(r, u->id, p->password);
		TRY(user_merge(r, u->id, p->data, NULL));
	} else {
		TRY(password_make(r, p, id, &stored));
		TRY(user_make(r, p, u, id, stored));
	}
	return (confirmation_set(r, p, ONETIME_SIGNUP, u, stored));
}

static err
make_email_change(struct request *r, struct generate *p, struct user *u)
{
	bool current = str_equal(p->type, "email_change_current");
	struct user other;

	if (current && !cfg->gotrue_mailer_secure_email_change_enabled)
		return (fail(r, E_VALIDATION_FAILED, "Enable secure email change to generate link for current email"));
	TRY(address_check_email(r, &p->new_email));
	TRY_DB(r, user_find_email(r, p->new_email, u->aud, u->id, &other), "Database error checking email");
	if (other.found)
		return (fail(r, E_EMAIL_EXISTS, NULL));
	if (!current)
		p->secret = secret_new(r, p->new_email);
	TRY(user_set_email_change(r->db, .id = u->id, .email = p->new_email, .current = current ? p->secret.typed : NULL,
	    .fresh = current ? NULL : p->secret.typed, .now = r->now_text));
	if (current)
		return (onetime_store_link(r, KIND_EMAIL_CHANGE_CURRENT, u, &p->secret, u->email));
	return (onetime_store_link(r, KIND_EMAIL_CHANGE_NEW, u, &p->secret, p->new_email));
}

static const struct kind {
	const char *type;
	checked err (*make)(struct request *, struct generate *, struct user *);
	bool known_only; /* there must be such a user */
	enum onetime_type link;
} kinds[] = {
	{ "signup", make_signup, false, ONETIME_SIGNUP },
	{ "invite", make_invite, false, ONETIME_INVITE },
	{ "magiclink", make_recovery, true, ONETIME_MAGIC_LINK },
	{ "recovery", make_recovery, true, ONETIME_RECOVERY },
	{ "email_change_current", make_email_change, true, ONETIME_EMAIL_CHANGE },
	{ "email_change_new", make_email_change, true, ONETIME_EMAIL_CHANGE },
};

static const struct kind *
kind_find(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_equal(type, kinds[i].type))
			return (&kinds[i]);
	return (NULL);
}

static err
reply_link(struct request *r, const struct generate *p, const struct user *u, const struct kind *kind)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_members(&b, user_text(r->arena, u));
	json_put_text(&b, "action_link", onetime_link(r, kind->link, p->secret.link, p->to));
	json_put_text(&b, "email_otp", p->secret.code);
	json_put_text(&b, "hashed_token", p->secret.link);
	json_put_text(&b, "verification_type", p->type);
	json_put_text(&b, "redirect_to", p->to);
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}

static err
generate(struct request *r, struct generate *p)
{
	const struct kind *kind;
	struct user u;
	bool made;

	TRY_DB(r, user_by_email(r->db, &u, .email = p->email), "Database error finding user");
	if (!u.found && str_equal(p->type, "magiclink")) {
		p->type = "signup";
		p->by_code = true;
	}
	kind = kind_find(p->type);
	if (kind == NULL)
		return (fail(r, E_VALIDATION_FAILED, "Invalid email action link type requested: %s", p->type));
	if (!u.found && kind->known_only)
		return (fail(r, E_USER_NOT_FOUND, "User with this email not found"));
	p->secret = secret_new(r, p->email);
	made = !u.found;
	TRY(kind->make(r, p, &u));
	TRY(user_reload(r, &u));
	if (made)
		TRY(hook_after_user_created(r, user_text(r->arena, &u)));
	return (reply_link(r, p, &u, kind));
}

/* POST /admin/generate_link */
err
generate_link_post(struct request *r)
{
	struct generate p = { 0 };

	TRY(params_read(r, generate_params, &p));
	TRY(address_check_email(r, &p.email));
	p.to = redirect_wanted_or(r, p.redirect_to);
	TRY_DB(r, generate(r, &p), "Database error saving new user");
	return (OK);
}
