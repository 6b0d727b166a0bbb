# SPDX-License-Identifier: Apache-2.0
"""Tables are tidied of what nobody can need any more, and of nothing else."""

import subprocess

import pytest

import harness
from harness import BIN, CGI, address, many, wait_for
from post import Landing, exchange, pkce
from test_command import command

USER = ("insert into auth.users (id, instance_id, aud, email, is_anonymous, created_at) "
        "values (gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'authenticated', null, %s, now() - %s::interval) returning id::text")
FLOW = ("insert into auth.flow_state (id, auth_code, provider_type, authentication_method, created_at, auth_code_issued_at) "
        "values (gen_random_uuid(), gen_random_uuid(), 'email', 'magiclink', now() - %s::interval, now() - %s::interval) returning id::text")
CLIENT_STATE = "insert into auth.oauth_client_states (id, provider_type, created_at) values (gen_random_uuid(), 'x', now() - %s::interval) returning id::text"
TOKEN = ("insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at) "
         "values (gen_random_uuid(), %s, 'recovery_token', gen_random_uuid(), 'x', now() at time zone 'UTC' - %s::interval) returning id::text")
ATTEMPTS = "insert into postern.attempts (hash, attempts, first_at) values (gen_random_uuid(), 1, now() - %s::interval) returning hash as id"
LIMIT = "insert into postern.limits (key, tokens, refilled, full_at) values (gen_random_uuid(), 0, now(), now() + %s::interval) returning key as id"
ISSUER = ("insert into postern.oidc_cache (issuer, discovery_url, keys_at, busy_until) "
          "values (gen_random_uuid(), '', now() - %s::interval, now() - interval '1 year') returning issuer as id")
SESSION = ("insert into auth.sessions (id, user_id, created_at, refreshed_at, not_after) "
           "values (gen_random_uuid(), %s, now() - %s::interval, now() at time zone 'UTC' - %s::interval, now() - %s::interval) returning id::text")
REFRESH = ("insert into auth.refresh_tokens (user_id, session_id, token, revoked, created_at, updated_at) "
           "values (%s, %s, gen_random_uuid(), %s, now(), now() - %s::interval) returning id")
FACTOR = ("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) "
          "values (gen_random_uuid(), %s, 'totp', %s, now() - %s::interval, now()) returning id::text")
CHALLENGE = ("insert into auth.mfa_challenges (id, factor_id, created_at, ip_address) "
             "values (gen_random_uuid(), %s, now() - %s::interval, '127.0.0.1') returning id::text")
WEBAUTHN = ("insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, expires_at) "
            "values (gen_random_uuid(), %s, 'signup', '{}', now() - %s::interval) returning id::text")

COLUMN = {"postern.attempts": "hash", "postern.limits": "key", "postern.oidc_cache": "issuer"}


@pytest.fixture
def add(sql):
    return lambda statement, *args: sql(statement, *args)[0]["id"]


@pytest.fixture
def left(sql):
    return lambda table, *ids: [bool(sql(f"select from {table} where {COLUMN.get(table, 'id')}::text = %s", str(one))) for one in ids]


def clean(database, **settings):
    done = command(database, "clean", "--once", **settings)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_what_has_expired_goes(database, add, left):
    user = add(USER, False, "1 hour"), add(USER, False, "1 hour")
    rows = {
        "auth.flow_state": [add(FLOW, *age) for age in (("25 hours", "25 hours"), ("25 hours", None), ("25 hours", "1 min"), ("1 hour", None))],
        "auth.oauth_client_states": [add(CLIENT_STATE, age) for age in ("25 hours", "1 hour")],
        "auth.one_time_tokens": [add(TOKEN, who, age) for who, age in zip(user, ("49 hours", "25 hours"))],
        "postern.attempts": [add(ATTEMPTS, age) for age in ("49 hours", "25 hours")],
        "postern.limits": [add(LIMIT, age) for age in ("-1 second", "1 minute")],
        "postern.oidc_cache": [add(ISSUER, age) for age in ("8 days", "6 days")],
        "auth.webauthn_challenges": [add(WEBAUTHN, user[0], age) for age in ("25 hours", "1 hour")],
    }
    clean(database)
    assert {table: left(table, *ids) for table, ids in rows.items()} == {
        **{table: [False, True] for table in rows}, "auth.flow_state": [False, False, True, True]
    }


def test_longer_lives(database, add, left):
    user = add(USER, False, "1 hour")
    token, flow, attempts = add(TOKEN, user, "3 days"), add(FLOW, "3 days", None), add(ATTEMPTS, "3 days")
    clean(database, GOTRUE_MAILER_OTP_EXP=str(7 * 86400))
    assert [*left("auth.one_time_tokens", token), *left("auth.flow_state", flow), *left("postern.attempts", attempts)] == [True, True, True]
    clean(database, GOTRUE_MAILER_OTP_EXP="9000000000000000000")
    assert left("auth.one_time_tokens", token) == [True]


