/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/hook.h"
#include "core/linking_domain.h"
#include "core/user.h"
#include "db/db.h"
#include "query/identity.h"

/* Who somebody is is said by us, never by free-form data. */
static bool
is_identifying(const char *member)
{
	static char *const names[] = { "sub", "iss", "email", "phone", "provider_id", NULL };

	return (strs_have(names, member) || str_ends(member, "_verified"));
}

static bool
member_keep(void *arg, const char *name, json *value)
{
	struct buf *out = arg;

	if (!is_identifying(name))
		json_put(out, name, value);
	return (true);
}

/* What is said of an identity by us; a client's metadata may not say otherwise. */
static void
claims_put(struct buf *b, const char *sub, const struct own_identity *i)
{
	bool email = str_equal(i->provider, "email");

	json_put_text(b, "sub", sub);
	json_put_filled(b, i->provider, i->address);
	json_put_bool(b, "email_verified", email && i->verified);
	json_put_bool(b, "phone_verified", !email && i->verified);
}

/* Of a number's identity the reference says no number while it is new. */
static void
new_claims_put(struct buf *b, const struct new_user *u)
{
	claims_put(b, u->id, &(const struct own_identity){ .provider = "email", .address = u->email });
}

/* The user's metadata then is the identity's data; of two members of a name the database takes the second. */
static char *
shared_metadata(struct arena *a, const struct new_user *u)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_members(&b, u->user_metadata);
	new_claims_put(&b, u);
	json_object_end(&b);
	return (b.data);
}

char *
user_providers(struct arena *a, const char *first, const char *second)
{
	char *const list[] = { (char *)first, (char *)second, NULL };
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_filled(&b, "provider", first);
	if (first != NULL)
		json_put_list(&b, "providers", list);
	json_object_end(&b);
	return (b.data);
}

char *
user_identity_data(struct arena *a, const struct new_user *u)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	if (!u->invited && u->user_metadata != NULL)
		json_each(json_parse_text(a, u->user_metadata), member_keep, &b);
	new_claims_put(&b, u);
	json_object_end(&b);
	return (b.data);
}

err
user_create(struct request *r, const struct new_user *u)
{
	struct arena *a = r->arena;
	bool shares = u->provider != NULL && !u->invited;

	TRY(user_add(r->db, .id = u->id, .aud = u->aud, .role = u->role, .email = u->email, .phone = u->phone,
	    .password = str_or(u->password, ""), .app_metadata = user_providers(a, u->provider, NULL),
	    .user_metadata = shares ? shared_metadata(a, u) : u->user_metadata, .drop_nulls = shares ? "t" : "f", .sso = u->sso ? "t" : "f",
	    .anonymous = u->provider == NULL ? "t" : "f", .now = r->now_text));
	if (u->provider == NULL)
		return (OK);
	return (identity_add(r->db, .id = uuid_new(a), .provider_id = u->id, .user_id = u->id, .provider = u->provider,
	    .data = user_identity_data(a, u), .now = r->now_text));
}

struct user
user_unwritten(struct arena *a, const struct new_user *u, const char *at)
{
	return ((struct user){ .id = u->id,
	    .aud = u->aud,
	    .role = "",
	    .email = str_or(u->email, ""),
	    .phone = str_or(u->phone, ""),
	    .app_metadata = user_providers(a, u->provider, NULL),
	    .user_metadata = str_or(u->user_metadata, "{}"),
	    .created_at = at,
	    .updated_at = at,
	    .sso = u->sso,
	    .anonymous = u->provider == NULL });
}

struct user
user_queued(struct arena *a, const struct new_user *made)
{
	struct user u = user_unwritten(a, made, NULL);
	json *name = json_get(json_parse_text(a, u.user_metadata), "full_name");

	u.full_name = name == NULL ? NULL : json_text(a, name);
	u.told = "{}";
	return (u);
}

err
user_create_invited(struct request *r, const struct new_user *given, struct user *u)
{
	struct new_user all = *given;

	all.id = str_or(given->id, uuid_new(r->arena));
	all.role = cfg->gotrue_jwt_default_group_name;
	all.provider = "email";
	all.invited = true;
	TRY(hook_before_user_created(r, &all));
	*u = user_queued(r->arena, &all);
	return (user_create(r, &all));
}

err
user_merge(struct request *r, const char *id, const char *user_metadata, const char *app_metadata)
{
	return (user_merge_metadata(r->db, .id = id, .user_metadata = user_metadata, .app_metadata = app_metadata,
	    .max = arena_printf(r->arena, "%lld", (long long)cfg->postern_metadata_max), .now = r->now_text));
}

/* The order in which identities came is the order in which they are shown. */
err
user_identity_put(struct request *r, const char *user_id, const struct own_identity *i)
{
	struct arena *a = r->arena;
	struct buf b = buf_new(a);
	const char *verified = arena_printf(a, "#%s_verified", i->provider);

	json_object_begin(&b, NULL);
	claims_put(&b, user_id, i);
	json_object_end(&b);
	return (identity_merge(r->db, .id = str_or(i->id, uuid_new(a)), .user_id = user_id, .provider = i->provider, .data = b.data,
	    .change = json_pairs(a, i->provider, i->address, verified, json_boolean(i->verified), NULL),
	    .now = str_equal(i->provider, "phone") ? clock_rfc3339(a, r->now + 1) : r->now_text));
}

err
user_erase(struct request *r, const char *id, bool soft)
{
	if (soft)
		return (user_hide(r->db, .id = id, .now = r->now_text));
	return (user_delete(r->db, .id = id));
}

err
user_find_email(struct request *r, const char *email, const char *aud, const char *except, struct user *u)
{
	return (user_holding_email(r->db, u, .email = email, .aud = aud, .except = except, .own_domain = linking_domains_own(r->arena)));
}

err
user_reload(struct request *r, struct user *u)
{
	const char *id = u->id;

	TRY(user_by_id(r->db, u, .id = id));
	return (u->found ? OK : fail(r, E_USER_NOT_FOUND, NULL));
}

err
user_reload_changed(struct request *r, struct user *u, const char *words)
{
	err error = user_reload(r, u);
	const struct db_error *said = db_error(r->db);

	if (error != E_DATABASE)
		return (error);
	if (!str_equal(said->sqlstate, "23505"))
		return (fail(r, E_DATABASE, "%s", words));
	if (str_equal(said->constraint, "users_phone_key"))
		return (fail(r, E_PHONE_EXISTS, "A user with this phone number has already been registered"));
	return (fail(r, E_EMAIL_EXISTS, NULL));
}

err
user_json(struct request *r, const struct user *u, const char **text)
{
	struct user stored = *u;

	*text = u->found ? user_text(r->arena, u) : NULL;
	if (u->found)
		return (OK);
	TRY(user_reload(r, &stored));
	*text = user_text(r->arena, &stored);
	return (OK);
}

char *
user_json_with(struct arena *a, const char *text, const char *name, const char *value)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_except(&b, json_parse_text(a, text), (char *const[]){ (char *)name, NULL });
	json_put_text(&b, name, value);
	json_object_end(&b);
	return (b.data);
}
