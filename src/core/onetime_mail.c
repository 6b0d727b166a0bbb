/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/email_validation.h"
#include "core/hook.h"
#include "core/message.h"
#include "core/onetime.h"
#include "core/redirect.h"
#include "core/sending.h"
#include "core/user.h"
#include "db/db.h"
#include "query/onetime.h"

/* What differs between the letters that prove an address. */
static const struct onetime_row {
	const char *action; /* as links and hooks name it */
	enum letter_id letter;
	const char *kind; /* of the one-time token */
	size_t path;      /* the setting with the path of its link; 0: it has none */
	const char *failed;
} rows[ONETIME_COUNT] = {
	[ONETIME_SIGNUP] = { "signup", LETTER_CONFIRMATION, "confirmation_token",
	    offsetof(struct settings, gotrue_mailer_urlpaths_confirmation), "Error sending confirmation email" },
	[ONETIME_INVITE] = { "invite", LETTER_INVITE, "confirmation_token", offsetof(struct settings, gotrue_mailer_urlpaths_invite),
	    "Error sending invite email" },
	[ONETIME_RECOVERY] = { "recovery", LETTER_RECOVERY, "recovery_token", offsetof(struct settings, gotrue_mailer_urlpaths_recovery),
	    "Error sending recovery email" },
	[ONETIME_MAGIC_LINK] = { "magiclink", LETTER_MAGIC_LINK, "recovery_token",
	    offsetof(struct settings, gotrue_mailer_urlpaths_recovery), "Error sending magic link email" },
	[ONETIME_REAUTHENTICATION] = { "reauthentication", LETTER_REAUTHENTICATION, "reauthentication_token", 0,
	    "Error sending reauthentication email" },
};

static usec
onetime_sent_at(enum onetime_type p, const struct user *u)
{
	switch (p) {
	case ONETIME_SIGNUP:
		return (u->confirmation_sent_at);
	case ONETIME_RECOVERY:
	case ONETIME_MAGIC_LINK:
		return (u->recovery_sent_at);
	case ONETIME_REAUTHENTICATION:
		return (u->reauthentication_sent_at);
	default:
		return (0); /* invitations are the operator's */
	}
}

static err
onetime_store(struct request *r, enum onetime_type p, const struct user *u, const struct onetime *secret)
{
	switch (p) {
	case ONETIME_RECOVERY:
	case ONETIME_MAGIC_LINK:
		TRY(user_set_recovery(r->db, .id = u->id, .hash = secret->typed, .now = r->now_text));
		break;
	case ONETIME_REAUTHENTICATION:
		TRY(user_set_reauthentication(r->db, .id = u->id, .hash = secret->typed, .now = r->now_text));
		break;
	default:
		TRY(user_set_confirmation(r->db, .id = u->id, .hash = secret->typed, .invited = p == ONETIME_INVITE ? "t" : "f",
		    .now = r->now_text));
	}
	return (onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = rows[p].kind, .hash = secret->link,
	    .relates_to = u->email, .now = r->now_text));
}

static err
onetime_dispatch(struct request *r, enum onetime_type p, const struct user *u, const struct message *m)
{
	const char *told;

	if (!hook_enabled(HOOK_SEND_EMAIL))
		return (message_queue(r, u, m));
	TRY(user_json(r, u, &told));
	return (message_hook(r, told,
	    &(const struct email_data){ .action = rows[p].action, .token = m->secret.code, .hash = m->secret.link }));
}

/* A letter with a new code. */
static struct message
message_new(struct request *r, enum onetime_type p, const char *to, bool pkce)
{
	const struct onetime_row *row = &rows[p];
	struct message m = { .letter = row->letter,
		.to = to,
		.kind = row->kind,
		.secret = onetime_new(r->arena, to, (unsigned)cfg->gotrue_mailer_otp_length, pkce) };

	if (row->path != 0)
		m.url = onetime_link(r, setting_text_at(row->path), m.secret.link, row->action, redirect_wanted(r));
	return (m);
}

err
onetime_may_send(struct request *r, enum onetime_type p, const struct user *u)
{
	TRY(sending_long_ago(r, E_OVER_EMAIL_SEND_RATE_LIMIT, onetime_sent_at(p, u), cfg->gotrue_smtp_max_frequency));
	TRY(email_validation_authorized(r, u->email));
	return (message_take(r));
}

