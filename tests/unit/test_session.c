/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that are raised, on a real server (tests/database): what no route does yet. */
#include <stdlib.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/refresh.h"
#include "core/session.h"
#include "db/db.h"
#include "beside.h"
#include "query/session.h"
#include "query/user.h"
#include "sec/jwt.h"

#define USER "11111111-1111-4111-8111-111111111111"
#define FACTOR "22222222-2222-4222-8222-222222222222"
#define CLIENT "33333333-3333-4333-8333-333333333333"

/* The first column, joined by spaces. */
static char *
said(struct arena *a, const char *text)
{
	PGresult *res = PQexec(beside, text);
	char *all = arena_strdup(a, "");

	assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
	for (int i = 0; i < PQntuples(res); i++)
		all = arena_printf(a, "%s%s%s", all, i > 0 ? " " : "", PQgetvalue(res, i, 0));
	PQclear(res);
	return (all);
}

#define assert_said(a, text, expected) assert_string_equal(said(a, text), expected)

static void
settings_for(struct arena *a, const char *version)
{
	struct complaints complaints = { 0 };

	setenv("GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION", version, 1);
	assert_non_null(settings_load(a, NULL, &complaints));
	assert_null(jwt_keys_load(a));
}

static int
setup(void **state)
{
	*state = arena_new();
	sql("truncate auth.users, auth.oauth_clients, auth.audit_log_entries cascade");
	sql("insert into auth.users (instance_id, id, aud, role, email) values ('00000000-0000-0000-0000-000000000000', '" USER
	    "', 'a', 'r', 'e')");
	sql("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values ('" FACTOR "', '" USER
	    "',"
	    " 'totp', 'verified', now(), now())");
	sql("insert into auth.oauth_clients (id, registration_type, redirect_uris, grant_types, token_endpoint_auth_method) values"
	    " ('" CLIENT "', 'manual', '', '', 'none')");
	return (0);
}

static int
teardown(void **state)
{
	arena_free(*state);
	return (0);
}

/* A session that has just begun. */
static struct tokens
begun(struct arena *a, const struct session_origin *origin)
{
	struct request *r = cli_request(a);
	struct tokens t = { 0 };
	struct user u;

	assert_int_equal(user_by_id(r->db, &u, .id = USER), OK);
	assert_int_equal(session_start(r, &u, origin, &t), OK);
	assert_int_equal(cli_finish(r, OK), 0);
	return (t);
}

/* A request of whoever holds the tokens. */
static struct request *
request_by(struct arena *a, const struct tokens *t)
{
	struct request *r = cli_request(a);
	struct user *u = arena_new_object(a, struct user);

	assert_int_equal(user_by_session(r->db, u, .id = USER, .session = t->session_id), OK);
	r->user = u;
	return (r);
}

static err
raise_by_factor(struct request *r, struct tokens *t)
{
	struct session_state s;

	TRY(session_to_raise(r, &s));
	return (session_raise(r, &s, "totp", FACTOR, t));
}

static void
assert_claims(struct arena *a, const char *access, const char *aal, const char *methods)
{
	const char *why;
	json *claims = jwt_verify(a, access, &why), *amr;
	char *all = arena_strdup(a, "");

	assert_non_null(claims);
	assert_string_equal(json_string(json_get(claims, "aal")), aal);
	amr = json_get(claims, "amr");
	for (size_t i = 0; i < json_len(amr); i++)
		all = arena_printf(a, "%s%s%s", all, i > 0 ? " " : "", json_string(json_get(json_at(amr, i), "method")));
	assert_string_equal(all, methods);
}

static err
refreshed(struct arena *a, const char *token, struct tokens *t)
{
	struct request *r = cli_request(a);
	err error = refresh(r, token, t);

	(void)cli_finish(r, error == OK || r->commit_anyway ? OK : error);
	return (error);
}

static void
test_v1(void **state)
{
	struct tokens other = { 0 }, mine, now = { 0 }, later = { 0 };
	struct arena *a = *state;
	struct request *r;

	settings_for(a, "1");
	mine = begun(a, &(const struct session_origin){ .method = "password" });
	other = begun(a, &(const struct session_origin){ .method = "otp" });
	assert_claims(a, mine.access, "aal1", "password");
	r = request_by(a, &mine);
	assert_int_equal(raise_by_factor(r, &now), OK);
	assert_int_equal(cli_finish(r, OK), 0);
	assert_claims(a, now.access, "aal2", "totp password");
	assert_string_equal(now.session_id, mine.session_id);
	assert_said(a, "select id || ' ' || aal || ' ' || factor_id from auth.sessions",
	    arena_printf(a, "%s aal2 " FACTOR, mine.session_id));
	assert_said(a, "select count(*) from auth.audit_log_entries where payload->>'action' = 'token_revoked'", "1");
	/* The old token is the parent: who has missed the answer gets it. */
	assert_int_equal(refreshed(a, mine.refresh, &later), OK);
	assert_string_equal(later.refresh, now.refresh);
	assert_claims(a, later.access, "aal2", "totp password");
	assert_int_not_equal(refreshed(a, other.refresh, &later), OK);
}

