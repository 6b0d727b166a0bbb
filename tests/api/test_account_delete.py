# SPDX-License-Identifier: Apache-2.0
"""DELETE /user: people delete their account, where POSTERN_ACCOUNT_DELETE lets them."""

import subprocess
import threading
import uuid

import psycopg2
import pytest

from harness import BIN, CLEAN, PASSWORD, SERVICE, SETTINGS, Session, address, is_error, many, mint, phone, wait_for

ALL = {"POSTERN_TEST_WORKERS": "12", "GOTRUE_MAILER_AUTOCONFIRM": "true", "GOTRUE_SMS_AUTOCONFIRM": "false"}


@pytest.fixture
def hard(mailing):
    return mailing(POSTERN_ACCOUNT_DELETE="hard", **ALL)


@pytest.fixture
def soft(mailing):
    return mailing(POSTERN_ACCOUNT_DELETE="soft", **ALL)


@pytest.fixture(params=["hard", "soft"])
def either(request, mailing):
    return mailing(POSTERN_ACCOUNT_DELETE=request.param, **ALL)


def delete(me, token=None, **body):
    return me.server.request("DELETE", "/user", token or me.access, json=body or None)


def deleted(got):
    assert (got.status_code, got.json()) == (200, {}), got.text


def row(sql, id):
    return next(iter(sql("select * from auth.users where id = %s", id)), None)


def gone(sql, id):
    found = row(sql, id)
    return found is None or found["deleted_at"] is not None


def audited(sql, id):
    return sql("""select payload ->> 'actor_id' as actor, payload -> 'traits' as traits from auth.audit_log_entries where payload ->> 'action' = 'user_deleted'
        and payload -> 'traits' ->> 'user_id' = %s""", id)


def factor(sql, me, status="verified"):
    sql("""insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
        values (gen_random_uuid(), %s, 'totp', %s, now(), now())""", me.id, status)


def nonce(me, post):
    assert me.server.get("/reauthenticate", me.access).status_code == 200
    return post.take(me.email).code


# Off.


@pytest.mark.parametrize("setting", [{}, {"POSTERN_ACCOUNT_DELETE": "off"}, {"POSTERN_ACCOUNT_DELETE": ""}])
def test_off(serve, sql, setting):
    """As the reference answers, for whom the method is unknown."""
    server = serve(**setting)
    me = server.sign_up()
    got, other = delete(me, password=me.password), server.request("PATCH", "/user", me.access, json={})
    for reply in (got, other):
        assert (reply.status_code, reply.content, reply.headers.get("content-type"), reply.headers["allow"]) == (405, b"", None, "GET, PUT")
        assert "x-sb-error-code" not in reply.headers
    is_error(server.request("DELETE", "/user"), 401, "no_authorization")
    assert not gone(sql, me.id)


def test_allowed_methods(hard):
    me = hard.sign_up()
    assert hard.request("PATCH", "/user", me.access).headers["allow"] == "DELETE, GET, PUT"


