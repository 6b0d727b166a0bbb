/* SPDX-License-Identifier: Apache-2.0 */
/* Identities that somebody asks for: added to the bearer, accepted by an invitation, taken away. */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/notice.h"
#include "core/onetime.h"
#include "core/session.h"
#include "core/user.h"
#include "db/db.h"
#include "external/invitation.h"
#include "external/linking.h"
#include "query/linking.h"
#include "query/onetime.h"

static err
notify(struct request *r, const struct user *u, enum letter_id letter, const char *provider)
{
	return (notice_send(r, u,
	    &(const struct notice){ .letter = letter, .to = u->email, .more = json_pairs(r->arena, "Provider", provider, NULL) }));
}

/* --- Added --- */

/* Which address the identities give a user who has none. */
static err
pick_email(struct linking *l, const struct user *u, struct linking_pick_email *pick)
{
	struct request *r = l->r;

	TRY_DB(r,
	    linking_pick_email(r->db, pick, .user_id = u->id, .email = profile_text(l->in->profile, "email"),
		.verified = l->shown_verified ? "t" : "f"),
	    "Database error updating user email");
	if (!pick->kept && !pick->possible)
		return (fail_as(r, E_EMAIL_EXISTS, 400, "A user with this email address has already been registered"));
	return (OK);
}

static err
take_email(struct request *r, const char *user_id, const struct linking_pick_email *pick)
{
	bool confirmed = !str_empty(pick->email) && (pick->verified || cfg->gotrue_mailer_autoconfirm);

	if (pick->kept)
		return (OK);
	TRY(linking_take_email(r->db, .id = user_id, .email = pick->email, .confirmed = confirmed ? "t" : "f", .now = r->now_text));
	return (onetime_clear(r->db, .user_id = user_id));
}

/* Somebody whose number is proven has the address when it is, too; others have it at once, and lose the account to who proves it. */
static err
letter_send(struct linking *l, const struct user *u)
{
	const char *email = profile_text(l->in->profile, "email");

	if (str_empty(u->phone_confirmed ? email : u->email))
		return (fail(l->r, E_UNEXPECTED_FAILURE, "Error sending confirmation email"));
	if (u->phone_confirmed)
		return (onetime_send_email_change(l->r, u, email, false));
	return (linking_send_confirmation(l, true));
}

/* The identity is kept, and the letter goes out; the user stays as anonymous as they were. */
static err
ask_to_confirm(struct linking *l, const struct user *u)
{
	TRY(letter_send(l, u));
	return (linking_refuse_unverified(l, E_EMAIL_NOT_CONFIRMED));
}

static err
confirm(struct linking *l, const struct user *u)
{
	/* Nothing is proven of an address that there isn't. */
	TRY(str_empty(u->email) ? onetime_clear(l->r->db, .user_id = u->id) : linking_confirm(l, u));
	return (u->anonymous ? user_no_longer_anonymous(l->r->db, .id = u->id, .now = l->r->now_text) : OK);
}

