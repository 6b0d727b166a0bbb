# SPDX-License-Identifier: Apache-2.0
"""Where somebody is signed in: /user/sessions, and the same for operators."""

import uuid

import pytest

from harness import SERVICE, Session, is_error, many, mint

MEMBERS = {"id", "created_at", "updated_at", "refreshed_at", "not_after", "aal", "amr", "user_agent", "ip", "tag", "current"}


def more(me, count=1):
    """Further sessions of the user."""
    body = {"email": me.email, "password": me.password}
    got = [me.server.post("/token?grant_type=password", body, headers={"User-Agent": f"Device {i}"}) for i in range(count)]
    return [Session(me.server, body, reply.json()) for reply in got]


def listed(me, path="/user/sessions", token=None):
    got = me.server.get(path, token or me.access)
    assert got.status_code == 200, got.text
    return got.json()["sessions"]


def ids(rows):
    return [row["id"] for row in rows]


def end(me, session_id, path="/user/sessions/", token=None):
    return me.server.request("DELETE", path + session_id, token or me.access)


def audited(sql, user_id):
    return sql("""select payload ->> 'actor_id' as actor, payload -> 'traits' as traits from auth.audit_log_entries where payload ->> 'action' = 'logout'
        and (payload ->> 'actor_id' = %s or payload -> 'traits' ->> 'user_id' = %s)""", user_id, user_id)


def test_list(server, sql):
    me = server.sign_up()
    other, = more(me)
    server.sign_up()
    rows = listed(me)
    assert ids(rows) == [other.session_id, me.session_id] and all(set(row) == MEMBERS for row in rows)
    assert [row["current"] for row in rows] == [False, True] and [row["current"] for row in listed(other)] == [True, False]
    row = rows[0]
    stored = sql("select host(ip) as ip, user_agent from auth.sessions where id = %s", other.session_id)[0]
    assert (row["aal"], row["ip"], row["user_agent"], row["tag"], row["not_after"], row["refreshed_at"]) == ("aal1", stored["ip"], "Device 0", None, None, None)
    assert [x["method"] for x in row["amr"]] == ["password"] and row["created_at"].endswith("Z")
    assert server.refresh(other.refresh_token).status_code == 200
    assert listed(me)[0]["refreshed_at"]


def test_of_an_oauth_client(server, sql):
    me, client = server.sign_up(), str(uuid.uuid4())
    sql("alter table auth.sessions drop constraint if exists sessions_oauth_client_id_fkey")
    sql("update auth.sessions set oauth_client_id = %s, tag = 'x', not_after = now() + interval '1 hour' where id = %s", client, me.session_id)
    own = server.sign_in(email=me.email, password=me.password).json()["access_token"]
    row = listed(me, token=own)[1]
    assert row["oauth_client_id"] == client and row["tag"] == "x" and row["not_after"]


@pytest.mark.parametrize("settings, spoil", [
    ({}, "not_after = now() - interval '1 second'"),
    ({"GOTRUE_SESSIONS_TIMEBOX": "1h"}, "created_at = now() - interval '61 minutes'"),
    ({"GOTRUE_SESSIONS_INACTIVITY_TIMEOUT": "1h"}, "refreshed_at = (now() - interval '61 minutes') at time zone 'UTC'"),
    ({"GOTRUE_SESSIONS_ALLOW_LOW_AAL": "1h"}, "created_at = now() - interval '61 minutes'"),
], ids=["not_after", "timebox", "inactivity", "low aal"])  # fmt: skip
def test_only_good_ones(serve, sql, settings, spoil):
    server = serve(**settings)
    me = server.sign_up()
    other, = more(me)
    if "GOTRUE_SESSIONS_ALLOW_LOW_AAL" in settings:
        sql("""insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
            values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())""", me.id)
    assert ids(listed(me)) == [other.session_id, me.session_id]
    sql(f"update auth.sessions set {spoil} where id = %s", other.session_id)
    assert ids(listed(me)) == [me.session_id]
    is_error(server.refresh(other.refresh_token), 400, "session_expired")
    # What is over can be ended all the same.
    assert end(me, other.session_id).status_code == 204


def test_a_late_token_counts_as_use(serve, sql):
    server = serve(GOTRUE_SESSIONS_INACTIVITY_TIMEOUT="1h")
    me = server.sign_up()
    other, = more(me)
    sql("update auth.sessions set created_at = now() - interval '2 hours' where id = %s", other.session_id)
    assert ids(listed(me)) == [me.session_id, other.session_id]
    sql("update auth.refresh_tokens set updated_at = now() - interval '2 hours' where session_id = %s", other.session_id)
    assert ids(listed(me)) == [me.session_id]


def test_single_per_user(serve, sql):
    server = serve(GOTRUE_SESSIONS_SINGLE_PER_USER="true", GOTRUE_SESSIONS_TAGS="phone,desk")
    me = server.sign_up()
    second, third = more(me, 2)
    sql("update auth.sessions set tag = 'desk' where id = %s", me.session_id)
    assert ids(listed(me)) == [third.session_id, me.session_id]
    is_error(server.refresh(second.refresh_token), 400, "session_expired")
    assert server.refresh(third.refresh_token).status_code == 200 and server.refresh(me.refresh_token).status_code == 200


def test_end_one(server, sql):
    me = server.sign_up()
    other, third = more(me, 2)
    got = end(me, other.session_id)
    assert got.status_code == 204 and got.content == b""
    assert [x.get().status_code for x in (me, other, third)] == [200, 403, 200]
    is_error(server.refresh(other.refresh_token), 400, "refresh_token_not_found")
    is_error(end(me, other.session_id), 404, "session_not_found", "Session not found")
    assert audited(sql, me.id) == [{"actor": me.id, "traits": {"session_id": other.session_id}}]


