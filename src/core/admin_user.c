/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/admin_user.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/owner.h"
#include "core/user.h"
#include "db/db.h"
#include "query/admin_user.h"
#include "query/identity.h"
#include "query/onetime.h"
#include "sec/password.h"
#include "sec/secret.h"

err
ban_read(struct request *r, const char *duration, struct ban *b)
{
	int64_t ns = 0;

	*b = (struct ban){ .given = !str_empty(duration) };
	if (!b->given || str_equal(duration, "none"))
		return (OK);
	if (!duration_parse(duration, &ns))
		return (fail(r, E_VALIDATION_FAILED, "invalid format for ban duration: %s", duration_complaint(r->arena, duration)));
	if (ns != 0)
		b->until = clock_rfc3339(r->arena, r->now + ns / 1000);
	return (OK);
}

/* --- Making --- */

static err
email_taken(struct request *r)
{
	return (fail(r, E_EMAIL_EXISTS, NULL));
}

static err
phone_taken(struct request *r)
{
	return (fail(r, E_PHONE_EXISTS, NULL));
}

/*
 * An address that came in between, or that a user of another audience has, is no fault of ours, though the reference answers 500 with
 * the database's own words.  Nor is a role as long as a book.
 */
static err
refusal_tell(struct request *r, err error)
{
	const struct db_error *e = db_error(r->db);

	if (error == E_DATABASE && str_equal(e->sqlstate, "22001"))
		return (fail(r, E_VALIDATION_FAILED, "A value is too long"));
	if (error != E_DATABASE || !str_equal(e->sqlstate, "23505"))
		return (error);
	if (str_equal(e->constraint, "users_email_partial_key"))
		return (email_taken(r));
	if (str_equal(e->constraint, "users_phone_key"))
		return (phone_taken(r));
	if (str_equal(e->constraint, "users_pkey"))
		return (fail(r, E_USER_ALREADY_EXISTS, "A user with this ID already exists"));
	return (error);
}

static err
create_check_addresses(struct request *r, struct admin_user *p)
{
	struct user other;

	if (str_empty(p->email) && str_empty(p->phone))
		return (fail(r, E_VALIDATION_FAILED, "Cannot create a user without either an email or phone"));
	if (!str_empty(p->email)) {
		TRY(address_check_email(r, &p->email));
		TRY_DB(r, user_find_email(r, p->email, p->aud, NULL, &other), "Database error checking email");
		if (other.found)
			return (email_taken(r));
	}
	if (!str_empty(p->phone)) {
		TRY(address_check_phone(r, &p->phone));
		TRY_DB(r, user_by_phone(r->db, &other, .phone = p->phone, .aud = p->aud), "Database error checking phone");
		if (other.found)
			return (phone_taken(r));
	}
	return (OK);
}

static err
create_check_hash(struct request *r, const char *hash)
{
	if (!password_hash_valid(hash) || strlen(hash) > PASSWORD_COLUMN)
		return (fail(r, E_VALIDATION_FAILED, "Error creating user: the password hash is of no known form"));
	return (OK);
}

static err
create_check_password(struct request *r, struct admin_user *p)
{
	if (p->password != NULL && !str_empty(p->password_hash))
		return (fail(r, E_VALIDATION_FAILED, "Only a password or a password hash should be provided"));
	if (!str_empty(p->password_hash))
		return (create_check_hash(r, p->password_hash));
	return (p->password != NULL ? credential_check_length(r, p->password) : OK);
}

static err
create_check_id(struct request *r, struct admin_user *p)
{
	if (str_empty(p->id)) {
		p->id = uuid_new(r->arena);
		return (OK);
	}
	if ((p->id = uuid_parse(r->arena, p->id)) == NULL)
		return (fail(r, E_VALIDATION_FAILED, "ID must conform to the uuid v4 format"));
	if (str_equal(p->id, UUID_NIL))
		return (fail(r, E_VALIDATION_FAILED, "ID cannot be a nil uuid"));
	return (OK);
}

static const char *
create_password(struct request *r, const struct admin_user *p)
{
	if (!str_empty(p->password_hash))
		return (p->password_hash);
	return (str_empty(p->password) ? credential_unknown(r, p->id) : credential_new(r, p->id, p->password));
}

