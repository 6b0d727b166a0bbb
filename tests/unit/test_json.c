/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/json.h"
#include "base/str.h"
#include "fixture.h"

static json *
parse(struct arena *arena, const char *text)
{
	return (json_parse(arena, text, strlen(text), NULL));
}

static void
test_what_is_not_json(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"nul",
		"nulll",
		"True",
		"'a'",
		"{'a':1}",
		"{a:1}",
		"[1,]",
		"{\"a\":1,}",
		"[,1]",
		"[1 2]",
		"{\"a\" 1}",
		"{\"a\":}",
		"{\"a\"}",
		"{1:2}",
		"[1",
		"[",
		"{",
		"]",
		"[}",
		"{]",
		"[1}",
		"1 2",
		"[]]",
		"\"a",
		"\"\\x41\"",
		"\"\\",
		"\"\\u12g4\"",
		"\"\\u12",
		"\"\\u0000\"",
		"\"\\ud800\\u0000\"",
		"\"\\ud800\\u12\"",
		"\"\\ud800\\x\"",
		"\"\\ud800",
		"\"a\nb\"",
		"\"\t\"",
		"\"\x01\"",
		"\"\xC0\x80\"",
		"\"\xED\xA0\x80\"",
		"\"\xFF\"",
		"\"\xE2\x82\"",
		"\xEF\xBB\xBF{}",
		"01",
		"-",
		"-01",
		"+1",
		"1.",
		".5",
		"1e",
		"1e+",
		"0x10",
		"1_0",
		"NaN",
		"Infinity",
		"-Infinity",
		"1a",
		"/**/1",
		"1//",
		"\f1",
		"\v1",
		"\xC2\xA0 1",
		"[1],",
		",",
		":",
	};
	const char *why = NULL;

	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_null(json_parse(*state, bad[i], strlen(bad[i]), &why));
		assert_non_null(why);
	}
	assert_null(json_parse(*state, "[1]\0", 4, NULL));
	assert_null(json_parse(*state, "\"a\0b\"", 5, NULL));
	assert_null(json_parse(*state, NULL, 0, &why));
	assert_string_equal(why, "unexpected end at byte 0");
	assert_null(json_parse(*state, "[1,x]", 5, &why));
	assert_string_equal(why, "unexpected character at byte 3");
}

static void
test_text_stays_as_it_came(void **state)
{
	static const char *const same[] = {
		"1.0",
		"1e400",
		"-0",
		"0",
		"1234567890123456789012345678901234567890",
		"0.10000000000000000000000000001",
		"1E+2",
		"null",
		"true",
		"false",
		"\"\"",
		"[]",
		"{}",
		"[null,[],{}]",
		"{\"\":null}",
		"\"\xF0\x9F\x98\x80\"",
		"\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7F/\"",
		"{\"b\":1,\"a\":{\"c\":[1.50,\"x\"]}}",
	};

	for (size_t i = 0; i < LENGTH(same); i++)
		assert_string_equal(json_text(*state, parse(*state, same[i])), same[i]);
	assert_string_equal(json_text(*state, parse(*state, " [ 1 , \"\\u00e4\\ud83d\\ude00\\/\" ] \r\n\t")),
	    "[1,\"\xC3\xA4\xF0\x9F\x98\x80/\"]");
	assert_string_equal(json_text(*state, parse(*state, "{\"a\":1,\"b\":2,\"a\":3}")), "{\"b\":2,\"a\":3}");
}

static char *
nested(struct arena *arena, size_t levels, const char *open, const char *close)
{
	struct buf text = buf_new(arena);

	for (size_t i = 0; i < levels; i++)
		buf_puts(&text, open);
	buf_puts(&text, "1");
	for (size_t i = 0; i < levels; i++)
		buf_puts(&text, close);
	return (text.data);
}

#define HALF "\xEF\xBF\xBD"

static void
test_half_a_surrogate_pair(void **state)
{
	static const char *const halves[][2] = {
		{ "\"\\ud83d\"", "\"" HALF "\"" },
		{ "\"\\uDE00x\"", "\"" HALF "x\"" },
		{ "\"a\\ud83d\\n\"", "\"a" HALF "\\n\"" },
		{ "\"\\ud83d\\u0041\"", "\"" HALF "A\"" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\"" HALF "\xF0\x9F\x98\x80\"" },
		{ "\"\\ude00\\ud83d\"", "\"" HALF HALF "\"" },
		{ "{\"\\ud83d\":1}", "{\"" HALF "\":1}" },
	};

	for (size_t i = 0; i < LENGTH(halves); i++)
		assert_string_equal(json_text(*state, parse(*state, halves[i][0])), halves[i][1]);
}

