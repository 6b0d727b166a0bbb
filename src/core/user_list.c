/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/claims.h"
#include "core/list.h"
#include "core/page.h"
#include "core/user_json.h"
#include "core/user_list.h"
#include "query/user_list.h"

#define CURSOR_DEFAULT 50
#define CURSOR_MAX 1000

/* Texts that are not asked for are NULL. */
struct wanted {
	const char *aud, *filter, *email, *phone;
	bool oldest; /* first */
};

static const char *
wanted_text(struct request *r, const char *name)
{
	const char *value = query_get(&r->query, name);

	return (str_empty(value) ? NULL : value);
}

/* There is one field to sort by. */
static err
sort_read(struct request *r, const char *value, bool *oldest)
{
	size_t field = strcspn(value, " ");
	const char *direction = value[field] == ' ' ? value + field + 1 : "desc";

	if (field != strlen("created_at") || strncmp(value, "created_at", field) != 0)
		return (fail(r, E_VALIDATION_FAILED, "Bad Sort Parameters: bad field for sort '%.*s'", (int)field, value));
	*oldest = str_equal_nocase(direction, "asc");
	if (!*oldest && !str_equal_nocase(direction, "desc"))
		return (fail(r, E_VALIDATION_FAILED, "Bad Sort Parameters: bad direction for sort '%s', only 'asc' and 'desc' allowed",
		    direction));
	return (OK);
}

/* All that are given must be good; the first counts. */
static err
sorts_read(struct request *r, bool *oldest)
{
	bool first = true, one = false;

	*oldest = false;
	for (size_t i = 0; i < r->query.len; i++) {
		if (!str_equal(r->query.pair[i].name, "sort"))
			continue;
		TRY(sort_read(r, r->query.pair[i].value, &one));
		if (first)
			*oldest = one;
		first = false;
	}
	return (OK);
}

static err
wanted_read(struct request *r, struct wanted *w)
{
	w->aud = claims_audience(r);
	TRY(sorts_read(r, &w->oldest));
	w->filter = wanted_text(r, "filter");
	if ((w->email = wanted_text(r, "email")) != NULL)
		w->email = str_lower(r->arena, w->email);
	if ((w->phone = wanted_text(r, "phone")) != NULL)
		w->phone = address_phone(r->arena, w->phone);
	return (OK);
}

static bool
wants_exact(const struct wanted *w)
{
	return (w->email != NULL || w->phone != NULL);
}

struct cursor {
	uint64_t most;
	const char *created_at, *id; /* of the last user seen; NULL at the first page */
};

static err
cursor_users(struct request *r, const struct wanted *w, const struct cursor *c, struct listed_user_rows *found)
{
	const char *most = arena_printf(r->arena, "%" PRIu64, c->most);

	if (w->oldest)
		return (user_page_newer(r->db, found, .aud = w->aud, .email = w->email, .phone = w->phone, .filter = w->filter,
		    .most = most, .created_at = c->created_at, .id = c->id));
	return (user_page_older(r->db, found, .aud = w->aud, .email = w->email, .phone = w->phone, .filter = w->filter, .most = most,
	    .created_at = c->created_at, .id = c->id));
}

static const char *
list_end(struct request *r, const struct wanted *w, const char *pagination)
{
	struct buf b = buf_new(r->arena);

	json_array_end(&b);
	json_put_text(&b, "aud", w->aud);
	json_put_raw(&b, "pagination", pagination);
	json_object_end(&b);
	return (b.data);
}

static void
user_put(struct buf *out, const struct user *u)
{
	json_put_raw(out, NULL, user_text_with(out->arena, u, NULL, 0));
}

/* --- By number --- */

static err
number_users(struct request *r, const struct wanted *w, struct list *list, struct listed_user_rows *found)
{
	const char *oldest = w->oldest ? "t" : "f";
	const char *most = arena_printf(r->arena, "%" PRIu64, list->most), *skip = arena_printf(r->arena, "%" PRIu64, list->skip);

	if (wants_exact(w))
		TRY(user_page_exact(r->db, found, .aud = w->aud, .email = w->email, .phone = w->phone, .filter = w->filter, .most = most,
		    .skip = skip, .oldest = oldest));
	else if (w->filter != NULL)
		TRY(user_page_filtered(r->db, found, .aud = w->aud, .filter = w->filter, .most = most, .skip = skip, .oldest = oldest));
	else
		TRY(user_page(r->db, found, .aud = w->aud, .most = most, .skip = skip, .oldest = oldest));
	list->total = found->row->total;
	if (found->row->user.id == NULL)
		found->len = 0;
	return (OK);
}

static err
users_read(struct request *r, struct list *list, struct buf *out)
{
	const struct cursor c = { list->most, list->created_at, list->id };
	struct listed_user_rows found;

	if (c.created_at == NULL)
		TRY(number_users(r, list->wanted, list, &found));
	else
		TRY(cursor_users(r, list->wanted, &c, &found));
	for (size_t i = 0; i < found.len; i++) {
		list_row(list, out, found.row[i].user.created_at, found.row[i].user.id);
		user_put(out, &found.row[i].user);
	}
	return (OK);
}