/* The reference gives a user that comes with a hash the metadata null; that is what its row is like. */
static const char *
create_metadata(const struct admin_user *p)
{
	if (p->user_metadata != NULL)
		return (p->user_metadata);
	return (str_empty(p->password_hash) ? "{}" : "null");
}

static err
create_row(struct request *r, const struct admin_user *p, const struct ban *ban)
{
	bool email = !str_empty(p->email);

	/* The provider of the first address is the provider. */
	return (admin_user_add(r->db, .id = p->id, .aud = p->aud, .email = p->email, .phone = p->phone,
	    .role = str_trim(r->arena, str_or(p->role, cfg->gotrue_jwt_default_group_name)), .password = create_password(r, p),
	    .providers = user_providers(r->arena, email ? "email" : "phone", email && !str_empty(p->phone) ? "phone" : NULL),
	    .app_metadata = p->app_metadata, .user_metadata = create_metadata(p),
	    .email_confirmed_at = p->email_confirm ? r->now_text : NULL, .phone_confirmed_at = p->phone_confirm ? r->now_text : NULL,
	    .banned_until = ban->until, .now = r->now_text));
}

/* As the reference shows one that it has just made: without what the database computes, and metadata that may be null. */
static err
create_shown(struct request *r, const struct admin_user *p, const char **text)
{
	struct user made;

	TRY(refusal_tell(r, user_written(r->db, &made, .id = p->id)));
	if (!made.found)
		return (fail(r, E_USER_NOT_FOUND, NULL));
	made.confirmed_at = NULL;
	if (!p->email_confirm && str_equal(create_metadata(p), "null"))
		made.user_metadata = "null";
	*text = user_text(r->arena, &made);
	return (OK);
}

static err
create_write(struct request *r, const struct admin_user *p, const struct ban *ban, const char **text)
{
	const struct user shown = { .id = p->id, .email = p->email, .phone = p->phone };
	const char *provider = str_empty(p->email) ? "phone" : "email";

	TRY(create_row(r, p, ban));
	if (!str_empty(p->email))
		TRY(user_identity_put(r, p->id,
		    &(const struct own_identity){ .id = uuid_new(r->arena), .provider = "email", .address = p->email }));
	if (!str_empty(p->phone))
		TRY(user_identity_put(r, p->id,
		    &(const struct own_identity){ .id = uuid_new(r->arena), .provider = "phone", .address = p->phone }));
	TRY(audit_admin(r, AUDIT_SIGNED_UP, audit_traits(r->arena, &shown, provider)));
	return (create_shown(r, p, text));
}

err
admin_user_create(struct request *r, struct admin_user *p, const char **text)
{
	struct ban ban;

	p->aud = str_or(p->aud, claims_audience(r));
	TRY(create_check_addresses(r, p));
	TRY(create_check_password(r, p));
	TRY(create_check_id(r, p));
	TRY(ban_read(r, p->ban_duration, &ban));
	TRY_DB(r, create_write(r, p, &ban, text), "Database error creating new user");
	return (OK);
}

/* --- Changing --- */

struct update {
	struct ban ban;
	const char *password; /* as stored */
	char *made[4];        /* the ids of new identities, ends with NULL */
	size_t made_len;
};

static err
update_check(struct request *r, struct admin_user *p, struct update *change)
{
	if (!str_empty(p->email))
		TRY(address_check_email(r, &p->email));
	if (!str_empty(p->phone))
		TRY(address_check_phone(r, &p->phone));
	TRY(ban_read(r, p->ban_duration, &change->ban));
	if (p->password != NULL) {
		TRY(credential_check_strength(r, p->password));
		change->password = credential_new(r, r->user->id, p->password);
	}
	return (OK);
}

/* An id for an identity that may be made. */
static const char *
update_made(struct request *r, struct update *change)
{
	return (change->made[change->made_len++] = uuid_new(r->arena));
}

static err
update_identity(struct request *r, struct update *change, struct own_identity i)
{
	i.id = update_made(r, change);
	return (user_identity_put(r, r->user->id, &i));
}

