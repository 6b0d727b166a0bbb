/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "base/str.h"
#include "fixture.h"
#include "sec/refresh_token_v2.h"
#include "sec/secret.h"

#define SESSION "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define FORM_LEN 38

/* Made by the reference, with a key of the bytes 0 to 31. */
static const struct {
	long long counter;
	const char *text;
} vectors[] = {
	{ 0, "AD8lBOBPiUHTmgwDBegsMwEAa0R61L4XjnBdgjIC3l7Ex7xURr4" },
	{ 1, "AD8lBOBPiUHTmgwDBegsMwEBQZio8DSL_LhWTAAQ3F1_hBCfqWQ" },
	{ 127, "AD8lBOBPiUHTmgwDBegsMwF_ciL4aNdx7gCNvNdnoBfv3_03i1Q" },
	{ 128, "AD8lBOBPiUHTmgwDBegsMwGAAYo1YUSHvsFQgu-Ah2NnEp1WbpBc" },
	{ 300, "AD8lBOBPiUHTmgwDBegsMwGsArjPdTYfaWed8zEqOHXEL7xBINHm" },
	{ LLONG_MAX, "AD8lBOBPiUHTmgwDBegsMwH__________38zJLwqcKcJLEEyIr-Acfo6D0g6dw" },
};

static unsigned char key[32];

static int
key_setup(void **state)
{
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	return (arena_setup(state));
}

#define key_test(test) cmocka_unit_test_setup_teardown(test, key_setup, arena_teardown)

static void
test_vectors(void **state)
{
	struct refresh_token_v2 token;

	for (size_t i = 0; i < LENGTH(vectors); i++) {
		struct refresh_token_v2 made = { .session_id = SESSION, .counter = vectors[i].counter };

		assert_string_equal(refresh_token_v2_encode(*state, &made, key, sizeof(key)), vectors[i].text);
		assert_true(refresh_token_v2_parse(*state, vectors[i].text, &token));
		assert_string_equal(token.session_id, SESSION);
		assert_string_equal(token.raw, vectors[i].text);
		assert_true(token.counter == vectors[i].counter);
		assert_true(refresh_token_v2_signed(*state, vectors[i].text, key, sizeof(key)));
		assert_false(refresh_token_v2_signed(*state, vectors[i].text, key, sizeof(key) - 1));
	}
}

static void
test_every_flipped_bit_is_seen(void **state)
{
	struct refresh_token_v2 token;
	size_t len;
	unsigned char *bytes = base64url_decode(*state, vectors[4].text, &len);

	for (size_t bit = 0; bit < len * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(refresh_token_v2_parse(*state, base64url_encode(*state, bytes, len), &token));
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_false(refresh_token_v2_parse(*state, "", &token));
	assert_false(refresh_token_v2_parse(*state, "abcdefghijkl", &token));
	assert_false(refresh_token_v2_parse(*state, "AD8lBOBPiUHTmgwDBegsMwEAa0R61L4XjnBdgjIC3l7Ex7xURr5", &token));
}

/* A token of the form, with the checksum set right. */
static bool
form_parses(void **state, unsigned char *bytes, size_t len, struct refresh_token_v2 *token)
{
	unsigned char sum[SHA256_LEN];

	sha256(bytes, len - 4, sum);
	memcpy(bytes + len - 4, sum, 4);
	return (refresh_token_v2_parse(*state, base64url_encode(*state, bytes, len), token));
}

static void
test_forms(void **state)
{
	unsigned char bytes[FORM_LEN + 10] = { 0 };
	struct refresh_token_v2 token;

	assert_true(form_parses(state, bytes, FORM_LEN, &token));
	assert_string_equal(token.session_id, UUID_NIL);
	assert_false(refresh_token_v2_signed(*state, token.raw, key, sizeof(key)));
	assert_false(form_parses(state, bytes, FORM_LEN - 1, &token));
	assert_false(form_parses(state, bytes, FORM_LEN + 1, &token));
	bytes[0] = 1;
	assert_false(form_parses(state, bytes, FORM_LEN, &token));
	bytes[0] = 0;
	memset(bytes + 17, 0xff, FORM_LEN - 17);
	assert_false(form_parses(state, bytes, FORM_LEN, &token));
	memset(bytes + 17, 0xff, 9);
	bytes[26] = 1; /* all 64 bits set */
	assert_true(form_parses(state, bytes, FORM_LEN + 9, &token));
	assert_true(token.counter == LLONG_MAX);
	bytes[26] = 2;
	assert_false(form_parses(state, bytes, FORM_LEN + 9, &token));
}

static void
test_encode_refuses_what_is_no_id(void **state)
{
	struct refresh_token_v2 token = { .session_id = "not-a-uuid", .counter = 1 };

	assert_null(refresh_token_v2_encode(*state, &token, key, sizeof(key)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		key_test(test_vectors),
		key_test(test_every_flipped_bit_is_seen),
		key_test(test_forms),
		key_test(test_encode_refuses_what_is_no_id),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