static void
test_levels(void **state)
{
	assert_non_null(parse(*state, nested(*state, 100, "[", "]")));
	assert_null(parse(*state, nested(*state, 101, "[", "]")));
	assert_non_null(parse(*state, nested(*state, 100, "{\"a\":", "}")));
	assert_null(parse(*state, nested(*state, 101, "{\"a\":", "}")));
	assert_null(parse(*state, nested(*state, 500000, "[", "]")));
	assert_null(parse(*state, nested(*state, 500000, "[", "")));
	assert_non_null(parse(*state, "[[1],[2],[[3]]]"));
}

static void
test_kinds(void **state)
{
	json *value = parse(*state, "{\"n\":null,\"b\":false,\"t\":true,\"i\":1,\"s\":\"x\",\"a\":[1],\"o\":{}}");

	assert_int_equal(json_kind(NULL), JSON_NULL);
	assert_non_null(json_get(value, "n"));
	assert_int_equal(json_kind(json_get(value, "n")), JSON_NULL);
	assert_int_equal(json_kind(json_get(value, "b")), JSON_BOOL);
	assert_int_equal(json_kind(json_get(value, "i")), JSON_NUMBER);
	assert_int_equal(json_kind(json_get(value, "s")), JSON_STRING);
	assert_int_equal(json_kind(json_get(value, "a")), JSON_ARRAY);
	assert_int_equal(json_kind(json_get(value, "o")), JSON_OBJECT);
	assert_true(json_true(json_get(value, "t")) && !json_true(json_get(value, "b")) && !json_true(json_get(value, "n")));
	assert_null(json_get(value, "N"));
	assert_null(json_string(json_get(value, "i")));
	assert_null(json_number(json_get(value, "s")));
	assert_int_equal(json_len(value), 7);
	assert_int_equal(json_len(json_get(value, "s")), 0);
	assert_null(json_at(json_get(value, "a"), 1));
	assert_null(json_at(value, 0));
	assert_null(json_get(json_get(value, "a"), "0"));
}

static void
test_names_without_case(void **state)
{
	json *value = parse(*state,
	    "{\"email\":\"a\",\"EMAIL\":\"b\",\"phone\":\"1\",\"Phone\":null,\"\xE2\x84\xAA"
	    "ey\":\"k\"}");

	assert_string_equal(json_string(json_get_nocase(value, "email")), "b");
	assert_string_equal(json_string(json_get_nocase(value, "phone")), "1");
	assert_null(json_get_nocase(value, "key")); /* with a Kelvin sign it is another name */
	assert_string_equal(json_string(json_get(value, "email")), "a");
	assert_null(json_get_nocase(value, "emai"));
	assert_null(json_get_nocase(NULL, "email"));
	value = parse(*state, "{\"a\":1,\"A\":2,\"a\":3}");
	assert_string_equal(json_number(json_get_nocase(value, "a")), "3");
}

static void
test_paths(void **state)
{
	json *value = parse(*state, "{\"a\":{\"b\":[{\"c\":\"x\"},2]},\"0\":\"zero\"}");

	assert_string_equal(json_string(json_path(value, "a.b.0.c")), "x");
	assert_string_equal(json_number(json_path(value, "a.b.1")), "2");
	assert_string_equal(json_string(json_path(value, "0")), "zero");
	assert_null(json_path(value, "a.b.2"));
	assert_null(json_path(value, "a.b.-1"));
	assert_null(json_path(value, "a.b.0x0"));
	assert_null(json_path(value, "a.b.99999999999999999999"));
	assert_null(json_path(value, "a..b"));
	assert_null(json_path(value, ""));
	assert_null(json_path(NULL, "a"));
}

static void
test_numbers(void **state)
{
	static const char *const not_whole[] = { "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "\"1\"", "true", "null" };
	int64_t whole;
	double real;

	assert_true(json_integer(parse(*state, "-9223372036854775808"), &whole) && whole == INT64_MIN);
	assert_true(json_integer(parse(*state, "9223372036854775807"), &whole) && whole == INT64_MAX);
	for (size_t i = 0; i < LENGTH(not_whole); i++)
		assert_false(json_integer(parse(*state, not_whole[i]), &whole));
	assert_true(json_real(parse(*state, "1.25e2"), &real) && fabs(real - 125) < 1e-9);
	assert_false(json_real(parse(*state, "1e400"), &real));
	assert_false(json_real(parse(*state, "\"1\""), &real));
	assert_false(json_integer(NULL, &whole));
}