static err
list_by_number(struct request *r, const struct wanted *w)
{
	struct list *list;
	struct page page;

	TRY(page_read(r, &page));
	list = list_new(r, page.most, page.skip);
	list->read = users_read;
	list->wanted = w;
	list->end = list_end(r, w, NULL);
	list->undated_last = w->oldest;
	TRY_DB(r, list_reply(r, list, list_begin(r->arena, "users").data), "Database error finding users");
	page_headers(r, &page, list->total);
	return (OK);
}

/* --- By cursor --- */

static err
cursor_refuse(struct request *r, const char *why)
{
	return (fail(r, E_VALIDATION_FAILED, "Bad Pagination Parameters: invalid cursor%s", why));
}

/* The members as Go fills a struct: null and absent are the same, everything else must fit. */
static err
cursor_member(struct request *r, const json *object, const char *name, const char **text)
{
	const json *value = json_get_nocase(object, name);

	*text = json_string(value);
	if (*text == NULL && json_kind(value) != JSON_NULL)
		return (cursor_refuse(r, arena_printf(r->arena, ": %s is not a string", name)));
	return (OK);
}

static err
cursor_open(struct request *r, const char *text, struct cursor *c)
{
	size_t len;
	const unsigned char *plain = base64url_decode(r->arena, text, &len);
	const char *why;
	const json *object;
	usec at;

	if (plain == NULL)
		return (cursor_refuse(r, " encoding: illegal base64 data"));
	if ((object = json_parse(r->arena, (const char *)plain, len, &why)) == NULL)
		return (cursor_refuse(r, arena_printf(r->arena, ": %s", why)));
	if (json_kind(object) != JSON_OBJECT && json_kind(object) != JSON_NULL)
		return (cursor_refuse(r, ": not an object"));
	TRY(cursor_member(r, object, "created_at", &c->created_at));
	TRY(cursor_member(r, object, "id", &c->id));
	if (c->created_at != NULL && !clock_parse_rfc3339(c->created_at, &at))
		return (cursor_refuse(r, ": created_at is not a time"));
	if (c->id != NULL && (c->id = uuid_parse(r->arena, c->id)) == NULL)
		return (cursor_refuse(r, ": id is not a UUID"));
	if (c->id == NULL || str_equal(c->id, UUID_NIL))
		return (cursor_refuse(r, ": missing id"));
	if (c->created_at == NULL || str_starts(c->created_at, "0001-01-01T00:00:00Z"))
		return (cursor_refuse(r, ": missing created_at"));
	return (OK);
}

static err
cursor_read(struct request *r, struct cursor *c)
{
	const char *limit = query_get(&r->query, "limit"), *cursor = query_get(&r->query, "cursor");

	*c = (struct cursor){ .most = CURSOR_DEFAULT };
	if (!str_empty(limit)) {
		TRY(page_number(r, limit, &c->most));
		if (c->most == 0)
			return (fail(r, E_VALIDATION_FAILED, "Bad Pagination Parameters: limit must be greater than 0"));
	}
	if (c->most > CURSOR_MAX)
		c->most = CURSOR_MAX;
	return (str_empty(cursor) ? OK : cursor_open(r, cursor, c));
}

/* Times end as Go ends them. */
static char *
cursor_text(struct arena *a, const char *created_at, const char *id)
{
	const char *plain = json_pairs(a, "created_at", str_or(clock_iso(a, created_at), ""), "id", id, NULL);

	return (base64url_encode(a, plain, strlen(plain)));
}

static void
cursor_header(struct request *r, const char *next)
{
	struct query query = query_new(r->arena);

	for (size_t i = 0; i < r->query.len; i++)
		query_add(&query, r->query.pair[i].name, r->query.pair[i].value);
	query_set(&query, "page", NULL);
	query_set(&query, "cursor", next);
	reply_header(r, "Link", arena_printf(r->arena, "<%s>; rel=\"next\"", page_url(r, &query)));
}

static const char *
cursor_end(struct request *r, const struct wanted *w, const struct user *last)
{
	const char *next;

	if (last == NULL)
		return (list_end(r, w, json_pairs(r->arena, "#has_more", json_boolean(false), NULL)));
	next = cursor_text(r->arena, last->created_at, last->id);
	cursor_header(r, next);
	return (list_end(r, w, json_pairs(r->arena, "next_cursor", next, "#has_more", json_boolean(true), NULL)));
}

/* One more than is shown tells whether there are more. */
static err
list_by_cursor(struct request *r, const struct wanted *w)
{
	struct listed_user_rows found;
	struct buf out = list_begin(r->arena, "users");
	struct cursor c;
	bool more;

	TRY(cursor_read(r, &c));
	c.most++;
	TRY_DB(r, cursor_users(r, w, &c, &found), "Database error finding users");
	more = found.len == c.most;
	found.len -= more;
	for (size_t i = 0; i < found.len; i++)
		user_put(&out, &found.row[i].user);
	buf_puts(&out, cursor_end(r, w, more ? &found.row[found.len - 1].user : NULL));
	return (reply_json(r, 200, out.data));
}

err
user_list(struct request *r)
{
	bool numbered = wanted_text(r, "page") != NULL || wanted_text(r, "per_page") != NULL;
	struct wanted *w = arena_new_object(r->arena, struct wanted);

	TRY(wanted_read(r, w));
	/* One address has few users: no cursor leads through them. */
	if (cfg->gotrue_experimental_cursor_pagination_enabled && !numbered && !wants_exact(w))
		return (list_by_cursor(r, w));
	return (list_by_number(r, w));
}
