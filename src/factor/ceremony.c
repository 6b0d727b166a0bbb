/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "factor/ceremony.h"

#define CHALLENGE_BYTES 32
#define TIMEOUT_MS 300000 /* for the browser */

err
ceremony_check(struct request *r)
{
	if (!str_empty(cfg->gotrue_webauthn_rp_id) && !str_empty(cfg->gotrue_webauthn_rp_display_name) &&
	    strs_len(cfg->gotrue_webauthn_rp_origins) > 0)
		return (OK);
	r->failure.cause = "GOTRUE_WEBAUTHN_RP_ID, GOTRUE_WEBAUTHN_RP_DISPLAY_NAME and GOTRUE_WEBAUTHN_RP_ORIGINS must be set";
	return (fail(r, E_UNEXPECTED_FAILURE, "Failed to initialize WebAuthn"));
}

/* --- What is asked --- */

static const char *
verification_wanted(const struct ceremony *c)
{
	return (c->passkey ? "preferred" : "");
}

static void
put_algorithms(struct buf *b, const char *name)
{
	json_array_begin(b, name);
	for (size_t i = 0; i < WEBAUTHN_ALGORITHMS; i++) {
		json_object_begin(b, NULL);
		json_put_text(b, "type", "public-key");
		json_put_number(b, "alg", webauthn_algorithms[i]);
		json_object_end(b);
	}
	json_array_end(b);
}

static void
put_credentials(struct buf *b, const char *name, const struct ceremony *c)
{
	if (c->credentials == 0)
		return;
	json_array_begin(b, name);
	for (size_t i = 0; i < c->credentials; i++) {
		json_object_begin(b, NULL);
		json_put_text(b, "type", "public-key");
		json_put_text(b, "id", base64url_encode(b->arena, c->credential[i].id.data, c->credential[i].id.len));
		json_put_raw(b, "transports", c->credential[i].transports);
		json_object_end(b);
	}
	json_array_end(b);
}

/* Bytes are in the base64 of Go's encoding/json; a time of zero is none. */
static char *
session_text(struct arena *a, const struct ceremony *c, const char *challenge, bool creates)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_text(&b, "challenge", challenge);
	json_put_text(&b, "rpId", cfg->gotrue_webauthn_rp_id);
	json_put_text(&b, "user_id", c->user_id == NULL ? NULL : base64_encode(a, c->user_id, strlen(c->user_id)));
	if (!creates && c->credentials > 0) {
		json_array_begin(&b, "allowed_credentials");
		for (size_t i = 0; i < c->credentials; i++)
			json_put_text(&b, NULL, base64_encode(a, c->credential[i].id.data, c->credential[i].id.len));
		json_array_end(&b);
	}
	json_put_text(&b, "expires", "0001-01-01T00:00:00Z");
	json_put_text(&b, "userVerification", verification_wanted(c));
	if (creates)
		put_algorithms(&b, "credParams");
	json_object_end(&b);
	return (b.data);
}

static void
put_names(struct buf *b, const struct ceremony *c)
{
	json_put_raw(b, "rp", json_pairs(b->arena, "name", cfg->gotrue_webauthn_rp_display_name, "id", cfg->gotrue_webauthn_rp_id, NULL));
	json_put_raw(b, "user",
	    json_pairs(b->arena, "name", c->name, "displayName", c->display_name, "id",
		base64url_encode(b->arena, c->user_id, strlen(c->user_id)), NULL));
}

void
ceremony_create(struct arena *a, const struct ceremony *c, struct ceremony_begun *begun)
{
	const char *challenge = secret_token(a, CHALLENGE_BYTES);
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	put_names(&b, c);
	json_put_text(&b, "challenge", challenge);
	put_algorithms(&b, "pubKeyCredParams");
	json_put_number(&b, "timeout", TIMEOUT_MS);
	put_credentials(&b, "excludeCredentials", c);
	json_object_begin(&b, "authenticatorSelection");
	json_put_pair(&b, "residentKey", c->passkey ? "required" : NULL);
	json_put_filled(&b, "userVerification", verification_wanted(c));
	json_object_end(&b);
	json_put_pair(&b, "attestation", c->passkey ? "none" : NULL);
	json_object_end(&b);
	*begun = (struct ceremony_begun){ .options = b.data, .session = session_text(a, c, challenge, true) };
}

void
ceremony_request(struct arena *a, const struct ceremony *c, struct ceremony_begun *begun)
{
	const char *challenge = secret_token(a, CHALLENGE_BYTES);
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_text(&b, "challenge", challenge);
	json_put_number(&b, "timeout", TIMEOUT_MS);
	json_put_text(&b, "rpId", cfg->gotrue_webauthn_rp_id);
	put_credentials(&b, "allowCredentials", c);
	json_put_filled(&b, "userVerification", verification_wanted(c));
	json_object_end(&b);
	*begun = (struct ceremony_begun){ .options = b.data, .session = session_text(a, c, challenge, false) };
}

/* --- What is answered --- */

/* As Go reads base64url: with padding or without.  What is not there has no bytes. */
static bool
bytes_read(struct arena *a, const json *object, const char *name, struct bytes *bytes)
{
	const json *value = json_get_nocase(object, name);
	const char *text = json_string(value);
	size_t len;

	*bytes = (struct bytes){ NULL, 0 };
	if (text == NULL)
		return (json_kind(value) == JSON_NULL);
	for (len = strlen(text); len > 0 && text[len - 1] == '='; len--)
		continue;
	bytes->data = base64url_decode(a, arena_strndup(a, text, len), &bytes->len);
	return (bytes->data != NULL);
}

