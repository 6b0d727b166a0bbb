# SPDX-License-Identifier: Apache-2.0
"""GET /reauthenticate and the nonce that an old session needs for a new password."""

import pytest

from harness import PASSWORD, Session, address, is_error, phone

OLD = "2 days"


@pytest.fixture
def server(mailing):
    return mailing(GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION="true")


def signed_in(server, sql, post, age=OLD):
    email = address()
    assert server.post("/signup", {"email": email, "password": PASSWORD}).status_code == 200
    letter = post.take(email)
    got = server.post("/verify", {"type": "signup", "token_hash": letter.hash})
    me = Session(server, {"email": email, "password": PASSWORD}, got.json())
    sql("update auth.sessions set created_at = created_at - %s::interval where user_id = %s", age, me.id)
    return me


def nonce(me, post):
    got = me.server.get("/reauthenticate", me.access)
    assert (got.status_code, got.json()) == (200, {}), got.text
    letter = post.take(me.email)
    assert letter.link is None
    return letter.code


def not_valid(got):
    is_error(got, 422, "reauthentication_not_valid", "Nonce has expired or is invalid")


def test_nonce(server, sql, post):
    me = signed_in(server, sql, post)
    is_error(me.put(password="entirely new 1"), 400, "reauthentication_needed", "Password update requires reauthentication")
    code = nonce(me, post)
    row = sql("select * from auth.users where id = %s", me.id)[0]
    assert row["reauthentication_token"] and row["reauthentication_sent_at"]
    not_valid(me.put(password="entirely new 1", nonce="000"))
    assert me.put(password="entirely new 1", nonce=code).status_code == 200
    assert server.sign_in(email=me.email, password="entirely new 1").status_code == 200
    not_valid(me.put(password="entirely new 2", nonce=code))
    assert [x["a"] for x in sql("select payload->>'action' as a from auth.audit_log_entries where payload->>'actor_id' = %s order by created_at", me.id)][2:5] \
        == ["user_reauthenticate_requested", "user_updated_password", "user_modified"]


def test_a_young_session_needs_none(server, sql, post):
    me = signed_in(server, sql, post, "23 hours")
    assert me.put(password="entirely new 1").status_code == 200


def test_spent_whatever_follows(server, sql, post):
    """A nonce with which something else is wrong is used all the same."""
    me = signed_in(server, sql, post)
    code = nonce(me, post)
    is_error(me.put(password=PASSWORD, nonce=code), 422, "same_password")
    not_valid(me.put(password="entirely new 1", nonce=code))


def test_not_spent_by_what_comes_before(server, sql, post):
    me = signed_in(server, sql, post)
    code = nonce(me, post)
    is_error(me.put(password="x", nonce=code), 422, "weak_password")
    is_error(me.put(password="entirely new 1", nonce=code, email="nonsense"), 400, "validation_failed")
    assert me.put(password="entirely new 1", nonce=code).status_code == 200


def test_expired(server, sql, post):
    me = signed_in(server, sql, post)
    code = nonce(me, post)
    server.post("/recover", {"email": me.email})
    sql("update auth.users set reauthentication_sent_at = now() - interval '86401 s' where id = %s", me.id)
    not_valid(me.put(password="entirely new 1", nonce=code))
    # Nothing else is taken along.
    assert sql("select count(*) as n from auth.one_time_tokens where user_id = %s", me.id)[0]["n"] == 2


def test_takes_other_secrets_along(server, sql, post):
    me = signed_in(server, sql, post)
    code = nonce(me, post)
    server.post("/recover", {"email": me.email})
    assert me.put(password="entirely new 1", nonce=code).status_code == 200
    assert sql("select count(*) as n from auth.one_time_tokens where user_id = %s", me.id)[0]["n"] == 0


def test_not_mine(server, sql, post):
    me, other = signed_in(server, sql, post), signed_in(server, sql, post)
    code = nonce(other, post)
    not_valid(me.put(password="entirely new 1", nonce=code))
    nonce(me, post)
    not_valid(me.put(password="entirely new 1", nonce=code))


def test_nothing_to_send_to(server, sql):
    anonymous = server.sign_up(email=None, password=None)
    is_error(server.get("/reauthenticate", anonymous.access), 400, "validation_failed", "Reauthentication requires the user to have an email or a phone number")


def test_not_proven(server, sql, post):
    me = signed_in(server, sql, post)
    sql("update auth.users set email_confirmed_at = null where id = %s", me.id)
    is_error(server.get("/reauthenticate", me.access), 422, "email_not_confirmed", "Please verify your email first.")
    sql("update auth.users set email = null, phone = %s where id = %s", phone(), me.id)
    is_error(server.get("/reauthenticate", me.access), 422, "phone_not_confirmed", "Please verify your phone first.")


def test_by_phone(server, sql, phones):
    number = phone()
    server.post("/otp", {"phone": number})
    got = server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number})
    me = Session(server, {}, got.json())
    sql("update auth.sessions set created_at = created_at - interval '2 days' where user_id = %s", me.id)
    got = server.get("/reauthenticate", me.access)
    assert (got.status_code, got.json()) == (200, {})
    assert len(phones.to(number)) == 2
    assert me.put(password="entirely new 1", nonce=phones.take(number)).status_code == 200


def test_needs_a_session(server):
    is_error(server.get("/reauthenticate"), 401, "no_authorization")
    assert server.post("/reauthenticate", {}).status_code in (401, 405)