def test_a_backlog_goes_in_one_run(database, sql):
    sql("insert into auth.oauth_client_states (id, provider_type, created_at) select gen_random_uuid(), 'backlog', now() - interval '2 days' from "
        "generate_series(1, 2000)")
    assert all(done is None for done in many(3, lambda i: clean(database)))
    assert sql("select count(*) as n from auth.oauth_client_states where provider_type = 'backlog'")[0]["n"] == 0


def test_a_code_issued_late_is_still_good(database, mailing, post, sql):
    server = mailing()
    email = address()
    assert mailing(GOTRUE_MAILER_AUTOCONFIRM="true").sign_up(email=email)
    verifier, more = pkce()
    assert server.post("/otp", {"email": email, **more}).status_code == 200
    letter = post.take(email)
    sql("update auth.flow_state set created_at = created_at - interval '23 hours'")
    clean(database)
    code = Landing(server.get(letter.path)).query["code"]
    sql("update auth.flow_state set created_at = created_at - interval '23 hours'")
    clean(database)
    assert letter.type == "magiclink"
    assert exchange(server, code, verifier).status_code == 200


def test_letters_are_kept(database, sql, add, left):
    user = add(USER, False, "1 hour")
    token = add(TOKEN, user, "30 days")
    for state in ("now()", "null"):
        sql(
            f"insert into postern.outbox (id, letter, user_id, kind, hash, recipient, key_id, sealed, message_id, created_at, due_at, failed_at) select "
            f"gen_random_uuid(), 'recovery', t.user_id, t.token_type::text, t.token_hash, 'x@y.z', 'k', '', 'm', now() - interval '30 days', now() + "
            f"interval '1 day', {state} from auth.one_time_tokens t where id = %s",
            token,
        )
    clean(database, GOTRUE_DB_CLEANUP_ENABLED="true")
    assert left("auth.one_time_tokens", token) == [True]
    assert sql("select count(*) as n from postern.outbox")[0]["n"] == 2
    sql("delete from postern.outbox")
    clean(database)
    assert left("auth.one_time_tokens", token) == [False]


def test_what_waits_for_an_owner_is_kept(database, mailing, post, sql):
    """However late the next letter is followed, the account gets what was asked for with it, not what a stranger left there."""
    server = mailing()
    email, stranger, owner = address(), "a stranger's 7", "the owner's 77"
    for password in (stranger, owner):
        assert server.post("/signup", {"email": email, "password": password}).status_code == 200
        post.take(email)
    sql("update auth.one_time_tokens set created_at = created_at - interval '9 days'")
    sql("update auth.users set confirmation_sent_at = confirmation_sent_at - interval '9 days' where email = %s", email)
    sql("update postern.waiting set made_at = made_at - interval '9 days'")
    clean(database)
    assert server.post("/resend", {"type": "signup", "email": email}).status_code == 200
    assert "access_token" in Landing(server.get(post.take(email).path)).fragment
    assert server.sign_in(email=email, password=owner).status_code == 200
    assert server.sign_in(email=email, password=stranger).status_code == 400


def test_what_waits_beside_another_link_goes(database, add, left, sql):
    for user, age in ((add(USER, False, "1 hour"), "49 hours"), (add(USER, False, "1 hour"), "1 hour")):
        sql("insert into postern.waiting (user_id, link, made_at) values (%s, 'x', now() - %s::interval)", user, age)
    clean(database)
    assert sql("select made_at > now() - interval '2 hours' as fresh from postern.waiting where link = 'x'") == [{"fresh": True}]


@pytest.fixture
def stale(add):
    """What the reference cleans, for each table one row that is to go and one that is to stay."""
    user, old, anonymous = add(USER, False, "90 days"), add(USER, True, "31 days"), add(USER, True, "29 days")
    ended, ending = add(SESSION, user, "9 days", "1 min", "73 hours"), add(SESSION, user, "9 days", "1 min", "71 hours")
    factor = add(FACTOR, user, "unverified", "25 hours"), add(FACTOR, user, "unverified", "1 hour"), add(FACTOR, user, "verified", "25 hours")
    return {
        "auth.users": [old, anonymous, user],
        "auth.sessions": [ended, ending],
        "auth.refresh_tokens": [add(REFRESH, user, ending, revoked, age) for revoked, age in ((True, "25 hours"), (True, "1 hour"), (False, "25 hours"))],
        "auth.mfa_factors": list(factor),
        "auth.mfa_challenges": [add(CHALLENGE, factor[2], age) for age in ("25 hours", "1 hour")],
        "auth.webauthn_challenges": [add(WEBAUTHN, user, age) for age in ("1 second", "-5 minutes")],
    }


def test_the_rest_stays_without_the_switch(database, stale, left):
    clean(database)
    assert all(all(left(table, *ids)) for table, ids in stale.items())


