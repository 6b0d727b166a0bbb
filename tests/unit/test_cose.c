/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fixture.h"
#include "sec/cose.h"
#include "sec/webauthn.h"

/* The base point of P-256; 1032 bits, which need not be a product of primes here; 32 bytes. */
#define X "5820" X32
#define X32 "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define Y "5820" Y32
#define Y32 "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define N128 X32 Y32 X32 Y32
#define N "588180" N128
#define E "43010001"

static const struct {
	const char *what, *hex, *why;
	int algorithm;
} keys[] = {
	{ "ES256", "a5010203262001 21" X "22" Y, NULL, -7 },
	{ "ES256, in another order", "a5 22" Y "21" X "2001 0326 0102", NULL, -7 },
	{ "ES256, with what nobody asked for", "a6 0102 0326 2001 21" X "22" Y "0281f5", NULL, -7 },
	{ "EdDSA", "a4 0101 0327 2006 21" X, NULL, -8 },
	{ "RS256", "a4 0103 03390100 20" N "21" E, NULL, -257 },
	{ "PS512", "a4 0103 033826 20" N "21" E, NULL, -39 },
	{ "RS256, e is 3", "a4 0103 03390100 20" N "21 4103", NULL, -257 },
	{ "nothing", "", "public key", 0 },
	{ "no map", "80", "public key", 0 },
	{ "something behind it", "a4 0101 0327 2006 21" X "00", "public key", 0 },
	{ "no algorithm", "a4 0102 2001 21" X "22" Y, "algorithm", 0 },
	{ "an algorithm that is a text", "a5 0102 03654553323536 2001 21" X "22" Y, "algorithm", 0 },
	{ "ES256K", "a5 0102 03382e 2008 21" X "22" Y, "algorithm", 0 },
	{ "RS1", "a4 0103 0339fffe 20" N "21" E, "algorithm", 0 },
	{ "HS256", "a3 0104 0305 20" X, "algorithm", 0 },
	{ "no type", "a4 0326 2001 21" X "22" Y, "kty", 0 },
	{ "ES256 with the numbers of RSA", "a4 0103 0326 20" N "21" E, "kty", 0 },
	{ "RS256 with those of a curve", "a5 0102 03390100 2001 21" X "22" Y, "kty", 0 },
	{ "no curve", "a4 0102 0326 21" X "22" Y, "crv", 0 },
	{ "ES256 on P-384", "a5 0102 0326 2002 21" X "22" Y, "crv", 0 },
	{ "EdDSA on Ed448", "a4 0101 0327 2007 21" X, "crv", 0 },
	{ "no y", "a4 0102 0326 2001 21" X, "an EC key needs \"x\" and \"y\" of its curve's length", 0 },
	{ "y as its sign", "a5 0102 0326 2001 21" X "22f5", "an EC key needs \"x\" and \"y\" of its curve's length", 0 },
	{ "a short x", "a5 0102 0326 2001 21 4100 22" Y, "an EC key needs \"x\" and \"y\" of its curve's length", 0 },
	{ "ES384 with 32 bytes", "a5 0102 033822 2002 21" X "22" Y, "an EC key needs \"x\" and \"y\" of its curve's length", 0 },
	{ "no point", "a5 0102 0326 2001 21" Y "22" X, "\"x\" and \"y\" are not a point of the curve", 0 },
	{ "a short Ed25519 key", "a4 0101 0327 2006 21 41 00", "an Ed25519 key needs \"x\" of 32 bytes", 0 },
	{ "Ed25519: of order 4", "a4 0101 0327 2006 21 5820 0000000000000000000000000000000000000000000000000000000000000000",
	    "an Ed25519 key needs an \"x\" that only its owner can sign for", 0 },
	{ "the neutral point of Ed25519, with a sign",
	    "a4 0101 0327 2006 21 5820 0100000000000000000000000000000000000000000000000000000000000080",
	    "an Ed25519 key needs an \"x\" that only its owner can sign for", 0 },
	{ "Ed25519: of order 8", "a4 0101 0327 2006 21 5820 26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "an Ed25519 key needs an \"x\" that only its owner can sign for", 0 },
	{ "the neutral point of Ed25519, beyond the field",
	    "a4 0101 0327 2006 21 5820 eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "an Ed25519 key needs an \"x\" that only its owner can sign for", 0 },
	{ "no n", "a3 0103 03390100 21" E, "an RSA key needs \"n\" and \"e\" in base64url", 0 },
	{ "no e", "a3 0103 03390100 20" N, "an RSA key needs \"n\" and \"e\" in base64url", 0 },
	{ "RSA of 256 bits", "a4 0103 03390100 20" X "21" E, "an RSA key needs a modulus of 1024 bits or more", 0 },
	{ "e is 1", "a4 0103 03390100 20" N "21 4101", "an RSA key needs an odd exponent above 1", 0 },
	{ "e is 1, at length", "a4 0103 03390100 20" N "21 44 00000001", "an RSA key needs an odd exponent above 1", 0 },
	{ "e is even", "a4 0103 033826 20" N "21 43 010000", "an RSA key needs an odd exponent above 1", 0 },
	{ "e is 0", "a4 0103 033826 20" N "21 4100", "an RSA key needs an odd exponent above 1", 0 },
	{ "n is 0", "a4 0103 03390100 20 4100 21" E, "an RSA key needs a modulus of 1024 bits or more", 0 },
};

static void
test_keys(void **state)
{
	for (size_t i = 0; i < LENGTH(keys); i++) {
		struct bytes bytes = { NULL, 0 };
		struct cose_key key = { 0 };
		const char *why;

		bytes.data = hex_decode(*state, str_replace(*state, keys[i].hex, " ", ""), &bytes.len);
		assert_non_null(bytes.data);
		why = cose_key_read(*state, bytes, &key);
		if (!str_equal(why, keys[i].why))
			fail_msg("%s: %s", keys[i].what, str_or(why, "taken"));
		if (why == NULL)
			assert_int_equal(key.algorithm, keys[i].algorithm);
	}
}

static void
test_what_is_offered_is_known(void **state)
{
	static const char *const names[] = { "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA" };

	(void)state;
	for (size_t i = 0; i < WEBAUTHN_ALGORITHMS; i++)
		assert_string_equal(jws_name(cose_method(webauthn_algorithms[i])), names[i]);
	assert_null(cose_method(0));
	assert_null(cose_method(-65535));
	assert_null(cose_method(-7 + (INT64_C(1) << 32)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_keys),
		arena_test(test_what_is_offered_is_known),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
