/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/email_validation.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/message.h"
#include "core/outbox.h"
#include "core/redirect.h"

/* The mails that all clients together may cause. None are counted where no proof is asked for; but 0 refuses always. */
err
message_take(struct request *r)
{
	setting_rate rate = cfg->gotrue_rate_limit_email_sent;
	bool allowed = true;

	if (rate.events <= 0)
		return (fail(r, E_OVER_EMAIL_SEND_RATE_LIMIT, NULL));
	if (!cfg->gotrue_mailer_autoconfirm)
		TRY(limit_take_message(r, MESSAGES, rate, &allowed));
	return (allowed ? OK : fail(r, E_OVER_EMAIL_SEND_RATE_LIMIT, NULL));
}

static const char *
message_values(struct request *r, const struct user *u, const struct message *m)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_text(&b, "SiteURL", cfg->gotrue_site_url);
	json_put_text(&b, "Email", u->email);
	json_put_raw(&b, "Data", str_or(u->user_metadata, "{}"));
	json_put_pair(&b, "Token", m->secret.code);
	if (m->url != NULL) {
		json_put_text(&b, "TokenHash", m->secret.link);
		json_put_text(&b, "ConfirmationURL", m->url);
		json_put_text(&b, "RedirectTo", redirect_wanted(r));
	}
	json_put_members(&b, m->more);
	json_object_end(&b);
	return (b.data);
}

err
message_queue(struct request *r, const struct user *u, const struct message *m)
{
	if (m->kind != KIND_NONE)
		TRY(email_validation_check(r, m->to));
	return (outbox_add(r, u,
	    &(const struct letter_order){ .letter = m->letter,
		.to = m->to,
		.kind = onetime_kind_name(m->kind),
		.hash = m->secret.link,
		.values = message_values(r, u, m) }));
}

err
message_hook(struct request *r, const char *user_json, const struct email_data *d)
{
	struct arena *a = r->arena;
	json *answer;
	const char *data = json_pairs(a, "token", str_or(d->token, ""), "token_hash", str_or(d->hash, ""), "redirect_to",
	    redirect_wanted(r), "email_action_type", d->action, "site_url", redirect_external_url(r), "token_new", str_or(d->token_new, ""),
	    "token_hash_new", str_or(d->hash_new, ""), "old_email", str_or(d->old_email, ""), "old_phone", str_or(d->old_phone, ""),
	    "provider", str_or(d->provider, ""), "factor_type", str_or(d->factor_type, ""), NULL);

	return (hook_call(r, HOOK_SEND_EMAIL, json_pairs(a, "#user", user_json, "#email_data", data, NULL), &answer));
}
