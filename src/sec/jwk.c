/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "base/str.h"
#include "sec/crypto.h"
#include "sec/jwk.h"

#define MOST_PARAMS 12
#define LEAST_RSA_BITS 1024
#define ED25519_LEN 32

/* What is needed while one key is read. */
struct reader {
	struct arena *keep, *scratch;
	const json *object;
	struct jwk *key;
	OSSL_PARAM params[MOST_PARAMS];
	size_t len;
};

/* Standard base64 and padding pass too, as with the reference's library. */
static char *
base64url_normal(struct arena *arena, const char *text)
{
	char *normal = arena_strndup(arena, text, strcspn(text, "="));

	for (char *c = normal; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return (normal);
}

/* A member that is base64url; no data when it is missing or not that. */
static struct bytes
member_bytes(const struct reader *r, const char *name)
{
	const char *text = json_string(json_get(r->object, name));
	struct bytes bytes = { NULL, 0 };

	if (text == NULL)
		return (bytes);
	bytes.data = base64url_decode(r->scratch, base64url_normal(r->scratch, text), &bytes.len);
	if (bytes.data == NULL)
		bytes.len = 0;
	return (bytes);
}

static const char *
member_text(const struct reader *r, const char *name)
{
	return (str_or(arena_strdup(r->keep, json_string(json_get(r->object, name))), ""));
}

static void
params_number(struct reader *r, const char *name, struct bytes big_endian)
{
	BIGNUM *number = BN_bin2bn(big_endian.data, (int)big_endian.len, NULL);
	unsigned char *native = arena_alloc(r->scratch, big_endian.len);

	crypto_assert(number != NULL && BN_bn2nativepad(number, native, (int)big_endian.len) >= 0, "reading a number of a key");
	BN_clear_free(number);
	r->params[r->len++] = OSSL_PARAM_construct_BN(name, native, big_endian.len);
}

static EVP_PKEY *
params_key(struct reader *r, const char *type, int selection)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	r->params[r->len] = OSSL_PARAM_construct_end();
	crypto_assert(context != NULL && EVP_PKEY_fromdata_init(context) == 1, "making a key");
	if (EVP_PKEY_fromdata(context, &key, selection, r->params) != 1) {
		key = NULL;
		ERR_clear_error(); /* it would be taken for TLS's */
	}
	EVP_PKEY_CTX_free(context);
	return (key);
}

