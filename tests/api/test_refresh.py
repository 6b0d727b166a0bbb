# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import hmac
import uuid

import pytest
import requests

from harness import b64, claims_of, is_error, many, unb64

V2 = {"GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION": "2"}


@pytest.fixture(params=["v1", "v2"])
def rotating(request, serve):
    return serve(**(V2 if request.param == "v2" else {}))


def active(sql, session):
    return sql("select token, parent from auth.refresh_tokens where session_id = %s and not revoked", session)


def refreshed(server, token):
    got = server.refresh(token)
    assert got.status_code == 200, got.text
    return got.json()["refresh_token"]


def test_rotates(rotating, sql):
    me = rotating.sign_up()
    reply = rotating.refresh(me.refresh_token).json()
    assert reply["refresh_token"] != me.refresh_token and reply["user"]["id"] == me.id
    assert rotating.get("/user", reply["access_token"]).status_code == 200
    assert sql("select refreshed_at from auth.sessions where id = %s", me.session_id)[0]["refreshed_at"]
    again = refreshed(rotating, reply["refresh_token"])
    assert again not in (me.refresh_token, reply["refresh_token"])


def test_headers(serve):
    server = serve()
    me = server.sign_up()
    got = server.refresh(me.refresh_token)
    assert got.headers["sb-auth-user-id"] == me.id and got.headers["sb-auth-session-id"] == me.session_id
    assert got.headers["sb-auth-refresh-token-reuse"] == "false"
    assert got.headers["sb-auth-refresh-token-prefix"] == got.json()["refresh_token"][:5]
    counted = serve(**V2)
    me = counted.sign_up()
    got = counted.refresh(me.refresh_token)
    assert got.headers["sb-auth-refresh-token-counter"] == "1"
    got = counted.refresh(me.refresh_token)
    assert got.headers["sb-auth-refresh-token-reuse-cause"] == "fail-to-save"


