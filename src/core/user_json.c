/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "core/user_json.h"
#include "db/db.h"

static void
put_time(struct buf *b, const char *name, const char *timestamptz)
{
	json_put_filled(b, name, clock_iso(b->arena, timestamptz));
}

static void
put_moment(struct buf *b, const char *name, usec at)
{
	if (at != 0)
		json_put_text(b, name, clock_rfc3339(b->arena, at));
}

struct identity_row *
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
put_identity(struct buf *b, const struct user *u, const struct identity_row *row)
{
	json_object_begin(b, NULL);
	json_put_text(b, "identity_id", row->id);
	json_put_text(b, "user_id", u->id);
	json_put_text(b, "id", row->provider_id);
	if (!str_equal(row->data, "{}"))
		json_put_raw(b, "identity_data", row->data);
	json_put_text(b, "provider", row->provider);
	put_time(b, "last_sign_in_at", row->last_sign_in_at);
	put_time(b, "created_at", row->created_at);
	put_time(b, "updated_at", row->updated_at);
	json_put_filled(b, "email", row->email);
	json_object_end(b);
}

static void
put_identities(struct buf *b, const struct user *u, const struct identity_row *row, size_t count)
{
	json_array_begin(b, "identities");
	for (size_t i = 0; i < count; i++)
		put_identity(b, u, &row[i]);
	json_array_end(b);
}

static void
put_factor(struct buf *b, const struct factor_row *row)
{
	json_object_begin(b, NULL);
	json_put_text(b, "id", row->id);
	json_put_text(b, "created_at", clock_iso(b->arena, row->created_at));
	json_put_text(b, "updated_at", clock_iso(b->arena, row->updated_at));
	json_put_text(b, "status", row->status);
	json_put_text(b, "factor_type", row->type);
	json_put_text(b, "phone", str_or(row->phone, ""));
	json_put_text(b, "last_challenged_at", clock_iso(b->arena, row->last_challenged_at));
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
	json_put_text(b, "email", u->email);
	put_time(b, "email_confirmed_at", u->email_confirmed_at);
	json_put_text(b, "phone", u->phone);
	put_time(b, "phone_confirmed_at", u->phone_confirmed_at);
	put_time(b, "confirmed_at", u->confirmed_at);
	json_put_filled(b, "new_email", u->email_change);
	json_put_filled(b, "new_phone", u->phone_change);
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
user_text_with(struct arena *a, const struct user *u, const struct identity_row *row, size_t count)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_text(&b, "id", u->id);
	json_put_text(&b, "aud", u->aud);
	json_put_text(&b, "role", u->role);
	put_address(&b, u);
	put_moments(&b, u);
	json_put_raw(&b, "app_metadata", u->app_metadata);
	json_put_raw(&b, "user_metadata", u->user_metadata);
	if (row == NULL)
		json_put_text(&b, "identities", NULL);
	else
		put_identities(&b, u, row, count);
	if (!str_equal(str_or(u->factors, "{}"), "{}"))
		put_factors(&b, "factors", u);
	json_put_bool(&b, "is_anonymous", u->anonymous);
	json_object_end(&b);
	return (b.data);
}

const char *
user_text(struct arena *a, const struct user *u)
{
	size_t count;
	const struct identity_row *row;

	if (u->told != NULL)
		return (u->told);
	row = user_identities(a, u, &count);
	return (user_text_with(a, u, row, count));
}

const char *
user_text_signed_up(struct arena *a, const struct user *u, const char *provider, usec now)
{
	struct user shown = *u;
	size_t count, kept = 0;
	struct identity_row *row = user_identities(a, u, &count);

	for (size_t i = 0; i < count; i++)
		if (str_equal(row[i].provider, provider))
			row[kept++] = row[i];
	for (size_t i = 0; i < kept && clock_timestamptz(u->created_at) >= now; i++)
		row[i].data = u->user_metadata;
	shown.confirmed_at = NULL;
	return (user_text_with(a, &shown, row, kept));
}
