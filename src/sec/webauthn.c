/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "sec/attestation.h"
#include "sec/cbor.h"
#include "sec/client_data.h"
#include "sec/cose.h"
#include "sec/webauthn.h"

static const char *
attestation_object_read(struct arena *arena, struct webauthn_registration *registration)
{
	const struct cbor_value *data, *format, *statement;
	struct cbor_value object;

	if (!cbor_read(arena, registration->attestation_object, &object) || object.source.len != registration->attestation_object.len)
		return ("attestation object");
	data = cbor_named(&object, "authData", CBOR_BYTES);
	format = cbor_named(&object, "fmt", CBOR_TEXT);
	statement = cbor_named(&object, "attStmt", CBOR_MAP);
	if (data == NULL || format == NULL || statement == NULL)
		return ("attestation object");
	registration->format = arena_strndup(arena, format->bytes.data, format->bytes.len);
	registration->statement = statement->source;
	return (authenticator_data_read(arena, data->bytes, &registration->data));
}

const char *
webauthn_registration_read(struct arena *arena, struct webauthn_registration *registration)
{
	const char *why = client_data_read(arena, registration->client_data, &registration->client);

	if (why == NULL)
		why = attestation_object_read(arena, registration);
	if (why != NULL)
		return (why);
	return ((registration->data.flags & AUTHENTICATOR_AT) == 0 ? "no credential" : NULL);
}

static const char *
data_verify(const struct authenticator_data *data, const struct webauthn_expected *expected)
{
	unsigned char rp_id_hash[SHA256_LEN];

	sha256(expected->rp_id, strlen(expected->rp_id), rp_id_hash);
	if (!bytes_equal(data->rp_id_hash, (struct bytes){ rp_id_hash, sizeof(rp_id_hash) }))
		return ("rpIdHash");
	if ((data->flags & AUTHENTICATOR_UP) == 0)
		return ("UP");
	if (expected->user_verification && (data->flags & AUTHENTICATOR_UV) == 0)
		return ("UV");
	if ((data->flags & AUTHENTICATOR_BS) != 0 && (data->flags & AUTHENTICATOR_BE) == 0)
		return ("BS without BE");
	return (NULL);
}

static void
flags_keep(const struct authenticator_data *data, struct webauthn_credential *credential)
{
	credential->user_present = (data->flags & AUTHENTICATOR_UP) != 0;
	credential->user_verified = (data->flags & AUTHENTICATOR_UV) != 0;
	credential->backup_eligible = (data->flags & AUTHENTICATOR_BE) != 0;
	credential->backed_up = (data->flags & AUTHENTICATOR_BS) != 0;
}

static const char *
aaguid_text(struct arena *arena, struct bytes aaguid)
{
	return (uuid_parse(arena, hex_encode(arena, aaguid.data, aaguid.len)));
}

const char *
webauthn_registration_verify(struct arena *arena, const struct webauthn_registration *registration,
    const struct webauthn_expected *expected, struct webauthn_credential *credential)
{
	const struct authenticator_data *data = &registration->data;
	struct cose_key key;
	const char *why = client_data_verify(arena, registration->client, "webauthn.create", expected);

	if (why == NULL)
		why = data_verify(data, expected);
	if (why == NULL && !bytes_equal(registration->id, data->credential_id))
		why = "id";
	if (why == NULL)
		why = cose_key_read(arena, data->public_key, &key);
	if (why == NULL)
		why = attestation_verify(arena, registration, expected, &key);
	if (why != NULL)
		return (why);
	*credential = (struct webauthn_credential){
		.id = data->credential_id,
		.public_key = data->public_key,
		.algorithm = key.algorithm,
		.aaguid = aaguid_text(arena, data->aaguid),
		.format = registration->format,
		.sign_count = data->sign_count,
	};
	flags_keep(data, credential);
	return (NULL);
}

const char *
webauthn_assertion_read(struct arena *arena, struct webauthn_assertion *assertion)
{
	const char *why = client_data_read(arena, assertion->client_data, &assertion->client);

	return (why == NULL ? authenticator_data_read(arena, assertion->authenticator_data, &assertion->data) : why);
}

static const char *
signature_verify(struct arena *arena, const struct webauthn_assertion *assertion, struct bytes public_key)
{
	struct cose_key key;
	const char *why = cose_key_read(arena, public_key, &key);

	if (why == NULL && !cose_signed(arena, &key, assertion->authenticator_data, assertion->client_data, assertion->signature))
		why = "signature";
	return (why);
}

const char *
webauthn_assertion_verify(struct arena *arena, const struct webauthn_assertion *assertion, const struct webauthn_expected *expected,
    struct webauthn_credential *credential)
{
	const struct authenticator_data *data = &assertion->data;
	const char *why = client_data_verify(arena, assertion->client, "webauthn.get", expected);

	if (why == NULL)
		why = data_verify(data, expected);
	if (why == NULL && !bytes_equal(assertion->id, credential->id))
		why = "id";
	if (why == NULL && credential->backup_eligible != ((data->flags & AUTHENTICATOR_BE) != 0))
		why = "BE";
	if (why == NULL)
		why = signature_verify(arena, assertion, credential->public_key);
	if (why != NULL)
		return (why);
	flags_keep(data, credential);
	if (data->sign_count > credential->sign_count)
		credential->sign_count = data->sign_count;
	return (NULL);
}
