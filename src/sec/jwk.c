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
};

/* What OpenSSL makes a key of. */
struct params {
	struct arena *scratch;
	OSSL_PARAM param[MOST_PARAMS];
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
params_number(struct params *p, const char *name, struct bytes big_endian)
{
	BIGNUM *number = BN_bin2bn(big_endian.data, (int)big_endian.len, NULL);
	unsigned char *native = arena_alloc(p->scratch, big_endian.len);

	crypto_assert(number != NULL && BN_bn2nativepad(number, native, (int)big_endian.len) >= 0, "reading a number of a key");
	BN_clear_free(number);
	p->param[p->len++] = OSSL_PARAM_construct_BN(name, native, big_endian.len);
}

static EVP_PKEY *
params_key(struct params *p, const char *type, int selection)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	p->param[p->len] = OSSL_PARAM_construct_end();
	crypto_assert(context != NULL && EVP_PKEY_fromdata_init(context) == 1, "making a key");
	if (EVP_PKEY_fromdata(context, &key, selection, p->param) != 1) {
		key = NULL;
		ERR_clear_error(); /* it would be taken for TLS's */
	}
	EVP_PKEY_CTX_free(context);
	return (key);
}

const struct rsa_member rsa_members[RSA_MEMBERS] = {
	{ "n", OSSL_PKEY_PARAM_RSA_N },
	{ "e", OSSL_PKEY_PARAM_RSA_E },
	{ "d", OSSL_PKEY_PARAM_RSA_D },
	{ "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
	{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
	{ "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	{ "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};

#define RSA_PRIVATE_MEMBERS 3
#define LONGEST_NUMBER 2048

/* With 1 whatever fits the form is signed, by everybody; even ones make no key. */
static bool
rsa_exponent_valid(struct bytes e)
{
	BIGNUM *number = BN_bin2bn(e.data, (int)e.len, NULL);
	bool valid;

	crypto_assert(number != NULL, "reading a number of a key");
	valid = BN_is_odd(number) && !BN_is_one(number);
	BN_free(number);
	return (valid);
}

const char *
jwk_public_rsa(struct arena *scratch, struct bytes n, struct bytes e, struct jwk *key)
{
	struct params params = { .scratch = scratch };

	if (n.len == 0 || e.len == 0)
		return ("an RSA key needs \"n\" and \"e\" in base64url");
	key->type = JWK_RSA;
	if (n.len <= LONGEST_NUMBER && e.len <= LONGEST_NUMBER) {
		params_number(&params, OSSL_PKEY_PARAM_RSA_N, n);
		params_number(&params, OSSL_PKEY_PARAM_RSA_E, e);
		key->public = params_key(&params, "RSA", EVP_PKEY_PUBLIC_KEY);
	}
	if (key->public == NULL || EVP_PKEY_get_bits(key->public) < LEAST_RSA_BITS)
		return ("an RSA key needs a modulus of 1024 bits or more");
	return (rsa_exponent_valid(e) ? NULL : "an RSA key needs an odd exponent above 1");
}

/* The primes and what belongs to them only make signing faster; some of them alone are of no use, and OpenSSL 3.0 leaks them. */
static size_t
rsa_private_members(const struct reader *r)
{
	for (size_t i = RSA_PRIVATE_MEMBERS; i < RSA_MEMBERS; i++)
		if (member_bytes(r, rsa_members[i].member).len == 0)
			return (RSA_PRIVATE_MEMBERS);
	return (RSA_MEMBERS);
}

static EVP_PKEY *
rsa_private(struct reader *r)
{
	struct params params = { .scratch = r->scratch };

	for (size_t i = 0; i < rsa_private_members(r); i++) {
		struct bytes number = member_bytes(r, rsa_members[i].member);

		if (number.len > LONGEST_NUMBER)
			return (NULL);
		params_number(&params, rsa_members[i].param, number);
	}
	return (params_key(&params, "RSA", EVP_PKEY_KEYPAIR));
}

static const char *
rsa_read(struct reader *r)
{
	const char *wrong = jwk_public_rsa(r->scratch, member_bytes(r, "n"), member_bytes(r, "e"), r->key);

	if (wrong != NULL || !r->key->signs)
		return (wrong);
	if (member_bytes(r, "d").len == 0)
		return ("an RSA key that signs needs \"d\"");
	r->key->private = rsa_private(r);
	return (r->key->private == NULL ? "the numbers of the RSA key do not make a key" : NULL);
}

static const struct curve {
	const char *crv;
	char group[12]; /* as OpenSSL names it */
	unsigned size;
} curves[] = {
	{ "P-256", "prime256v1", 32 },
	{ "P-384", "secp384r1", 48 },
	{ "P-521", "secp521r1", 66 },
};

static const struct curve *
curve_find(const char *crv)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (str_equal(curves[i].crv, crv))
			return (&curves[i]);
	return (NULL);
}

/* Without a secret: the public key. */
static EVP_PKEY *
ec_key(struct arena *scratch, const struct curve *curve, const struct point *point, struct bytes secret)
{
	struct params params = { .scratch = scratch };
	unsigned char octets[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
	char group[sizeof(curve->group)];

	memcpy(group, curve->group, sizeof(group));
	memcpy(octets + 1, point->x.data, point->x.len);
	memcpy(octets + 1 + point->x.len, point->y.data, point->y.len);
	params.param[params.len++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params.param[params.len++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, 1 + 2 * (size_t)curve->size);
	if (secret.len > 0)
		params_number(&params, OSSL_PKEY_PARAM_PRIV_KEY, secret);
	return (params_key(&params, "EC", secret.len > 0 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY));
}

const char *
jwk_public_ec(struct arena *scratch, const struct point *point, struct jwk *key)
{
	const struct curve *curve = curve_find(point->crv);

	if (curve == NULL)
		return ("an EC key needs \"crv\" of P-256, P-384 or P-521");
	if (point->x.len != curve->size || point->y.len != curve->size)
		return ("an EC key needs \"x\" and \"y\" of its curve's length");
	key->type = JWK_EC;
	key->size = curve->size;
	key->public = ec_key(scratch, curve, point, (struct bytes){ NULL, 0 });
	return (key->public == NULL ? "\"x\" and \"y\" are not a point of the curve" : NULL);
}

static const char *
ec_read(struct reader *r)
{
	struct point point = { json_string(json_get(r->object, "crv")), member_bytes(r, "x"), member_bytes(r, "y") };
	const char *wrong = jwk_public_ec(r->scratch, &point, r->key);
	struct bytes d = member_bytes(r, "d");

	if (wrong != NULL || !r->key->signs)
		return (wrong);
	if (d.len != r->key->size)
		return ("an EC key that signs needs \"d\" of its curve's length");
	r->key->private = ec_key(r->scratch, curve_find(point.crv), &point, d);
	return (r->key->private == NULL ? "\"d\" is not a secret of the curve" : NULL);
}

/* 0 for other curves. */
static unsigned
curve_size(const EVP_PKEY *key)
{
	char group[32] = "";

	EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (str_equal(curves[i].group, group))
			return (curves[i].size);
	return (0);
}

bool
jwk_public_known(struct jwk *key)
{
	switch (EVP_PKEY_get_base_id(key->public)) {
	case EVP_PKEY_EC:
		key->size = curve_size(key->public);
		key->type = key->size > 0 ? JWK_EC : JWK_NONE;
		break;
	case EVP_PKEY_RSA:
		key->type = JWK_RSA;
		break;
	case EVP_PKEY_ED25519:
		key->type = JWK_OKP;
		break;
	default:
		key->type = JWK_NONE;
	}
	return (key->type != JWK_NONE);
}

/* The points of an order up to 8, with their second forms, but for the sign: everybody signs for them. */
static const char *const small_orders[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static bool
ed25519_is_small(struct arena *scratch, struct bytes x)
{
	unsigned char point[ED25519_LEN];
	const char *hex;

	memcpy(point, x.data, sizeof(point));
	point[ED25519_LEN - 1] &= 0x7f;
	hex = hex_encode(scratch, point, sizeof(point));
	for (size_t i = 0; i < sizeof(small_orders) / sizeof(small_orders[0]); i++)
		if (str_equal(hex, small_orders[i]))
			return (true);
	return (false);
}

const char *
jwk_public_ed25519(struct arena *scratch, struct bytes x, struct jwk *key)
{
	if (x.len != ED25519_LEN)
		return ("an Ed25519 key needs \"x\" of 32 bytes");
	if (ed25519_is_small(scratch, x))
		return ("an Ed25519 key needs an \"x\" that only its owner can sign for");
	key->type = JWK_OKP;
	key->public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len);
	crypto_assert(key->public != NULL, "making an Ed25519 key");
	return (NULL);
}

static const char *
okp_read(struct reader *r)
{
	struct bytes d = member_bytes(r, "d");
	const char *wrong;

	if (!str_equal(json_string(json_get(r->object, "crv")), "Ed25519"))
		return ("an OKP key needs \"crv\" of Ed25519");
	wrong = jwk_public_ed25519(r->scratch, member_bytes(r, "x"), r->key);
	if (wrong != NULL || !r->key->signs)
		return (wrong);
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

static void
jwk_release(void *key)
{
	jwk_free(key);
}

struct jwk *
jwk_new(struct arena *arena)
{
	struct jwk *key = arena_new_object(arena, struct jwk);

	arena_defer(arena, jwk_release, key);
	return (key);
}
