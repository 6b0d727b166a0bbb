/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "core/audit_list.h"
#include "core/page.h"
#include "query/audit.h"
#include "query/row.h"

static const struct {
	const char *scope;
	size_t member;
} scopes[] = {
	{ "author:", offsetof(struct audit_query, who) },
	{ "action:", offsetof(struct audit_query, action) },
	{ "type:", offsetof(struct audit_query, type) },
};

err
audit_query_read(struct request *r, const char *text, struct audit_query *q)
{
	*q = (struct audit_query){ 0 };
	if (str_empty(text))
		return (OK);
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		const char *value = text + strlen(scopes[i].scope);

		if (!str_starts(text, scopes[i].scope))
			continue;
		if (*value != '\0')
			memcpy((char *)q + scopes[i].member, &value, sizeof(value));
		return (OK);
	}
	return (fail(r, E_VALIDATION_FAILED, "Invalid query scope: %s", text));
}

static err
number_entries(struct request *r, const struct audit_query *q, struct list *list, struct audit_entry_rows *found)
{
	TRY(audit_page(r->db, found, .who = q->who, .action = q->action, .type = q->type,
	    .most = arena_printf(r->arena, "%" PRIu64, list->most), .skip = arena_printf(r->arena, "%" PRIu64, list->skip)));
	list->total = found->row->total;
	if (found->row->id == NULL)
		found->len = 0;
	return (OK);
}

static void
entry_put(struct buf *out, const struct audit_entry *e)
{
	json_object_begin(out, NULL);
	json_put_text(out, "id", e->id);
	json_put_raw(out, "payload", str_or(e->payload, "{}"));
	json_put_text(out, "created_at", clock_iso(out->arena, e->created_at));
	json_put_text(out, "ip_address", e->address);
	json_object_end(out);
}

static err
entries_read(struct request *r, struct list *list, struct buf *out)
{
	const struct audit_query *q = list->wanted;
	struct audit_entry_rows found;

	if (list->created_at == NULL)
		TRY(number_entries(r, q, list, &found));
	else
		TRY(audit_older(r->db, &found, .who = q->who, .action = q->action, .type = q->type,
		    .most = arena_printf(r->arena, "%" PRIu64, list->most), .created_at = list->created_at, .id = list->id));
	for (size_t i = 0; i < found.len; i++) {
		list_row(list, out, found.row[i].created_at, found.row[i].id);
		entry_put(out, &found.row[i]);
	}
	return (OK);
}

static err
about_read(struct request *r, struct list *list, struct buf *out)
{
	struct audit_entry_rows found;

	TRY(audit_about(r->db, &found, .user_id = r->user->id, .since = r->user->created_at, .created_at = list->created_at, .id = list->id,
	    .most = arena_printf(r->arena, "%" PRIu64, list->most)));
	for (size_t i = 0; i < found.len; i++) {
		const struct audit_entry *e = &found.row[i];

		if (e->payload == NULL) {
			list_pass(list, e->created_at, e->id);
			continue;
		}
		list_row(list, out, e->created_at, e->id);
		entry_put(out, e);
	}
	return (OK);
}

struct list *
audit_list_about(struct request *r)
{
	struct list *list = list_new(r, UINT64_MAX, 0);

	list->read = about_read;
	return (list);
}

err
audit_list(struct request *r)
{
	struct audit_query *q = arena_new_object(r->arena, struct audit_query);
	struct list *list;
	struct page page;

	TRY(page_read(r, &page));
	TRY(audit_query_read(r, query_get(&r->query, "query"), q));
	list = list_new(r, page.most, page.skip);
	list->read = entries_read;
	list->wanted = q;
	list->end = "]";
	TRY_DB(r, list_reply(r, list, "["), "Error searching for audit logs");
	page_headers(r, &page, list->total);
	return (OK);
}