err
onetime_send(struct request *r, enum onetime_type p, const struct user *u, bool pkce)
{
	struct message m = message_new(r, p, u->email, pkce);

	TRY(onetime_may_send(r, p, u));
	TRY(onetime_dispatch(r, p, u, &m));
	return (onetime_store(r, p, u, &m.secret));
}

err
onetime_pretend(struct request *r, enum onetime_type p, enum sending s, const char *address)
{
	const struct user decoy = { .id = uuid_new(r->arena), .email = address, .user_metadata = "{}" };
	struct message m = message_new(r, p, address, false);
	int writes = p == ONETIME_SIGNUP ? 4 : 2;

	TRY(email_validation_authorized(r, address));
	TRY(message_take(r));
	TRY(sending_note(r, s, address));
	if (hook_enabled(HOOK_SEND_EMAIL))
		return (OK);
	TRY(message_queue(r, &decoy, &m));
	while (writes-- > 0)
		TRY(decoy_write(r->db));
	return (OK);
}

/* Both halves of an email change; `current` is empty where only the new address is asked. */
struct email_change {
	const char *email;
	struct onetime fresh, current; /* to the new address, to the current one */
};

static bool
change_is_double(const struct user *u)
{
	return (cfg->gotrue_mailer_secure_email_change_enabled && !str_empty(u->email));
}

/* The hook's pairs of token and link are crossed, as they have always been: token with the link of the other address. */
static err
change_hook(struct request *r, const struct user *u, const struct email_change *c)
{
	const char *changed = user_json_with(r->arena, user_text(r->arena, u), "new_email", c->email);
	struct email_data d = { .action = "email_change", .token = c->fresh.code, .hash = c->fresh.link };

	if (c->current.code != NULL) {
		d.token = c->current.code;
		d.token_new = c->fresh.code;
		d.hash_new = c->current.link;
	}
	return (message_hook(r, changed, &d));
}

static err
change_letter(struct request *r, const struct user *u, const struct email_change *c, bool current)
{
	const char *to = current ? u->email : c->email;
	const struct onetime *secret = current ? &c->current : &c->fresh;

	return (message_queue(r, u,
	    &(const struct message){ .letter = LETTER_EMAIL_CHANGE,
		.to = to,
		.kind = current ? "email_change_token_current" : "email_change_token_new",
		.secret = *secret,
		.url = onetime_link(r, cfg->gotrue_mailer_urlpaths_email_change, secret->link, "email_change", redirect_wanted(r)),
		.more = json_pairs(r->arena, "NewEmail", c->email, "SendingTo", to, NULL) }));
}

static err
change_dispatch(struct request *r, const struct user *u, const struct email_change *c)
{
	if (hook_enabled(HOOK_SEND_EMAIL))
		return (change_hook(r, u, c));
	TRY(change_letter(r, u, c, false));
	if (c->current.code != NULL)
		TRY(change_letter(r, u, c, true));
	return (OK);
}

static err
change_store(struct request *r, const struct user *u, const struct email_change *c)
{
	TRY(user_set_email_change(r->db, .id = u->id, .email = c->email, .current = c->current.typed, .fresh = c->fresh.typed,
	    .now = r->now_text));
	if (c->current.code != NULL)
		TRY(onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = "email_change_token_current",
		    .hash = c->current.link, .relates_to = u->email, .now = r->now_text));
	return (onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = "email_change_token_new", .hash = c->fresh.link,
	    .relates_to = c->email, .now = r->now_text));
}

err
onetime_may_change_email(struct request *r, const struct user *u, const char *email)
{
	TRY(sending_long_ago(r, E_OVER_EMAIL_SEND_RATE_LIMIT, u->email_change_sent_at, cfg->gotrue_smtp_max_frequency));
	TRY(email_validation_authorized(r, email));
	if (change_is_double(u))
		TRY(email_validation_authorized(r, u->email));
	return (message_take(r));
}

err
onetime_send_email_change(struct request *r, const struct user *u, const char *email, bool pkce)
{
	unsigned digits = (unsigned)cfg->gotrue_mailer_otp_length;
	struct email_change c = { .email = email, .fresh = onetime_new(r->arena, email, digits, pkce) };

	TRY(onetime_may_change_email(r, u, email));
	if (change_is_double(u))
		c.current = onetime_new(r->arena, u->email, digits, pkce);
	TRY(change_dispatch(r, u, &c));
	return (change_store(r, u, &c));
}
