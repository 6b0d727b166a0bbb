/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web_double.h"

struct inner {
	const char *code;
	bool on;
};
struct outer {
	const char *email;
	const char *phone;
	bool create;
	const bool *maybe;
	int64_t count;
	double ratio;
	char **words;
	const char *data;
	json *any;
	struct inner inner;
	const char *skey;
};

static const struct param inner_fields[] = { PARAM(struct inner, text, code), PARAM(struct inner, boolean, on), PARAM_END };
static const struct param outer_fields[] = { PARAM(struct outer, text, email), PARAM(struct outer, maybe_text, phone),
	PARAM_NAMED(struct outer, boolean, create, "create_user"), PARAM(struct outer, maybe_bool, maybe),
	PARAM(struct outer, integer, count), PARAM(struct outer, real, ratio), PARAM(struct outer, strings, words),
	PARAM(struct outer, raw_object, data), PARAM(struct outer, value, any), PARAM_NESTED(struct outer, inner, inner_fields),
	PARAM(struct outer, text, skey), PARAM_END };

static char *post[] = { "REQUEST_METHOD=POST", "CONTENT_TYPE=text/plain", NULL };
static struct arena *arena;
static struct request *last;

static err
read_bytes(struct outer *into, const char *body, size_t len)
{
	arena_wipe(arena);
	memset(into, 0, sizeof(*into));
	last = double_request(arena, post, body, len);
	return (params_read(last, outer_fields, into));
}

static err
read_text(struct outer *into, const char *body)
{
	return (read_bytes(into, body, strlen(body)));
}

static void
test_all_kinds(void **state)
{
	struct outer o;

	(void)state;
	assert_int_equal(read_text(&o,
			     "{\"email\":\"a@b\",\"phone\":\"\",\"create_user\":true,\"maybe\":false,\"count\":-7,\"ratio\":0.5,"
			     "\"words\":[\"x\",null],\"data\":{\"n\":1234567890123456789012345678901234567890},\"any\":[1],"
			     "\"inner\":{\"code\":\"c\",\"on\":true},\"unknown\":{}}"),
	    OK);
	assert_string_equal(o.email, "a@b");
	assert_string_equal(o.phone, "");
	assert_true(o.create);
	assert_non_null(o.maybe);
	assert_false(*o.maybe);
	assert_int_equal(o.count, -7);
	assert_true(o.ratio > 0.4 && o.ratio < 0.6);
	assert_string_equal(o.words[0], "x");
	assert_string_equal(o.words[1], "");
	assert_null(o.words[2]);
	assert_string_equal(o.data, "{\"n\":1234567890123456789012345678901234567890}");
	assert_int_equal(json_len(o.any), 1);
	assert_string_equal(o.inner.code, "c");
	assert_true(o.inner.on);
}

static void
test_absent(void **state)
{
	static const char nulls[] =
	    "{\"email\":null,\"phone\":null,\"create_user\":null,\"maybe\":null,\"count\":null,\"ratio\":null,"
	    "\"words\":null,\"data\":null,\"any\":null,\"inner\":null}";
	static const char *const bodies[] = { "{}", "null", " null ", nulls, "{\"inner\":{\"code\":null}}" };
	struct outer o;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(read_text(&o, bodies[i]), OK);
		assert_string_equal(o.email, "");
		assert_string_equal(o.inner.code, "");
		assert_null(o.phone);
		assert_null(o.maybe);
		assert_null(o.words);
		assert_null(o.data);
		assert_null(o.any);
		assert_int_equal(o.count, 0);
	}
}

static void
test_refused(void **state)
{
	static const char *const bodies[] = { "", " ", "[]", "5", "true", "\"x\"", "{", "{}x", "{,}", "{'email':1}", "{\"email\":5}",
		"{\"email\":true}", "{\"email\":[\"a\"]}", "{\"phone\":{}}", "{\"create_user\":\"true\"}", "{\"create_user\":1}",
		"{\"maybe\":\"\"}", "{\"count\":\"1\"}", "{\"count\":1.5}", "{\"count\":9223372036854775808}", "{\"ratio\":\"1\"}",
		"{\"ratio\":1e999}", "{\"words\":\"x\"}", "{\"words\":[1]}", "{\"data\":[1]}", "{\"data\":\"x\"}",
		"{\"data\":{\"a\":[{\"b\":1e999}]}}", "{\"any\":-1e999}", "{\"inner\":[]}", "{\"inner\":{\"code\":1}}", "{\"EMAIL\":5}",
		"{\"email\":\"\\u0000\"}", "\xEF\xBB\xBF{}" };
	struct outer o;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		print_message("%s\n", bodies[i]);
		assert_int_equal(read_text(&o, bodies[i]), E_BAD_JSON);
		assert_non_null(strstr(last->failure.message, "Could not parse request body as JSON: "));
	}
	assert_int_equal(read_text(&o, ""), E_BAD_JSON);
	assert_string_equal(last->failure.message, "Could not parse request body as JSON: unexpected end of JSON input");
	assert_int_equal(read_text(&o, "{\"email\":5}"), E_BAD_JSON);
	assert_string_equal(last->failure.message, "Could not parse request body as JSON: email must be a string");
}