def test_refused(rotating):
    for bad in ("", "none", "x" * 5000, "aaaa-bbb-ccc", "AA" * 40, "é\u0001'\";--"):
        is_error(rotating.refresh(bad), 400, "validation_failed", "Refresh token is not valid")
    is_error(rotating.refresh("aaaabbbbcccc"), 400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")


def test_64_at_once_agree(rotating, sql):
    me = rotating.sign_up()
    got = many(64, lambda i: rotating.refresh(me.refresh_token, http=requests))
    assert {x.status_code for x in got} == {200}, [x.text for x in got if x.status_code != 200][:3]
    tokens = {x.json()["refresh_token"] for x in got}
    assert len(tokens) == 1
    assert tokens != {me.refresh_token}
    refreshed(rotating, tokens.pop())


def test_64_in_a_chain(rotating):
    me = rotating.sign_up()
    seen, token = set(), me.refresh_token
    for _ in range(64):
        seen.add(token)
        token = refreshed(rotating, token)
    assert token not in seen


# Version 1: rows.


def test_v1_parent_of_the_active_gives_the_active_at_any_time(server, sql):
    me = server.sign_up()
    new = refreshed(server, me.refresh_token)
    sql("update auth.refresh_tokens set updated_at = now() - interval '1 day' where session_id = %s", me.session_id)
    assert refreshed(server, me.refresh_token) == new
    assert [x["token"] for x in active(sql, me.session_id)] == [new]


def test_v1_old_one_revokes_the_family(server, sql):
    me = server.sign_up()
    second = refreshed(server, me.refresh_token)
    third = refreshed(server, second)
    is_error(server.refresh(me.refresh_token), 400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    assert active(sql, me.session_id) == []
    is_error(server.refresh(third), 400, "refresh_token_already_used")


def test_v1_reuse_interval_gives_a_sibling(serve, sql):
    server = serve(GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL="10")
    me = server.sign_up()
    second = refreshed(server, me.refresh_token)
    third = refreshed(server, second)
    sibling = refreshed(server, me.refresh_token)
    assert sibling not in (me.refresh_token, second, third)
    sql("update auth.refresh_tokens set updated_at = now() - interval '11 seconds' where token = %s", second)
    is_error(server.refresh(second), 400, "refresh_token_already_used")


def test_v1_without_rotation_only_refuses(serve, sql):
    server = serve(GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED="false")
    me = server.sign_up()
    third = refreshed(server, refreshed(server, me.refresh_token))
    is_error(server.refresh(me.refresh_token), 400, "refresh_token_already_used")
    refreshed(server, third)


def test_v1_without_session(server, sql):
    me = server.sign_up()
    sql("update auth.refresh_tokens set session_id = null where token = %s", me.refresh_token)
    is_error(server.refresh(me.refresh_token), 400, "session_not_found", "Invalid Refresh Token: No Valid Session Found")
    assert not sql("select 1 from auth.refresh_tokens where token = %s", me.refresh_token)


# Version 2: counters.


def counted(token):
    raw = unb64(token)
    assert raw[0] == 0 and hashlib.sha256(raw[:-4]).digest()[:4] == raw[-4:]
    return str(uuid.UUID(bytes=raw[1:17])), raw[17]


def test_v2_form(serve, sql):
    server = serve(**V2)
    me = server.sign_up()
    assert counted(me.refresh_token) == (me.session_id, 0)
    assert counted(refreshed(server, me.refresh_token)) == (me.session_id, 1)
    row = sql("select refresh_token_hmac_key, refresh_token_counter from auth.sessions where id = %s", me.session_id)[0]
    assert row["refresh_token_counter"] == 1
    key = base64.urlsafe_b64decode(row["refresh_token_hmac_key"] + "==")
    raw = unb64(me.refresh_token)
    assert hmac.new(key, raw[:18], hashlib.sha256).digest()[:16] == raw[18:34]
    assert not sql("select 1 from auth.refresh_tokens where session_id = %s", me.session_id)


def test_v2_one_behind_always_passes(serve, sql):
    server = serve(**V2)
    me = server.sign_up()
    new = refreshed(server, me.refresh_token)
    sql("update auth.sessions set refreshed_at = now() - interval '1 day' where id = %s", me.session_id)
    assert refreshed(server, me.refresh_token) == new


def test_v2_older_one_ends_the_session(serve, sql):
    server = serve(**V2)
    me = server.sign_up()
    refreshed(server, refreshed(server, me.refresh_token))
    got = server.refresh(me.refresh_token)
    is_error(got, 400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    assert got.headers["sb-auth-refresh-token-rotated"] == "true"
    assert not sql("select 1 from auth.sessions where id = %s", me.session_id)
    is_error(me.get(), 403, "session_not_found")


def test_v2_older_one_within_the_interval(serve, sql):
    server = serve(GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL="10", **V2)
    me = server.sign_up()
    third = refreshed(server, refreshed(server, me.refresh_token))
    assert refreshed(server, me.refresh_token) == third
    sql("update auth.sessions set refreshed_at = now() - interval '11 seconds' where id = %s", me.session_id)
    is_error(server.refresh(me.refresh_token), 400, "refresh_token_already_used")


def test_v2_forged(serve, sql):
    server = serve(**V2)
    me = server.sign_up()
    raw = bytearray(unb64(me.refresh_token))

    def remade(change, sign=None):
        body = bytearray(raw[:-4])
        change(body)
        if sign:
            body[18:34] = hmac.new(sign, bytes(body[:18]), hashlib.sha256).digest()[:16]
        return b64(bytes(body) + hashlib.sha256(body).digest()[:4])

    for forged in (
        remade(lambda b: b.__setitem__(20, b[20] ^ 1)),  # signature
        remade(lambda b: b.__setitem__(17, 1)),  # counter ahead, unsigned
        remade(lambda b: b.__setitem__(0, 1)),  # version
        remade(lambda b: b.__setitem__(5, b[5] ^ 1)),  # session
        remade(lambda b: None, sign=b"\0" * 32),
        me.refresh_token[:-1],
        me.refresh_token + "A",
        me.refresh_token[:-1] + chr(ord(me.refresh_token[-1]) ^ 1),
    ):
        assert server.refresh(forged).status_code == 400
    key = base64.urlsafe_b64decode(sql("select refresh_token_hmac_key as k from auth.sessions where id = %s", me.session_id)[0]["k"] + "==")
    is_error(server.refresh(remade(lambda b: b.__setitem__(17, 9), sign=key)), 400, "validation_failed", "Invalid Refresh Token: Not Issued By This Server")
    refreshed(server, me.refresh_token)


def test_upgrade_from_v1(serve, sql):
    old = serve().sign_up()
    new = serve(GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE="100", **V2)
    token = refreshed(new, old.refresh_token)
    assert counted(token) == (old.session_id, 0)
    assert active(sql, old.session_id) == []
    assert counted(refreshed(new, token)) == (old.session_id, 1)


def test_v2_server_takes_v1_tokens(serve):
    old = serve().sign_up()
    token = refreshed(serve(**V2), old.refresh_token)
    assert len(token) == 12


# How long sessions live.


def test_timebox(serve, sql):
    server = serve(GOTRUE_SESSIONS_TIMEBOX="1h", GOTRUE_SESSIONS_INACTIVITY_TIMEOUT="10m")
    me = server.sign_up()
    sql("update auth.sessions set created_at = now() - interval '2 hours' where id = %s", me.session_id)
    is_error(server.refresh(me.refresh_token), 400, "session_expired", "Invalid Refresh Token: Session Expired")
    me = server.sign_up()
    sql("update auth.sessions set created_at = now() - interval '11 minutes', refreshed_at = now() - interval '11 minutes' where id = %s", me.session_id)
    sql("update auth.refresh_tokens set updated_at = now() - interval '11 minutes' where session_id = %s", me.session_id)
    is_error(server.refresh(me.refresh_token), 400, "session_expired", "Invalid Refresh Token: Session Expired (Inactivity)")


def test_single_per_user(serve):
    server = serve(GOTRUE_SESSIONS_SINGLE_PER_USER="true")
    me = server.sign_up()
    newer = server.sign_in(email=me.email, password=me.password).json()
    is_error(server.refresh(me.refresh_token), 400, "session_expired", "Invalid Refresh Token: Session Expired (Revoked by Newer Login)")
    refreshed(server, newer["refresh_token"])


def test_deleted_session(rotating, sql):
    me = rotating.sign_up()
    sql("delete from auth.sessions where id = %s", me.session_id)
    assert rotating.refresh(me.refresh_token).status_code == 400


def test_audited(server, sql):
    me = server.sign_up()
    server.refresh(me.refresh_token)
    actions = [x["a"] for x in sql("select payload->>'action' as a from auth.audit_log_entries where payload->>'actor_id' = %s", me.id)]
    assert "token_refreshed" in actions and "token_revoked" in actions


def test_costs_two_round_trips(rotating, only_workers):
    me = rotating.sign_up()
    tokens = [me.refresh_token]

    def one():
        got = rotating.refresh(tokens[-1])
        tokens.append(got.json()["refresh_token"])
        return got

    trips, _ = rotating.cost(one)
    assert trips <= 2


def test_a_stolen_row_ends_a_session_of_refresh_token_v2s(serve, sql):
    """It was used up before the session moved on; whoever has the tokens that came of it is signed out."""
    old, new = serve(), serve(**V2, GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE="100", GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL="0")
    me = old.sign_up()
    token = new.refresh(me.refresh_token).json()["refresh_token"]
    assert counted(token)
    sql("update auth.refresh_tokens set updated_at = updated_at - interval '1 minute' where session_id = %s", me.session_id)
    is_error(new.refresh(me.refresh_token), 400, "refresh_token_already_used")
    is_error(new.refresh(token), 400, "refresh_token_not_found")
    assert not sql("select 1 from auth.sessions where id = %s", me.session_id)


METHOD = ("insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method) "
          "values (gen_random_uuid(), %s, now(), now() + %s::interval, %s)")
IDENTITY = "insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at) values ('n', %s, '{}', 'github', now(), now())"


def test_methods(rotating, sql):
    """The latest first; sso/saml names its provider where there is no other identity.  The session's row alone says what aal it has."""
    me = rotating.sign_up()
    sql("update auth.identities set provider = 'sso:one:two' where user_id = %s", me.id)
    sql(METHOD, me.session_id, "-1 hour", "sso/saml")
    reply = rotating.refresh(me.refresh_token).json()
    claims = claims_of(reply["access_token"])
    password, saml = claims["amr"]
    assert claims["aal"] == "aal1" and list(password) == ["method", "timestamp"] and password["method"] == "password"
    assert saml == {"method": "sso/saml", "timestamp": saml["timestamp"], "provider": "one:two"} and 3595 < password["timestamp"] - saml["timestamp"] < 3605
    sql(METHOD, me.session_id, "1 hour", "totp")
    sql(IDENTITY, me.id)
    reply = rotating.refresh(reply["refresh_token"]).json()
    assert claims_of(reply["access_token"])["aal"] == "aal1"
    sql("update auth.sessions set aal = 'aal2' where id = %s", me.session_id)
    claims = claims_of(rotating.refresh(reply["refresh_token"]).json()["access_token"])
    assert claims["aal"] == "aal2" and [x["method"] for x in claims["amr"]] == ["totp", "password", "sso/saml"] and "provider" not in claims["amr"][2]
    sql("delete from auth.identities where user_id = %s", me.id)


FACTOR = "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values (gen_random_uuid(), %s, 'totp', %s, now(), now())"


@pytest.mark.parametrize("status, ends", [("verified", True), ("unverified", False)])
def test_low_aal(serve, sql, status, ends):
    """A session without a factor of a user who has one ends sooner."""
    server = serve(GOTRUE_SESSIONS_ALLOW_LOW_AAL="1h")
    me = server.sign_up()
    sql(FACTOR, me.id, status)
    got = server.refresh(me.refresh_token)
    if ends:
        is_error(server.put("/user", {"password": "a new one 8"}, me.access), 401, "insufficient_aal")
    else:
        assert server.put("/user", {"password": "a new one 8"}, me.access).status_code == 200
    sql("update auth.sessions set created_at = now() - interval '2 hours' where id = %s", me.session_id)
    got = server.refresh(got.json()["refresh_token"])
    assert got.status_code == (400 if ends else 200), got.text
