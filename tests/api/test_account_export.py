# SPDX-License-Identifier: Apache-2.0
"""GET /user/export: all that is known of somebody, for themselves, where POSTERN_ACCOUNT_EXPORT lets them."""

import json
import uuid

import pytest

import harness
from harness import PASSWORD, SERVICE, address, is_error, many, mint

MANY = {"POSTERN_ACCOUNT_EXPORT": "true", "POSTERN_RATE_LIMIT_ACCOUNT_EXPORT": "1000"}
MEMBERS = ["exported_at", "user", "factors", "sessions", "passkeys", "consents", "audit_log_entries"]
PAYLOAD = "json_build_object('actor_id', %s::text, 'action', 'login', 'log_type', 'account', 'traits', null)"


@pytest.fixture
def server(serve):
    return serve(**MANY)


def export(me, **kw):
    return me.server.get("/user/export", me.access, **kw)


def exported(me):
    got = export(me)
    assert got.status_code == 200, got.text
    return got.json()


def entries(sql, me, count, payload=PAYLOAD, at="now() - (k / 3) * interval '1 second'"):
    """Entries of theirs, between as many of somebody else's."""
    for id in (me.id, str(uuid.uuid4())):
        sql(f"""insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
            select %s, gen_random_uuid(), {payload}, {at}, '192.0.2.1' from generate_series(1, {count}) k""", str(uuid.UUID(int=0)), id)


def furnish(sql, me):
    """Everything that an account can have, with a mark in whatever is secret."""
    sql("""insert into auth.mfa_factors (id, user_id, factor_type, status, friendly_name, secret, web_authn_credential, last_webauthn_challenge_data,
        created_at, updated_at)
        values (gen_random_uuid(), %s, 'totp', 'unverified', 'My phone', 'SECRET1', '{"x": "SECRET2"}', '{"x": "SECRET3"}', now(), now())""", me.id)
    sql("""insert into auth.webauthn_credentials (user_id, credential_id, public_key, friendly_name, last_used_at)
        select %s, ('SECRET4' || gen_random_uuid())::bytea, 'SECRET5', 'Key ' || k, case when k > 1 then now() end from generate_series(1, 3) k""", me.id)
    client = str(uuid.uuid4())
    sql("""insert into auth.oauth_clients (id, client_secret_hash, registration_type, redirect_uris, grant_types, client_name, token_endpoint_auth_method)
        values (%s, 'SECRET6', 'manual', 'https://c.test', 'authorization_code', 'A client', 'client_secret_basic')""", client)
    sql("insert into auth.oauth_consents (id, user_id, client_id, scopes) values (gen_random_uuid(), %s, %s, 'email profile')", me.id, client)
    sql("update auth.sessions set refresh_token_hmac_key = 'SECRET7' where user_id = %s", me.id)
    sql("update auth.users set reauthentication_token = 'SECRET8' || id, recovery_token = 'SECRET9' || id where id = %s", me.id)
    sql("""insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
        values (gen_random_uuid(), %s, 'recovery_token', 'SECRET' || gen_random_uuid(), 'x')""", me.id)
    return client


# Off.


@pytest.mark.parametrize("setting", [{}, {"POSTERN_ACCOUNT_EXPORT": "false"}])
def test_off(serve, setting):
    """As the reference answers, for whom the path is unknown."""
    server = serve(**setting)
    me = server.sign_up()
    got, other = export(me), server.get("/user/unheard-of", me.access)
    for reply in (got, other):
        assert (reply.status_code, reply.text) == (404, "404 page not found\n") and reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert "x-sb-error-code" not in reply.headers and "allow" not in reply.headers
    is_error(server.get("/user/export"), 401, "no_authorization")
    assert server.post("/user/export", {}, me.access).status_code == 404


# What is in it.


