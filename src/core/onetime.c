/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/outbox.h"
#include "core/onetime.h"
#include "core/email_validation.h"
#include "core/redirect.h"
#include "core/sending.h"
#include "core/sms.h"
#include "core/user.h"
#include "db/db.h"
#include "query/limit.h"
#include "query/onetime.h"
#include "sec/secret.h"

#define MAILS "email_sent" /* their bucket in postern.limits */

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

#define LINK_BYTES 28 /* as long as the digests that the reference puts into its links */

/* One letter with its code, on its way. */
struct message {
	enum letter_id letter;
	const char *to, *kind;
	struct onetime secret;
	const char *url;  /* NULL: none */
	const char *more; /* further values, ready JSON, or NULL */
};

char *
onetime_hash(struct arena *a, const char *address, const char *code)
{
	return (sha224_hex(a, arena_printf(a, "%s%s", address, code)));
}

static char *
prefixed(struct arena *a, bool pkce, const char *text)
{
	return (arena_printf(a, "%s%s", pkce ? "pkce_" : "", text));
}

/* Of a code that is there already. */
static struct onetime
onetime_of(struct arena *a, const char *address, const char *code, bool pkce)
{
	unsigned char chance[LINK_BYTES];

	secret_random(chance, sizeof(chance));
	return ((struct onetime){ .code = code,
	    .typed = prefixed(a, pkce, onetime_hash(a, address, code)),
	    .link = prefixed(a, pkce, hex_encode(a, chance, sizeof(chance))) });
}

struct onetime
onetime_new(struct arena *a, const char *address, unsigned digits, bool pkce)
{
	return (onetime_of(a, address, secret_otp(a, digits), pkce));
}

/* As the reference: what has no & = # is taken to be encoded already. */
static const char *
redirect_encoded(struct arena *a, const char *url)
{
	return (strpbrk(url, "&=#") != NULL ? url_escape(a, url) : url);
}

char *
onetime_link(struct request *r, const char *path, const char *secret, const char *type, const char *to)
{
	struct arena *a = r->arena;
	const char *query =
	    arena_printf(a, "token=%s&type=%s&redirect_to=%s", url_escape(a, secret), url_escape(a, type), redirect_encoded(a, to));

	return (url_resolve(a, redirect_external_url(r), path, query));
}

/* The mails that all clients together may cause. None are counted where no proof is asked for; but 0 refuses always. */
static err
mail_take(struct request *r)
{
	setting_rate rate = cfg->gotrue_rate_limit_email_sent;
	bool allowed = true;

	if (rate.events <= 0)
		return (fail(r, E_OVER_EMAIL_SEND_RATE_LIMIT, NULL));
	if (!cfg->gotrue_mailer_autoconfirm)
		TRY(limit_take_message(r, MAILS, rate, &allowed));
	return (allowed ? OK : fail(r, E_OVER_EMAIL_SEND_RATE_LIMIT, NULL));
}

static const char *
message_values(struct request *r, const struct user *u, const struct message *m)
{
	struct arena *a = r->arena;
	struct buf b = buf_new(a);

	buf_printf(&b, "{\"SiteURL\":%s,\"Email\":%s,\"Data\":%s", json_quote(a, cfg->gotrue_site_url), json_quote(a, u->email),
	    str_or(u->user_metadata, "{}"));
	if (m->secret.code != NULL)
		buf_printf(&b, ",\"Token\":%s", json_quote(a, m->secret.code));
	if (m->url != NULL)
		buf_printf(&b, ",\"TokenHash\":%s,\"ConfirmationURL\":%s,\"RedirectTo\":%s", json_quote(a, m->secret.link),
		    json_quote(a, m->url), json_quote(a, redirect_wanted(r)));
	if (m->more != NULL)
		buf_printf(&b, ",%s", m->more);
	buf_putc(&b, '}');
	return (b.data);
}

static err
message_queue(struct request *r, const struct user *u, const struct message *m)
{
	TRY(email_validation_check(r, m->to));
	return (outbox_add(r, u,
	    &(const struct letter_order){
		.letter = m->letter, .to = m->to, .kind = m->kind, .hash = m->secret.link, .values = message_values(r, u, m) }));
}

/* What the send_email hook is told; texts that are NULL are "". */
struct email_data {
	const char *action, *token, *hash, *token_new, *hash_new, *old_email, *old_phone, *provider, *factor_type;
};

