/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/session.h"
#include "db/db.h"
#include "factor/authenticator_name.h"
#include "factor/ceremony.h"
#include "factor/passkey.h"
#include "query/passkey.h"
#include "query/user.h"

#define REGISTRATION "registration"
#define AUTHENTICATION "authentication"

/* --- Challenges --- */

/* user_id: NULL for whoever it will be. */
static err
challenge_put(struct request *r, const char *type, const char *user_id, const struct ceremony_begun *begun, const char **reply)
{
	usec expires = r->now + cfg->gotrue_webauthn_challenge_expiry_duration / 1000;
	const char *id = uuid_new(r->arena);
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_text(&b, "challenge_id", id);
	json_put_raw(&b, "options", begun->options);
	json_put_number(&b, "expires_at", expires / 1000000);
	json_object_end(&b);
	*reply = b.data;
	return (passkey_challenge_add(r->db, .id = id, .user_id = user_id, .type = type, .session_data = begun->session, .now = r->now_text,
	    .expires_at = clock_rfc3339(r->arena, expires)));
}

/* In a transaction of its own, so that nothing brings it back; when the request begins anew, r->done has what was asked. */
static err
challenge_take(struct request *r, const char *type, const char *id, const char *user_id, const char **session)
{
	const char *kept = arena_printf(r->arena, "passkey challenge %s", id);
	struct passkey_challenge_take taken;

	if ((*session = query_get(r->done, kept)) != NULL)
		return (OK);
	db_autonomous_begin(r->db);
	TRY_DB(r, passkey_challenge_take(r->db, &taken, .id = id, .user_id = user_id, .type = type), "Database error consuming challenge");
	TRY(db_autonomous_end(r->db));
	if (!taken.found)
		return (fail(r, E_WEBAUTHN_CHALLENGE_NOT_FOUND, NULL));
	if (taken.expired)
		return (fail(r, E_WEBAUTHN_CHALLENGE_EXPIRED, NULL));
	query_set(r->done, kept, taken.session_data);
	*session = taken.session_data;
	return (OK);
}

static err
refuse_form(struct request *r)
{
	return (fail(r, E_WEBAUTHN_VERIFICATION_FAILED, "Invalid credential response"));
}

static err
refuse(struct request *r)
{
	return (fail(r, E_WEBAUTHN_VERIFICATION_FAILED, "Credential verification failed"));
}

/* --- Signing in --- */

err
passkey_ask_to_sign_in(struct request *r, const char **reply)
{
	struct ceremony_begun begun;

	TRY(ceremony_check(r));
	ceremony_request(r->arena, &(const struct ceremony){ .passkey = true }, &begun);
	return (challenge_put(r, AUTHENTICATION, NULL, &begun, reply));
}

/* The authenticator says whose it is; the credential has to be theirs. */
static err
shown_verify(struct request *r, const struct ceremony_shown *shown, const char *session, struct passkey_by_credential *row,
    struct webauthn_credential *credential)
{
	struct arena *a = r->arena;
	const char *user_id = uuid_parse(a, str_or(shown->user_id, ""));

	if (user_id == NULL || !str_equal(user_id, shown->user_id))
		return (fail_outside(r, "the user handle is no id of a user"));
	TRY_DB(r,
	    passkey_by_credential(r->db, row, .user_id = user_id,
		.credential = hex_encode(a, shown->assertion.id.data, shown->assertion.id.len)),
	    "Database error loading passkey");
	if (!row->found)
		return (fail_outside(r, "the user has no such credential"));
	*credential = (struct webauthn_credential){
		.id = shown->assertion.id,
		.sign_count = (uint32_t)row->sign_count,
		.backup_eligible = row->backup_eligible,
	};
	credential->public_key.data = hex_decode(a, row->public_key, &credential->public_key.len);
	return (ceremony_verify_shown(r, shown, session, credential));
}

static err
user_check(struct request *r, const struct user *u)
{
	if (!str_empty(u->email) && !u->email_confirmed)
		return (fail_as(r, E_EMAIL_NOT_CONFIRMED, 403, "Email not confirmed"));
	if (!str_empty(u->phone) && !u->phone_confirmed)
		return (fail_as(r, E_PHONE_NOT_CONFIRMED, 403, "Phone not confirmed"));
	return (u->banned ? fail_as(r, E_USER_BANNED, 403, "User is banned") : OK);
}

