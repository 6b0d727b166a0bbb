/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/hook.h"
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
		buf_printf(out, "%s:%s,", json_quote(out->arena, name), json_text(out->arena, value));
	return (true);
}

/* Two objects' texts as one; in the database the second wins. */
static char *
objects_joined(struct arena *a, const char *first, const char *second)
{
	if (str_empty(first) || str_equal(first, "{}"))
		return (arena_strdup(a, second));
	return (arena_printf(a, "%.*s,%s", (int)strlen(first) - 1, first, second + 1));
}

/* What is said of an identity by us; a client's metadata may not say otherwise. */
static char *
identity_claims(struct arena *a, const struct new_user *u)
{
	const char *email = str_empty(u->email) ? "" : arena_printf(a, "\"email\":%s,", json_quote(a, u->email));

	return (arena_printf(a, "{\"sub\":\"%s\",%s\"email_verified\":false,\"phone_verified\":false}", u->id, email));
}

char *
user_identity_data(struct arena *a, const struct new_user *u)
{
	struct buf b = buf_new(a);

	buf_putc(&b, '{');
	if (!u->invited && u->user_metadata != NULL)
		json_each(json_parse(a, u->user_metadata, strlen(u->user_metadata), NULL), member_keep, &b);
	buf_puts(&b, identity_claims(a, u) + 1);
	return (b.data);
}

err
user_create(struct request *r, const struct new_user *u)
{
	struct arena *a = r->arena;
	bool shares = u->provider != NULL && !u->invited;
	const char *data = u->user_metadata, *app = "{}";

	if (shares)
		data = objects_joined(a, data, identity_claims(a, u));
	if (u->provider != NULL)
		app = arena_printf(a, "{\"provider\":\"%s\",\"providers\":[\"%s\"]}", u->provider, u->provider);
	TRY(user_add(r->db, .id = u->id, .aud = u->aud, .role = u->role, .email = u->email, .phone = u->phone,
	    .password = str_or(u->password, ""), .app_metadata = app, .user_metadata = data, .drop_nulls = shares ? "t" : "f",
	    .sso = u->sso ? "t" : "f", .anonymous = u->provider == NULL ? "t" : "f", .now = r->now_text));
	if (u->provider == NULL)
		return (OK);
	return (identity_add(r->db, .id = uuid_new(a), .provider_id = u->id, .user_id = u->id, .provider = u->provider,
	    .data = user_identity_data(a, u), .now = r->now_text));
}

struct user
user_queued(struct arena *a, const struct new_user *made)
{
	const char *metadata = str_or(made->user_metadata, "{}");
	json *name = json_get(json_parse(a, metadata, strlen(metadata), NULL), "full_name");

	return ((struct user){ .id = made->id,
	    .aud = made->aud,
	    .email = str_or(made->email, ""),
	    .phone = str_or(made->phone, ""),
	    .user_metadata = metadata,
	    .full_name = name == NULL ? NULL : json_text(a, name),
	    .told = "{}" });
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

err
user_identity_email(struct request *r, const char *id, const char *email)
{
	struct arena *a = r->arena;
	const char *quoted = json_quote(a, email);

	return (identity_merge(r->db, .id = uuid_new(a), .user_id = id, .provider = "email", .now = r->now_text,
	    .data = arena_printf(a, "{\"sub\":\"%s\",\"email\":%s,\"email_verified\":true,\"phone_verified\":false}", id, quoted),
	    .change = arena_printf(a, "{\"email\":%s,\"email_verified\":true}", quoted)));
}

/* Providers that link only within a domain of their own. */
static const char *
own_domain_providers(struct arena *a)
{
	size_t len = 0;
	char **names;

	for (setting_map m = cfg->gotrue_experimental_provider_linking_domains; m->name != NULL; m++)
		len++;
	names = arena_new_array(a, char *, len + 1);
	len = 0;
	for (setting_map m = cfg->gotrue_experimental_provider_linking_domains; m->name != NULL; m++)
		if (!str_equal(m->value, "default"))
			names[len++] = arena_strdup(a, m->name);
	return (db_array(a, names));
}

err
user_find_email(struct request *r, const char *email, const char *aud, const char *except, struct user *u)
{
	return (user_holding_email(r->db, u, .email = email, .aud = aud, .except = except, .own_domain = own_domain_providers(r->arena)));
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
	if (strstr(said->message, "phone") == NULL)
		return (fail(r, E_EMAIL_EXISTS, NULL));
	return (fail(r, E_PHONE_EXISTS, "A user with this phone number has already been registered"));
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

struct members {
	struct buf out;
	const char *name; /* the one that is left out */
};

static bool
member_copy(void *arg, const char *name, json *value)
{
	struct members *m = arg;

	if (!str_equal(name, m->name))
		buf_printf(&m->out, "%s:%s,", json_quote(m->out.arena, name), json_text(m->out.arena, value));
	return (true);
}

char *
user_json_with(struct arena *a, const char *text, const char *name, const char *value)
{
	struct members m = { .out = buf_new(a), .name = name };

	buf_putc(&m.out, '{');
	json_each(json_parse(a, text, strlen(text), NULL), member_copy, &m);
	buf_printf(&m.out, "\"%s\":%s}", name, json_quote(a, value));
	return (m.out.data);
}
