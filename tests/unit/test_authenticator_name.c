/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "factor/authenticator_name.h"
#include "fixture.h"

static const struct {
	const char *aaguid, *name;
} rows[] = {
#define AUTHENTICATOR(aaguid, name) { aaguid, name },
#include "authenticator.def"
#undef AUTHENTICATOR
};

/* A row that is out of order, there twice or in capitals would not be found. */
static void
test_every_row_is_found(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_string_equal(authenticator_name(rows[i].aaguid), rows[i].name);
		assert_string_equal(uuid_parse(*state, rows[i].aaguid), rows[i].aaguid);
	}
}

static void
test_what_nobody_knows(void **state)
{
	(void)state;
	assert_string_equal(authenticator_name("08987058-cadc-4b81-b6e1-30de50dcbe96"), "Windows Hello");
	assert_string_equal(authenticator_name("08987058-cadc-4b81-b6e1-30de50dcbe97"), "Passkey");
	assert_string_equal(authenticator_name(UUID_NIL), "Passkey");
	assert_string_equal(authenticator_name("ffffffff-ffff-ffff-ffff-ffffffffffff"), "Passkey");
	assert_string_equal(authenticator_name(""), "Passkey");
	assert_string_equal(authenticator_name(NULL), "Passkey");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_every_row_is_found),
		arena_test(test_what_nobody_knows),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
