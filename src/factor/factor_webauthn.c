/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "core/amr.h"
#include "db/db.h"
#include "factor/ceremony.h"
#include "factor/factor_part.h"
#include "query/factor.h"
#include "query/session.h"
#include "sec/secret.h"

/* Security keys, and whatever else speaks WebAuthn. */

#define CREATE "create"
#define REQUEST "request"

/* --- Credentials as the reference's library keeps them: bytes are in the base64 of Go's encoding/json --- */

static struct bytes
bytes_of(struct arena *a, const json *object, const char *path)
{
	struct bytes bytes = { NULL, 0 };

	bytes.data = base64_decode(a, json_string(json_path(object, path)), &bytes.len);
	return (bytes);
}

static struct webauthn_credential
credential_of(struct arena *a, const json *kept)
{
	int64_t count = 0;

	(void)json_integer(json_path(kept, "authenticator.signCount"), &count);
	return ((struct webauthn_credential){
	    .id = bytes_of(a, kept, "id"),
	    .public_key = bytes_of(a, kept, "publicKey"),
	    .sign_count = (uint32_t)count,
	    .backup_eligible = json_true(json_path(kept, "flags.backupEligible")),
	});
}

static void
put_bytes(struct buf *b, const char *name, struct bytes bytes)
{
	json_put_text(b, name, base64_encode(b->arena, bytes.data, bytes.len));
}

static void
put_flags(struct buf *b, const struct webauthn_credential *c)
{
	json_object_begin(b, "flags");
	json_put_bool(b, "userPresent", c->user_present);
	json_put_bool(b, "userVerified", c->user_verified);
	json_put_bool(b, "backupEligible", c->backup_eligible);
	json_put_bool(b, "backupState", c->backed_up);
	json_object_end(b);
}

static void
put_authenticator(struct buf *b, const struct ceremony_created *created, const struct webauthn_credential *c)
{
	json_object_begin(b, "authenticator");
	put_bytes(b, "AAGUID", created->registration.data.aaguid);
	json_put_number(b, "signCount", c->sign_count);
	json_put_bool(b, "cloneWarning", false);
	json_put_text(b, "attachment", created->attachment);
	json_object_end(b);
}

static void
put_attestation(struct buf *b, const struct ceremony_created *created, const struct webauthn_credential *c)
{
	const struct webauthn_registration *registration = &created->registration;
	unsigned char hash[SHA256_LEN];

	sha256(registration->client_data.data, registration->client_data.len, hash);
	json_object_begin(b, "attestation");
	put_bytes(b, "clientDataJSON", registration->client_data);
	put_bytes(b, "clientDataHash", (struct bytes){ hash, sizeof(hash) });
	put_bytes(b, "authenticatorData", registration->data.bytes);
	json_put_number(b, "publicKeyAlgorithm", c->algorithm);
	put_bytes(b, "object", registration->attestation_object);
	json_object_end(b);
}

static char *
credential_text(struct arena *a, const struct ceremony_created *created, const struct webauthn_credential *c)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	put_bytes(&b, "id", c->id);
	put_bytes(&b, "publicKey", c->public_key);
	json_put_text(&b, "attestationType", c->format);
	json_put_raw(&b, "transport", str_or(created->transports, "null"));
	put_flags(&b, c);
	put_authenticator(&b, created, c);
	put_attestation(&b, created, c);
	json_object_end(&b);
	return (b.data);
}

/* --- The challenge --- */

static const char *
list_text(struct arena *a, const json *list)
{
	return (json_len(list) > 0 ? json_text(a, list) : NULL);
}

/* Those that the user has verified; transports: of all of them, NULL: each its own. */
static err
credentials_known(struct request *r, struct ceremony *c, const char *transports)
{
	struct webauthn_factors_rows rows;
	struct ceremony_credential *list;

	TRY(webauthn_factors(r->db, &rows, .user_id = r->user->id));
	list = arena_new_array(r->arena, struct ceremony_credential, rows.len + 1);
	for (size_t i = 0; i < rows.len; i++) {
		json *kept = json_parse_text(r->arena, rows.row[i].credential);

		list[i].id = bytes_of(r->arena, kept, "id");
		list[i].transports = transports != NULL ? transports : list_text(r->arena, json_get(kept, "transport"));
	}
	c->credential = list;
	c->credentials = rows.len;
	return (OK);
}

static err
challenge_create(struct request *r, struct ceremony_begun *begun)
{
	struct ceremony c = { .user_id = r->user->id, .name = r->user->email, .display_name = r->user->email };

	TRY(credentials_known(r, &c, "[\"usb\",\"nfc\"]"));
	ceremony_create(r->arena, &c, begun);
	return (OK);
}

static err
challenge_request(struct request *r, struct ceremony_begun *begun)
{
	struct ceremony c = { .user_id = r->user->id };

	TRY(credentials_known(r, &c, NULL));
	if (c.credentials == 0)
		return (fail(r, E_UNEXPECTED_FAILURE, "Found no credentials for user"));
	ceremony_request(r->arena, &c, begun);
	return (OK);
}

err
webauthn_challenge(struct request *r, struct factor_challenge *c)
{
	static const struct param none[] = { PARAM_END };
	bool creates = !factor_verified(r->factor);
	struct ceremony_begun begun;
	const char *options;

	TRY(params_read(r, none, NULL));
	TRY(ceremony_check(r));
	TRY(creates ? challenge_create(r, &begun) : challenge_request(r, &begun));
	options = json_pairs(r->arena, "#publicKey", begun.options, NULL);
	c->session_data = begun.session;
	c->shown = json_pairs(r->arena, "#webauthn",
	    json_pairs(r->arena, "type", creates ? CREATE : REQUEST, "#credential_options", options, NULL), NULL);
	return (OK);
}