def test_what_the_reference_cleans(database, stale, left, sql):
    live = stale["auth.refresh_tokens"][2]
    clean(database, GOTRUE_DB_CLEANUP_ENABLED="true", GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED="false")
    assert left("auth.users", *stale["auth.users"]) == [True, True, True]
    clean(database, GOTRUE_DB_CLEANUP_ENABLED="true")
    assert {table: left(table, *ids) for table, ids in stale.items()} == {
        table: [False] + [True] * (len(ids) - 1) for table, ids in stale.items()
    }
    assert sql("select revoked from auth.refresh_tokens where id = %s", live) == [{"revoked": True}]


def test_sessions_past_their_limits(database, add, left, sql):
    user = add(USER, False, "1 hour")
    spans = (("49 hours", "49 hours"), ("49 hours", "1 hour"), ("49 hours", None), ("49 hours", None), ("1 hour", None))
    ids = [add(SESSION, user, *span, None) for span in spans]
    add(REFRESH, user, ids[2], False, "49 hours"), add(REFRESH, user, ids[3], False, "1 hour")
    clean(database, GOTRUE_DB_CLEANUP_ENABLED="true")
    assert left("auth.sessions", *ids) == [True] * 5
    clean(database, GOTRUE_SESSIONS_INACTIVITY_TIMEOUT="24h", GOTRUE_SESSIONS_TIMEBOX="1h")
    assert left("auth.sessions", *ids) == [True] * 5
    clean(database, GOTRUE_DB_CLEANUP_ENABLED="true", GOTRUE_SESSIONS_INACTIVITY_TIMEOUT="24h")
    assert left("auth.sessions", *ids) == [False, True, False, True, True]
    clean(database, GOTRUE_DB_CLEANUP_ENABLED="true", GOTRUE_SESSIONS_TIMEBOX="24h")
    assert left("auth.sessions", *ids) == [False, False, False, False, True]


def test_a_bucket_is_there_until_it_is_full(database, serve, sql):
    sql("delete from postern.limits")
    limited = {"GOTRUE_RATE_LIMIT_HEADER": "X-Client", "GOTRUE_RATE_LIMIT_VERIFY": "30", "GOTRUE_RATE_LIMIT_OTP": "0", "GOTRUE_SMS_AUTOCONFIRM": "false"}
    server = serve(**limited)
    for path in ("/verify", "/recover"):
        server.post(path, {}, headers={"X-Client": "10.1.1.1"})
    found = sql(
        "select key, full_at - refilled > interval '200 years' as never, abs(extract(epoch from full_at - refilled) - 300) < 0.001 as soon from "
        "postern.limits order by key")
    assert found == [{"key": "recover 10.1.1.1", "never": True, "soon": False}, {"key": "verify 10.1.1.1", "never": False, "soon": True}]
    sql("update postern.limits set full_at = full_at - interval '299 seconds', refilled = refilled - interval '299 seconds'")
    clean(database, **limited)
    assert sql("select count(*) as n from postern.limits") == [{"n": 2}]
    sql("update postern.limits set full_at = full_at - interval '2 seconds', refilled = refilled - interval '2 seconds'")
    clean(database, **limited)
    assert [row["key"] for row in sql("select key from postern.limits")] == ["recover 10.1.1.1"]


def test_one_that_can_not_be_tidied_keeps_none_from_it(database, add, left, sql):
    state, attempts = add(CLIENT_STATE, "2 days"), add(ATTEMPTS, "9 days")
    sql("alter table auth.flow_state rename to flow_state_away")
    try:
        done = command(database, "clean", "--once")
    finally:
        sql("alter table auth.flow_state_away rename to flow_state")
    assert done.returncode == 1 and '"kind":"flows"' in done.stderr
    assert left("auth.oauth_client_states", state) + left("postern.attempts", attempts) == [False, False]


@pytest.mark.skipif(CGI, reason="a CGI process has no mailer beside it")
@pytest.mark.parametrize("settings", [{"POSTERN_MAIL_TRANSPORT": "none"}, {"GOTRUE_SMTP_HOST": "127.0.0.1", "GOTRUE_SMTP_PORT": "1"},
                                      {"GOTRUE_HOOK_SEND_EMAIL_ENABLED": "true", "GOTRUE_HOOK_SEND_EMAIL_URI": "pg-functions://postgres/public/letters"}],
                         ids=["nowhere", "smtp", "hook"])
def test_the_mailer_does_it(serve, add, left, settings):
    row = add(CLIENT_STATE, "2 days")
    serve(**settings)
    wait_for(lambda: left("auth.oauth_client_states", row) == [False], 5, "the mailer to tidy")


@pytest.mark.parametrize("words", [["clean"], ["deliver"]])
def test_processes_of_their_own_do_it(database, add, left, words):
    row = add(CLIENT_STATE, "2 days")
    env = {**harness.CLEAN, **harness.SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1:9999", "POSTERN_MAIL_TRANSPORT": "sendmail"}
    with subprocess.Popen([BIN, *words], env=env) as process:
        wait_for(lambda: left("auth.oauth_client_states", row) == [False], 5, "it to tidy")
        process.terminate()
        process.wait(5)
