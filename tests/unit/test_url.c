/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/url.h"
#include "fixture.h"

static void
test_parts(void **state)
{
	struct url url;

	assert_true(url_parse(*state, "HTTP://us%20er:p@Example.com:8080/a%2Fb/c?x=y?z#f#g", &url));
	assert_string_equal(url.scheme, "http");
	assert_string_equal(url.userinfo, "us%20er:p");
	assert_string_equal(url.host, "Example.com");
	assert_string_equal(url.port, "8080");
	assert_string_equal(url.path, "/a%2Fb/c");
	assert_string_equal(url.query, "x=y?z");
	assert_string_equal(url.fragment, "f#g");
	assert_true(url_parse(*state, "https://[fe80::1%25en0]:443", &url));
	assert_string_equal(url.host, "fe80::1%en0");
	assert_string_equal(url.port, "443");
	assert_true(url_parse(*state, "mailto:a@b.c", &url));
	assert_string_equal(url.opaque, "a@b.c");
	assert_true(url_parse(*state, NULL, &url));
	assert_string_equal(url.host, "");
	assert_null(url.userinfo);
	assert_null(url.query);
	assert_null(url.fragment);
}

static void
test_what_is_refused(void **state)
{
	static const char *const bad[] = {
		"http://a b/",
		"http://a/\x7F",
		"http://a\n/",
		"\x01",
		":foo",
		"1:2",
		"a%3A:b/c",
		"a b:c",
		"http://h:80:90/",
		"http://h:x/",
		"http://h:-1/",
		"http://h/%",
		"http://h/%2",
		"http://h/%zz",
		"http://h/#%zz",
		"http://%41/",
		"http://%00/",
		"http://h%/",
		"http://[::1",
		"http://::1]:",
		"http://a[::1]/",
		"http://[1.2.3.4]/",
		"http://[]/",
		"http://[::1]x/",
		"http://[::1%25]/",
		"http://[::g]/",
		"http://u ser@h/",
		"http://u%zz@h/",
		"http://u[@h/",
		"http://h\\@x/",
		"http://h|/",
		"http://h^/",
		"http://h`/",
		"http://{h}/",
	};
	struct url url;

	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(url_parse(*state, bad[i], &url));
}

static void
test_text(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "", "" },
		{ "*", "*" },
		{ "http://h", "http://h" },
		{ "http://h/?", "http://h/?" },
		{ "http://h/#", "http://h/" },
		{ "http://h:/", "http://h:/" },
		{ "//a:1&=:", "//a:1&=:" },
		{ "//h/p", "//h/p" },
		{ "///p", "///p" },
		{ "x:///p", "x:///p" },
		{ "x:/p", "x:/p" },
		{ "x:", "x:" },
		{ "myapp:call?back#x", "myapp:call?back#x" },
		{ "http://@h", "http://@h" },
		{ "http://us%65r:p%40ss@h/", "http://user:p%40ss@h/" },
		{ "http://[::1]:80/", "http://[::1]:80/" },
		{ "http://h/a%2fb", "http://h/a%2fb" },
		{ "http://h/a b\xC3\xA4%2f", "http://h/a%20b%C3%A4%2F" },
		{ "/%2Fevil.example/\xC3\xA4", "/%2Fevil.example/%C3%A4" },
		{ "http://h/p#a b", "http://h/p#a%20b" },
		{ "http://\xC3\xA4.de/", "http://%C3%A4.de/" },
		{ "http://h/?a b", "http://h/?a b" },
		{ "./a:b", "./a:b" },
	};
	struct url url;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(url_parse(*state, rows[i].from, &url));
		assert_string_equal(url_text(*state, &url), rows[i].to);
	}
}

static void
test_escapes(void **state)
{
	assert_string_equal(url_escape(*state, "a b+c/\xC3\xA4~"), "a+b%2Bc%2F%C3%A4~");
	assert_string_equal(url_path_escape(*state, "a b+c/;,"), "a%20b+c%2F%3B%2C");
	assert_string_equal(url_escape(*state, NULL), "");
	assert_string_equal(url_unescape(*state, "a+b%2bcX", 7), "a b+c");
	assert_null(url_unescape(*state, "%", 1));
	assert_null(url_unescape(*state, "%2", 2));
	assert_null(url_unescape(*state, "%41", 2));
	assert_null(url_unescape(*state, "%g1", 3));
	assert_null(url_unescape(*state, "a%00", 4));
}

static void
test_query(void **state)
{
	struct query query = query_parse(*state, "b=1&a=%20x&a=y&%zz=1&c;d=1&&=e&f");

	assert_int_equal(query.len, 5);
	assert_string_equal(query_get(&query, "a"), " x");
	assert_string_equal(query_get(&query, "f"), "");
	assert_string_equal(query_get(&query, ""), "e");
	assert_null(query_get(&query, "zz"));
	assert_string_equal(query_text(&query), "=e&a=+x&a=y&b=1&f=");
	query_set(&query, "a", "z");
	query_set(&query, "f", NULL);
	query_set(&query, "", NULL);
	assert_string_equal(query_text(&query), "a=z&b=1");
	query = query_parse(*state, NULL);
	assert_int_equal(query.len, 0);
	assert_string_equal(query_text(&query), "");
}

static void
test_a_flood_of_parameters(void **state)
{
	struct buf text = buf_new(*state);
	struct query query;

	for (int i = 0; i < 9999; i++)
		buf_puts(&text, "a&");
	query = query_parse(*state, text.data);
	assert_int_equal(query.len, 9999);
	buf_puts(&text, "a&");
	query = query_parse(*state, text.data);
	assert_int_equal(query.len, 0);
}

static void
test_hosts(void **state)
{
	static const struct {
		const char *host;
		enum url_host is;
	} rows[] = { { "a.test", HOST_NAME }, { "A-1.0x7f.test", HOST_NAME }, { "localhost", HOST_NAME }, { "1.a", HOST_NAME },
		{ "0xg", HOST_NAME }, { "127.1.2.3", HOST_LOOPBACK }, { "[::1]", HOST_LOOPBACK }, { "[::ffff:127.0.0.1]", HOST_LOOPBACK },
		{ "10.0.0.1", HOST_ADDRESS }, { "[fd00::1]", HOST_ADDRESS }, { "[::ffff:1.2.3.4]", HOST_ADDRESS },
		{ "2130706433", HOST_ODD }, { "0x7f000001", HOST_ODD }, { "a.0X", HOST_ODD }, { "127.1", HOST_ODD },
		{ "127.0.0.01", HOST_ODD }, { "a.08", HOST_ODD }, { "127.0.0.1.", HOST_ODD }, { "a_b.test", HOST_ODD },
		{ "-a.test", HOST_ODD }, { ".a", HOST_ODD }, { "", HOST_ODD }, { "[fe80::1%25lo]", HOST_ODD },
		{ "\xC3\xA4.test", HOST_ODD } };
	struct url url;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(url_parse(*state, arena_printf(*state, "http://%s/", rows[i].host), &url));
		if (url_host(&url) != rows[i].is)
			fail_msg("%s", rows[i].host);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_parts),
		arena_test(test_what_is_refused),
		arena_test(test_hosts),
		arena_test(test_text),
		arena_test(test_escapes),
		arena_test(test_query),
		arena_test(test_a_flood_of_parameters),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