def test_the_setting(database):
    env = {**CLEAN, **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1", "POSTERN_ACCOUNT_DELETE": "yes"}
    done = subprocess.run([BIN, "check"], env=env, capture_output=True, text=True)
    assert done.returncode != 0 and "POSTERN_ACCOUNT_DELETE must be one of off, soft, hard" in done.stdout + done.stderr, done.stdout + done.stderr


# What is shown.


def test_by_password(either, sql):
    me, stranger = either.sign_up(), either.sign_up()
    is_error(delete(me), 400, "reauthentication_needed", "Deletion of an account requires its password or a nonce")
    is_error(delete(me, password="wrong"), 400, "invalid_credentials")
    is_error(delete(me, password=stranger.password + "x"), 400, "invalid_credentials")
    assert not gone(sql, me.id) and not audited(sql, me.id)
    deleted(delete(me, password=me.password))
    assert gone(sql, me.id) and not gone(sql, stranger.id)
    assert audited(sql, me.id) == [{"actor": me.id, "traits": {"user_id": me.id, "user_email": me.email, "user_phone": ""}}]
    assert me.get().status_code == 403 and delete(me, password=me.password).status_code == 403
    is_error(either.refresh(me.refresh_token), 400, "refresh_token_not_found")
    is_error(either.sign_in(email=me.email, password=me.password), 400, "invalid_credentials")
    assert not sql("select 1 from auth.sessions where user_id = %s", me.id)
    assert stranger.get().status_code == 200
    assert either.sign_up(email=me.email).id != me.id


def test_hard_and_soft_are_those_of_operators(mailing, sql):
    for setting, body in (("hard", None), ("soft", {"should_soft_delete": True})):
        server = mailing(POSTERN_ACCOUNT_DELETE=setting, **ALL)
        me, other = (server.sign_up(data={"name": "Somebody"}) for _ in range(2))
        deleted(delete(me, password=me.password))
        assert server.request("DELETE", f"/admin/users/{other.id}", SERVICE, json=body).status_code == 200
        mine, theirs = row(sql, me.id), row(sql, other.id)
        changing = {"id", "email", "phone", "email_change", "phone_change", "created_at", "updated_at", "deleted_at", "last_sign_in_at",
                    "email_confirmed_at", "confirmed_at"}
        assert (mine is None) == (theirs is None) == (setting == "hard")
        if mine:
            assert {k: v for k, v in mine.items() if k not in changing} == {k: v for k, v in theirs.items() if k not in changing}
            assert me.email not in str(mine.values()) and "Somebody" not in str(mine.values()) and mine["deleted_at"]
            assert sql("select identity_data from auth.identities where user_id = %s", me.id) == [{"identity_data": {}}]


def test_by_nonce(either, sql, post):
    me = either.sign_up()
    code = nonce(me, post)
    is_error(delete(me, nonce="000000"), 422, "reauthentication_not_valid")
    assert not gone(sql, me.id)
    deleted(delete(me, nonce=code))
    assert gone(sql, me.id)


def test_by_somebody_elses_nonce(hard, sql, post):
    me, other = hard.sign_up(), hard.sign_up()
    code = nonce(other, post)
    nonce(me, post)
    is_error(delete(me, nonce=code), 422, "reauthentication_not_valid")
    assert not gone(sql, me.id)


def test_by_nonce_to_a_phone(hard, sql, phones):
    number = phone()
    hard.post("/otp", {"phone": number})
    me = Session(hard, {}, hard.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).json())
    is_error(delete(me), 400, "reauthentication_needed")
    assert hard.get("/reauthenticate", me.access).status_code == 200
    deleted(delete(me, nonce=phones.take(number)))
    assert gone(sql, me.id)


def test_wrong_nonces_are_counted(mailing, sql, post):
    server = mailing(POSTERN_ACCOUNT_DELETE="hard", POSTERN_OTP_MAX_ATTEMPTS="3", **ALL)
    me = server.sign_up()
    code = nonce(me, post)
    for _ in range(3):
        is_error(delete(me, nonce="1"), 422, "reauthentication_not_valid")
    is_error(delete(me, nonce=code), 422, "reauthentication_not_valid")
    assert not gone(sql, me.id)


def test_wrong_passwords_are_counted(mailing, sql, post):
    """Of this account, here; the nonce and the sign-in stay open."""
    server = mailing(POSTERN_ACCOUNT_DELETE="hard", POSTERN_OTP_MAX_ATTEMPTS="3", **ALL)
    me, other = server.sign_up(), server.sign_up()
    wrong = [delete(me, password="wrong") for _ in range(3)]
    right = delete(me, password=me.password)
    is_error(right, 400, "invalid_credentials")
    assert {**right.json()} == {**wrong[0].json()} and not gone(sql, me.id)
    deleted(delete(other, password=other.password))
    assert server.sign_in(email=me.email, password=me.password).status_code == 200
    assert not sql("select 1 from postern.attempts a join auth.users u on a.hash = u.encrypted_password")
    deleted(delete(me, nonce=nonce(me, post)))