static void
test_names(void **state)
{
	struct outer o;

	(void)state;
	assert_int_equal(read_text(&o, "{\"EMAIL\":\"x\",\"Create_User\":true}"), OK);
	assert_string_equal(o.email, "x");
	assert_true(o.create);
	assert_int_equal(read_text(&o, "{\"email\":\"x\",\"email\":\"y\"}"), OK);
	assert_string_equal(o.email, "y");
	assert_int_equal(read_text(&o, "{\"email\":\"x\",\"Email\":\"y\"}"), OK);
	assert_string_equal(o.email, "y");
	assert_int_equal(read_text(&o,
			     "{\"\xC5\xBF\xE2\x84\xAA"
			     "ey\":\"folded\"}"),
	    OK);
	assert_string_equal(o.skey, ""); /* the long s and the Kelvin sign make another name */
	assert_int_equal(read_text(&o, "{\"emai\":\"x\",\"emaill\":\"y\"}"), OK);
	assert_string_equal(o.email, "");
}

static void
test_size(void **state)
{
	static char body[(1 << 20) + 1];
	struct outer o;

	(void)state;
	memset(body, ' ', sizeof(body));
	assert_int_equal(read_bytes(&o, body, sizeof(body)), E_REQUEST_ENTITY_TOO_LARGE);
	assert_string_equal(last->failure.message, "Request body too large (max 1048576 bytes)");
	assert_int_equal(read_bytes(&o, body, sizeof(body) - 1), E_BAD_JSON);
	memcpy(body, "{}", 2);
	assert_int_equal(read_bytes(&o, body, sizeof(body) - 1), OK);
}

static void
test_broken(void **state)
{
	static char *vars[] = { "REQUEST_METHOD=POST", "CONTENT_LENGTH=3", NULL };
	struct outer o;

	(void)state;
	arena_wipe(arena);
	last = double_request(arena, vars, "{}", 2);
	assert_int_equal(params_read(last, outer_fields, &o), E_UNEXPECTED_FAILURE);
}

/* Go's ParseForm has read the body before the handler comes, which then finds nothing. */
static void
test_form_is_no_json(void **state)
{
	static char *vars[] = { "REQUEST_METHOD=POST", "CONTENT_TYPE= Application/X-WWW-Form-Urlencoded ; charset", NULL };
	struct outer o;

	(void)state;
	arena_wipe(arena);
	last = double_request(arena, vars, "{}", 2);
	assert_int_equal(params_read(last, outer_fields, &o), E_BAD_JSON);
}

static void
test_twice(void **state)
{
	struct outer o, again;

	(void)state;
	assert_int_equal(read_text(&o, "{\"email\":\"x\"}"), OK);
	assert_int_equal(params_read(last, outer_fields, &again), OK);
	assert_string_equal(again.email, "x");
}

static err
read_form(struct outer *into, const char *body)
{
	static char *form[] = { "REQUEST_METHOD=POST", "CONTENT_TYPE=application/x-www-form-urlencoded", "QUERY_STRING=email=q&phone=%ff",
		NULL };

	arena_wipe(arena);
	memset(into, 0, sizeof(*into));
	last = double_request(arena, form, body, strlen(body));
	return (form_read(last, &last->form, outer_fields, into));
}

static void
test_form(void **state)
{
	struct outer o;

	(void)state;
	assert_int_equal(
	    read_form(&o,
		"email=a%40b+c&phone=1&create_user=true&maybe=false&count=-7&ratio=0.5&words=x&words=&words=y&Email=z&data=&skey=0"),
	    OK);
	assert_string_equal(o.email, "a@b c");
	assert_string_equal(o.phone, "1");
	assert_true(o.create && o.maybe != NULL && !*o.maybe);
	assert_int_equal(o.count, -7);
	assert_true(o.ratio > 0.4 && o.ratio < 0.6);
	assert_string_equal(o.words[0], "x");
	assert_string_equal(o.words[1], "y");
	assert_null(o.words[2]);
	assert_string_equal(o.skey, "0");
	/* What is empty is not there, and the query is another source. */
	assert_int_equal(read_form(&o, "phone=&create_user=&email=&email=x"), OK);
	assert_string_equal(o.email, "x");
	assert_null(o.phone);
	assert_false(o.create);
	assert_null(o.words);
	assert_int_equal(read_form(&o, ""), OK);
	assert_string_equal(o.email, "");
	assert_int_equal(form_read(last, &last->query, outer_fields, &o), OK);
	assert_string_equal(o.email, "q");
	assert_null(o.phone);
}

static void
form_is_refused(const char *body, const char *words)
{
	struct outer o;

	assert_int_equal(read_form(&o, body), E_VALIDATION_FAILED);
	assert_string_equal(last->failure.message, words);
}

static void
test_form_mistakes(void **state)
{
	struct outer o;

	(void)state;
	form_is_refused("email=a&email=a", "email must not be given twice");
	form_is_refused("count=1&skey=x&count=2", "count must not be given twice");
	form_is_refused("count=1.5", "count must be a whole number");
	form_is_refused("count=1+2", "count must be a whole number");
	form_is_refused("create_user=on", "create_user must be true or false");
	form_is_refused("maybe=null", "maybe must be true or false");
	form_is_refused("data={}", "data must be an object with numbers in range");
	form_is_refused("inner={}", "inner must be an object");
	read_form(&o, "email=a");
	last->body_state = BODY_TOO_LARGE;
	assert_int_equal(form_read(last, &last->form, outer_fields, &o), E_REQUEST_ENTITY_TOO_LARGE);
	assert_int_equal(form_read(last, &last->query, outer_fields, &o), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_kinds), cmocka_unit_test(test_absent), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names), cmocka_unit_test(test_size), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_form_is_no_json), cmocka_unit_test(test_twice), cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_mistakes) };
	int failed;

	arena = arena_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return (failed);
}
