/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/db_url.h"

static void
test_conninfo(void **state)
{
	static const struct {
		const char *url, *conninfo, *meaningless;
	} cases[] = {
		{ "postgres://u:p@h:5/d", "postgres://u:p@h:5/d", NULL },
		{ "postgres://u:p@h/d?", "postgres://u:p@h/d", NULL },
		{ "host=h dbname=d?x", "host=h dbname=d?x", NULL },
		{ "postgresql://h/d?sslmode=require&connect_timeout=4", "postgresql://h/d?sslmode=require&connect_timeout=4", NULL },
		{ "postgres://h/d?ssl=true", "postgres://h/d?ssl=true", NULL },
		{ "postgres://h/d?search_path=auth", "postgres://h/d?options=%2Dc%20search%5Fpath%3Dauth", NULL },
		{ "postgres://h/d?search_path=auth,+public&sslmode=disable&geqo=off",
		    "postgres://h/d?sslmode=disable&options=%2Dc%20search%5Fpath%3Dauth%2C%5C%20public%20%2Dc%20geqo%3Doff", NULL },
		{ "postgres://h/d?options=-c%20a.b%3D1&x.y=a%5Cb", "postgres://h/d?options=%2Dc%20a%2Eb%3D1%20%2Dc%20x%2Ey%3Da%5C%5Cb",
		    NULL },
		{ "postgres://h/d?pool_max_conns=5&pgbouncer=true&pool_min_conns=1", "postgres://h/d",
		    "pool_max_conns, pgbouncer, pool_min_conns" },
		{ "postgres://h/d?a-b=1&%3B=2&=3", "postgres://h/d", "a-b, ;, " },
		{ "postgres://h/d?application_name=a%20b%26c", "postgres://h/d?application_name=a%20b%26c", NULL },
		{ "postgres:///d?host=/run/x", "postgres:///d?host=%2Frun%2Fx", NULL },
	};
	struct arena *a = arena_new();
	const char *meaningless = "unset";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_string_equal(db_conninfo(a, cases[i].url, &meaningless), cases[i].conninfo);
		if (cases[i].meaningless == NULL)
			assert_null(meaningless);
		else
			assert_string_equal(meaningless, cases[i].meaningless);
	}
	assert_string_equal(db_conninfo(a, "postgres://h?pool_x=1", NULL), "postgres://h");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_conninfo) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