def test_limited(mailing, sql):
    server = mailing(POSTERN_ACCOUNT_DELETE="hard", GOTRUE_RATE_LIMIT_HEADER="X-Client", GOTRUE_RATE_LIMIT_OTP="0.001", **ALL)
    me = server.sign_up()
    sql("insert into postern.limits (key, tokens, refilled, allowed) values ('user 10.9.9.9', 0, now(), true)")
    got = server.request("DELETE", "/user", me.access, json={"password": me.password}, headers={"X-Client": "10.9.9.9"})
    is_error(got, 429, "over_request_rate_limit")
    assert not gone(sql, me.id)


def test_anonymous_users_have_nothing_to_show(either, sql):
    me = either.sign_up(email=None, password=None)
    deleted(delete(me))
    assert gone(sql, me.id) and me.get().status_code == 403
    assert audited(sql, me.id)[0]["actor"] == me.id


def test_anonymous_users_with_a_password_show_it(mailing, sql):
    server = mailing(POSTERN_ACCOUNT_DELETE="hard", **{**ALL, "GOTRUE_MAILER_AUTOCONFIRM": "false"})
    me = server.sign_up(email=None, password=None)
    assert me.put(email=address(), password=PASSWORD).status_code == 200
    assert row(sql, me.id)["is_anonymous"] and not row(sql, me.id)["email"]
    is_error(delete(me), 400, "reauthentication_needed")
    deleted(delete(me, password=PASSWORD))


def test_users_of_an_organization(hard, sql):
    me = hard.sign_up()
    sql("update auth.users set is_sso_user = true where id = %s", me.id)
    is_error(delete(me, password=me.password), 422, "user_sso_managed", "Deletion of a SSO account only possible by an administrator")
    assert not gone(sql, me.id)


def test_second_factor(either, sql):
    me = either.sign_up()
    factor(sql, me, "unverified")
    factor(sql, me)
    is_error(delete(me, password=me.password), 403, "insufficient_aal", "AAL2 session is required to delete the account when MFA is enabled.")
    assert not gone(sql, me.id)
    sql("update auth.sessions set aal = 'aal2' where id = %s", me.session_id)
    deleted(delete(me, password=me.password))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"password": 7}', b'{"nonce": {}}', b"\x00", b'{"password": "' + b"x" * 2_000_000 + b'"}'])
def test_odd_bodies(hard, sql, body):
    me = hard.sign_up()
    got = hard.request("DELETE", "/user", me.access, data=body)
    assert got.status_code in (400, 413), got.text
    assert not gone(sql, me.id)


def test_needs_a_bearer(hard, sql):
    me = hard.sign_up()
    is_error(hard.request("DELETE", "/user", json={"password": me.password}), 401, "no_authorization")
    is_error(hard.request("DELETE", "/user", SERVICE, json={"password": me.password}), 403, "bad_jwt")
    sql("update auth.users set banned_until = now() + interval '1 hour' where id = %s", me.id)
    is_error(delete(me, password=me.password), 403, "user_banned")
    assert not gone(sql, me.id)


# Races.


