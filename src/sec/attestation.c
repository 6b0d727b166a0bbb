/* SPDX-License-Identifier: Apache-2.0 */
#include <fido.h>

#include "base/str.h"
#include "sec/attestation.h"
#include "sec/cbor.h"
#include "sec/certificate.h"

#define P256_SIZE 32

struct attestation {
	struct arena *arena;
	const struct webauthn_registration *registration;
	const struct webauthn_expected *expected;
	const struct cose_key *key;

	struct cbor_value statement;
	int64_t algorithm; /* 0 without */
	struct bytes signature;
	size_t certificates;
	X509 *certificate; /* the first; NULL without */
};

static const char *
none_verify(const struct attestation *a)
{
	return (a->statement.len == 0 ? NULL : "statement");
}

/*
 * Section 8.2: by a key of the maker with its certificate, or by the credential's own.  libfido2 would do this for three algorithms, RSA of 2048 bits
 * and no extensions; OpenSSL does it for all.
 */
static const char *
packed_verify(const struct attestation *a)
{
	const struct authenticator_data *data = &a->registration->data;
	struct cose_key key = *a->key;
	const char *why = NULL;

	if (a->certificate != NULL) {
		key = (struct cose_key){ (int)a->algorithm, cose_method(a->algorithm), certificate_key(a->arena, a->certificate) };
		why = certificate_packed(a->certificate, data->aaguid);
	}
	if (why != NULL)
		return (why);
	if (a->algorithm != key.algorithm || key.method == NULL || key.key == NULL)
		return ("alg");
	return (cose_signed(a->arena, &key, data->bytes, a->registration->client_data, a->signature) ? NULL : "signature of attestation");
}

static bool
fido_fill(fido_cred_t *fido, const struct attestation *a)
{
	struct bytes data = a->registration->data.bytes, client = a->registration->client_data, statement = a->statement.source;

	return (fido_cred_set_type(fido, a->key->algorithm) == FIDO_OK &&
		fido_cred_set_clientdata(fido, client.data, client.len) == FIDO_OK &&
		fido_cred_set_rp(fido, a->expected->rp_id, NULL) == FIDO_OK &&
		fido_cred_set_fmt(fido, a->registration->format) == FIDO_OK &&
		fido_cred_set_authdata_raw(fido, data.data, data.len) == FIDO_OK &&
		fido_cred_set_attstmt(fido, statement.data, statement.len) == FIDO_OK);
}

/* It uses cbor_load(), which takes memory for what a length claims: what it gets here has been read by cbor_read(). */
static const char *
fido_verify(const struct attestation *a)
{
	fido_cred_t *fido = fido_cred_new();
	bool verified = fido != NULL && fido_fill(fido, a) && fido_cred_verify(fido) == FIDO_OK;

	fido_cred_free(&fido);
	return (verified ? NULL : "signature of attestation");
}

/* Section 8.6. */
static const char *
u2f_verify(const struct attestation *a)
{
	const struct jwk *key = a->certificates == 1 ? certificate_key(a->arena, a->certificate) : NULL;

	if (key == NULL || key->size != P256_SIZE)
		return ("certificate");
	if (a->key->key->size != P256_SIZE || a->algorithm != 0)
		return ("alg");
	return (fido_verify(a));
}

/* Section 8.3, as far as libfido2 goes: ES256 or RS256 credentials, attested with RS1. */
static const char *
tpm_verify(const struct attestation *a)
{
	const struct cbor_value *version = cbor_named(&a->statement, "ver", CBOR_TEXT);
	const char *why = "certificate";

	if (version == NULL || !str_equal(arena_strndup(a->arena, version->bytes.data, version->bytes.len), "2.0"))
		return ("version");
	if (a->certificate != NULL)
		why = certificate_tpm(a->certificate, a->registration->data.aaguid);
	return (why == NULL ? fido_verify(a) : why);
}

static const struct {
	const char *name;
	const char *(*verify)(const struct attestation *);
} formats[] = {
	{ "none", none_verify },
	{ "packed", packed_verify },
	{ "fido-u2f", u2f_verify },
	{ "tpm", tpm_verify },
};

/* Each has to be one, and its time; the first is the one that has signed. */
static const char *
certificates_read(struct attestation *a, const struct cbor_value *list)
{
	for (size_t i = 0; i < list->len; i++) {
		X509 *certificate = list->item[i].kind == CBOR_BYTES ? certificate_read(a->arena, list->item[i].bytes) : NULL;

		if (certificate == NULL)
			return ("certificate");
		if (!certificate_current(certificate))
			return ("certificate time");
		if (i == 0)
			a->certificate = certificate;
	}
	a->certificates = list->len;
	return (list->len == 0 ? "x5c" : NULL);
}

static const char *
statement_read(struct attestation *a)
{
	const struct cbor_value *algorithm, *signature, *certificates;

	if (!cbor_read(a->arena, a->registration->statement, &a->statement))
		return ("statement");
	algorithm = cbor_named(&a->statement, "alg", CBOR_INTEGER);
	signature = cbor_named(&a->statement, "sig", CBOR_BYTES);
	certificates = cbor_named(&a->statement, "x5c", CBOR_ARRAY);
	a->algorithm = algorithm == NULL ? 0 : algorithm->integer;
	if (signature != NULL)
		a->signature = signature->bytes;
	return (certificates == NULL ? NULL : certificates_read(a, certificates));
}

const char *
attestation_verify(struct arena *arena, const struct webauthn_registration *registration, const struct webauthn_expected *expected,
    const struct cose_key *key)
{
	struct attestation a = { .arena = arena, .registration = registration, .expected = expected, .key = key };
	const char *why = statement_read(&a);

	if (why != NULL)
		return (why);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (str_equal(formats[i].name, registration->format))
			return (formats[i].verify(&a));
	return ("attestation format");
}
