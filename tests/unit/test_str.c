/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "fixture.h"

static void
test_questions(void **state)
{
	(void)state;
	assert_true(str_empty(NULL) && str_empty("") && !str_empty(" "));
	assert_true(str_equal(NULL, "") && str_equal("a", "a") && !str_equal("a", "A"));
	assert_true(str_equal_nocase("AbC", "aBc") && str_equal_nocase(NULL, "") && !str_equal_nocase("ab", "abc"));
	assert_true(str_starts("abc", "ab") && str_starts(NULL, NULL) && !str_starts("a", "ab"));
	assert_true(str_ends("abc", "bc") && str_ends("abc", "") && !str_ends("c", "bc"));
	assert_string_equal(str_or("", "x"), "x");
}

static void
test_lists(void **state)
{
	char **list = str_split(*state, "a,,b,", ',');

	assert_int_equal(strs_len(list), 4);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "");
	assert_string_equal(list[3], "");
	assert_true(strs_have(list, "b") && !strs_have(list, "c") && !strs_have(NULL, "b"));
	assert_int_equal(strs_len(str_split(*state, "", ',')), 1);
	assert_int_equal(strs_len(NULL), 0);
}

static void
test_replace(void **state)
{
	assert_string_equal(str_replace(*state, "a.b.c", ".", "--"), "a--b--c");
	assert_string_equal(str_replace(*state, "aaa", "aa", "b"), "ba");
	assert_string_equal(str_replace(*state, "abc", "", "x"), "abc");
	assert_string_equal(str_replace(*state, NULL, "a", "b"), "");
}

static void
test_lower_and_trim(void **state)
{
	assert_string_equal(str_lower(*state, "ABC\xC3\x84\xCE\xA3"), "abc\xC3\x84\xCE\xA3");
	assert_string_equal(str_lower(*state, "\xE2\x84\xAA"), "\xE2\x84\xAA"); /* the Kelvin sign */
	assert_string_equal(str_lower(*state, NULL), "");
	assert_true(str_ascii("k") && str_ascii(NULL) && !str_ascii("\xE2\x84\xAA"));
	assert_string_equal(str_trim(*state, " \t\xC2\xA0 a b\xE3\x80\x80\n"), "a b");
	assert_string_equal(str_trim(*state, " \r\n"), "");
	assert_string_equal(str_trim(*state, "\xFF \xFF"), "\xFF \xFF");
}

static void
test_utf8(void **state)
{
	static const char *const bad[] = {
		"\xC0\x80",
		"\xC1\xBF",
		"\xE0\x9F\xBF",
		"\xED\xA0\x80",
		"\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\x80",
		"\xC3",
		"\xE2\x82",
		"\xF0\x9F\x98",
		"\xFE",
		"\xFF",
		"a\xC3(",
		"\xE2\x28\xA1",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_true(utf8_valid("\xEF\xBF\xBD\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80", 13));
	assert_false(utf8_valid("a\0b", 3));
	assert_true(utf8_valid("", 0));
	assert_int_equal(utf8_count("a\xC3\xA4\xF0\x9F\x98\x80"), 3);
	assert_int_equal(utf8_count("\xFF\xFF"), 2);
	assert_int_equal(utf8_count(NULL), 0);
}

static void
test_uuid(void **state)
{
	static const char plain[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
	static const char *const good[] = {
		"6BA7B810-9dad-11d1-80b4-00c04fd430c8",
		"6ba7b8109dad11d180b400c04fd430c8",
		"{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
		"{6ba7b8109dad11d180b400c04fd430c8}",
		"urn:uuid:6ba7b8109dad11d180b400c04fd430c8",
	};
	static const char *const bad[] = {
		"",
		"{}",
		"urn:uuid:",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"6ba7b810-9dad-11d1-80b4-00c04fd430cg",
		"6ba7b8109-dad-11d1-80b4-00c04fd430c8",
		"{6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"URN:UUID:6ba7b8109dad11d180b400c04fd430c8",
		"{urn:uuid:6ba7b8109dad11d180b400c04fd430c8}",
		" 6ba7b8109dad11d180b400c04fd430c8",
		"6ba7b8109dad11d180b400c04fd430c8------------",
	};
	char *made = uuid_new(*state);

	for (size_t i = 0; i < LENGTH(good); i++)
		assert_text_or_null(uuid_parse(*state, good[i]), plain);
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_null(uuid_parse(*state, bad[i]));
	assert_null(uuid_parse(*state, NULL));
	assert_string_equal(uuid_parse(*state, made), made);
	assert_int_equal(made[14], '4');
	assert_non_null(strchr("89ab", made[19]));
	assert_string_not_equal(made, uuid_new(*state));
}

static void
test_uuid_of_a_child(void **state)
{
	char other[37] = "";
	int fd[2];
	pid_t child;

	assert_int_equal(pipe(fd), 0);
	child = fork();
	if (child == 0)
		_exit(write(fd[1], uuid_new(*state), 36) == 36 ? 0 : 1);
	assert_int_equal(read(fd[0], other, 36), 36);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_string_not_equal(uuid_new(*state), other);
	close(fd[0]);
	close(fd[1]);
}

static void
test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "1h30m", 5400000000000 },
		{ "300ms", 300000000 },
		{ "-1.5s", -1500000000 },
		{ ".5m", 30000000000 },
		{ "1.s", 1000000000 },
		{ "2\xC2\xB5s3us", 5000 },
		{ "9223372036854775807ns", INT64_MAX },
		{ "-9223372036854775808ns", INT64_MIN },
	};
	static const char *const bad[] = {
		"",
		"-",
		"1",
		".",
		"s",
		"1x",
		"1h ",
		" 1h",
		"1.h.",
		"--1s",
		"9223372036854775808ns",
		"99999999999999999999h",
		"2562048h",
		"1e3s",
		"0x1s",
		"1S",
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_true(duration_parse(good[i].text, &ns));
		assert_true(ns == good[i].ns);
	}
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(duration_parse(bad[i], &ns));
	assert_false(duration_parse(NULL, &ns));
}