def held(sql, database, me, calls, meanwhile):
    """The calls wait for the user's row, which changes meanwhile."""
    connection = psycopg2.connect(database.dsn)
    got = []
    with connection.cursor() as cursor:
        cursor.execute("select 1 from auth.users where id = %s for update", (me.id,))
        threads = [threading.Thread(target=lambda call=call: got.append(call())) for call in calls]
        for thread in threads:
            thread.start()
        wait_for(lambda: sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"), 10, "a call that waits")
        cursor.execute(meanwhile, (me.id,))
    connection.commit()
    for thread in threads:
        thread.join()
    connection.close()
    return got


@pytest.mark.parametrize("meanwhile, refusal", [
    ("update auth.users set encrypted_password = '$2a$04$' || repeat('x', 53) where id = %s", (400, "invalid_credentials")),
    ("update auth.users set banned_until = now() + interval '1 hour' where id = %s", (403, "user_banned")),
    ("delete from auth.sessions where user_id = %s", (403, "session_not_found")),
    ("with u as (update auth.sessions set aal = 'aal1' where user_id = %s returning user_id) insert into auth.mfa_factors (id, user_id, factor_type, status,"
     " created_at, updated_at) select gen_random_uuid(), u.user_id, 'totp', 'verified', now(), now() from u", (403, "insufficient_aal")),
], ids=["password", "ban", "signed out", "aal"])  # fmt: skip
def test_what_was_read_holds(either, sql, database, meanwhile, refusal):
    me = either.sign_up()
    sql("update auth.sessions set aal = 'aal2' where id = %s", me.session_id)
    got, = held(sql, database, me, [lambda: delete(me, password=me.password)], meanwhile)
    is_error(got, *refusal)
    assert not gone(sql, me.id) and not audited(sql, me.id)


@pytest.mark.parametrize("with_session", [True, False])
@pytest.mark.parametrize("who", ["password", "nonce", "anonymous"])
def test_once_of_many(either, sql, post, who, with_session):
    me = either.sign_up(**({"email": None, "password": None} if who == "anonymous" else {}))
    body = {"password": {"password": me.password}, "nonce": {}, "anonymous": {}}[who]
    if who == "nonce":
        body = {"nonce": nonce(me, post)}
    token = me.access if with_session else mint({"sub": me.id, "role": "authenticated", "aud": "authenticated"})
    codes = sorted(x.status_code for x in many(64, lambda i: delete(me, token, **body)))
    assert codes[0] == 200 and codes.count(200) == 1 and set(codes[1:]) <= {400, 403, 422}, codes
    assert gone(sql, me.id) and len(audited(sql, me.id)) == 1


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("setting", ["hard", "soft"])
def test_against_everything_else(mailing, sql, version, setting):
    """Refreshes, sign-ins, changes of password and bans at the same moment: nobody is left signed in, and no answer is ours to blame."""
    server = mailing(POSTERN_ACCOUNT_DELETE=setting, GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION=version, **ALL)
    for round in range(4):
        me = server.sign_up()
        other = server.sign_in(email=me.email, password=me.password).json()["refresh_token"]
        calls = [
            lambda: delete(me, password=me.password),
            lambda: server.refresh(other),
            lambda: server.sign_in(email=me.email, password=me.password),
            lambda: me.put(data={"x": 1}),
            lambda: server.post("/logout?scope=others", token=me.access),
            lambda: server.put(f"/admin/users/{me.id}", {"ban_duration": "1h" if round % 2 else "none"}, token=SERVICE),
        ]
        got = many(24, lambda i: calls[i % len(calls)]())
        assert all(x.status_code < 500 for x in got), [x.text for x in got if x.status_code >= 500]
        won = [x.status_code for x in got[:: len(calls)]].count(200)
        assert won == gone(sql, me.id) and won <= 1
        if won:
            assert not sql("select 1 from auth.sessions where user_id = %s", me.id)
            assert not sql("select 1 from auth.refresh_tokens where user_id = %s", me.id)


def test_against_a_change_of_password(either, sql):
    for _ in range(4):
        me = either.sign_up()
        got = many(12, lambda i: delete(me, password=me.password) if i % 2 else me.put(password=f"another {uuid.uuid4()}"))
        assert all(x.status_code in (200, 400, 403, 422) for x in got), [x.text for x in got]
        assert [x.status_code for x in got[1::2]].count(200) == gone(sql, me.id)