def test_all_of_it(server, sql):
    me = server.sign_up(data={"full_name": "Somebody", "n": [1, {"x": None}]})
    second = server.sign_in(email=me.email, password=me.password).json()
    client = furnish(sql, me)
    sql("update auth.sessions set not_after = now() - interval '1 hour' where id = %s", harness.claims_of(second["access_token"])["session_id"])
    server.put(f"/admin/users/{me.id}", {"app_metadata": {"plan": "x"}}, token=SERVICE)
    got = export(me)
    assert got.headers["content-type"] == "application/json" and got.headers["cache-control"] == "no-store"
    assert got.headers["content-disposition"] == f'attachment; filename="account-{me.id}.json"'
    body = got.json()
    assert list(body) == MEMBERS
    user = me.get().json()
    assert {**body["user"], "factors": None} == {**user, "factors": None} and "factors" not in body["user"]
    assert body["user"]["user_metadata"]["n"] == [1, {"x": None}] and body["user"]["identities"][0]["provider"] == "email"
    assert body["factors"] == [{k: v for k, v in user["factors"][0].items() if k != "last_webauthn_challenge_data"}]
    assert [x["current"] for x in body["sessions"]] == [False, True]  # what is over is there, too
    stored = sql("select id::text from auth.webauthn_credentials where user_id = %s order by id", me.id)
    assert [x["id"] for x in body["passkeys"]] == [x["id"] for x in stored]
    assert all(set(x) == {"id", "friendly_name", "created_at", "updated_at", "last_used_at"} for x in body["passkeys"])
    consent, = body["consents"]
    assert (consent["client_id"], consent["client_name"], consent["scopes"], consent["revoked_at"]) == (client, "A client", "email profile", None)
    log = body["audit_log_entries"]
    assert [x["payload"]["action"] for x in log] == ["user_signedup", "login", "login", "user_modified"]
    assert all(set(x) == {"id", "payload", "created_at", "ip_address"} for x in log)


def test_no_secrets(server, sql):
    me = server.sign_up()
    furnish(sql, me)
    text = export(me).text
    assert "SECRET" not in text and me.refresh_token not in text and me.access not in text
    row = sql("select encrypted_password from auth.users where id = %s", me.id)[0]
    assert row["encrypted_password"] not in text


def test_nobody_elses(server, sql):
    """Neither rows nor names of others, such as those whom an administrator changed while signed in."""
    me, other = server.sign_up(), server.sign_up()
    furnish(sql, me)
    for actor, about in ((me, other), (other, me)):
        sql("""insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address) select %s, gen_random_uuid(), json_build_object('actor_id',
            %s::text, 'actor_username', %s::text, 'actor_name', 'ACTOR', 'action', 'user_modified', 'traits', json_build_object('user_id', %s::text,
            'user_email', %s::text)), now(), '192.0.2.9'""", str(uuid.UUID(int=0)), actor.id, actor.email, about.id, about.email)  # fmt: skip
    body = exported(other)
    text = json.dumps(body)
    assert not any(word in text for word in (me.email, "ACTOR", "192.0.2.9", "My phone"))
    assert body["passkeys"] == body["consents"] == body["factors"] == []
    assert [x["payload"]["action"] for x in body["audit_log_entries"]] == ["user_signedup", "login", "user_modified"]
    assert body["audit_log_entries"][-1]["payload"]["actor_id"] == me.id
    assert [x["payload"]["action"] for x in exported(me)["audit_log_entries"]][-1:] == ["user_modified"]


def test_odd_entries(server, sql):
    """Whatever stands in the log, it is not about them and does not break the reply."""
    me = server.sign_up()
    for payload in (None, "null", "7", '"x"', "[]", '{"traits": "x"}', '{"traits": [1], "actor_id": 7}'):
        sql("insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address) values (null, gen_random_uuid(), %s, now(), '')", payload)
    assert len(exported(me)["audit_log_entries"]) == 2


def test_an_empty_account(server, sql):
    id = str(uuid.uuid4())
    sql("insert into auth.users (id, instance_id, aud, role, is_anonymous) values (%s, %s, 'authenticated', 'authenticated', true)", id, str(uuid.UUID(int=0)))
    got = server.get("/user/export", mint({"sub": id, "role": "authenticated", "aud": "authenticated"}))
    body = got.json()
    assert list(body) == MEMBERS and body["user"]["id"] == id and all(body[name] == [] for name in MEMBERS[2:])


