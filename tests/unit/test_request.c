/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web_double.h"

static struct arena *arena;

static struct request *
get(char *const *variables)
{
	arena_wipe(arena);
	return (double_request(arena, variables, "", 0));
}
#define GET(...) get((char *const[]){ "REQUEST_METHOD=GET", __VA_ARGS__, NULL })

static void
test_path(void **state)
{
	(void)state;
	assert_string_equal(GET("SCRIPT_NAME=/auth/v1", "PATH_INFO=/user")->path, "/user");
	assert_string_equal(GET("SCRIPT_NAME=", "PATH_INFO=/user")->path, "/user");
	assert_string_equal(GET("SCRIPT_NAME=/user", "PATH_INFO=", "REQUEST_URI=/user?x=/y")->path, "/user");
	assert_string_equal(GET("REQUEST_URI=/us%65r?x=1")->path, "/user");
	assert_string_equal(GET("QUERY_STRING=a")->path, "");
	assert_string_equal(GET("PATH_INFO=/\xff")->path, "");
}

static void
test_encoded_slash(void **state)
{
	(void)state;
	assert_string_equal(GET("SCRIPT_NAME=/auth", "PATH_INFO=/admin/users/a/b", "REQUEST_URI=/auth/admin/users/a%2fb?q=%2F")->path,
	    "/admin/users/a%2Fb");
	assert_string_equal(GET("SCRIPT_NAME=/admin/users/a/b", "REQUEST_URI=/admin/users/a%2Fb")->path, "/admin/users/a%2Fb");
	/* rewritten on the way: what the web server says counts */
	assert_string_equal(GET("PATH_INFO=/user", "REQUEST_URI=/x%2fy")->path, "/user");
	assert_string_equal(GET("PATH_INFO=/a/b", "REQUEST_URI=/a%2fb%")->path, "/a/b");
}

static void
test_headers(void **state)
{
	struct request *r = GET("HTTP_AUTHORIZATION=Bearer x", "CONTENT_TYPE=text/x", "HTTP_PROXY=http://evil", "HTTP_USER_AGENT=M\xfcller",
	    "HTTP_X_TWICE=one", "HTTP_X_TWICE=two", "HTTP_REDIRECT_TO=http://a", "HTTP_X", "HTTP_", "=", "");

	(void)state;
	assert_string_equal(request_header(r, "authorization"), "Bearer x");
	assert_string_equal(request_header(r, "Content-Type"), "text/x");
	assert_null(request_header(r, "Proxy"));
	assert_null(request_header(r, "X"));
	assert_null(request_header(r, ""));
	assert_string_equal(request_header(r, "X-Twice"), "one");
	assert_string_equal(request_header(r, "redirect_to"), "http://a");
	assert_string_equal(r->user_agent, "M?ller");
	assert_false(request_ambiguous(r));
	assert_true(request_ambiguous(GET("SERVER_SOFTWARE=lighttpd/1.4.69", "HTTP_X_Y=1", "HTTP_X_Y=2")));
	assert_false(request_ambiguous(GET("SERVER_SOFTWARE=lighttpd/1.4.69", "HTTP_X_Y=1", "HTTP_X_Y_Z=2", "HTTP_X=3")));
}

static const char *
cookie(const char *name, char *header)
{
	return (request_cookie(GET(header), name));
}

static void
test_cookies(void **state)
{
	struct request *r = GET("HTTP_COOKIE=a=1; b=2", "HTTP_COOKIE=b=3;c=4");

	(void)state;
	assert_string_equal(request_cookie(r, "a"), "1");
	assert_string_equal(request_cookie(r, "c"), "4");
	assert_null(request_cookie(r, "b"));
	assert_null(request_cookie(GET("COOKIE=a=1"), "a"));
	assert_string_equal(cookie("__Host-s", "HTTP_COOKIE=s=0;\t__Host-s=x=y== ;t"), "x=y==");
	assert_string_equal(cookie("a", "HTTP_COOKIE=;; ;a=;aa=2; A=3; ba=4; a"), "");
	assert_null(cookie("a", "HTTP_COOKIE=a"));
	assert_null(cookie("", "HTTP_COOKIE=a=1"));
	assert_null(cookie("a", "HTTP_COOKIE=a=1; a=1"));
	assert_null(cookie("a", "HTTP_COOKIE=a=; a=1"));
	assert_null(cookie("a", "HTTP_COOKIE=a=\"1\""));
	assert_null(cookie("a", "HTTP_COOKIE=a=1 2"));
	assert_null(cookie("a", "HTTP_COOKIE=a=1,b=2"));
	assert_null(cookie("a", "HTTP_COOKIE=a=\xc3\xa4"));
	assert_null(cookie("a", "HTTP_COOKIE=a=1\x7f"));
}

