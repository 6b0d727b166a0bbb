# SPDX-License-Identifier: Apache-2.0
"""/admin/users/{user_id}/factors: operators see, rename and take away second factors."""

import uuid

import pytest

from harness import address, claims_of, is_error, many, phone

NOBODY = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SHAPE = {"id", "created_at", "updated_at", "status", "factor_type", "phone", "last_challenged_at"}


@pytest.fixture
def me(server):
    return server.sign_up()


@pytest.fixture
def factor(sql, me):
    """factor(...): the path of a factor of mine; the row's id is its end."""

    def one(type="totp", name=None, status="verified", number=None, of=None):
        id = str(uuid.uuid4())
        sql("insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, phone, created_at, updated_at)"
            " values (%s, %s, %s, %s, %s, %s, now() - interval '1 hour', now() - interval '1 hour')", id, of or me.id, name, type, status, number)  # fmt: skip
        return f"/admin/users/{of or me.id}/factors/{id}"

    return one


def id_of(path):
    return path.rsplit("/", 1)[1]


def raised(sql, session, path, method):
    """A session that has shown the factor."""
    sql("update auth.sessions set aal = 'aal2', factor_id = %s where id = %s", id_of(path), session)
    sql("insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method) values (gen_random_uuid(), %s, now(), now(), %s)",
        session, method)


def audited(sql, path, action):
    return sql("select payload, ip_address from auth.audit_log_entries where payload->'traits'->>'factor_id' = %s and payload->>'action' = %s", id_of(path),
               action)


def test_list(server, key, sql, me, factor):
    listed = lambda: server.get(f"/admin/users/{me.id}/factors", key)
    assert (listed().status_code, listed().text) == (200, "[]")
    one, two = factor(name="one"), factor("phone", number="15550001", status="unverified")
    sql("update auth.mfa_factors set created_at = now(), last_challenged_at = now() where id = %s", id_of(two))
    first, second = listed().json()
    assert set(first) == SHAPE | {"friendly_name"} and set(second) == SHAPE
    assert (first["id"], first["friendly_name"], first["factor_type"], first["status"], first["phone"]) == (id_of(one), "one", "totp", "verified", "")
    assert (second["id"], second["factor_type"], second["status"], second["phone"]) == (id_of(two), "phone", "unverified", "15550001")
    assert second["last_challenged_at"] and [first, second] == server.get(f"/admin/users/{me.id}", key).json()["factors"]
    assert server.cost(listed) == (1, 1)


def test_rename(server, key, sql, me, factor):
    path = factor(name="old")
    before = server.get(f"/admin/users/{me.id}/factors", key).json()[0]
    got = server.put(path, {"friendly_name": "new", "phone": "nonsense"}, key)
    assert got.status_code == 200 and {k: v for k, v in got.json().items() if v != before[k]}.keys() == {"friendly_name", "updated_at"}
    assert got.json()["friendly_name"] == "new" and [got.json()] == server.get(f"/admin/users/{me.id}/factors", key).json()
    assert server.put(path, {}, key).json() == server.put(path, {"friendly_name": ""}, key).json() == got.json()
    said = audited(sql, path, "factor_updated")
    assert len(said) == 3 and said[0]["ip_address"] == ""
    assert said[0]["payload"]["traits"] == {"user_id": me.id, "factor_id": id_of(path), "factor_type": "totp"}
    assert (said[0]["payload"]["actor_username"], said[0]["payload"]["log_type"]) == ("service_role", "factor")
    assert server.cost(lambda: server.put(path, {}, key))[0] == 2


def test_a_number(server, key, sql, factor):
    number = phone()
    path, other = factor("phone", number=phone()), factor("phone", number=number)
    got = server.put(path, {"phone": "+1 555 12345"}, key)
    assert (got.status_code, got.json()["phone"]) == (200, "155512345")
    is_error(server.put(path, {"phone": "nonsense", "friendly_name": "x"}, key), 400, "validation_failed", "Invalid phone number format (E.164 required)")
    is_error(server.put(path, {"phone": number}, key), 422, "phone_exists")
    assert sql("select phone, friendly_name from auth.mfa_factors where id = %s", id_of(path)) == [{"phone": "155512345", "friendly_name": None}]
    assert len(audited(sql, path, "factor_updated")) == 1 and server.put(other, {"phone": number}, key).status_code == 200