static void
test_bytes_as_text(void **state)
{
	static const struct {
		const char *bytes, *hex, *standard, *url;
	} rows[] = {
		{ "", "", "", "" },
		{ "f", "66", "Zg==", "Zg" },
		{ "fo", "666f", "Zm8=", "Zm8" },
		{ "foo", "666f6f", "Zm9v", "Zm9v" },
		{ "foob", "666f6f62", "Zm9vYg==", "Zm9vYg" },
		{ "\xFB\xFF\xBE", "fbffbe", "+/++", "-_--" },
	};
	size_t len;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const char *bytes = rows[i].bytes;

		assert_string_equal(hex_encode(*state, bytes, strlen(bytes)), rows[i].hex);
		assert_string_equal(base64_encode(*state, bytes, strlen(bytes)), rows[i].standard);
		assert_string_equal(base64url_encode(*state, bytes, strlen(bytes)), rows[i].url);
		assert_string_equal((char *)hex_decode(*state, rows[i].hex, &len), bytes);
		assert_int_equal(len, strlen(bytes));
		assert_string_equal((char *)base64_decode(*state, rows[i].standard, &len), bytes);
		assert_int_equal(len, strlen(bytes));
		assert_string_equal((char *)base64url_decode(*state, rows[i].url, NULL), bytes);
	}
}

static void
test_text_that_is_not_canonical(void **state)
{
	static const char *const standard[] = { "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z", "====", "Zm=v", "Zm9v\n", " Zm9v", "-_--",
		"Zm9vZg" };
	static const char *const url[] = { "Zg==", "Zh", "Zm9", "Z", "Zm9v\n", "+/++", "Zm9vZ", "=" };
	static const char *const hex[] = { "f", "0g", "0x12", " 00" };

	for (size_t i = 0; i < LENGTH(standard); i++)
		assert_null(base64_decode(*state, standard[i], NULL));
	for (size_t i = 0; i < LENGTH(url); i++)
		assert_null(base64url_decode(*state, url[i], NULL));
	for (size_t i = 0; i < LENGTH(hex); i++)
		assert_null(hex_decode(*state, hex[i], NULL));
	assert_null(hex_decode(*state, NULL, NULL));
	assert_null(base64url_decode(*state, NULL, NULL));
}

/* RFC 4648 section 10. */
static void
test_base32(void **state)
{
	static const char *const rows[][2] = { { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" }, { "foob", "MZXW6YQ" },
		{ "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" } };
	static const char *const none[] = { "", "====", "1", "MY=MY", " MY", "M!", "M" };
	size_t len;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_string_equal(base32_encode(*state, rows[i][0], strlen(rows[i][0])), rows[i][1]);
		assert_memory_equal(base32_decode(*state, rows[i][1], &len), rows[i][0], strlen(rows[i][0]));
		assert_int_equal(len, strlen(rows[i][0]));
	}
	assert_memory_equal(base32_decode(*state, "mzxw6ytboi======", &len), "foobar", 6);
	assert_string_equal(base32_encode(*state, "", 0), "");
	for (size_t i = 0; i < LENGTH(none); i++)
		assert_null(base32_decode(*state, none[i], NULL));
	assert_null(base32_decode(*state, NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_base32),
		cmocka_unit_test(test_questions),
		arena_test(test_lists),
		arena_test(test_replace),
		arena_test(test_lower_and_trim),
		cmocka_unit_test(test_utf8),
		arena_test(test_uuid),
		arena_test(test_uuid_of_a_child),
		cmocka_unit_test(test_duration),
		arena_test(test_bytes_as_text),
		arena_test(test_text_that_is_not_canonical),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
