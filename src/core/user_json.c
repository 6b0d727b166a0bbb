/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "core/user_json.h"
#include "db/db.h"

static void
put_text(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":%s", name, json_quote(b->arena, text));
}

/* What is empty is left out. */
static void
put_maybe(struct buf *b, const char *name, const char *text)
{
	if (!str_empty(text))
		put_text(b, name, text);
}

static void
put_time(struct buf *b, const char *name, const char *timestamptz)
{
	put_maybe(b, name, clock_iso(b->arena, timestamptz));
}

static void
put_moment(struct buf *b, const char *name, usec at)
{
	if (at != 0)
		put_text(b, name, clock_rfc3339(b->arena, at));
}

const struct identity_row *
user_identities(struct arena *a, const struct user *u, size_t *count)
{
	return (db_rows(a, u->identities, sizeof(struct identity_row) / sizeof(char *), count));
}

const struct factor_row *
user_factors(struct arena *a, const struct user *u, size_t *count)
{
	return (db_rows(a, u->factors, sizeof(struct factor_row) / sizeof(char *), count));
}

static void
put_identities(struct buf *b, const struct user *u)
{
	size_t count;
	const struct identity_row *row = user_identities(b->arena, u, &count);

	buf_puts(b, ",\"identities\":[");
	for (size_t i = 0; i < count; i++, row++) {
		buf_printf(b, "%s{\"identity_id\":\"%s\",\"user_id\":\"%s\"", i > 0 ? "," : "", row->id, u->id);
		put_text(b, "id", row->provider_id);
		if (!str_equal(row->data, "{}"))
			buf_printf(b, ",\"identity_data\":%s", row->data);
		put_text(b, "provider", row->provider);
		put_time(b, "last_sign_in_at", row->last_sign_in_at);
		put_time(b, "created_at", row->created_at);
		put_time(b, "updated_at", row->updated_at);
		put_maybe(b, "email", row->email);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

static void
put_factor(struct buf *b, const struct factor_row *row)
{
	struct arena *a = b->arena;

	json_object_begin(b, NULL);
	json_put_text(b, "id", row->id);
	json_put_text(b, "created_at", clock_iso(a, row->created_at));
	json_put_text(b, "updated_at", clock_iso(a, row->updated_at));
	json_put_text(b, "status", row->status);
	json_put_text(b, "factor_type", row->type);
	json_put_text(b, "phone", str_or(row->phone, ""));
	json_put_text(b, "last_challenged_at", clock_iso(a, row->last_challenged_at));
	json_put_filled(b, "friendly_name", row->friendly_name);
	json_put_filled(b, "web_authn_aaguid", row->aaguid);
	json_put_raw(b, "last_webauthn_challenge_data", row->challenge);
	json_object_end(b);
}

static void
put_factors(struct buf *b, const char *name, const struct user *u)
{
	size_t count;
	const struct factor_row *row = user_factors(b->arena, u, &count);

	json_array_begin(b, name);
	for (size_t i = 0; i < count; i++)
		put_factor(b, &row[i]);
	json_array_end(b);
}

const char *
factor_text(struct arena *a, const struct factor_row *row)
{
	struct buf b = buf_new(a);

	put_factor(&b, row);
	return (b.data);
}

const char *
factors_text(struct arena *a, const struct user *u)
{
	struct buf b = buf_new(a);

	put_factors(&b, NULL, u);
	return (b.data);
}

static void
put_address(struct buf *b, const struct user *u)
{
	put_text(b, "email", u->email);
	put_time(b, "email_confirmed_at", u->email_confirmed_at);
	put_text(b, "phone", u->phone);
	put_time(b, "phone_confirmed_at", u->phone_confirmed_at);
	put_time(b, "confirmed_at", u->confirmed_at);
	put_maybe(b, "new_email", u->email_change);
	put_maybe(b, "new_phone", u->phone_change);
}

static void
put_moments(struct buf *b, const struct user *u)
{
	put_time(b, "invited_at", u->invited_at);
	put_moment(b, "confirmation_sent_at", u->confirmation_sent_at);
	put_moment(b, "recovery_sent_at", u->recovery_sent_at);
	put_moment(b, "email_change_sent_at", u->email_change_sent_at);
	put_moment(b, "phone_change_sent_at", u->phone_change_sent_at);
	put_moment(b, "reauthentication_sent_at", u->reauthentication_sent_at);
	put_time(b, "last_sign_in_at", u->last_sign_in_at);
	put_time(b, "created_at", u->created_at);
	put_time(b, "updated_at", u->updated_at);
	put_time(b, "banned_until", u->banned_until);
	put_time(b, "deleted_at", u->deleted_at);
}

const char *
user_text(struct arena *a, const struct user *u)
{
	struct buf b;

	if (u->told != NULL)
		return (u->told);
	b = buf_new(a);
	buf_printf(&b, "{\"id\":\"%s\"", u->id);
	put_text(&b, "aud", u->aud);
	put_text(&b, "role", u->role);
	put_address(&b, u);
	put_moments(&b, u);
	buf_printf(&b, ",\"app_metadata\":%s,\"user_metadata\":%s", u->app_metadata, u->user_metadata);
	put_identities(&b, u);
	if (!str_equal(str_or(u->factors, "{}"), "{}"))
		put_factors(&b, "factors", u);
	buf_printf(&b, ",\"is_anonymous\":%s}", u->anonymous ? "true" : "false");
	return (b.data);
}
