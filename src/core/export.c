/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "core/audit_list.h"
#include "core/export.h"
#include "core/list.h"
#include "core/session_list.h"
#include "core/user_json.h"
#include "query/export.h"

static void
rows_put(struct list *list, struct buf *out, const struct exported_rows *found)
{
	for (size_t i = 0; i < found->len; i++) {
		list_row(list, out, NULL, found->row[i].id);
		buf_puts(out, found->row[i].text);
	}
}

static err
passkeys_read(struct request *r, struct list *list, struct buf *out)
{
	struct exported_rows found;

	TRY(export_passkeys(r->db, &found, .user_id = r->user->id, .id = list->id, .most = arena_printf(r->arena, "%" PRIu64, list->most)));
	rows_put(list, out, &found);
	return (OK);
}

static err
consents_read(struct request *r, struct list *list, struct buf *out)
{
	struct exported_rows found;

	TRY(export_consents(r->db, &found, .user_id = r->user->id, .id = list->id, .most = arena_printf(r->arena, "%" PRIu64, list->most)));
	rows_put(list, out, &found);
	return (OK);
}

static struct list *
export_list(struct request *r, err (*read)(struct request *, struct list *, struct buf *))
{
	struct list *list = list_new(r, UINT64_MAX, 0);

	list->read = read;
	return (list);
}

/* Their state is told, and not the challenge that a security key was given. */
static void
factors_put(struct buf *out, const struct user *u)
{
	size_t count;
	const struct factor_row *row = user_factors(out->arena, u, &count);

	json_array_begin(out, "factors");
	for (size_t i = 0; i < count; i++) {
		struct factor_row shown = row[i];

		shown.challenge = NULL;
		json_put_raw(out, NULL, factor_text(out->arena, &shown));
	}
	json_array_end(out);
}

static const char *
export_head(struct request *r)
{
	struct buf out = buf_new(r->arena);
	struct user shown = *r->user;

	shown.factors = NULL;
	json_object_begin(&out, NULL);
	json_put_text(&out, "exported_at", r->now_text);
	json_put_raw(&out, "user", user_text(r->arena, &shown));
	factors_put(&out, r->user);
	json_array_begin(&out, "sessions");
	return (out.data);
}

err
export_reply(struct request *r)
{
	struct list *sessions = session_list_all(r), *passkeys = export_list(r, passkeys_read), *consents = export_list(r, consents_read);
	struct list *entries = audit_list_about(r);

	list_then(sessions, r->arena, "passkeys", passkeys);
	list_then(passkeys, r->arena, "consents", consents);
	list_then(consents, r->arena, "audit_log_entries", entries);
	entries->end = "]}";
	reply_header(r, "Content-Disposition", arena_printf(r->arena, "attachment; filename=\"account-%s.json\"", r->user->id));
	return (list_reply(r, sessions, export_head(r)));
}
