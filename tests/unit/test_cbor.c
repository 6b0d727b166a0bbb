/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fixture.h"
#include "sec/cbor.h"

static bool
cbor_of_hex(struct arena *arena, const char *hex, struct cbor_value *value)
{
	struct bytes bytes = { NULL, 0 };

	bytes.data = hex_decode(arena, hex, &bytes.len);
	assert_non_null(bytes.data);
	return (cbor_read(arena, bytes, value));
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *hex;
		int64_t number;
	} rows[] = {
		{ "00", 0 },
		{ "17", 23 },
		{ "1818", 24 },
		{ "1800", 0 }, /* longer than it has to be: taken, as the reference's library does */
		{ "1903e8", 1000 },
		{ "1a000f4240", 1000000 },
		{ "1b7fffffffffffffff", INT64_MAX },
		{ "20", -1 },
		{ "3863", -100 },
		{ "390100", -257 },
		{ "3a0000ffff", -65536 },
		{ "3b7fffffffffffffff", INT64_MIN },
	};
	struct cbor_value value;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(cbor_of_hex(*state, rows[i].hex, &value));
		assert_int_equal(value.kind, CBOR_INTEGER);
		assert_true(value.integer == rows[i].number);
		assert_int_equal(value.source.len, strlen(rows[i].hex) / 2);
	}
}

static void
test_what_is_taken_and_what_is_not(void **state)
{
	static const struct {
		const char *what, *hex;
		bool taken;
	} rows[] = {
		{ "nothing", "", false },
		{ "bytes", "43010203", true },
		{ "bytes that are not there", "430102", false },
		{ "a text", "63e28294", true },
		{ "a text that is not UTF-8", "62c328", false },
		{ "an array", "83010203", true },
		{ "a map", "a201020304", true },
		{ "half a member", "a2010203", false },
		{ "booleans, null, undefined", "84f4f5f6f7", true },
		{ "floating point", "83f93c00fa47c35000fb3ff199999999999a", true },
		{ "numbers beyond int64_t", "821bffffffffffffffff3bffffffffffffffff", true },
		{ "indefinite bytes", "5f4101ff", false },
		{ "indefinite text", "7f6161ff", false },
		{ "an indefinite array", "9f01ff", false },
		{ "an indefinite map", "bf0102ff", false },
		{ "an end of nothing", "ff", false },
		{ "a tag", "c11a514b67b0", false },
		{ "a tag within", "81c100", false },
		{ "a reserved length", "1c", false },
		{ "a simple value that nobody has", "f0", false },
		{ "a simple value of two bytes", "f8ff", false },
		{ "a key twice", "a201020103", false },
		{ "a key twice, written otherwise", "a20102180103", false },
		{ "a text and bytes as keys", "a2616102416103", true },
		{ "a text key twice", "a2616102616103", false },
		{ "an array as key", "a1810102", false },
		{ "null as key", "a1f602", false },
		{ "4 levels", "81a101818100", true },
		{ "5 levels", "818181818100", false },
		{ "5 levels, the last with nothing in it", "8181818180", false },
		{ "255 values that are not there", "98ff", false },
		{ "an array of 2^32", "9affffffff00", false },
		{ "an array of 2^63", "9b8000000000000000", false },
		{ "an array of 2^64 - 1", "9bffffffffffffffff", false },
		{ "a map of 2^63", "bb8000000000000000", false },
		{ "a map of 2^63 + 1", "bb80000000000000010102", false },
		{ "bytes of 2^64 - 1", "5bffffffffffffffff00", false },
		{ "a text of 2^63", "7b800000000000000000", false },
	};
	struct cbor_value value;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (cbor_of_hex(*state, rows[i].hex, &value) != rows[i].taken)
			fail_msg("%s is %s", rows[i].what, rows[i].taken ? "not taken" : "taken");
	}
	assert_true(cbor_of_hex(*state, arena_printf(*state, "990100%0512d", 0), &value));
	assert_false(cbor_of_hex(*state, arena_printf(*state, "990101%0514d", 0), &value));
}

static void
test_members(void **state)
{
	struct cbor_value map;

	assert_true(cbor_of_hex(*state, "a401022041aa63666d74646e6f6e651903e8a0ffff", &map));
	assert_int_equal(map.source.len, 19);
	assert_int_equal(cbor_numbered(&map, 1, CBOR_INTEGER)->integer, 2);
	assert_int_equal(cbor_numbered(&map, -1, CBOR_BYTES)->bytes.len, 1);
	assert_int_equal(cbor_numbered(&map, 1000, CBOR_MAP)->len, 0);
	assert_memory_equal(cbor_named(&map, "fmt", CBOR_TEXT)->bytes.data, "none", 4);
	assert_null(cbor_named(&map, "fmt", CBOR_BYTES));
	assert_null(cbor_named(&map, "fm", CBOR_TEXT));
	assert_null(cbor_named(&map, "fmt2", CBOR_TEXT));
	assert_null(cbor_numbered(&map, 2, CBOR_INTEGER));
	assert_true(cbor_of_hex(*state, "820102", &map));
	assert_null(cbor_numbered(&map, 1, CBOR_INTEGER));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_numbers),
		arena_test(test_what_is_taken_and_what_is_not),
		arena_test(test_members),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