static bool
two_names(void *arg, const char *key, json *value)
{
	struct buf *names = arg;

	(void)value;
	buf_puts(names, key);
	return (names->len < 2);
}

static void
test_each(void **state)
{
	struct buf names = buf_new(*state);

	json_each(parse(*state, "{\"x\":1,\"y\":null,\"z\":2}"), two_names, &names);
	assert_string_equal(names.data, "xy");
	json_each(parse(*state, "[1]"), two_names, &names);
	json_each(NULL, two_names, &names);
	assert_string_equal(names.data, "xy");
}

static void
test_writing(void **state)
{
	assert_string_equal(json_quote(*state, NULL), "null");
	assert_string_equal(json_quote(*state, "a\"\\\n\x1F\x7F</"), "\"a\\\"\\\\\\n\\u001f\x7F</\"");
	assert_string_equal(json_quote(*state, "\xFFz\xC3"), "\"\xEF\xBF\xBDz\xEF\xBF\xBD\"");
	assert_string_equal(json_pairs(*state, "a", "1", "b", NULL, "c\"", "", NULL), "{\"a\":\"1\",\"c\\\"\":\"\"}");
	assert_string_equal(json_pairs(*state, "#n", "1", "#o", NULL, "b", "x", "#t", json_boolean(true), NULL),
	    "{\"n\":1,\"b\":\"x\",\"t\":true}");
	assert_string_equal(json_pairs(*state, NULL), "{}");
	assert_string_equal(json_pairs(*state, "b", NULL, NULL), "{}");
	assert_string_equal(json_text(*state, NULL), "null");
}

static void
test_writer(void **state)
{
	struct buf b = buf_new(*state);

	json_object_begin(&b, NULL);
	json_put_members(&b, NULL);
	json_put_members(&b, "{}");
	json_put_filled(&b, "none", "");
	json_put_raw(&b, "none", NULL);
	json_put_pair(&b, "none", NULL);
	json_put_text(&b, "a\"", "{");
	json_put_text(&b, "null", NULL);
	json_array_begin(&b, "list");
	json_object_begin(&b, NULL);
	json_object_end(&b);
	buf_putc(&b, ',');
	json_put_number(&b, NULL, INT64_MIN);
	json_array_begin(&b, NULL);
	json_array_end(&b);
	json_put_text(&b, NULL, "[");
	json_put_bool(&b, NULL, false);
	json_array_end(&b);
	json_put_list(&b, "words", (char *const[]){ "x", "", NULL });
	json_put_list(&b, "none", NULL);
	json_put_members(&b, "{\"m\": {\"n\": []}}");
	json_put_pair(&b, "#raw", "1");
	json_put(&b, "tree", parse(*state, "{\"k\":[1.50,{},\"s\",null,true]}"));
	json_put_except(&b, parse(*state, "{\"x\":1,\"y\":2,\"z\":3}"), (char *const[]){ "x", "z", NULL });
	json_put_except(&b, NULL, NULL);
	json_put_filled(&b, "last", "z");
	json_object_end(&b);
	assert_string_equal(b.data,
	    "{\"a\\\"\":\"{\",\"null\":null,\"list\":[{},-9223372036854775808,[],\"[\",false],\"words\":[\"x\",\"\"],\"none\":[],"
	    "\"m\": {\"n\": []},\"raw\":1,\"tree\":{\"k\":[1.50,{},\"s\",null,true]},\"y\":2,\"last\":\"z\"}");
	assert_non_null(parse(*state, b.data));
}

static void
test_many_members(void **state)
{
	struct buf text = buf_new(*state);
	json *value;

	for (int i = 0; i < 50000; i++)
		buf_printf(&text, "%s\"k%d\":%d", i == 0 ? "{" : ",", i % 25000, i);
	buf_putc(&text, '}');
	value = parse(*state, text.data);
	assert_int_equal(json_len(value), 25000);
	assert_string_equal(json_number(json_get(value, "k24999")), "49999");
	assert_string_equal(json_number(json_get(value, "k0")), "25000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_what_is_not_json),
		arena_test(test_text_stays_as_it_came),
		arena_test(test_half_a_surrogate_pair),
		arena_test(test_levels),
		arena_test(test_kinds),
		arena_test(test_names_without_case),
		arena_test(test_paths),
		arena_test(test_numbers),
		arena_test(test_each),
		arena_test(test_writing),
		arena_test(test_writer),
		arena_test(test_many_members),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
