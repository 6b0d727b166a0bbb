/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web_double.h"
#include "base/buf.h"
#include "base/str.h"
#include "db/db.h"
#include "html/pages.h"

static struct arena *arena;

static struct request *
request(char *const *variables)
{
	arena_wipe(arena);
	memset(&double_error, 0, sizeof(double_error));
	return (double_request(arena, variables, "", 0));
}
#define REQUEST(method, ...) request((char *const[]){ "REQUEST_METHOD=" method, __VA_ARGS__, NULL })
#define PLAIN() REQUEST("GET", "PATH_INFO=/x")
#define LATER() REQUEST("GET", "HTTP_X_SUPABASE_API_VERSION=2024-01-01")

static const char *
header(struct request *r, const char *name)
{
	return (str_or(query_get(&r->reply.headers, name), ""));
}

static void
failure_is(struct request *r, err error, int status, const char *code, const char *body)
{
	reply_failure(r, error);
	assert_int_equal(r->reply.status, status);
	assert_string_equal(header(r, "X-Sb-Error-Code"), code);
	assert_string_equal(r->reply.body, body);
}

static void
test_first_form(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	failure_is(r, fail(r, E_USER_BANNED, NULL), 403, "user_banned",
	    "{\"code\":403,\"error_code\":\"user_banned\",\"msg\":\"User is banned\"}");
	r = PLAIN();
	failure_is(r, fail_as(r, E_BAD_JWT, 401, "no %s", "\"t\""), 401, "bad_jwt",
	    "{\"code\":401,\"error_code\":\"bad_jwt\",\"msg\":\"no \\\"t\\\"\"}");
	r = PLAIN();
	(void)fail(r, E_USER_BANNED, "swallowed");
	failure_is(r, E_USER_NOT_FOUND, 404, "user_not_found",
	    "{\"code\":404,\"error_code\":\"user_not_found\",\"msg\":\"User not found\"}");
	assert_string_equal(header(r, "X-Supabase-Api-Version"), "");
}

static void
test_server_errors(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	r->id = "id";
	failure_is(r, fail(r, E_UNEXPECTED_FAILURE, "words"), 500, "unexpected_failure",
	    "{\"code\":500,\"error_code\":\"unexpected_failure\",\"msg\":\"words\",\"error_id\":\"id\"}");
	r = PLAIN();
	failure_is(r, E_UNEXPECTED_FAILURE, 500, "",
	    "{\"code\":500,\"error_code\":\"unexpected_failure\",\"msg\":\"Unexpected failure, please check server logs for more "
	    "information\"}");
	r = PLAIN();
	r->id = "id";
	(void)fail(r, E_UNEXPECTED_FAILURE, "no code");
	r->failure.code = "";
	failure_is(r, E_UNEXPECTED_FAILURE, 500, "",
	    "{\"code\":500,\"error_code\":\"unexpected_failure\",\"msg\":\"no code\",\"error_id\":\"id\"}");
	r = PLAIN();
	reply_failure(r, E_UNAVAILABLE);
	assert_int_equal(r->reply.status, 503);
	assert_string_equal(header(r, "Retry-After"), "1");
}

static void
test_2024_form(void **state)
{
	static char version[] = "HTTP_X_SUPABASE_API_VERSION=0000-00-00";
	static const struct {
		const char *date;
		bool later;
	} cases[] = { { "2024-01-01", true }, { "2031-05-05", true }, { "2024-02-29", true }, { "2023-12-31", false },
		{ "1999-01-01", false }, { "2025-02-29", false }, { "2024-13-01", false }, { "2024-00-10", false }, { "2024-04-31", false },
		{ "2024-1-001", false }, { "20240101ab", false } };
	struct request *r = LATER();

	(void)state;
	failure_is(r, fail(r, E_UNEXPECTED_FAILURE, "words"), 500, "unexpected_failure",
	    "{\"code\":\"unexpected_failure\",\"message\":\"words\"}");
	assert_string_equal(header(r, "X-Supabase-Api-Version"), "2024-01-01");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(version + sizeof(version) - 11, cases[i].date, 10);
		r = REQUEST("GET", version);
		reply_failure(r, E_USER_BANNED);
		assert_int_equal(strstr(r->reply.body, "\"message\"") != NULL, cases[i].later);
	}
}

