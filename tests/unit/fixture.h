/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

/* What every unit test needs: cmocka with its headers, and an arena as *state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static inline int
arena_setup(void **state)
{
	*state = arena_new();
	return (0);
}

static inline int
arena_teardown(void **state)
{
	arena_free(*state);
	return (0);
}

#define arena_test(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

static inline void
assert_text_or_null(const char *got, const char *wanted)
{
	if (wanted == NULL)
		assert_null(got);
	else {
		assert_non_null(got);
		assert_string_equal(got, wanted);
	}
}

#endif
