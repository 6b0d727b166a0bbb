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

static err
letter_dispatch(struct request *r, enum onetime_type type, const struct user *u, const struct message *m)
{
	const char *told;

	if (!hook_enabled(HOOK_SEND_EMAIL))
		return (message_queue(r, u, m));
	TRY(user_json(r, u, &told));
	return (message_hook(r, told,
	    &(const struct email_data){ .action = onetime_rows[type].word, .token = m->secret.code, .hash = m->secret.link }));
}

/* A letter with a new code. */
static struct message
message_new(struct request *r, enum onetime_type type, const char *to, bool pkce)
{
	const struct onetime_row *row = &onetime_rows[type];
	struct message m = { .letter = row->letter,
		.to = to,
		.kind = row->kinds[0],
		.secret = onetime_new(r->arena, to, (unsigned)cfg->gotrue_mailer_otp_length, pkce) };

	if (row->path != 0)
		m.url = onetime_link(r, type, m.secret.link, redirect_wanted(r));
	return (m);
}

err
onetime_may_send(struct request *r, enum onetime_type type, const struct user *u)
{
	const struct onetime_row *row = &onetime_rows[type];
	usec sent_at = row->unlimited ? 0 : onetime_sent_at(u, row->kinds[0]);

	TRY(sending_long_ago(r, E_OVER_EMAIL_SEND_RATE_LIMIT, sent_at, cfg->gotrue_smtp_max_frequency));
	TRY(email_validation_authorized(r, u->email));
	return (message_take(r));
}

err
onetime_send(struct request *r, enum onetime_type type, const struct user *u, bool pkce)
{
	struct message m = message_new(r, type, u->email, pkce);

	TRY(onetime_may_send(r, type, u));
	TRY(letter_dispatch(r, type, u, &m));
	return (onetime_store(r, type, u, &m.secret, u->email));
}

err
onetime_pretend(struct request *r, enum onetime_type type, enum sending s, const char *address)
{
	const struct user decoy = { .id = uuid_new(r->arena), .email = address, .user_metadata = "{}" };
	struct message m = message_new(r, type, address, false);
	int writes = type == ONETIME_SIGNUP ? 4 : 2;

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
	struct email_data d = { .action = onetime_rows[ONETIME_EMAIL_CHANGE].word, .token = c->fresh.code, .hash = c->fresh.link };

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
	    &(const struct message){ .letter = onetime_rows[ONETIME_EMAIL_CHANGE].letter,
		.to = to,
		.kind = current ? KIND_EMAIL_CHANGE_CURRENT : KIND_EMAIL_CHANGE_NEW,
		.secret = *secret,
		.url = onetime_link(r, ONETIME_EMAIL_CHANGE, secret->link, redirect_wanted(r)),
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
		TRY(onetime_store_link(r, KIND_EMAIL_CHANGE_CURRENT, u, &c->current, u->email));
	return (onetime_store_link(r, KIND_EMAIL_CHANGE_NEW, u, &c->fresh, c->email));
}

err
onetime_may_change_email(struct request *r, const struct user *u, const char *email)
{
	TRY(sending_long_ago(r, E_OVER_EMAIL_SEND_RATE_LIMIT, onetime_sent_at(u, KIND_EMAIL_CHANGE_NEW), cfg->gotrue_smtp_max_frequency));
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