static void
test_v2(void **state)
{
	struct tokens mine, now = { 0 }, later = { 0 };
	struct arena *a = *state;
	struct request *r;

	settings_for(a, "2");
	mine = begun(a, &(const struct session_origin){ .method = "password" });
	r = request_by(a, &mine);
	assert_int_equal(raise_by_factor(r, &now), OK);
	assert_int_equal(cli_finish(r, OK), 0);
	assert_claims(a, now.access, "aal2", "totp password");
	assert_said(a, "select refresh_token_counter from auth.sessions", "2");
	assert_int_equal(refreshed(a, now.refresh, &later), OK);
	assert_claims(a, later.access, "aal2", "totp password");
	sql("update auth.sessions set refreshed_at = now() - interval '1 hour'"); /* else it is taken for a race */
	assert_int_equal(refreshed(a, mine.refresh, &later), E_REFRESH_TOKEN_ALREADY_USED);
}

/* A method that is shown again is one of the list, and the latest. */
static void
test_again(void **state)
{
	struct tokens mine, now = { 0 };
	struct arena *a = *state;
	struct request *r;

	settings_for(a, "2");
	mine = begun(a, &(const struct session_origin){ .method = "password" });
	for (int i = 0; i < 2; i++) {
		r = request_by(a, &mine);
		assert_int_equal(raise_by_factor(r, &now), OK);
		assert_int_equal(cli_finish(r, OK), 0);
	}
	assert_claims(a, now.access, "aal2", "totp password");
	assert_said(a, "select refresh_token_counter from auth.sessions", "4");
	assert_said(a, "select count(*) from auth.mfa_amr_claims", "2");
}

/* What came between the look and the write. */
static void
assert_begins_anew(struct arena *a, const char *version, const char *meanwhile)
{
	struct tokens mine, now = { 0 };
	struct session_state s;
	struct request *r;

	settings_for(a, version);
	mine = begun(a, &(const struct session_origin){ .method = "password" });
	r = request_by(a, &mine);
	assert_int_equal(session_to_raise(r, &s), OK);
	sql(meanwhile);
	assert_int_equal(session_raise(r, &s, "totp", FACTOR, &now), E_DATABASE);
	assert_true(db_conflict(r->db));
	(void)cli_finish(r, E_DATABASE);
	assert_said(a, "select count(*) from auth.sessions where aal = 'aal2'", "0");
	assert_said(a, "select count(*) from auth.mfa_amr_claims where authentication_method = 'totp'", "0");
}

static void
test_only_what_was_seen(void **state)
{
	static const char *const meanwhile[] = {
		"update auth.users set banned_until = now() + interval '1 day'",
		"delete from auth.sessions",
		"delete from auth.mfa_factors",
		"delete from auth.users",
		"update auth.sessions set refresh_token_counter = coalesce(refresh_token_counter, 0) + 1",
	};

	for (size_t i = 0; i < LENGTH(meanwhile); i++) {
		assert_begins_anew(*state, "2", meanwhile[i]);
		teardown(state);
		setup(state);
	}
	assert_begins_anew(*state, "1", "update auth.refresh_tokens set revoked = true");
}

static void
test_what_cannot_be_raised(void **state)
{
	struct tokens mine;
	struct arena *a = *state;
	struct session_state s;
	struct request *r;

	settings_for(a, "1");
	mine = begun(a, &(const struct session_origin){ .method = "password" });
	sql("update auth.refresh_tokens set revoked = true");
	r = request_by(a, &mine);
	assert_int_equal(session_to_raise(r, &s), E_SESSION_NOT_FOUND);
	(void)cli_finish(r, OK);
	mine.session_id = NULL;
	r = request_by(a, &mine);
	assert_int_equal(session_to_raise(r, &s), E_SESSION_NOT_FOUND);
	(void)cli_finish(r, OK);
}

/* What comes with an origin is in the row and in the token, and is after it was raised. */
static void
test_origin(void **state)
{
	static const struct session_origin origin = { .method = "oauth_provider/authorization_code",
		.client_id = CLIENT,
		.scopes = "email",
		.not_after = "2999-01-01T00:00:00Z",
		.tag = "t" };
	struct tokens mine, now = { 0 };
	struct arena *a = *state;
	struct request *r;
	const char *why;

	settings_for(a, "1");
	mine = begun(a, &origin);
	assert_said(a,
	    "select oauth_client_id || ' ' || scopes || ' ' || tag || ' ' || extract(year from not_after at time zone 'UTC') from "
	    "auth.sessions",
	    CLIENT " email t 2999");
	r = request_by(a, &mine);
	assert_int_equal(raise_by_factor(r, &now), OK);
	assert_int_equal(cli_finish(r, OK), 0);
	for (int i = 0; i < 2; i++) {
		json *claims = jwt_verify(a, i == 0 ? mine.access : now.access, &why);

		assert_string_equal(json_string(json_get(claims, "client_id")), CLIENT);
		assert_string_equal(json_string(json_get(claims, "scope")), "email");
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int
tests_run(void)
{
	const struct CMUnitTest tests[] = { TEST(test_v1), TEST(test_v2), TEST(test_again), TEST(test_only_what_was_seen),
		TEST(test_what_cannot_be_raised), TEST(test_origin) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}

int
main(void)
{
	if (getenv("DATABASE_URL") == NULL) {
		puts("skipped: run it by tests/database");
		return (SKIPPED);
	}
	setenv("GOTRUE_SITE_URL", "http://app.test", 1);
	setenv("API_EXTERNAL_URL", "http://app.test", 1);
	setenv("GOTRUE_JWT_SECRET", "only-for-tests-0123456789abcdef0123456789", 1);
	return (run_beside(tests_run));
}