static void
test_extra(void **state)
{
	static const char extra[] = "{\"weak_password\":{\"reasons\":[\"length\"]}}";
	struct request *r = PLAIN();

	(void)state;
	r->failure.extra = extra;
	failure_is(r, fail(r, E_WEAK_PASSWORD, "short"), 422, "weak_password",
	    "{\"code\":422,\"error_code\":\"weak_password\",\"msg\":\"short\",\"weak_password\":{\"reasons\":[\"length\"]}}");
	r = LATER();
	r->failure.extra = extra;
	failure_is(r, fail(r, E_WEAK_PASSWORD, "short"), 422, "",
	    "{\"code\":\"weak_password\",\"message\":\"short\",\"weak_password\":{\"reasons\":[\"length\"]}}");
}

static void
test_oauth(void **state)
{
	struct request *r = LATER();

	(void)state;
	failure_is(r, fail_oauth(r, "invalid request", "id_token required"), 400, "",
	    "{\"error\":\"invalid request\",\"error_description\":\"id_token required\"}");
	assert_string_equal(header(r, "X-Supabase-Api-Version"), "2024-01-01");
	r = PLAIN();
	failure_is(r, fail_oauth(r, "x", NULL), 400, "", "{\"error\":\"x\"}");
}

static void
test_challenge(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	failure_is(r, fail_challenge(r, fail_oauth(r, "invalid_client", "no"), 401, "Basic", "realm", "a", NULL), 401, "",
	    "{\"error\":\"invalid_client\",\"error_description\":\"no\"}");
	assert_string_equal(header(r, "WWW-Authenticate"), "Basic realm=\"a\"");
	r = PLAIN();
	failure_is(r, fail_challenge(r, E_USER_BANNED, 401, "Bearer", "error", "x\"y\\z\xc3\xa4", "scope", "a b", NULL), 401, "user_banned",
	    "{\"code\":401,\"error_code\":\"user_banned\",\"msg\":\"User is banned\"}");
	assert_string_equal(header(r, "WWW-Authenticate"), "Bearer error=\"x'y?z\?\?\", scope=\"a b\"");
	/* It belongs to that error alone. */
	r = PLAIN();
	(void)fail_challenge(r, E_USER_BANNED, 401, "Bearer", "error", "x", NULL);
	reply_failure(r, E_USER_NOT_FOUND);
	assert_int_equal(r->reply.status, 404);
	assert_string_equal(header(r, "WWW-Authenticate"), "");
}

static void
database_is(const char *sqlstate, int status, bool shown)
{
	struct request *r = PLAIN();

	double_error = (struct db_error){ .sqlstate = sqlstate, .message = "said \"no\"", .hint = "hint" };
	reply_failure(r, fail(r, E_DATABASE, "Database error saving new user"));
	assert_int_equal(r->reply.status, status);
	assert_string_equal(header(r, "X-Sb-Error-Code"), "unexpected_failure");
	assert_int_equal(strstr(r->reply.body, "said") != NULL, shown);
	if (shown)
		assert_string_equal(strchr(r->reply.body, ','), ",\"message\":\"said \\\"no\\\"\",\"hint\":\"hint\"}");
	else
		assert_non_null(strstr(r->reply.body, "\"msg\":\"Database error saving new user\",\"error_id\":"));
}

static void
test_database(void **state)
{
	struct request *r;

	(void)state;
	database_is("P0001", 500, true);
	database_is("23505", 500, true);
	database_is("PT404", 404, true);
	database_is("PT099", 500, true);
	database_is("PT000", 500, false);
	database_is("PTxyz", 500, false);
	database_is("22021", 500, false);
	database_is("", 500, false);
	r = LATER();
	double_error = (struct db_error){ .sqlstate = "P0001", .message = "said" };
	failure_is(r, fail(r, E_DATABASE, "words"), 500, "unexpected_failure", "{\"code\":\"unexpected_failure\",\"message\":\"words\"}");
}

static void
nothing(struct request *r, void *arg)
{
	(void)r;
	(void)arg;
}

static void
test_after_is_dropped(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	after(r, nothing, NULL);
	reply_failure(r, COMMIT_WITH(r, E_USER_BANNED));
	assert_non_null(r->after);
	r->commit_anyway = false;
	double_kept = true; /* db_commit_early() */
	reply_failure(r, E_USER_BANNED);
	assert_non_null(r->after);
	double_kept = false;
	reply_failure(r, E_USER_BANNED);
	assert_null(r->after);
}

#define KEPT "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n" /* by nobody */