/* The credential's id, which stands there twice; *response: what the authenticator says. */
static const char *
envelope_read(struct arena *a, const json *credential, struct bytes *id, const json **response)
{
	struct bytes again;

	if (!bytes_read(a, credential, "rawId", id) || !bytes_read(a, credential, "id", &again) || id->len == 0)
		return ("no id");
	if (!bytes_equal(*id, again))
		return ("id and rawId differ");
	if (!str_equal(json_string(json_get_nocase(credential, "type")), "public-key"))
		return ("another type than public-key");
	*response = json_get_nocase(credential, "response");
	return (json_kind(*response) == JSON_OBJECT ? NULL : "no response");
}

/* Hybrid was called cable at first. */
static bool
transports_read(struct arena *a, const json *response, const char **list)
{
	const json *given = json_get_nocase(response, "transports");
	struct buf b = buf_new(a);

	*list = NULL;
	if (json_kind(given) == JSON_NULL)
		return (true);
	json_array_begin(&b, NULL);
	for (size_t i = 0; i < json_len(given) && json_kind(given) == JSON_ARRAY; i++) {
		const char *transport = json_string(json_at(given, i));

		if (transport == NULL)
			return (false);
		json_put_text(&b, NULL, str_equal(transport, "cable") ? "hybrid" : transport);
	}
	json_array_end(&b);
	*list = b.data;
	return (json_kind(given) == JSON_ARRAY);
}

static const char *
attachment_read(const json *credential)
{
	static char *const known[] = { "platform", "cross-platform", NULL };
	const char *given = json_string(json_get_nocase(credential, "authenticatorAttachment"));

	return (strs_have(known, given) ? given : "");
}

static const char *
created_read(struct arena *a, const json *credential, struct ceremony_created *created)
{
	struct webauthn_registration *registration = &created->registration;
	const json *response = NULL;
	const char *why = envelope_read(a, credential, &registration->id, &response);

	if (why != NULL)
		return (why);
	if (!bytes_read(a, response, "clientDataJSON", &registration->client_data) ||
	    !bytes_read(a, response, "attestationObject", &registration->attestation_object))
		return ("the response is not base64url");
	if (!transports_read(a, response, &created->transports))
		return ("transports are no list of texts");
	created->attachment = attachment_read(credential);
	return (webauthn_registration_read(a, registration));
}

static const char *
shown_read(struct arena *a, const json *credential, struct ceremony_shown *shown)
{
	struct webauthn_assertion *assertion = &shown->assertion;
	const json *response = NULL;
	const char *why = envelope_read(a, credential, &assertion->id, &response);
	struct bytes user;

	if (why != NULL)
		return (why);
	if (!bytes_read(a, response, "clientDataJSON", &assertion->client_data) ||
	    !bytes_read(a, response, "authenticatorData", &assertion->authenticator_data) ||
	    !bytes_read(a, response, "signature", &assertion->signature) || !bytes_read(a, response, "userHandle", &user))
		return ("the response is not base64url");
	if (user.len > 0)
		shown->user_id = memchr(user.data, '\0', user.len) == NULL ? arena_strndup(a, user.data, user.len) : "";
	return (webauthn_assertion_read(a, assertion));
}

err
ceremony_read_created(struct request *r, const char *credential, struct ceremony_created *created)
{
	const char *why;

	*created = (struct ceremony_created){ 0 };
	why = created_read(r->arena, json_parse_text(r->arena, credential), created);
	return (why == NULL ? OK : fail_outside(r, "%s", why));
}

err
ceremony_read_shown(struct request *r, const char *credential, struct ceremony_shown *shown)
{
	const char *why;

	*shown = (struct ceremony_shown){ 0 };
	why = shown_read(r->arena, json_parse_text(r->arena, credential), shown);
	return (why == NULL ? OK : fail_outside(r, "%s", why));
}

/* --- Whether it holds --- */

static struct webauthn_expected
expected_of(const json *session)
{
	return ((struct webauthn_expected){
	    .challenge = str_or(json_string(json_get(session, "challenge")), NULL),
	    .rp_id = cfg->gotrue_webauthn_rp_id,
	    .origins = cfg->gotrue_webauthn_rp_origins,
	    .user_verification = str_equal(json_string(json_get(session, "userVerification")), "required"),
	});
}

err
ceremony_verify_created(struct request *r, const struct ceremony_created *created, const char *session,
    struct webauthn_credential *credential)
{
	const struct webauthn_expected expected = expected_of(json_parse_text(r->arena, session));
	const char *why;

	if (expected.challenge == NULL)
		return (fail_outside(r, "the stored challenge can't be read"));
	why = webauthn_registration_verify(r->arena, &created->registration, &expected, credential);
	return (why == NULL ? OK : fail_outside(r, "%s", why));
}

/* Where the session names none, any will do. */
static bool
is_allowed(struct arena *a, const json *session, struct bytes id)
{
	const json *allowed = json_get(session, "allowed_credentials");
	const char *text = base64_encode(a, id.data, id.len);

	for (size_t i = 0; i < json_len(allowed); i++)
		if (str_equal(json_string(json_at(allowed, i)), text))
			return (true);
	return (json_len(allowed) == 0);
}

err
ceremony_verify_shown(struct request *r, const struct ceremony_shown *shown, const char *session, struct webauthn_credential *credential)
{
	const json *kept = json_parse_text(r->arena, session);
	const struct webauthn_expected expected = expected_of(kept);
	const char *why;

	if (expected.challenge == NULL)
		return (fail_outside(r, "the stored challenge can't be read"));
	if (!is_allowed(r->arena, kept, shown->assertion.id))
		return (fail_outside(r, "a credential that was not asked for"));
	why = webauthn_assertion_verify(r->arena, &shown->assertion, &expected, credential);
	return (why == NULL ? OK : fail_outside(r, "%s", why));
}