def test_a_name_that_is_taken(server, key, sql, factor):
    path, _ = factor(name="one"), factor(name='t"wo')
    is_error(server.put(path, {"friendly_name": 't"wo'}, key), 422, "mfa_factor_name_conflict",
             'A factor with the friendly name "t\\"wo" for this user already exists')
    is_error(server.put(path, {"friendly_name": "".join(str(uuid.uuid4()) for _ in range(3000))}, key), 400, "validation_failed")
    assert sql("select friendly_name as n from auth.mfa_factors where id = %s", id_of(path))[0]["n"] == "one"
    assert server.put(factor(of=server.sign_up().id), {"friendly_name": "one"}, key).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"friendly_name": 5}', b'{"phone": {}}'])
def test_what_is_no_change(server, key, factor, body):
    is_error(server.request("PUT", factor(), key, data=body), 400, "bad_json")


def test_delete(server, key, sql, me, factor):
    path = factor(name="gone")
    shown = server.get(f"/admin/users/{me.id}/factors", key).json()[0]
    got = server.request("DELETE", path, key)
    assert (got.status_code, got.json()) == (200, shown)
    assert server.get(f"/admin/users/{me.id}/factors", key).json() == []
    is_error(server.request("DELETE", path, key), 404, "mfa_factor_not_found", "Factor not found")
    (said,) = audited(sql, path, "factor_deleted")
    assert said["payload"]["traits"] == {"user_id": me.id, "factor_id": id_of(path)} and said["ip_address"] == "127.0.0.1"
    assert (said["payload"]["actor_id"], said["payload"]["log_type"]) == (me.id, "factor")


@pytest.mark.parametrize("type, method", [("totp", "totp"), ("phone", "mfa/phone"), ("webauthn", "mfa/webauthn")])
def test_what_a_factor_has_raised_falls(server, key, sql, me, factor, type, method):
    """Its sessions are aal1 again, in what is asked of them and in their tokens; those that have shown another are not."""
    kept = server.sign_in(email=me.email, password=me.password).json()
    path, other = factor(type, number=phone() if type == "phone" else None), factor()
    raised(sql, me.session_id, path, method)
    raised(sql, claims_of(kept["access_token"])["session_id"], other, "totp")
    assert server.request("DELETE", path, key).status_code == 200
    assert sql("select aal, factor_id from auth.sessions where id = %s", me.session_id) == [{"aal": "aal1", "factor_id": None}]
    now = claims_of(server.refresh(me.refresh_token).json()["access_token"])
    assert now["aal"] == "aal1" and [m["method"] for m in now["amr"]] == ["password"]
    is_error(server.put("/user", {"password": "another horse 8"}, me.access), 401, "insufficient_aal")
    assert claims_of(server.refresh(kept["refresh_token"]).json()["access_token"])["aal"] == "aal2"


def test_who_is_not_there(server, key, me, factor):
    path = factor()
    strangers = path.replace(me.id, server.sign_up().id)
    for method in ("PUT", "DELETE", "GET", "PATCH"):
        is_error(server.request(method, strangers, key), 404, "mfa_factor_not_found", "Factor not found")
        is_error(server.request(method, path[:-1] + "x", key), 404, "validation_failed", "factor_id must be an UUID")
        is_error(server.request(method, f"/admin/users/{NOBODY}/factors/{NOBODY}", key), 404, "user_not_found")
    is_error(server.get("/admin/users/nobody/factors", key), 404, "validation_failed", "user_id must be an UUID")
    got = server.get(path, key)
    assert (got.status_code, got.headers["Allow"], got.text) == (405, "DELETE, PUT", "")
    for method, where in (("GET", path.rsplit("/", 1)[0]), ("PUT", path), ("DELETE", path)):
        is_error(server.request(method, where, me.access), 403, "not_admin")
        is_error(server.request(method, where), 401, "no_authorization")


def test_many_at_once(server, key, sql, factor):
    """Of many that take it away one does; who changes it meanwhile has done so before, or does not find it."""
    path = factor(name="one")
    got = many(24, lambda i: server.request("DELETE", path, key) if i % 2 else server.put(path, {"friendly_name": address()}, key))
    deleted = [r.status_code for i, r in enumerate(got) if i % 2]
    assert sorted(set(deleted)) == [200, 404] and deleted.count(200) == 1, deleted
    changed = [r.status_code for i, r in enumerate(got) if not i % 2]
    assert set(changed) <= {200, 404} and len(audited(sql, path, "factor_updated")) == changed.count(200)
    assert len(audited(sql, path, "factor_deleted")) == 1