@pytest.mark.parametrize("count", [499, 500, 501, 1300])
def test_as_long_as_a_table(server, sql, count):
    me = server.sign_up()
    entries(sql, me, count)
    sql("""insert into auth.sessions (id, user_id, created_at, updated_at) select gen_random_uuid(), %s, now() - k * interval '1 minute', now()
        from generate_series(1, %s) k""", me.id, count - 1)
    sql("""insert into auth.webauthn_credentials (user_id, credential_id, public_key)
        select %s, (gen_random_uuid()::text)::bytea, 'x' from generate_series(1, %s)""", me.id, count)
    body = exported(me)
    assert len(body["sessions"]) == len(body["passkeys"]) == count
    wanted = sql("select id from auth.audit_log_entries where payload ->> 'actor_id' = %s order by created_at, id", me.id)
    assert [x["id"] for x in body["audit_log_entries"]] == [x["id"] for x in wanted] and len(wanted) == count + 2


def test_entries_from_before_the_account_are_not_looked_at(server, sql):
    """No entry of an account is older, but by so much as clocks may differ."""
    me = server.sign_up()
    entries(sql, me, 3, at="now() - interval '2 days'")
    entries(sql, me, 2, at="now() - interval '23 hours'")
    assert len(exported(me)["audit_log_entries"]) == 4


# Who gets it.


def test_needs_a_bearer(server, sql):
    me = server.sign_up()
    is_error(server.get("/user/export"), 401, "no_authorization")
    is_error(server.get("/user/export", SERVICE), 403, "bad_jwt")
    sql("update auth.users set banned_until = now() + interval '1 hour' where id = %s", me.id)
    is_error(export(me), 403, "user_banned")


def test_second_factor(server, sql):
    me = server.sign_up()
    sql("""insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
        values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())""", me.id)
    is_error(export(me), 403, "insufficient_aal", "AAL2 session is required to export the account when MFA is enabled.")
    sql("update auth.sessions set aal = 'aal2' where id = %s", me.session_id)
    assert exported(me)["factors"][0]["status"] == "verified"


def test_limited_per_user(serve, sql):
    """Without a header that tells clients apart, too."""
    server = serve(POSTERN_ACCOUNT_EXPORT="true")
    me, other = server.sign_up(), server.sign_up()
    codes = sorted(x.status_code for x in many(16, lambda i: export(me)))
    assert codes == 5 * [200] + 11 * [429]
    is_error(export(me), 429, "over_request_rate_limit")
    assert export(other).status_code == 200
    sql("update postern.limits set refilled = refilled - interval '13 minutes' where key = %s", f"account_export {me.id}")
    assert [export(me).status_code for _ in range(2)] == [200, 429]


# How it goes out.


@pytest.mark.plain
@pytest.mark.parametrize("sparse", [False, True])
def test_memory(server, sql, sparse):
    """An account with 100,000 entries; or with few in a log that has as many of others."""
    me = server.sign_up()
    sql(f"""insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
        select %s, gen_random_uuid(), {PAYLOAD}, now() + k * interval '1 millisecond', '' from generate_series(1, 100000) k""",
        str(uuid.UUID(int=0)), str(uuid.uuid4()) if sparse else me.id)  # fmt: skip
    sql("analyze auth.audit_log_entries")
    reply, most = harness.most_memory(server, lambda: export(me))
    assert len(reply.json()["audit_log_entries"]) == (2 if sparse else 100002)
    assert len(reply.content) < 20_000 if sparse else len(reply.content) > 16 * 1024 * 1024
    assert 0 < most < 8 * 1024
    sql("truncate auth.audit_log_entries")


def test_deleted_meanwhile(server, sql):
    """Whoever goes while it is sent: it is whole, or it ends early as JSON; the next request is refused."""
    me = server.sign_up()
    entries(sql, me, 3000)
    got = many(8, lambda i: export(me) if i else server.request("DELETE", f"/admin/users/{me.id}", SERVICE))
    assert got[0].status_code == 200 and {x.status_code for x in got[1:]} <= {200, 403}
    for reply in got[1:]:
        reply.json()
    assert export(me).status_code == 403


def test_it_breaks_off(database):
    own = harness.Database(database.cluster_dsn)
    server = harness.Server(own.dsn, {**MANY, "POSTERN_TEST_WORKERS": "1"})
    try:
        me = server.sign_up(email=address(), password=PASSWORD)
        own.sql("insert into auth.sessions (id, user_id, created_at) select gen_random_uuid(), %s, now() from generate_series(1, 1200) k", me.id)
        harness.spoil_audit(own.sql)
        assert server.how_it_ends("/user/export", me.access) == ("no JSON" if harness.CGI else "cut")
        assert "the reply breaks off" in server.log_path.read_text()
    finally:
        server.stop()
        own.drop()