/* --- The answer --- */

struct answer {
	const char *type, *response; /* JSON */
	struct ceremony_created created;
	struct ceremony_shown shown;
	const char *owner, *kept; /* the factor whose credential was shown; what is kept of a new one */
	const char *aaguid;
};

static err
answer_read(struct request *r, const struct factor_answer *given, struct answer *answer)
{
	const json *webauthn;

	if (given->webauthn == NULL)
		return (fail(r, E_VALIDATION_FAILED, "WebAuthn config required"));
	webauthn = json_parse_text(r->arena, given->webauthn);
	*answer = (struct answer){ .type = json_string(json_get_nocase(webauthn, "type")) };
	if (!str_equal(answer->type, CREATE) && !str_equal(answer->type, REQUEST))
		return (fail(r, E_VALIDATION_FAILED, "WebAuthn type must be create or request"));
	webauthn = json_get_nocase(webauthn, "credential_response");
	if (json_kind(webauthn) == JSON_NULL)
		return (fail(r, E_VALIDATION_FAILED, "credential_response required"));
	answer->response = json_text(r->arena, webauthn);
	return (OK);
}

/* Who has verified a factor shows it, and does not make another in its place. */
static bool
type_fits(struct request *r, const char *type, const char *session)
{
	const json *kept = json_parse_text(r->arena, str_or(session, "{}"));
	bool creates = str_equal(type, CREATE);

	return (creates == (json_len(json_get(kept, "credParams")) > 0) && creates == !factor_verified(r->factor));
}

static err
refuse_form(struct request *r)
{
	return (fail(r, E_VALIDATION_FAILED, "Invalid credential_response"));
}

static err
refuse(struct request *r)
{
	return (fail(r, E_MFA_VERIFICATION_FAILED, "WebAuthn verification failed"));
}

static err
created_verify(struct request *r, const char *session, struct answer *answer)
{
	struct webauthn_credential credential;

	TRY_OUTSIDE(ceremony_read_created(r, answer->response, &answer->created), refuse_form(r));
	TRY_OUTSIDE(ceremony_verify_created(r, &answer->created, session, &credential), refuse(r));
	answer->owner = r->factor->id;
	answer->kept = credential_text(r->arena, &answer->created, &credential);
	answer->aaguid = credential.aaguid;
	return (OK);
}

/* Any of the user's, as in the reference: they take the key that is at hand. */
static err
owner_find(struct request *r, struct answer *answer, struct webauthn_credential *credential)
{
	struct webauthn_factors_rows rows;

	TRY(webauthn_factors(r->db, &rows, .user_id = r->user->id));
	for (size_t i = 0; i < rows.len && answer->owner == NULL; i++) {
		*credential = credential_of(r->arena, json_parse_text(r->arena, rows.row[i].credential));
		if (bytes_equal(credential->id, answer->shown.assertion.id))
			answer->owner = rows.row[i].id;
	}
	return (answer->owner != NULL ? OK : fail_outside(r, "the user has no such credential"));
}

static err
shown_verify(struct request *r, const char *session, struct answer *answer)
{
	struct webauthn_credential credential;

	TRY_OUTSIDE(ceremony_read_shown(r, answer->response, &answer->shown), refuse_form(r));
	if (answer->shown.user_id != NULL && !str_equal(answer->shown.user_id, r->user->id))
		return (refuse(r));
	TRY_OUTSIDE(owner_find(r, answer, &credential), refuse(r));
	TRY_OUTSIDE(ceremony_verify_shown(r, &answer->shown, session, &credential), refuse(r));
	return (OK);
}

/* For whoever wants to look at it again; what the reference has parsed of it stands beside Raw there. */
static char *
shown_text(struct request *r, const struct factor_challenged *c, const struct answer *answer)
{
	struct arena *a = r->arena;
	const char *challenge = json_pairs(a, "challenge_id", c->id, "factor_id", r->factor->id, "created_at",
	    clock_rfc3339(a, c->created_at), "ip_address", r->address, "#web_authn_session_data", c->session_data, NULL);

	return (json_pairs(a, "#challenge", challenge, "type", answer->type, "#credential_response",
	    json_pairs(a, "#Raw", answer->response, NULL), NULL));
}

err
webauthn_verify(struct request *r, const struct factor_answer *given, struct tokens *t)
{
	struct factor_challenged challenge;
	struct session_state state;
	struct answer answer;

	TRY(answer_read(r, given, &answer));
	TRY(ceremony_check(r));
	TRY(factor_challenge_find(r, given->challenge_id, &challenge));
	if (!type_fits(r, answer.type, challenge.session_data))
		return (fail(r, E_VALIDATION_FAILED, "WebAuthn type does not fit the challenge"));
	TRY(str_equal(answer.type, CREATE) ? created_verify(r, challenge.session_data, &answer)
					   : shown_verify(r, challenge.session_data, &answer));
	TRY(factor_hold(r));
	TRY(session_to_raise(r, &state));
	TRY(factor_challenge_use(r->db, .id = challenge.id, .now = r->now_text));
	TRY(webauthn_factor_shown(r->db, .id = r->factor->id, .status = r->factor->status, .owner = answer.owner, .credential = answer.kept,
	    .aaguid = answer.aaguid, .shown = shown_text(r, &challenge, &answer), .now = r->now_text));
	return (factor_accept(r, &state, challenge.id, answer.owner, t));
}
