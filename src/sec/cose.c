/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "sec/cbor.h"
#include "sec/cose.h"
#include "sec/webauthn.h"

enum label { LABEL_KTY = 1, LABEL_ALG = 3, LABEL_CRV = -1, LABEL_X = -2, LABEL_Y = -3, LABEL_N = -1, LABEL_E = -2 };
enum kty { KTY_OKP = 1, KTY_EC2 = 2, KTY_RSA = 3 };

const int webauthn_algorithms[WEBAUTHN_ALGORITHMS] = { -7, -35, -36, -257, -258, -259, -37, -38, -39, -8 };

/* In their order: the key that it is with, on which curve. */
static const struct algorithm {
	const char *name;
	enum kty kty;
	int crv;
	const char *curve;
} rows[WEBAUTHN_ALGORITHMS] = {
	{ "ES256", KTY_EC2, 1, "P-256" },
	{ "ES384", KTY_EC2, 2, "P-384" },
	{ "ES512", KTY_EC2, 3, "P-521" },
	{ "RS256", KTY_RSA, 0, NULL },
	{ "RS384", KTY_RSA, 0, NULL },
	{ "RS512", KTY_RSA, 0, NULL },
	{ "PS256", KTY_RSA, 0, NULL },
	{ "PS384", KTY_RSA, 0, NULL },
	{ "PS512", KTY_RSA, 0, NULL },
	{ "EdDSA", KTY_OKP, 6, NULL },
};

static const struct algorithm *
algorithm_find(int64_t number)
{
	for (size_t i = 0; i < WEBAUTHN_ALGORITHMS; i++)
		if (webauthn_algorithms[i] == number)
			return (&rows[i]);
	return (NULL);
}

const struct jws_method *
cose_method(int64_t number)
{
	const struct algorithm *algorithm = algorithm_find(number);

	return (algorithm == NULL ? NULL : jws_method(algorithm->name));
}

/* 0 is no algorithm, curve or type of keys. */
static int64_t
integer(const struct cbor_value *map, enum label label)
{
	const struct cbor_value *value = cbor_numbered(map, label, CBOR_INTEGER);

	return (value == NULL ? 0 : value->integer);
}

static struct bytes
number(const struct cbor_value *map, enum label label)
{
	const struct cbor_value *value = cbor_numbered(map, label, CBOR_BYTES);

	return (value == NULL ? (struct bytes){ NULL, 0 } : value->bytes);
}

static const char *
numbers_read(struct arena *arena, const struct cbor_value *map, const struct algorithm *algorithm, struct jwk *key)
{
	switch (algorithm->kty) {
	case KTY_EC2: {
		struct point point = { algorithm->curve, number(map, LABEL_X), number(map, LABEL_Y) };

		return (jwk_public_ec(arena, &point, key));
	}
	case KTY_RSA:
		return (jwk_public_rsa(arena, number(map, LABEL_N), number(map, LABEL_E), key));
	case KTY_OKP:
		return (jwk_public_ed25519(arena, number(map, LABEL_X), key));
	}
	return ("kty");
}

const char *
cose_key_read(struct arena *arena, struct bytes bytes, struct cose_key *cose)
{
	struct cbor_value map;
	const struct algorithm *algorithm;

	if (!cbor_read(arena, bytes, &map) || map.kind != CBOR_MAP || map.source.len != bytes.len)
		return ("public key");
	algorithm = algorithm_find(integer(&map, LABEL_ALG));
	if (algorithm == NULL)
		return ("algorithm");
	if (integer(&map, LABEL_KTY) != algorithm->kty)
		return ("kty");
	if (algorithm->crv != 0 && integer(&map, LABEL_CRV) != algorithm->crv)
		return ("crv");
	*cose = (struct cose_key){ (int)integer(&map, LABEL_ALG), jws_method(algorithm->name), jwk_new(arena) };
	return (numbers_read(arena, &map, algorithm, cose->key));
}

bool
cose_signed(struct arena *arena, const struct cose_key *cose, struct bytes data, struct bytes client_data, struct bytes signature)
{
	unsigned char digest[SHA256_LEN];
	struct buf text = buf_new(arena);

	sha256(client_data.data, client_data.len, digest);
	buf_put(&text, data.data, data.len);
	buf_put(&text, digest, sizeof(digest));
	return (jws_signed(cose->method, cose->key, (struct bytes){ text.data, text.len }, signature));
}