static err
email_hook(struct request *r, const char *user_json, const struct email_data *d)
{
	struct arena *a = r->arena;
	json *answer;
	const char *data = json_pairs(a, "token", str_or(d->token, ""), "token_hash", str_or(d->hash, ""), "redirect_to",
	    redirect_wanted(r), "email_action_type", d->action, "site_url", redirect_external_url(r), "token_new", str_or(d->token_new, ""),
	    "token_hash_new", str_or(d->hash_new, ""), "old_email", str_or(d->old_email, ""), "old_phone", str_or(d->old_phone, ""),
	    "provider", str_or(d->provider, ""), "factor_type", str_or(d->factor_type, ""), NULL);

	return (hook_call(r, HOOK_SEND_EMAIL, arena_printf(a, "{\"user\":%s,\"email_data\":%s}", user_json, data), &answer));
}

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
	return (email_hook(r, told,
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
	return (mail_take(r));
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
	TRY(mail_take(r));
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
	return (email_hook(r, changed, &d));
}

static err
change_letter(struct request *r, const struct user *u, const struct email_change *c, bool current)
{
	const char *to = current ? u->email : c->email;
	const struct onetime *secret = current ? &c->current : &c->fresh;
	const char *more =
	    arena_printf(r->arena, "\"NewEmail\":%s,\"SendingTo\":%s", json_quote(r->arena, c->email), json_quote(r->arena, to));

	return (message_queue(r, u,
	    &(const struct message){ .letter = LETTER_EMAIL_CHANGE,
		.to = to,
		.kind = current ? "email_change_token_current" : "email_change_token_new",
		.secret = *secret,
		.url = onetime_link(r, cfg->gotrue_mailer_urlpaths_email_change, secret->link, "email_change", redirect_wanted(r)),
		.more = more }));
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
	return (mail_take(r));
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

/* The hook tells of a notification once, after the commit, with the user as they are then; whatever it answers is only logged. */
struct late_hook {
	const char *user_id;
	struct email_data data;
};

static void
notice_hook(struct request *r, void *arg)
{
	struct late_hook *late = arg;
	struct user u = { .id = late->user_id };

	if (user_reload(r, &u) != OK || email_hook(r, user_text(r->arena, &u), &late->data) != OK)
		log_event(LOG_WARN, "the send_email hook failed for a notification", "action", late->data.action, "error",
		    r->failure.message, NULL);
}

static const char *
more_text(struct arena *a, const struct notice *n, const char *name)
{
	const char *text = arena_printf(a, "{%s}", str_or(n->more, ""));

	return (json_string(json_get(json_parse(a, text, strlen(text), NULL), name)));
}

static err
notice_dispatch(struct request *r, const struct user *u, const struct notice *n, const char *to)
{
	struct message m = { .letter = n->letter, .to = to, .more = n->more };
	struct late_hook *late;

	if (!hook_enabled(HOOK_SEND_EMAIL))
		return (outbox_add(r, u,
		    &(const struct letter_order){ .letter = n->letter, .to = to, .values = message_values(r, u, &m) }));
	late = arena_new_object(r->arena, struct late_hook);
	late->user_id = u->id;
	late->data = (struct email_data){ .action = letter_row(n->letter)->name,
		.old_email = more_text(r->arena, n, "OldEmail"),
		.old_phone = more_text(r->arena, n, "OldPhone"),
		.provider = more_text(r->arena, n, "Provider"),
		.factor_type = more_text(r->arena, n, "FactorType") };
	after(r, notice_hook, late);
	return (OK);
}

err
onetime_notify(struct request *r, const struct user *u, const struct notice *n)
{
	const char *to = str_or(n->to, u->email);

	if (!letter_enabled(n->letter) || str_empty(to) || cfg->gotrue_rate_limit_email_sent.events <= 0)
		return (OK);
	if (email_validation_authorized(r, to) != OK) {
		r->failure = (struct failure){ 0 };
		return (OK);
	}
	/* It goes out even when the limit is reached: what has happened cannot be refused any more. */
	if (!cfg->gotrue_mailer_autoconfirm)
		TRY(limit_note(r->db, .key = MAILS));
	return (notice_dispatch(r, u, n, to));
}

static usec
phone_sent_at(const char *kind, const struct user *u)
{
	if (str_equal(kind, "phone_change"))
		return (u->phone_change_sent_at);
	return (str_equal(kind, "reauthentication") ? u->reauthentication_sent_at : u->confirmation_sent_at);
}

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

static err
phone_store(struct request *r, const struct user *u, const char *phone, const char *kind, const char *code)
{
	const char *token = arena_printf(r->arena, "%s_token", kind);
	struct onetime secret = onetime_of(r->arena, phone, code, false);

	if (str_equal(kind, "phone_change"))
		TRY(user_set_phone_change(r->db, .id = u->id, .phone = phone, .hash = secret.typed, .now = r->now_text));
	else if (str_equal(kind, "reauthentication"))
		TRY(user_set_reauthentication(r->db, .id = u->id, .hash = secret.typed, .now = r->now_text));
	else
		TRY(user_set_confirmation(r->db, .id = u->id, .hash = secret.typed, .invited = "f", .now = r->now_text));
	return (onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = token, .hash = secret.link, .relates_to = phone,
	    .now = r->now_text));
}

err
onetime_may_send_phone(struct request *r, const struct user *u, const char *phone, const char *kind)
{
	TRY(sending_long_ago(r, E_OVER_SMS_SEND_RATE_LIMIT, phone_sent_at(kind, u), cfg->gotrue_sms_max_frequency));
	return (phone_take(r, phone));
}

err
onetime_send_phone(struct request *r, const struct user *u, const char *phone, const char *kind, const char *channel,
    const char **message_id)
{
	const char *code = sms_test_code(r, phone);

	*message_id = "test-otp";
	TRY(onetime_may_send_phone(r, u, phone, kind));
	if (code == NULL) {
		code = secret_otp(r->arena, (unsigned)cfg->gotrue_sms_otp_length);
		TRY(sms_deliver(r, u, &(const struct sms){ .phone = phone, .code = code, .kind = kind, .channel = channel }, message_id));
	}
	return (phone_store(r, u, phone, kind, code));
}

err
onetime_pretend_phone(struct request *r, enum sending s, const char *phone)
{
	TRY(phone_take(r, phone));
	return (sending_note(r, s, phone));
}

err
attempts_check(struct request *r, const char *hash, bool *too_many)
{
	char *list[] = { arena_strdup(r->arena, hash), NULL };
	struct attempts_of_rows found;

	*too_many = false;
	if (cfg->postern_otp_max_attempts <= 0)
		return (OK);
	TRY(attempts_of(r->db, &found, .hashes = db_array(r->arena, list)));
	*too_many = found.len > 0 && found.row[0].attempts >= cfg->postern_otp_max_attempts;
	return (OK);
}

err
attempts_count_wrong(struct request *r, char *const *hashes)
{
	r->commit_anyway = true;
	return (attempts_add(r->db, .hashes = db_array(r->arena, hashes)));
}

static err
nonce_refused(struct request *r)
{
	return (fail(r, E_REAUTHENTICATION_NOT_VALID, NULL));
}

static err
nonce_wrong(struct request *r, const struct user *u)
{
	char *stored[] = { arena_strdup(r->arena, u->reauthentication_token), NULL };

	if (!str_empty(u->email) || sms_test_code(r, u->phone) == NULL)
		TRY(attempts_count_wrong(r, stored));
	return (nonce_refused(r));
}

/* With it goes everything else that was sent to the user. */
static err
nonce_take(struct request *r, const struct user *u, long long life)
{
	struct onetime_take_column spent;

	db_autonomous_begin(r->db);
	TRY(onetime_take_column(r->db, &spent, .user_id = u->id, .kind = "reauthentication_token", .hash = u->reauthentication_token,
	    .life = arena_printf(r->arena, "%lld", life)));
	if (spent.found)
		TRY(onetime_clear(r->db, .user_id = u->id));
	TRY(db_autonomous_end(r->db));
	if (!spent.found)
		return (nonce_refused(r));
	request_done(r, "nonce");
	return (OK);
}

err
onetime_spend_nonce(struct request *r, const struct user *u, const char *nonce)
{
	const char *address = str_or(u->email, u->phone);
	int64_t life = str_empty(u->email) ? cfg->gotrue_sms_otp_exp : cfg->gotrue_mailer_otp_exp;
	bool too_many;

	if (request_did(r, "nonce"))
		return (OK);
	if (str_empty(u->reauthentication_token) || u->reauthentication_sent_at == 0)
		return (nonce_refused(r));
	if (str_empty(address))
		return (fail(r, E_REAUTHENTICATION_NOT_VALID, "Reauthentication requires an email or a phone number"));
	if (str_empty(u->email) && sms_provider_verifies())
		return (sms_provider_check(r, u->phone, nonce));
	if (r->now > u->reauthentication_sent_at + life * 1000000)
		return (nonce_refused(r));
	TRY(attempts_check(r, u->reauthentication_token, &too_many));
	if (too_many || !secret_equal_text(onetime_hash(r->arena, address, nonce), u->reauthentication_token))
		return (nonce_wrong(r, u));
	return (nonce_take(r, u, life));
}
