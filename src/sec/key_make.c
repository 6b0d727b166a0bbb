/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/json.h"
#include "base/str.h"
#include "sec/crypto.h"
#include "sec/jwk.h"
#include "sec/key_file.h"
#include "sec/secret.h"

#define RSA_BITS 2048
#define OCT_BYTES 32
#define ED25519_BYTES 32

/* A number of the key, big-endian, of at least so many bytes. */
static void
put_number(struct arena *a, struct buf *b, const char *member, EVP_PKEY *key, const char *param, size_t least)
{
	BIGNUM *number = NULL;
	unsigned char *bytes;
	size_t len;

	crypto_assert(EVP_PKEY_get_bn_param(key, param, &number) == 1, "reading a number of a key");
	len = (size_t)BN_num_bytes(number) > least ? (size_t)BN_num_bytes(number) : least;
	bytes = arena_alloc(a, len);
	crypto_assert(BN_bn2binpad(number, bytes, (int)len) >= 0, "writing a number of a key");
	BN_clear_free(number);
	json_put_text(b, member, base64url_encode(a, bytes, len));
}

static void
ec_put(struct arena *a, struct buf *b, const char *crv)
{
	EVP_PKEY *key = EVP_EC_gen(crv);
	size_t size;

	crypto_assert(key != NULL, "making an EC key");
	size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
	json_put_text(b, "crv", crv);
	put_number(a, b, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, size);
	put_number(a, b, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
	put_number(a, b, "d", key, OSSL_PKEY_PARAM_PRIV_KEY, size);
	EVP_PKEY_free(key);
}

static void
rsa_put(struct arena *a, struct buf *b, const char *unused)
{
	EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);

	(void)unused;
	crypto_assert(key != NULL, "making an RSA key");
	for (size_t i = 0; i < RSA_MEMBERS; i++)
		put_number(a, b, rsa_members[i].member, key, rsa_members[i].param, 0);
	EVP_PKEY_free(key);
}

static void
okp_put(struct arena *a, struct buf *b, const char *crv)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t size = ED25519_BYTES;
	unsigned char *x = arena_alloc(a, size), *d = arena_alloc(a, size);

	crypto_assert(key != NULL && EVP_PKEY_get_raw_public_key(key, x, &size) == 1 && EVP_PKEY_get_raw_private_key(key, d, &size) == 1,
	    "making an Ed25519 key");
	json_put_text(b, "crv", crv);
	json_put_text(b, "x", base64url_encode(a, x, size));
	json_put_text(b, "d", base64url_encode(a, d, size));
	EVP_PKEY_free(key);
}

static void
oct_put(struct arena *a, struct buf *b, const char *unused)
{
	(void)unused;
	json_put_text(b, "k", secret_token(a, OCT_BYTES));
}

static const struct recipe {
	const char *alg, *kty;
	void (*put)(struct arena *, struct buf *, const char *crv);
	const char *crv;
} recipes[] = {
	{ "ES256", "EC", ec_put, "P-256" },
	{ "ES512", "EC", ec_put, "P-521" },
	{ "RS256", "RSA", rsa_put, NULL },
	{ "RS512", "RSA", rsa_put, NULL },
	{ "EdDSA", "OKP", okp_put, "Ed25519" },
	{ "HS256", "oct", oct_put, NULL },
};

static const struct recipe *
recipe_find(const char *alg)
{
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
		if (str_equal(alg, recipes[i].alg))
			return (&recipes[i]);
	return (NULL);
}

bool
key_alg_known(const char *alg)
{
	return (recipe_find(alg) != NULL);
}

const char *
key_make(struct arena *a, const char *alg, const char *kid)
{
	const struct recipe *recipe = recipe_find(alg);
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_text(&b, "kty", recipe->kty);
	json_put_text(&b, "kid", kid);
	json_put_text(&b, "alg", alg);
	json_put_text(&b, "use", "sig");
	recipe->put(a, &b, recipe->crv);
	json_object_end(&b);
	return (b.data);
}