static const struct {
	const char *member, *param;
} rsa_members[] = {
	{ "n", OSSL_PKEY_PARAM_RSA_N },
	{ "e", OSSL_PKEY_PARAM_RSA_E },
	{ "d", OSSL_PKEY_PARAM_RSA_D },
	{ "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
	{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
	{ "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	{ "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};

#define RSA_PUBLIC_MEMBERS 2
#define RSA_PRIVATE_MEMBERS 3
#define RSA_ALL_MEMBERS (sizeof(rsa_members) / sizeof(rsa_members[0]))
#define LONGEST_NUMBER 2048

static EVP_PKEY *
rsa_key(struct reader *r, size_t members, int selection)
{
	r->len = 0;
	for (size_t i = 0; i < members; i++) {
		struct bytes number = member_bytes(r, rsa_members[i].member);

		if (number.len > LONGEST_NUMBER)
			return (NULL);
		if (number.len > 0)
			params_number(r, rsa_members[i].param, number);
	}
	return (params_key(r, "RSA", selection));
}

/* The primes and what belongs to them only make signing faster; some of them alone are of no use, and OpenSSL 3.0 leaks them. */
static size_t
rsa_private_members(const struct reader *r)
{
	for (size_t i = RSA_PRIVATE_MEMBERS; i < RSA_ALL_MEMBERS; i++)
		if (member_bytes(r, rsa_members[i].member).len == 0)
			return (RSA_PRIVATE_MEMBERS);
	return (RSA_ALL_MEMBERS);
}

static const char *
rsa_read(struct reader *r)
{
	if (member_bytes(r, "n").len == 0 || member_bytes(r, "e").len == 0)
		return ("an RSA key needs \"n\" and \"e\" in base64url");
	r->key->public = rsa_key(r, RSA_PUBLIC_MEMBERS, EVP_PKEY_PUBLIC_KEY);
	if (r->key->public == NULL || EVP_PKEY_get_bits(r->key->public) < LEAST_RSA_BITS)
		return ("an RSA key needs a modulus of 1024 bits or more");
	if (!r->key->signs)
		return (NULL);
	if (member_bytes(r, "d").len == 0)
		return ("an RSA key that signs needs \"d\"");
	r->key->private = rsa_key(r, rsa_private_members(r), EVP_PKEY_KEYPAIR);
	return (r->key->private == NULL ? "the numbers of the RSA key do not make a key" : NULL);
}

static const struct curve {
	const char *crv;
	char group[8];
	unsigned size;
} curves[] = {
	{ "P-256", "P-256", 32 },
	{ "P-384", "P-384", 48 },
	{ "P-521", "P-521", 66 },
};

static const struct curve *
curve_find(const char *crv)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (str_equal(curves[i].crv, crv))
			return (&curves[i]);
	return (NULL);
}

static EVP_PKEY *
ec_key(struct reader *r, const struct curve *curve, struct bytes point, struct bytes secret)
{
	char group[sizeof(curve->group)];

	memcpy(group, curve->group, sizeof(group));
	r->len = 0;
	r->params[r->len++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	r->params[r->len++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.data, point.len);
	if (secret.len > 0)
		params_number(r, OSSL_PKEY_PARAM_PRIV_KEY, secret);
	return (params_key(r, "EC", secret.len > 0 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY));
}

static const char *
ec_read(struct reader *r)
{
	const struct curve *curve = curve_find(json_string(json_get(r->object, "crv")));
	struct bytes x = member_bytes(r, "x"), y = member_bytes(r, "y"), d = member_bytes(r, "d"), none = { NULL, 0 };
	unsigned char point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };

	if (curve == NULL)
		return ("an EC key needs \"crv\" of P-256, P-384 or P-521");
	if (x.len != curve->size || y.len != curve->size)
		return ("an EC key needs \"x\" and \"y\" of its curve's length");
	memcpy(point + 1, x.data, x.len);
	memcpy(point + 1 + x.len, y.data, y.len);
	r->key->size = curve->size;
	r->key->public = ec_key(r, curve, (struct bytes){ point, 1 + 2 * (size_t)curve->size }, none);
	if (r->key->public == NULL)
		return ("\"x\" and \"y\" are not a point of the curve");
	if (!r->key->signs)
		return (NULL);
	if (d.len != curve->size)
		return ("an EC key that signs needs \"d\" of its curve's length");
	r->key->private = ec_key(r, curve, (struct bytes){ point, 1 + 2 * (size_t)curve->size }, d);
	return (r->key->private == NULL ? "\"d\" is not a secret of the curve" : NULL);
}

static const char *
okp_read(struct reader *r)
{
	struct bytes x = member_bytes(r, "x"), d = member_bytes(r, "d");

	if (!str_equal(json_string(json_get(r->object, "crv")), "Ed25519"))
		return ("an OKP key needs \"crv\" of Ed25519");
	if (x.len != ED25519_LEN)
		return ("an Ed25519 key needs \"x\" of 32 bytes");
	r->key->public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len);
	crypto_assert(r->key->public != NULL, "making an Ed25519 key");
	if (!r->key->signs)
		return (NULL);
	if (d.len != ED25519_LEN)
		return ("an Ed25519 key that signs needs \"d\" of 32 bytes");
	r->key->private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d.data, d.len);
	crypto_assert(r->key->private != NULL, "making an Ed25519 key");
	return (NULL);
}

static const char *
oct_read(struct reader *r)
{
	struct bytes k = member_bytes(r, "k");
	char *copy = arena_alloc(r->keep, k.len + 1);

	if (k.len == 0)
		return ("an oct key needs \"k\" in base64url");
	memcpy(copy, k.data, k.len);
	r->key->secret = (struct bytes){ copy, k.len };
	return (NULL);
}

static const struct kind {
	const char *kty;
	enum jwk_type type;
	const char *(*read)(struct reader *);
} kinds[] = {
	{ "oct", JWK_OCT, oct_read },
	{ "RSA", JWK_RSA, rsa_read },
	{ "EC", JWK_EC, ec_read },
	{ "OKP", JWK_OKP, okp_read },
};