static void
test_address(void **state)
{
	(void)state;
	assert_string_equal(GET("REMOTE_ADDR=192.0.2.1")->address, "192.0.2.1");
	assert_string_equal(GET("REMOTE_ADDR=unix:")->address, "unix:");
	assert_string_equal(GET("A=b")->address, "");
	assert_string_equal(GET("REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED_FOR=junk, 203.0.113.7 ,10.0.0.1")->address, "203.0.113.7");
	assert_string_equal(GET("REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED_FOR=010.0.0.1,fe80::1%eth0, ")->address, "192.0.2.1");
	assert_string_equal(GET("HTTP_X_FORWARDED_FOR=2001:DB8:0:0::1")->address, "2001:db8::1");
	assert_string_equal(GET("HTTP_X_FORWARDED_FOR=::ffff:198.51.100.9")->address, "198.51.100.9");
}

static void
test_forwarded_for(void **state)
{
	(void)state;
	assert_string_equal(GET("HTTP_SB_FORWARDED_FOR=203.0.113.1", "HTTP_X_FORWARDED_FOR=203.0.113.2")->address, "203.0.113.2");
	double_settings.gotrue_security_sb_forwarded_for_enabled = true;
	assert_string_equal(GET("HTTP_SB_FORWARDED_FOR= 203.0.113.1 ,1.1.1.1", "HTTP_X_FORWARDED_FOR=203.0.113.2")->address, "203.0.113.1");
	assert_string_equal(GET("HTTP_SB_FORWARDED_FOR=x,1.1.1.1", "HTTP_X_FORWARDED_FOR=203.0.113.2")->address, "203.0.113.2");
	double_settings.gotrue_security_sb_forwarded_for_enabled = false;
}

static void
test_request_id(void **state)
{
	(void)state;
	assert_int_equal(strlen(GET("HTTP_X_ID=abc")->id), 36);
	double_settings.gotrue_api_request_id_header = "X-Id";
	assert_string_equal(GET("HTTP_X_ID=abc")->id, "abc");
	assert_int_equal(strlen(GET("HTTP_X_OTHER=abc")->id), 36);
	double_settings.gotrue_api_request_id_header = "";
}

static void
test_form_values(void **state)
{
	static char *vars[] = { "REQUEST_METHOD=POST", "CONTENT_TYPE=application/x-www-form-urlencoded; charset=UTF-8",
		"QUERY_STRING=grant_type=query&other=o&bad=%ff", NULL };
	static char body[] = "grant_type=form+x&a=%41";
	struct request *r;

	(void)state;
	arena_wipe(arena);
	r = double_request(arena, vars, body, strlen(body));
	assert_string_equal(request_form_value(r, "grant_type"), "form x");
	assert_string_equal(request_form_value(r, "other"), "o");
	assert_string_equal(request_form_value(r, "a"), "A");
	assert_string_equal(request_form_value(r, "bad"), "");
	assert_string_equal(request_form_value(r, "none"), "");
	assert_int_equal(r->body_len, 0);
	vars[0] = "REQUEST_METHOD=DELETE";
	r = double_request(arena, vars, body, strlen(body));
	assert_string_equal(request_form_value(r, "grant_type"), "query");
	assert_int_equal(r->body_len, strlen(body));
}

static void
test_restart(void **state)
{
	struct request *r = GET("PATH_INFO=/user");
	const struct request point = *r;

	(void)state;
	request_done(r, "limit");
	request_commit_anyway(r);
	reply_header(r, "X-A", "1");
	(void)fail(r, E_USER_BANNED, NULL);
	request_restart(r, &point);
	assert_memory_equal(r, &point, sizeof(point));
	assert_true(request_did(r, "limit"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_path), cmocka_unit_test(test_encoded_slash),
		cmocka_unit_test(test_headers), cmocka_unit_test(test_cookies), cmocka_unit_test(test_address),
		cmocka_unit_test(test_forwarded_for), cmocka_unit_test(test_request_id), cmocka_unit_test(test_form_values),
		cmocka_unit_test(test_restart) };
	int failed;

	arena = arena_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return (failed);
}
