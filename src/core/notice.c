/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/email_validation.h"
#include "core/hook.h"
#include "core/message.h"
#include "core/notice.h"
#include "core/user.h"
#include "db/db.h"
#include "query/limit.h"

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

	if (user_reload(r, &u) != OK || message_hook(r, user_text(r->arena, &u), &late->data) != OK)
		log_event(LOG_WARN, "the send_email hook failed for a notification", "action", late->data.action, "error",
		    r->failure.message, NULL);
}

static const char *
more_text(struct arena *a, const struct notice *n, const char *name)
{
	const char *text = str_or(n->more, "{}");

	return (json_string(json_get(json_parse_text(a, text), name)));
}

static err
notice_dispatch(struct request *r, const struct user *u, const struct notice *n, const char *to)
{
	struct message m = { .letter = n->letter, .to = to, .more = n->more };
	struct late_hook *late;

	if (!hook_enabled(HOOK_SEND_EMAIL))
		return (message_queue(r, u, &m));
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
notice_send(struct request *r, const struct user *u, const struct notice *n)
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
		TRY(limit_note(r->db, .key = MESSAGES));
	return (notice_dispatch(r, u, n, to));
}
