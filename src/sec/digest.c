/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sec/crypto.h"
#include "sec/secret.h"

static const struct {
	const char *name;
	size_t len;
} kinds[DIGEST_COUNT] = {
	[DIGEST_SHA1] = { "SHA1", 20 },
	[DIGEST_SHA224] = { "SHA2-224", 28 },
	[DIGEST_SHA256] = { "SHA2-256", 32 },
	[DIGEST_SHA384] = { "SHA2-384", 48 },
	[DIGEST_SHA512] = { "SHA2-512", 64 },
};

void
crypto_assert(bool worked, const char *what)
{
	if (worked)
		return;
	fprintf(stderr, "postern: %s failed\n", what);
	abort();
}

/* OpenSSL 3 looks algorithms up by name at every use, which costs more than a short digest: they are fetched once. */
static EVP_MD *
digest_algorithm(enum digest kind)
{
	static EVP_MD *fetched[DIGEST_COUNT];

	if (fetched[kind] == NULL) {
		fetched[kind] = EVP_MD_fetch(NULL, kinds[kind].name, NULL);
		crypto_assert(fetched[kind] != NULL, "fetching a digest");
	}
	return (fetched[kind]);
}

static EVP_MAC_CTX *
hmac_new(const char *name)
{
	static EVP_MAC *algorithm;
	OSSL_PARAM params[2] = { [1] = OSSL_PARAM_construct_end() };
	EVP_MAC_CTX *context;
	char digest[16];

	if (algorithm == NULL)
		algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
	crypto_assert(algorithm != NULL, "fetching HMAC");
	snprintf(digest, sizeof(digest), "%s", name);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	context = EVP_MAC_CTX_new(algorithm);
	crypto_assert(context != NULL && EVP_MAC_CTX_set_params(context, params) == 1, "setting up HMAC");
	return (context);
}

size_t
digest_make(enum digest kind, struct bytes text, unsigned char out[DIGEST_MAX])
{
	static EVP_MD_CTX *context;
	unsigned len = 0;

	if (context == NULL)
		context = EVP_MD_CTX_new();
	crypto_assert(context != NULL && EVP_DigestInit_ex2(context, digest_algorithm(kind), NULL) == 1 &&
			  EVP_DigestUpdate(context, text.data, text.len) == 1 && EVP_DigestFinal_ex(context, out, &len) == 1,
	    "a digest");
	return (len);
}

size_t
hmac_make(enum digest kind, struct bytes key, struct bytes text, unsigned char mac[DIGEST_MAX])
{
	static EVP_MAC_CTX *context[DIGEST_COUNT];
	size_t len = 0;

	if (context[kind] == NULL)
		context[kind] = hmac_new(kinds[kind].name);
	if (key.len == 0)
		key.data = ""; /* a NULL key would mean the one of the last call */
	crypto_assert(EVP_MAC_init(context[kind], key.data, key.len, NULL) == 1 &&
			  EVP_MAC_update(context[kind], text.data, text.len) == 1 &&
			  EVP_MAC_final(context[kind], mac, &len, DIGEST_MAX) == 1,
	    "HMAC");
	return (len);
}

void
sha256(const void *text, size_t len, unsigned char out[SHA256_LEN])
{
	unsigned char full[DIGEST_MAX];

	digest_make(DIGEST_SHA256, (struct bytes){ text, len }, full);
	memcpy(out, full, SHA256_LEN);
}

static char *
digest_hex(struct arena *arena, enum digest kind, const char *text)
{
	unsigned char out[DIGEST_MAX];
	size_t len = digest_make(kind, (struct bytes){ text, strlen(text) }, out);

	return (hex_encode(arena, out, len));
}

char *
sha224_hex(struct arena *arena, const char *text)
{
	return (digest_hex(arena, DIGEST_SHA224, text));
}

char *
sha256_hex(struct arena *arena, const char *text)
{
	return (digest_hex(arena, DIGEST_SHA256, text));
}

char *
sha256_base64url(struct arena *arena, const char *text)
{
	unsigned char out[SHA256_LEN];

	sha256(text, strlen(text), out);
	return (base64url_encode(arena, out, sizeof(out)));
}

void
hmac_sha256(const void *key, size_t key_len, const void *text, size_t len, unsigned char mac[SHA256_LEN])
{
	unsigned char full[DIGEST_MAX];

	hmac_make(DIGEST_SHA256, (struct bytes){ key, key_len }, (struct bytes){ text, len }, full);
	memcpy(mac, full, SHA256_LEN);
}

void
hmac_sha1(const void *key, size_t key_len, const void *text, size_t len, unsigned char mac[20])
{
	unsigned char full[DIGEST_MAX];

	hmac_make(DIGEST_SHA1, (struct bytes){ key, key_len }, (struct bytes){ text, len }, full);
	memcpy(mac, full, 20);
}

void
hkdf_sha256(const void *key, size_t key_len, const char *info, unsigned char *out, size_t len)
{
	static EVP_KDF *algorithm;
	char digest[] = "SHA2-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, key_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF_CTX *context;

	if (algorithm == NULL)
		algorithm = EVP_KDF_fetch(NULL, "HKDF", NULL);
	crypto_assert(algorithm != NULL, "fetching HKDF");
	context = EVP_KDF_CTX_new(algorithm);
	crypto_assert(context != NULL && EVP_KDF_derive(context, out, len, params) == 1, "HKDF");
	EVP_KDF_CTX_free(context);
}