static err
sign_in_write(struct request *r, const struct passkey_by_credential *row, const struct webauthn_credential *credential, struct tokens *t)
{
	const struct user *u = &row->user;
	const struct session_origin origin = { .method = "passkey" };

	TRY(user_hold(r->db, .id = u->id));
	TRY(passkey_used(r->db, .id = row->passkey_id, .user_id = u->id,
	    .sign_count = arena_printf(r->arena, "%lu", (unsigned long)credential->sign_count), .now = r->now_text));
	TRY(audit(r, u, AUDIT_LOGIN_PASSKEY, json_pairs(r->arena, "passkey_id", row->passkey_id, NULL)));
	return (session_start(r, u, &origin, t));
}

err
passkey_sign_in(struct request *r, const struct passkey_answer *p, struct tokens *t)
{
	struct passkey_by_credential row;
	struct webauthn_credential credential;
	struct ceremony_shown shown;
	const char *session;

	TRY(challenge_take(r, AUTHENTICATION, p->challenge_id, NULL, &session));
	TRY_OUTSIDE(ceremony_read_shown(r, p->credential, &shown), refuse_form(r));
	TRY(ceremony_check(r));
	TRY_OUTSIDE(shown_verify(r, &shown, session, &row, &credential), refuse(r));
	TRY(user_check(r, &row.user));
	return (sign_in_write(r, &row, &credential, t));
}

/* --- Registering --- */

static err
refuse_more(struct request *r)
{
	return (fail(r, E_TOO_MANY_PASSKEYS, NULL));
}

static const struct ceremony_credential *
credentials_of(struct arena *a, const struct passkey_rows_rows *rows)
{
	struct ceremony_credential *list = arena_new_array(a, struct ceremony_credential, rows->len + 1);

	for (size_t i = 0; i < rows->len; i++)
		list[i].id.data = hex_decode(a, rows->row[i].credential, &list[i].id.len);
	return (list);
}

err
passkey_ask_to_register(struct request *r, const char **reply)
{
	const struct user *u = r->user;
	const char *name = str_or(u->email, u->phone);
	json *given = json_get(json_parse_text(r->arena, u->user_metadata), "name");
	struct ceremony_begun begun;
	struct passkey_rows_rows rows;

	TRY_DB(r, passkey_rows(r->db, &rows, .user_id = u->id), "Database error loading passkeys");
	if ((long long)rows.len >= cfg->gotrue_passkey_max_passkeys_per_user)
		return (refuse_more(r));
	TRY(ceremony_check(r));
	ceremony_create(r->arena,
	    &(const struct ceremony){ .passkey = true,
		.user_id = u->id,
		.name = name,
		.display_name = str_or(json_string(given), name),
		.credential = credentials_of(r->arena, &rows),
		.credentials = rows.len },
	    &begun);
	TRY(session_still(r));
	return (challenge_put(r, REGISTRATION, u->id, &begun, reply));
}

static err
register_write(struct request *r, const char *id, const struct webauthn_credential *credential, const char *transports)
{
	struct arena *a = r->arena;
	struct passkey_add added;

	TRY(session_still(r));
	TRY(passkey_assert_room(r->db, .user_id = r->user->id,
	    .max = arena_printf(a, "%lld", (long long)cfg->gotrue_passkey_max_passkeys_per_user)));
	TRY(audit(r, r->user, AUDIT_PASSKEY_CREATED, json_pairs(a, "passkey_id", id, NULL)));
	return (passkey_add(r->db, &added, .id = id, .user_id = r->user->id,
	    .credential = hex_encode(a, credential->id.data, credential->id.len),
	    .public_key = hex_encode(a, credential->public_key.data, credential->public_key.len), .format = credential->format,
	    .aaguid = credential->aaguid, .sign_count = arena_printf(a, "%lu", (unsigned long)credential->sign_count),
	    .transports = str_or(transports, "[]"), .backup_eligible = credential->backup_eligible ? "t" : "f",
	    .backed_up = credential->backed_up ? "t" : "f", .friendly_name = authenticator_name(credential->aaguid), .now = r->now_text));
}