/* What was sent for an address that is to be confirmed is void. */
static err
update_confirmed(struct request *r, const struct admin_user *p)
{
	const char *id = r->user->id;

	if (p->email_confirm)
		TRY(user_confirm_email(r->db, .id = id, .now = r->now_text));
	if (p->phone_confirm)
		TRY(user_confirm_phone(r->db, .id = id, .now = r->now_text));
	if (p->email_confirm || p->phone_confirm)
		TRY(onetime_clear(r->db, .user_id = id));
	return (OK);
}

static err
update_addresses(struct request *r, const struct admin_user *p, struct update *change)
{
	if (!str_empty(p->email))
		TRY(update_identity(r, change,
		    (struct own_identity){ .provider = "email", .address = p->email, .verified = p->email_confirm }));
	if (!str_empty(p->phone))
		TRY(update_identity(r, change,
		    (struct own_identity){ .provider = "phone", .address = p->phone, .verified = p->phone_confirm }));
	return (OK);
}

/* What stands in the row itself; nothing when that stays as it is. */
static err
update_row(struct request *r, const struct admin_user *p, const struct update *change)
{
	bool email = !str_empty(p->email), phone = !str_empty(p->phone), role = !str_empty(p->role);
	bool named = (email && p->email_confirm) || (phone && p->phone_confirm);

	if (!email && !phone && !role && !change->ban.given)
		return (OK);
	return (admin_user_change(r->db, .id = r->user->id, .role = role ? str_trim(r->arena, p->role) : NULL,
	    .email = email ? p->email : NULL, .phone = phone ? p->phone : NULL, .ban = change->ban.given ? "t" : "f",
	    .banned_until = change->ban.until, .named = named ? "t" : "f", .now = r->now_text));
}

static err
update_write(struct request *r, const struct admin_user *p, struct update *change)
{
	struct user shown = *r->user;

	TRY(user_hold(r->db, .id = shown.id));
	TRY(update_row(r, p, change));
	if (change->ban.until != NULL)
		TRY(owner_undo(r, shown.id, true));
	if (p->password != NULL)
		TRY(owner_set_password(r, shown.id, change->password, NULL));
	TRY(update_confirmed(r, p));
	TRY(update_addresses(r, p, change));
	if (cfg->gotrue_experimental_create_email_identity_on_password_set_enabled && change->password != NULL && str_empty(shown.password))
		TRY(identity_of_password(r->db, .id = update_made(r, change), .user_id = shown.id, .now = r->now_text));
	if (p->app_metadata != NULL || p->user_metadata != NULL)
		TRY(user_merge(r, shown.id, p->user_metadata, p->app_metadata));
	shown.email = str_or(p->email, shown.email);
	shown.phone = str_or(p->phone, shown.phone);
	return (audit_admin(r, AUDIT_USER_MODIFIED, audit_traits(r->arena, &shown, NULL)));
}

/* As the reference shows one that it has just changed: with the identities that it read before, and those that it made since. */
static err
update_shown(struct request *r, const struct update *change, const char **text)
{
	struct identity_row *before, *after, *all;
	size_t count, more;
	struct user changed;

	TRY(refusal_tell(r, user_written(r->db, &changed, .id = r->user->id)));
	if (!changed.found) /* somebody has deleted them meanwhile */
		return (fail(r, E_USER_NOT_FOUND, NULL));
	changed.confirmed_at = r->user->confirmed_at;
	before = user_identities(r->arena, r->user, &count);
	after = user_identities(r->arena, &changed, &more);
	all = arena_new_array(r->arena, struct identity_row, count + more);
	memcpy(all, before, count * sizeof(*all));
	for (size_t i = 0; i < more; i++)
		if (strs_have(change->made, after[i].id))
			all[count++] = after[i];
	*text = user_text_with(r->arena, &changed, all, count);
	return (OK);
}

err
admin_user_update(struct request *r, struct admin_user *p, const char **text)
{
	struct update change = { 0 };

	TRY(update_check(r, p, &change));
	TRY_DB(r, update_write(r, p, &change), "Error updating user");
	TRY_DB(r, update_shown(r, &change, text), "Error updating user");
	return (OK);
}

/* --- Deleting --- */

err
admin_user_erase(struct request *r, bool soft)
{
	const struct user *u = r->user;

	TRY(user_hold(r->db, .id = u->id));
	TRY(audit_admin(r, AUDIT_USER_DELETED, audit_traits(r->arena, u, NULL)));
	return (user_erase(r, u->id, soft));
}