static void
test_bytes(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	reply_header(r, "X-A", "b\r\nSet-Cookie: c");
	reply_json(r, 200, "{}");
	assert_string_equal(reply_bytes(r).data,
	    "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n" KEPT "X-A: b  Set-Cookie: c\r\n\r\n{}");
	reply_empty(r, 204);
	assert_string_equal(reply_bytes(r).data, "Status: 204 No Content\r\n" KEPT "X-A: b  Set-Cookie: c\r\n\r\n");
	r = REQUEST("HEAD", "PATH_INFO=/");
	reply_json(r, 200, "{}");
	assert_string_equal(reply_bytes(r).data, "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n" KEPT "\r\n");
}

#define SENT "Status: 204 No Content\r\n" KEPT

static void
test_cookies(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	reply_cookie(r, &(struct cookie){ .name = "a", .value = "first", .path = "/" });
	reply_cookie(r,
	    &(struct cookie){ .name = "__Secure-b", .value = "2", .path = "/ui/", .domain = "b.test", .max_age = 60, .secure = true });
	reply_cookie(r, &(struct cookie){ .name = "a", .path = "/" });
	reply_empty(r, 204);
	assert_string_equal(reply_bytes(r).data, SENT
	    "Set-Cookie: __Secure-b=2; Path=/ui/; Domain=b.test; Max-Age=60; Secure; HttpOnly; SameSite=Lax\r\n"
	    "Set-Cookie: a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax\r\n\r\n");
	r = PLAIN();
	reply_cookie(r, &(struct cookie){ .name = "a", .value = "x; Domain=evil.test", .path = "/\r\nX-B: c" });
	reply_empty(r, 204);
	assert_string_equal(reply_bytes(r).data, SENT "Set-Cookie: a=; Path=/  X-B: c; HttpOnly; SameSite=Lax\r\n\r\n");
}

/* What was rolled back is announced to nobody. */
static void
test_cookies_of_an_error(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	reply_cookie(r, &(struct cookie){ .name = "a", .value = "1", .path = "/" });
	reply_failure(r, E_USER_BANNED);
	assert_null(strstr(reply_bytes(r).data, "Set-Cookie"));
	reply_cookie(r, &(struct cookie){ .name = "a", .value = "1", .path = "/" });
	reply_failure(r, COMMIT_WITH(r, E_USER_BANNED));
	assert_non_null(strstr(reply_bytes(r).data, "Set-Cookie: a=1"));
}

static err
nothing_more(struct request *r, void *state, struct buf *out)
{
	(void)r;
	(void)state;
	(void)out;
	return (OK);
}

static void
test_bytes_of_a_beginning(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	reply_stream(r, NULL, "[1", nothing_more, NULL);
	assert_string_equal(reply_bytes(r).data, "Status: 200 OK\r\nContent-Type: application/json\r\n" KEPT "\r\n[1");
	reply_stream(r, "text/csv", "a,b", NULL, NULL);
	assert_string_equal(reply_bytes(r).data, "Status: 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n" KEPT "\r\na,b");
	reply_json(r, 500, "{}");
	assert_string_equal(reply_bytes(r).data,
	    "Status: 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 2\r\n" KEPT "\r\n{}");
}

static void
test_redirect(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	reply_redirect(r, 303, "http://a/?x=\"<\xc3\xa4\r\n");
	assert_string_equal(header(r, "Location"), "http://a/?x=\"<%c3%a4%0d%0a");
	assert_string_equal(r->reply.body, "<a href=\"http://a/?x=&#34;&lt;%c3%a4%0d%0a\">See Other</a>.\n\n");
	r = REQUEST("POST", "PATH_INFO=/");
	reply_redirect(r, 303, "http://a/");
	assert_null(r->reply.body);
}

#define PAGE "Content-Type: text/html; charset=utf-8\r\n"
#define LOCKED "Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"

static void
test_pages(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	assert_int_equal(reply_html(r, 403, "<p>{{ .A }}</p>", "{\"A\":\"<b>\"}"), OK);
	assert_string_equal(reply_bytes(r).data,
	    "Status: 403 Forbidden\r\n" PAGE "Content-Length: 16\r\n" KEPT LOCKED "\r\n<p>&lt;b&gt;</p>");
	r = PLAIN();
	assert_int_equal(reply_html(r, 200, page_confirm, NULL), OK);
	assert_non_null(strstr(r->reply.body, "<form method=\"post\">"));
	r = PLAIN();
	assert_int_equal(reply_html(r, 200, "<p {{ .A }}>", NULL), E_UNEXPECTED_FAILURE);
	reply_failure(r, E_UNEXPECTED_FAILURE);
	assert_int_equal(r->reply.status, 500);
	assert_non_null(strstr(r->failure.cause, "line 1, column 4"));
}