def test_end_ones_own(server):
    me = server.sign_up()
    assert end(me, me.session_id).status_code == 204
    is_error(me.get(), 403, "session_not_found")


def test_not_somebody_elses(server, sql):
    me, stranger = server.sign_up(), server.sign_up()
    unknown = end(me, str(uuid.uuid4()))
    theirs = end(me, stranger.session_id)
    is_error(theirs, 404, "session_not_found", "Session not found")
    assert {**theirs.json()} == {**unknown.json()}
    is_error(end(me, "nonsense"), 404, "validation_failed", "session_id must be an UUID")
    assert stranger.get().status_code == 200 and not audited(sql, me.id)
    is_error(end(me, stranger.session_id, f"/admin/users/{me.id}/sessions/", SERVICE), 404, "session_not_found")
    assert stranger.get().status_code == 200


def test_needs_a_bearer(server):
    me = server.sign_up()
    for path in ("/user/sessions", f"/admin/users/{me.id}/sessions"):
        is_error(server.get(path), 401, "no_authorization")
        is_error(server.request("DELETE", f"{path}/{me.session_id}"), 401, "no_authorization")
    is_error(server.get(f"/admin/users/{me.id}/sessions", me.access), 403, "not_admin")
    is_error(end(me, me.session_id, f"/admin/users/{me.id}/sessions/", me.access), 403, "not_admin")
    is_error(server.get(f"/admin/users/{uuid.uuid4()}/sessions", SERVICE), 404, "user_not_found")
    assert me.get().status_code == 200


def test_without_a_session(server):
    """A token that names none is nobody's session."""
    me = server.sign_up()
    token = mint({"sub": me.id, "role": "authenticated", "aud": "authenticated"})
    assert [(row["id"], row["current"]) for row in listed(me, token=token)] == [(me.session_id, False)]
    assert end(me, me.session_id, token=token).status_code == 204


def test_of_operators(server, sql):
    me = server.sign_up()
    other, = more(me)
    path = f"/admin/users/{me.id}/sessions"
    assert [(row["id"], row["current"]) for row in listed(me, path, SERVICE)] == [(other.session_id, False), (me.session_id, False)]
    assert end(me, other.session_id, path + "/", SERVICE).status_code == 204
    assert [x.get().status_code for x in (me, other)] == [200, 403]
    assert audited(sql, me.id) == [{"actor": str(uuid.UUID(int=0)), "traits": {"user_id": me.id, "session_id": other.session_id}}]


def test_many(server, sql):
    """As long as a table, with many that are over between those that are good, and some of one moment."""
    me = server.sign_up()
    sql("""insert into auth.sessions (id, user_id, created_at, updated_at, not_after)
        select gen_random_uuid(), %s, now() - (k / 3) * interval '1 minute', now(), case when k between 600 and 2200 or k %% 7 = 0 then now() end
        from generate_series(1, 3500) k""", me.id)
    sql("update auth.sessions set created_at = null where id in (select id from auth.sessions where user_id = %s and id <> %s limit 700)", me.id, me.session_id)
    wanted = sql("""select id from auth.sessions where user_id = %s and (not_after is null or not_after > now())
        order by coalesce(created_at, '-infinity') desc, id desc""", me.id)
    assert ids(listed(me)) == [row["id"] for row in wanted]


@pytest.mark.parametrize("version", ["1", "2"])
def test_against_a_refresh(serve, sql, version):
    """Whoever ends a session while it is refreshed: in the end it is gone, with all its tokens."""
    server = serve(GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION=version, POSTERN_TEST_WORKERS="12")
    for _ in range(5):
        me = server.sign_up()
        other, = more(me)
        got = many(16, lambda i: end(me, other.session_id) if i % 2 else server.refresh(other.refresh_token))
        assert sorted(x.status_code for x in got[1::2]) == [204] + 7 * [404]
        assert {x.status_code for x in got[::2]} <= {200, 400}, [x.text for x in got]
        assert not sql("select 1 from auth.sessions where id = %s", other.session_id)
        assert not sql("select 1 from auth.refresh_tokens where session_id = %s", other.session_id)


def test_once_of_many(serve, sql):
    server = serve(POSTERN_TEST_WORKERS="12")
    me = server.sign_up()
    other, = more(me)
    assert sorted(x.status_code for x in many(64, lambda i: end(me, other.session_id))) == [204] + 63 * [404]
    assert len(audited(sql, me.id)) == 1


def test_what_an_oauth_client_may_not(serve, sql):
    """It has what its scopes say, and not the account."""
    server = serve(POSTERN_ACCOUNT_DELETE="hard", POSTERN_ACCOUNT_EXPORT="true")
    me, client = server.sign_up(), str(uuid.uuid4())
    sql("""insert into auth.oauth_clients (id, client_secret_hash, registration_type, redirect_uris, grant_types, client_name, token_endpoint_auth_method)
        values (%s, 'x', 'manual', 'https://c.test', 'authorization_code', 'A client', 'client_secret_basic')""", client)
    sql("update auth.sessions set oauth_client_id = %s where user_id = %s", client, me.id)
    ways = (("GET", "/user/sessions"), ("DELETE", f"/user/sessions/{me.session_id}"), ("GET", "/user/export"), ("DELETE", "/user"))
    for method, path in ways:
        got = server.request(method, path, me.access, json={"password": me.password} if path == "/user" else None)
        is_error(got, 403, "no_authorization", "OAuth clients are not allowed to perform these actions")
    assert me.get().status_code == 200
    sql("update auth.sessions set oauth_client_id = null where user_id = %s", me.id)
    assert server.get("/user/export", me.access).status_code == 200
