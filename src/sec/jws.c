/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/str.h"
#include "sec/crypto.h"
#include "sec/jws.h"

#define LONGEST_COORDINATE 66
#define LONGEST_DER (2 * LONGEST_COORDINATE + 16)

enum scheme { SCHEME_NONE, SCHEME_HMAC, SCHEME_PKCS1, SCHEME_PSS, SCHEME_ECDSA, SCHEME_EDDSA };

struct jws_method {
	const char *name;
	enum scheme scheme;
	enum digest digest;
	unsigned size; /* of an ECDSA number in bytes */
	bool signs;    /* the reference signs with it */
};

static const struct jws_method methods[] = {
	{ "HS256", SCHEME_HMAC, DIGEST_SHA256, 0, true },
	{ "HS384", SCHEME_HMAC, DIGEST_SHA384, 0, false },
	{ "HS512", SCHEME_HMAC, DIGEST_SHA512, 0, false },
	{ "RS256", SCHEME_PKCS1, DIGEST_SHA256, 0, true },
	{ "RS384", SCHEME_PKCS1, DIGEST_SHA384, 0, false },
	{ "RS512", SCHEME_PKCS1, DIGEST_SHA512, 0, true },
	{ "PS256", SCHEME_PSS, DIGEST_SHA256, 0, false },
	{ "PS384", SCHEME_PSS, DIGEST_SHA384, 0, false },
	{ "PS512", SCHEME_PSS, DIGEST_SHA512, 0, false },
	{ "ES256", SCHEME_ECDSA, DIGEST_SHA256, 32, true },
	{ "ES384", SCHEME_ECDSA, DIGEST_SHA384, 48, false },
	{ "ES512", SCHEME_ECDSA, DIGEST_SHA512, 66, true },
	{ "EdDSA", SCHEME_EDDSA, DIGEST_SHA512, 0, true },
	{ "none", SCHEME_NONE, DIGEST_SHA256, 0, false },
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))
_Static_assert(METHODS <= JWS_MOST, "struct jwk has a place for each method");

static const struct {
	enum jwk_type type;
	const char *other_type, *failed;
} schemes[] = {
	[SCHEME_NONE] = { JWK_NONE, "token is unverifiable: 'none' signature type is not allowed", "" },
	[SCHEME_HMAC] = { JWK_OCT, "key is of invalid type: HMAC verify expects []byte", "signature is invalid" },
	[SCHEME_PKCS1] = { JWK_RSA, "key is of invalid type: RSA verify expects *rsa.PublicKey", "crypto/rsa: verification error" },
	[SCHEME_PSS] = { JWK_RSA, "key is of invalid type: RSA-PSS verify expects *rsa.PublicKey", "crypto/rsa: verification error" },
	[SCHEME_ECDSA] = { JWK_EC, "key is of invalid type: ECDSA verify expects *ecdsa.PublicKey", "crypto/ecdsa: verification error" },
	[SCHEME_EDDSA] = { JWK_OKP, "key is of invalid type: Ed25519 verify expects ed25519.PublicKey", "ed25519: verification error" },
};

static const char *const digest_names[DIGEST_COUNT] = {
	[DIGEST_SHA256] = "SHA2-256",
	[DIGEST_SHA384] = "SHA2-384",
	[DIGEST_SHA512] = "SHA2-512",
};

const struct jws_method *
jws_method(const char *alg)
{
	for (size_t i = 0; i < METHODS; i++)
		if (str_equal(methods[i].name, alg))
			return (&methods[i]);
	return (NULL);
}

const char *
jws_name(const struct jws_method *method)
{
	return (method->name);
}

/* Without alg it is HS256, as the reference has it. */
const struct jws_method *
jws_signing_method(const struct jwk *key)
{
	const struct jws_method *method = jws_method(str_or(key->alg, "HS256"));

	if (method == NULL || !method->signs || schemes[method->scheme].type != key->type || method->size != key->size)
		return (NULL);
	return (method);
}

/* Setting up costs more than a signature check: it is done once for a key and an algorithm, and copied. */
static EVP_MD_CTX *
context_prepare(const struct jws_method *method, EVP_PKEY *key, bool signing)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const char *digest = method->scheme == SCHEME_EDDSA ? NULL : digest_names[method->digest];
	EVP_PKEY_CTX *options = NULL;
	int ready;

	crypto_assert(context != NULL, "EVP_MD_CTX_new");
	ready = signing ? EVP_DigestSignInit_ex(context, &options, digest, NULL, NULL, key, NULL)
			: EVP_DigestVerifyInit_ex(context, &options, digest, NULL, NULL, key, NULL);
	crypto_assert(ready == 1, "setting up a signature");
	if (method->scheme == SCHEME_PSS)
		crypto_assert(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
				  EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) == 1,
		    "setting up RSA-PSS");
	return (context);
}

