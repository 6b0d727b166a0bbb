/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "fixture.h"

static void
test_text(void **state)
{
	assert_string_equal(clock_rfc3339(*state, 0), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_rfc3339(*state, -1), "1969-12-31T23:59:59.999999Z");
	assert_string_equal(clock_rfc3339(*state, 1795499700123456), "2026-11-24T05:55:00.123456Z");
	assert_string_equal(clock_rfc3339(*state, 1795499700120000), "2026-11-24T05:55:00.12Z");
}

static void
test_parsing(void **state)
{
	static const struct {
		const char *text;
		usec at;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-24T05:55:00.123456Z", 1795499700123456 },
		{ "2026-11-24T05:55:00.1234569Z", 1795499700123456 },
		{ "2026-11-24T07:55:00.5+02:00", 1795499700500000 },
		{ "1969-12-31T23:59:59.9-00:00", -100000 },
		{ "2024-02-29T00:00:00Z", 1709164800000000 },
	};
	static const char *const bad[] = {
		"",
		"2026-11-24",
		"2026-11-24T05:55:00",
		"2026-11-24 05:55:00Z",
		"2026-11-24t05:55:00Z",
		"2026-11-24T05:55:00z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+0100",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00Z ",
		" 2026-01-01T00:00:00Z",
		"02026-01-01T00:00:00Z",
		"-026-01-01T00:00:00Z",
	};
	usec at;

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_true(clock_parse_rfc3339(good[i].text, &at));
		assert_true(at == good[i].at);
	}
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(clock_parse_rfc3339(bad[i], &at));
	assert_false(clock_parse_rfc3339(NULL, &at));
}

static void
test_there_and_back(void **state)
{
	usec now = clock_now(), back;

	assert_true(clock_parse_rfc3339(clock_rfc3339(*state, now), &back));
	assert_true(now == back);
	assert_true(clock_mono_ns() <= clock_mono_ns());
}

static void
test_iso(void **state)
{
	static const struct {
		const char *text, *iso;
	} times[] = {
		{ "2026-01-01 23:59:00+00", "2026-01-01T23:59:00Z" },
		{ "2026-01-01 00:00:00.12+00", "2026-01-01T00:00:00.12Z" },
		{ "10000-01-01 00:00:00.000001+00", "10000-01-01T00:00:00.000001Z" },
	};
	static const char *const none[] = { NULL, "", "infinity", "-infinity", "0044-03-15 00:00:00+00 BC" };

	for (size_t i = 0; i < LENGTH(times); i++)
		assert_string_equal(clock_iso(*state, times[i].text), times[i].iso);
	for (size_t i = 0; i < LENGTH(none); i++)
		assert_null(clock_iso(*state, none[i]));
	assert_true(clock_timestamptz(NULL) == 0 && clock_timestamptz("") == 0 && clock_timestamptz("infinity") == 0);
	assert_true(clock_timestamptz("-infinity") == CLOCK_YEAR_1);
	assert_true(clock_timestamptz("4000-01-01 00:00:00+00 BC") == CLOCK_YEAR_1);
	assert_true(clock_timestamptz("0001-01-01 00:00:00+00") == CLOCK_YEAR_1);
	assert_true(clock_timestamptz("1970-01-02 00:00:00.12+00") == INT64_C(86400120000));
	assert_true(clock_timestamptz("1969-12-31 23:59:59+00") == -1000000);
	assert_true(clock_timestamptz("1970-01-02T00:00:00Z") == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_text),
		cmocka_unit_test(test_parsing),
		arena_test(test_there_and_back),
		arena_test(test_iso),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