/* As long as no header may be. */
static void
test_redirect_page(void **state)
{
	struct request *r = PLAIN();

	(void)state;
	double_settings.postern_redirect_max = 10;
	reply_redirect(r, 303, "app://a/?x=\"<'&\xc3\xa4");
	double_settings.postern_redirect_max = 0;
	assert_int_equal(r->reply.status, 200);
	assert_string_equal(header(r, "Location"), "");
	assert_non_null(strstr(r->reply.body, "content=\"0;url=app://a/?x=&#34;&lt;&#39;&amp;%c3%a4\">"));
	assert_non_null(strstr(r->reply.body, "<a href=\"app://a/?x=&#34;&lt;&#39;&amp;%c3%a4\">Continue</a>"));
	assert_string_equal(header(r, "Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'");
}

static bool
allowed(const char *method, const char *headers)
{
	char *const vars[] = { "REQUEST_METHOD=OPTIONS", "HTTP_ORIGIN=https://app",
		arena_printf(arena, "HTTP_ACCESS_CONTROL_REQUEST_METHOD=%s", method),
		arena_printf(arena, "HTTP_ACCESS_CONTROL_REQUEST_HEADERS=%s", headers), NULL };
	struct request *r = double_request(arena, vars, "", 0);

	assert_true(cors_preflight(r));
	assert_int_equal(r->reply.status, 204);
	assert_string_equal(header(r, "Vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
	if (query_get(&r->reply.headers, "Access-Control-Allow-Origin") == NULL)
		return (false);
	assert_string_equal(header(r, "Access-Control-Allow-Methods"), method);
	assert_string_equal(header(r, "Access-Control-Allow-Headers"), headers);
	return (true);
}

static void
test_preflight(void **state)
{
	static char *more[] = { "X-Other", NULL }, *star[] = { "*", NULL };
	char **none = double_settings.gotrue_cors_allowed_headers;

	(void)state;
	assert_true(allowed("POST", ""));
	assert_true(allowed("PUT", "authorization,content-type"));
	assert_true(allowed("OPTIONS", "x-supabase-api-version,x-use-cookie"));
	assert_false(allowed("HEAD", ""));
	assert_false(allowed("put", ""));
	assert_false(allowed("PUT", "Authorization"));
	assert_false(allowed("PUT", "authorization, content-type"));
	assert_false(allowed("PUT", "content-type,authorization"));
	assert_false(allowed("PUT", "authorization,authorization"));
	assert_false(allowed("PUT", "authorization,x-other"));
	double_settings.gotrue_cors_allowed_headers = more;
	assert_true(allowed("PUT", "authorization,x-other"));
	double_settings.gotrue_cors_allowed_headers = star;
	assert_true(allowed("PUT", "z,y"));
	double_settings.gotrue_cors_allowed_headers = none;
	assert_false(cors_preflight(REQUEST("OPTIONS", "HTTP_ORIGIN=https://app")));
	assert_false(cors_preflight(REQUEST("GET", "HTTP_ACCESS_CONTROL_REQUEST_METHOD=GET")));
}

static void
test_cors(void **state)
{
	struct request *r = REQUEST("GET", "HTTP_ORIGIN=https://app");

	(void)state;
	cors_headers(r);
	assert_string_equal(header(r, "Access-Control-Allow-Origin"), "*");
	assert_string_equal(header(r, "Access-Control-Expose-Headers"), "X-Total-Count, Link, X-Supabase-Api-Version");
	assert_string_equal(header(r, "Vary"), "Origin");
	r = REQUEST("HEAD", "HTTP_ORIGIN=https://app");
	cors_headers(r);
	assert_string_equal(header(r, "Access-Control-Allow-Origin"), "");
	assert_string_equal(header(r, "Vary"), "Origin");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_first_form), cmocka_unit_test(test_server_errors),
		cmocka_unit_test(test_2024_form), cmocka_unit_test(test_extra), cmocka_unit_test(test_oauth),
		cmocka_unit_test(test_challenge), cmocka_unit_test(test_database), cmocka_unit_test(test_after_is_dropped),
		cmocka_unit_test(test_bytes), cmocka_unit_test(test_cookies), cmocka_unit_test(test_cookies_of_an_error),
		cmocka_unit_test(test_bytes_of_a_beginning), cmocka_unit_test(test_redirect), cmocka_unit_test(test_redirect_page),
		cmocka_unit_test(test_pages), cmocka_unit_test(test_preflight), cmocka_unit_test(test_cors) };
	int failed;

	arena = arena_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return (failed);
}