static err
register_refused(struct request *r, err error)
{
	const struct db_error *said = db_error(r->db);

	if (error == E_DATABASE && str_equal(said->sqlstate, "23505"))
		return (fail(r, E_WEBAUTHN_CREDENTIAL_EXISTS, NULL));
	if (error == E_DATABASE && str_equal(said->sqlstate, "PO001") && str_equal(said->message, "passkeys"))
		return (refuse_more(r));
	return (error == E_DATABASE ? fail(r, E_DATABASE, "Database error creating passkey") : error);
}

/* --- As clients see them --- */

static void
put_passkey(struct buf *b, const char *id, const char *friendly_name, const char *created_at, const char *last_used_at)
{
	json_object_begin(b, NULL);
	json_put_text(b, "id", id);
	json_put_filled(b, "friendly_name", friendly_name);
	json_put_text(b, "created_at", created_at);
	json_put_filled(b, "last_used_at", last_used_at);
	json_object_end(b);
}

err
passkey_register(struct request *r, const struct passkey_answer *p, const char **reply)
{
	struct webauthn_credential credential;
	struct ceremony_created created;
	const char *session, *id = uuid_new(r->arena);
	struct buf b = buf_new(r->arena);
	err error;

	TRY(challenge_take(r, REGISTRATION, p->challenge_id, r->user->id, &session));
	TRY_OUTSIDE(ceremony_read_created(r, p->credential, &created), refuse_form(r));
	TRY(ceremony_check(r));
	TRY_OUTSIDE(ceremony_verify_created(r, &created, session, &credential), refuse(r));
	error = register_write(r, id, &credential, created.transports);
	if (error != OK)
		return (register_refused(r, error));
	put_passkey(&b, id, authenticator_name(credential.aaguid), r->now_text, NULL);
	*reply = b.data;
	return (OK);
}

err
passkey_list_text(struct request *r, const char **text)
{
	struct buf b = buf_new(r->arena);
	struct passkey_rows_rows rows;

	TRY_DB(r, passkey_rows(r->db, &rows, .user_id = r->user->id), "Database error loading passkeys");
	json_array_begin(&b, NULL);
	for (size_t i = 0; i < rows.len; i++)
		put_passkey(&b, rows.row[i].id, rows.row[i].friendly_name, clock_iso(r->arena, rows.row[i].created_at),
		    clock_iso(r->arena, rows.row[i].last_used_at));
	json_array_end(&b);
	*text = b.data;
	return (OK);
}

/* --- Renaming and taking away --- */

static err
not_found(struct request *r)
{
	return (fail_as(r, E_VALIDATION_FAILED, 404, "Passkey not found"));
}

err
passkey_named(struct request *r, const char **id)
{
	*id = uuid_parse(r->arena, request_path_arg(r, "passkey_id"));
	return (*id != NULL ? OK : not_found(r));
}

err
passkey_change_name(struct request *r, const char *id, const char *friendly_name, const char **text)
{
	struct buf b = buf_new(r->arena);
	struct passkey_rename named;

	TRY(session_still(r));
	TRY_DB(r, passkey_rename(r->db, &named, .id = id, .user_id = r->user->id, .friendly_name = friendly_name, .now = r->now_text),
	    "Database error updating passkey");
	if (!named.found)
		return (not_found(r));
	TRY(audit(r, r->user, AUDIT_PASSKEY_UPDATED, json_pairs(r->arena, "passkey_id", id, NULL)));
	put_passkey(&b, id, named.friendly_name, clock_iso(r->arena, named.created_at), clock_iso(r->arena, named.last_used_at));
	*text = b.data;
	return (OK);
}

err
passkey_take_away(struct request *r, const char *id)
{
	struct passkey_drop gone;

	TRY_DB(r, passkey_drop(r->db, &gone, .id = id, .user_id = r->user->id), "Database error deleting passkey");
	return (gone.found ? OK : not_found(r));
}
