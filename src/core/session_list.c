/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/session.h"
#include "core/session_list.h"
#include "db/db.h"
#include "query/session.h"

static void
put_time(struct buf *out, const char *name, usec at)
{
	json_put_text(out, name, at != 0 ? clock_rfc3339(out->arena, at) : NULL);
}

static void
session_put(struct buf *out, const struct user *u, const struct listed_session *s)
{
	json_object_begin(out, NULL);
	json_put_text(out, "id", s->id);
	put_time(out, "created_at", s->created_at);
	put_time(out, "updated_at", s->updated_at);
	put_time(out, "refreshed_at", s->refreshed_at);
	put_time(out, "not_after", s->not_after);
	json_put_text(out, "aal", s->aal);
	json_put_raw(out, "amr", amr_text(out->arena, u, s->methods, NULL, 0));
	json_put_text(out, "user_agent", s->user_agent);
	json_put_text(out, "ip", s->address);
	json_put_text(out, "tag", s->tag);
	json_put_filled(out, "oauth_client_id", s->client_id);
	json_put_bool(out, "current", str_equal(s->id, u->session_id));
	json_object_end(out);
}

/* What a refresh would say. */
static bool
session_good(const struct request *r, const struct listed_session *s)
{
	struct user in = *r->user;

	in.session_aal = s->aal;
	in.session_created_at = s->created_at;
	in.session_refreshed_at = s->refreshed_at;
	in.session_not_after = s->not_after;
	return (!s->outdated && session_validity(r, &in, s->token_time) == SESSION_VALID);
}

static const char good_only[] = "good";

static err
sessions_read(struct request *r, struct list *list, struct buf *out)
{
	struct arena *a = r->arena;
	struct listed_session_rows found;

	TRY(session_page(r->db, &found, .user_id = r->user->id, .begun = list->created_at, .id = list->id,
	    .most = arena_printf(a, "%" PRIu64, list->most), .single = cfg->gotrue_sessions_single_per_user ? "t" : "f",
	    .tags = db_array(a, cfg->gotrue_sessions_tags), .timebox = session_interval(a, cfg->gotrue_sessions_timebox),
	    .inactivity = session_interval(a, cfg->gotrue_sessions_inactivity_timeout),
	    .low_aal = session_interval(a, cfg->gotrue_sessions_allow_low_aal)));
	for (size_t i = 0; i < found.len; i++) {
		const struct listed_session *s = &found.row[i];

		if (list->wanted == good_only && !session_good(r, s)) {
			list_pass(list, s->begun, s->id);
			continue;
		}
		list_row(list, out, s->begun, s->id);
		session_put(out, r->user, s);
	}
	return (OK);
}

struct list *
session_list_all(struct request *r)
{
	struct list *list = list_new(r, UINT64_MAX, 0);

	list->read = sessions_read;
	return (list);
}

err
session_list(struct request *r)
{
	struct list *list = session_list_all(r);

	list->wanted = good_only;
	list->end = "]}";
	return (list_reply(r, list, list_begin(r->arena, "sessions").data));
}