/* The one who is asked for has no other look than this. */
static err
target_look(struct linking *l)
{
	struct request *r = l->r;
	struct linking_target seen;

	TRY_DB(r, linking_target(r->db, &seen, .provider = l->in->provider, .sub = l->sub, .user_id = l->in->target_id),
	    "Database error finding identity for linking");
	if (!seen.found)
		return (fail_as(r, E_USER_NOT_FOUND, 422, "Linking target user not found"));
	if (seen.user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	if (seen.owner != NULL)
		return (fail(r, E_IDENTITY_ALREADY_EXISTS,
		    str_equal(seen.owner, seen.user.id) ? "Identity is already linked" : "Identity is already linked to another user"));
	l->out->user = seen.user;
	l->out->before = user_text(r->arena, &seen.user);
	return (OK);
}

err
linking_by_hand(struct linking *l)
{
	struct request *r = l->r;
	struct user *u = &l->out->user;
	struct linking_pick_email pick;
	bool had_email, proven;

	TRY(target_look(l));
	had_email = !str_empty(u->email);
	if (!had_email)
		TRY(pick_email(l, u, &pick));
	TRY(linking_begin(l));
	if (r->user != NULL) /* who came by a state has that asserted */
		TRY(session_still(r));
	TRY(linking_assert_target(r->db, .provider = l->in->provider, .sub = l->sub, .user_id = u->id, .email = u->email));
	TRY(linking_add_identity(l, u));
	TRY(linking_audit(l, u, l->identity_id));
	if (!had_email) {
		TRY(take_email(r, u->id, &pick));
		proven = pick.kept ? l->shown_verified : pick.verified; /* it may be the address of another identity */
		u->email = pick.kept || (u->phone_confirmed && !proven) ? "" : pick.email;
		if (!proven)
			return (ask_to_confirm(l, u));
		TRY(confirm(l, u));
	}
	TRY(user_refresh_providers(r->db, .id = u->id, .now = r->now_text));
	return (notify(r, u, LETTER_IDENTITY_LINKED, l->in->provider));
}

/* --- Invited --- */

static err
invite_look(struct linking *l)
{
	struct request *r = l->r;
	const struct profile *p = l->in->profile;
	struct onetime_holder holder;

	TRY(invitation_find(r, l->in->invite, &holder));
	if (!holder.found)
		return (fail(r, E_INVITE_NOT_FOUND, NULL));
	l->out->user = holder.user;
	if (onetime_expired(r, &holder.user, ONETIME_INVITE, KIND_CONFIRMATION))
		return (fail(r, E_INVITE_NOT_FOUND, NULL));
	if (holder.user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	for (size_t i = 0; i < p->emails; i++)
		if (str_equal(p->email[i].address, holder.user.email))
			return (OK);
	return (fail(r, E_VALIDATION_FAILED, "Invited email does not match emails from external provider"));
}

err
linking_invited(struct linking *l)
{
	struct request *r = l->r;
	struct user *u = &l->out->user;
	const char *full_name = query_get(&l->in->profile->claims, "full_name");

	TRY(invite_look(l));
	if (full_name != NULL)
		u->full_name = full_name;
	TRY(linking_begin(l));
	TRY(linking_assert_invite(r->db, .user_id = u->id, .hash = l->in->invite));
	TRY(linking_add_identity(l, u));
	TRY(audit(r, u, AUDIT_INVITE_ACCEPTED, json_pairs(r->arena, "provider", l->in->provider, NULL)));
	TRY(linking_disown_others(l, u));
	return (linking_confirm(l, u));
}

/* --- Taken away --- */

static err
unlink_check(struct request *r, const struct linking_identity *seen)
{
	if (seen->count <= 1)
		return (fail(r, E_SINGLE_IDENTITY_NOT_DELETABLE, NULL));
	if (seen->id == NULL)
		return (fail(r, E_IDENTITY_NOT_FOUND, NULL));
	return (OK);
}

/* The address that is left may be another one. */
static err
unlink_email(struct request *r, const char *identity_id)
{
	const struct user *u = r->user;
	struct linking_pick_email pick;

	TRY_DB(r, linking_pick_email(r->db, &pick, .user_id = u->id, .without = identity_id), "Database error updating user email");
	if (!pick.kept && !pick.possible)
		return (fail(r, E_EMAIL_CONFLICT_IDENTITY_NOT_DELETABLE, NULL));
	return (take_email(r, u->id, &pick));
}

err
identity_unlink(struct request *r, const char *id)
{
	const struct user *u = r->user;
	struct linking_identity seen;

	/* The row is held, so that of many who take the last but one, one succeeds. */
	TRY(session_still(r));
	TRY_DB(r, linking_identity(r->db, &seen, .user_id = u->id, .id = id), "Database error deleting identity");
	TRY(unlink_check(r, &seen));
	if (!str_equal(seen.provider, "phone"))
		TRY(unlink_email(r, id));
	TRY(audit(r, u, AUDIT_IDENTITY_UNLINKED,
	    json_pairs(r->arena, "identity_id", seen.id, "provider", seen.provider, "provider_id", seen.provider_id, NULL)));
	TRY(linking_remove(r->db, .id = id));
	if (str_equal(seen.provider, "phone"))
		TRY(linking_drop_phone(r->db, .id = u->id, .now = r->now_text));
	TRY(user_refresh_providers(r->db, .id = u->id, .now = r->now_text));
	return (notify(r, u, LETTER_IDENTITY_UNLINKED, seen.provider));
}
