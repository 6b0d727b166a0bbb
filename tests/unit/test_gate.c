/* SPDX-License-Identifier: Apache-2.0 */
/* Gates of route.def that look at what is known of the user already. */
#include "base/setting.h"
#include "base/str.h"
#include "core/gate.h"
#include "core/user_json.h"
#include "fixture.h"
#include "query/row.h"

#define UNVERIFIED "11111111-1111-4111-8111-111111111111"
#define VERIFIED "22222222-2222-4222-8222-222222222222"
#define ROW(id, status) "{\"2026-01-02 03:04:05+00\"," id ",\"2026-01-02 03:04:05+00\"," status ",totp,NULL,NULL,NULL,NULL,NULL}"
#define ONE "{" ROW(UNVERIFIED, "unverified") "}"
#define BOTH "{" ROW(UNVERIFIED, "unverified") "," ROW(VERIFIED, "verified") "}"

static const struct aal2_refusal refusal = { 422, "AAL2 required" };

/* A request of a user with these factors; factor: what the path names, NULL: nothing. */
static struct request *
request_of(struct arena *a, const char *factors, const char *aal, const char *factor)
{
	struct request *r = arena_new_object(a, struct request);
	struct user *u = arena_new_object(a, struct user);

	*u = (struct user){ .factors = factors, .session_aal = aal };
	r->arena = a;
	r->user = u;
	r->path_arg[0] = (struct path_arg){ "user_id", "somebody" };
	r->path_arg[1] = (struct path_arg){ "factor_id", factor };
	return (r);
}

static void
test_factor(void **state)
{
	struct request *r = request_of(*state, BOTH, NULL, VERIFIED);

	assert_int_equal(gate_factor(r, NULL), OK);
	assert_string_equal(r->factor->id, VERIFIED);
	r = request_of(*state, BOTH, NULL, "{22222222222242228222222222222222}"); /* as Go reads them */
	assert_int_equal(gate_factor(r, NULL), OK);
	assert_string_equal(r->factor->id, VERIFIED);
}

static void
test_no_such_factor(void **state)
{
	struct request *r = request_of(*state, BOTH, NULL, "nonsense");

	assert_int_equal(gate_factor(r, NULL), E_VALIDATION_FAILED);
	assert_int_equal(r->failure.status, 404);
	r = request_of(*state, ONE, NULL, VERIFIED); /* somebody else's */
	assert_int_equal(gate_factor(r, NULL), E_MFA_FACTOR_NOT_FOUND);
	assert_null(r->factor);
	assert_int_equal(gate_factor(request_of(*state, "{}", NULL, VERIFIED), NULL), E_MFA_FACTOR_NOT_FOUND);
}

/* Who has a verified factor shows it; without a session nothing was shown. */
static void
test_aal2(void **state)
{
	struct request *r = request_of(*state, BOTH, "aal1", NULL);

	assert_int_equal(gate_aal2(r, &refusal), E_INSUFFICIENT_AAL);
	assert_int_equal(r->failure.status, 422);
	assert_string_equal(r->failure.message, "AAL2 required");
	assert_int_equal(gate_aal2(request_of(*state, BOTH, NULL, NULL), &refusal), E_INSUFFICIENT_AAL);
	assert_int_equal(gate_aal2(request_of(*state, BOTH, "aal2", NULL), &refusal), OK);
	assert_int_equal(gate_aal2(request_of(*state, ONE, "aal1", NULL), &refusal), OK);
	assert_int_equal(gate_aal2(request_of(*state, "{}", "aal1", NULL), &refusal), OK);
}

/* Of a path that names a factor, that one counts: whoever could not finish with another may take it away. */
static void
test_aal2_of_a_factor(void **state)
{
	struct request *r = request_of(*state, BOTH, "aal1", UNVERIFIED);

	assert_int_equal(gate_factor(r, NULL), OK);
	assert_int_equal(gate_aal2(r, &refusal), OK);
	r = request_of(*state, BOTH, "aal1", VERIFIED);
	assert_int_equal(gate_factor(r, NULL), OK);
	assert_int_equal(gate_aal2(r, &refusal), E_INSUFFICIENT_AAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { arena_test(test_factor), arena_test(test_no_such_factor), arena_test(test_aal2),
		arena_test(test_aal2_of_a_factor) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