static const struct kind *
kind_find(const char *kty)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_equal(kinds[i].kty, kty))
			return (&kinds[i]);
	return (NULL);
}

static bool
word_among(const char *const *words, const char *word)
{
	for (; *words != NULL; words++)
		if (str_equal(*words, word))
			return (true);
	return (false);
}

/* key_ops is a list of words, or one word. */
static const char *
operations_read(struct reader *r)
{
	static const char *const known[] = { "sign", "verify", "encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits",
		NULL };
	const json *operations = json_get(r->object, "key_ops");
	size_t len = json_kind(operations) == JSON_ARRAY ? json_len(operations) : operations != NULL;

	for (size_t i = 0; i < len; i++) {
		const char *word = json_string(json_kind(operations) == JSON_ARRAY ? json_at(operations, i) : operations);

		if (word == NULL || !word_among(known, word))
			return ("\"key_ops\" has something that is not an operation of keys");
		r->key->signs = r->key->signs || str_equal(word, "sign");
	}
	return (NULL);
}

static const char *
common_read(struct reader *r)
{
	static const char *const texts[] = { "kid", "alg", "use", "crv", NULL };
	static const char *const uses[] = { "", "sig", "enc", NULL };

	for (size_t i = 0; texts[i] != NULL; i++) {
		const json *member = json_get(r->object, texts[i]);

		if (member != NULL && json_string(member) == NULL)
			return ("\"kid\", \"alg\", \"use\" and \"crv\" are text");
	}
	if (!word_among(uses, str_or(json_string(json_get(r->object, "use")), "")))
		return ("\"use\" is neither sig nor enc");
	r->key->kid = member_text(r, "kid");
	r->key->alg = member_text(r, "alg");
	return (operations_read(r));
}

struct publication {
	struct buf text;
	struct arena *scratch;
};

/* Every member goes out but the secret ones, and those that publication sets itself. */
static bool
member_publish(void *arg, const char *name, json *value)
{
	static const char *const withheld[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k", "use", "key_ops", "aws:kms:arn", NULL };
	static const char *const numbers[] = { "n", "e", "x", "y", NULL };
	struct publication *out = arg;

	if (word_among(withheld, name))
		return (true);
	if (word_among(numbers, name) && json_string(value) != NULL)
		json_put_text(&out->text, name, base64url_normal(out->scratch, json_string(value)));
	else
		json_put(&out->text, name, value);
	return (true);
}

static void
jwk_publish(struct reader *r)
{
	struct publication out = { buf_new(r->keep), r->scratch };

	json_object_begin(&out.text, NULL);
	json_each(r->object, member_publish, &out);
	json_put_text(&out.text, "use", "sig");
	json_put_list(&out.text, "key_ops", (char *const[]){ "verify", NULL });
	json_object_end(&out.text);
	r->key->published = out.text.data;
}

const char *
jwk_parse(struct arena *keep, struct arena *scratch, const json *object, struct jwk *key)
{
	struct reader r = { .keep = keep, .scratch = scratch, .object = object, .key = key };
	const struct kind *kind = kind_find(json_string(json_get(object, "kty")));
	const char *wrong;

	*key = (struct jwk){ 0 };
	if (json_kind(object) != JSON_OBJECT || kind == NULL)
		return ("\"kty\" is none of oct, RSA, EC, OKP");
	wrong = common_read(&r);
	if (wrong == NULL && key->signs && json_get(object, "aws:kms:arn") != NULL)
		wrong = "signing with a key that AWS KMS holds is not possible here";
	if (wrong != NULL)
		return (wrong);
	key->type = kind->type;
	if (key->type != JWK_OCT)
		jwk_publish(&r);
	return (kind->read(&r));
}

void
jwk_free(struct jwk *key)
{
	for (size_t i = 0; i < JWS_MOST; i++)
		EVP_MD_CTX_free(key->checking[i]);
	EVP_MD_CTX_free(key->signing);
	EVP_PKEY_free(key->public);
	EVP_PKEY_free(key->private);
	*key = (struct jwk){ 0 };
}