static EVP_MD_CTX *
context_copy(EVP_MD_CTX **prepared, const struct jws_method *method, EVP_PKEY *key, bool signing)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	if (*prepared == NULL)
		*prepared = context_prepare(method, key, signing);
	crypto_assert(copy != NULL && EVP_MD_CTX_copy_ex(copy, *prepared) == 1, "copying a signature context");
	return (copy);
}

/* r and s side by side, as JWS has them, to the form of OpenSSL. */
static struct bytes
ecdsa_der(struct arena *arena, unsigned size, const unsigned char *raw)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, (int)size, NULL), *s = BN_bin2bn(raw + size, (int)size, NULL);
	unsigned char *der = arena_alloc(arena, LONGEST_DER), *end = der;
	int len;

	crypto_assert(pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1, "reading an ECDSA signature");
	len = i2d_ECDSA_SIG(pair, &end);
	ECDSA_SIG_free(pair);
	crypto_assert(len > 0 && len <= LONGEST_DER, "writing an ECDSA signature");
	return ((struct bytes){ der, (size_t)len });
}

static struct bytes
ecdsa_raw(struct arena *arena, unsigned size, struct bytes der)
{
	const unsigned char *at = der.data;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	unsigned char *raw = arena_alloc(arena, 2 * (size_t)size);

	crypto_assert(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)size) >= 0 &&
			  BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + size, (int)size) >= 0,
	    "taking an ECDSA signature apart");
	ECDSA_SIG_free(pair);
	return ((struct bytes){ raw, 2 * (size_t)size });
}

static bool
hmac_check(const struct jws_method *method, const struct jwk *key, struct bytes text, struct bytes signature)
{
	unsigned char mac[DIGEST_MAX];
	size_t len = hmac_make(method->digest, key->secret, text, mac);

	return (signature.len == len && secret_equal(mac, signature.data, len));
}

bool
jws_signed(const struct jws_method *method, struct jwk *key, struct bytes text, struct bytes signature)
{
	EVP_MD_CTX *context;
	int fits;

	if (schemes[method->scheme].type != key->type || method->size != key->size || key->public == NULL)
		return (false);
	context = context_copy(&key->checking[method - methods], method, key->public, false);
	fits = EVP_DigestVerify(context, signature.data, signature.len, text.data, text.len);
	EVP_MD_CTX_free(context);
	ERR_clear_error(); /* it would be taken for TLS's */
	return (fits == 1);
}

static bool
public_check(struct arena *arena, const struct jws_method *method, struct jwk *key, struct bytes text, struct bytes signature)
{
	if (method->scheme == SCHEME_ECDSA) {
		if (method->size != key->size || signature.len != 2 * (size_t)method->size)
			return (false);
		signature = ecdsa_der(arena, method->size, signature.data);
	}
	return (jws_signed(method, key, text, signature));
}

const char *
jws_check(struct arena *arena, const struct jws_method *method, struct jwk *key, struct bytes text, struct bytes signature)
{
	bool fits;

	if (method->scheme == SCHEME_NONE || schemes[method->scheme].type != key->type)
		return (schemes[method->scheme].other_type);
	if (method->scheme == SCHEME_HMAC)
		fits = hmac_check(method, key, text, signature);
	else
		fits = public_check(arena, method, key, text, signature);
	return (fits ? NULL : schemes[method->scheme].failed);
}

static struct bytes
hmac_sign(struct arena *arena, const struct jws_method *method, const struct jwk *key, struct bytes text)
{
	unsigned char *mac = arena_alloc(arena, DIGEST_MAX);
	size_t len = hmac_make(method->digest, key->secret, text, mac);

	return ((struct bytes){ mac, len });
}

struct bytes
jws_sign(struct arena *arena, const struct jws_method *method, struct jwk *key, struct bytes text)
{
	EVP_MD_CTX *context;
	struct bytes signature;
	unsigned char *out;
	size_t len = 0;

	if (method->scheme == SCHEME_HMAC)
		return (hmac_sign(arena, method, key, text));
	len = (size_t)EVP_PKEY_get_size(key->private);
	out = arena_alloc(arena, len);
	context = context_copy(&key->signing, method, key->private, true);
	signature = (struct bytes){ EVP_DigestSign(context, out, &len, text.data, text.len) == 1 ? out : NULL, len };
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (signature.data == NULL)
		return (signature);
	return (method->scheme == SCHEME_ECDSA ? ecdsa_raw(arena, method->size, signature) : signature);
}
