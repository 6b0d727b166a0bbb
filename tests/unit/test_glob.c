/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/glob.h"
#include "fixture.h"

static bool
matches(struct arena *arena, const char *pattern, const char *text)
{
	struct glob *glob = glob_compile(arena, pattern, "./");

	assert_non_null(glob);
	return (glob_match(glob, text));
}

static void
test_matches(void **state)
{
	static const struct {
		const char *pattern, *yes, *no;
	} rows[] = {
		{ "", "", "a" },
		{ "abc", "abc", "abcd" },
		{ "http://localhost:3000", "http://localhost:3000", "http://localhost:3000/" },
		{ "https://*.example.com/*", "https://a.example.com/x", "https://a.b.example.com/x" },
		{ "https://*.example.com", "https://.example.com", "https://evil.com/.example.com" },
		{ "https://example.com/**", "https://example.com/a/b.c", "https://example.com" },
		{ "https://example.com/*", "https://example.com/", "https://example.com/a/b" },
		{ "https://**", "https://a.b/c", "http://a.b/c" },
		{ "a?c", "abc", "a.c" },
		{ "a?c",
		    "a\xC3\xA4"
		    "c",
		    "ac" },
		{ "[abc]", "b", "d" },
		{ "[!abc]", "d", "b" },
		{ "[!a]", "/", "a" },
		{ "[a-c]", "c", "d" },
		{ "[!a-c]", "d", "b" },
		{ "[]-a]", "^", "b" },
		{ "[-a]", "-", "b" },
		{ "[a\\]]", "]", "\\" },
		{ "[\xC3\xA4]", "\xC3\xA4", "\xC3" },
		{ "{a,bc}d", "bcd", "abcd" },
		{ "{a,b{c,d}e}", "bde", "be" },
		{ "x{,a}", "x", "xb" },
		{ "{*.a,**/b}", "x.y/b", "x.y.a" },
		{ "{a,b", "b", "{a" },
		{ "a,b}", "a,b}", "a" },
		{ "\\*\\{", "*{", "a{" },
		{ "a\\", "a", "a\\" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(matches(*state, rows[i].pattern, rows[i].yes));
		assert_false(matches(*state, rows[i].pattern, rows[i].no));
	}
}

static void
test_examples(void **state)
{
	static const char *const patterns[][2] = { { "https://*.x/**", "https://a.x/a" }, { "a?[bc][!0][!a-z][!a]", "aab100" },
		{ "{xy,z}{,b}", "xy" }, { "\\*\xC3\xA4", "*\xC3\xA4" }, { "", "" }, { "[!0123456789abcdefghijklmnopqrstuvwxyz]", "z" } };

	for (size_t i = 0; i < LENGTH(patterns); i++) {
		struct glob *glob = glob_compile(*state, patterns[i][0], "./");
		const char *example = glob_example(*state, glob, 'a');

		assert_string_equal(example, patterns[i][1]);
		assert_true(glob_match(glob, example) || i == LENGTH(patterns) - 1);
	}
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = { "[", "[a", "[]", "[!]", "[a-]", "[a-b", "[b-a]", "[a-zA-Z]", "[a\\", "[!", "\xFF", "a\xC3" };

	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_null(glob_compile(*state, bad[i], "./"));
	assert_non_null(glob_compile(*state, NULL, NULL));
}

static void
test_hostile_text_takes_no_time(void **state)
{
	struct buf pattern = buf_new(*state), text = buf_new(*state);
	uint64_t start = clock_mono_ns();

	for (int i = 0; i < 30; i++)
		buf_puts(&pattern, "{a,aa,**a,{*,?}*}*");
	buf_puts(&pattern, "b");
	for (int i = 0; i < 5000; i++)
		buf_puts(&text, "a");
	assert_false(matches(*state, pattern.data, text.data));
	assert_true(clock_mono_ns() - start < 5000000000);
}

static void
test_deep_braces(void **state)
{
	struct buf pattern = buf_new(*state);

	for (int i = 0; i < 20000; i++)
		buf_puts(&pattern, "{,");
	assert_true(matches(*state, pattern.data, ""));
	assert_false(matches(*state, pattern.data, "a"));
}

static void
test_bytes_that_are_no_text(void **state)
{
	assert_true(matches(*state, "a?", "a\xFF"));
	assert_false(matches(*state, "a?", "a\xFF\xFF"));
	assert_true(matches(*state, "", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_matches),
		arena_test(test_examples),
		arena_test(test_malformed),
		arena_test(test_hostile_text_takes_no_time),
		arena_test(test_deep_braces),
		arena_test(test_bytes_that_are_no_text),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
