/* SPDX-License-Identifier: Apache-2.0 */
/* GET /admin/audit: what happened, newest first. */
#include "api/api.h"
#include "core/audit_list.h"
#include "core/page.h"
#include "query/audit.h"

err
admin_audit_get(struct request *r)
{
	struct audit_query q;
	struct audit_page found;
	struct page page;

	TRY(page_read(r, &page));
	TRY(audit_query_read(r, query_get(&r->query, "query"), &q));
	TRY_DB(r, audit_page(r->db, &found, .who = q.who, .action = q.action, .type = q.type, .most = page.most, .skip = page.skip),
	    "Error searching for audit logs");
	page_headers(r, &page, found.total);
	return (reply_json(r, 200, arena_printf(r->arena, "[%s]", found.entries)));
}
