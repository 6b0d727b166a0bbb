# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import is_error, phone


def test_get(server):
    me = server.sign_up(data={"a": 1})
    got = me.get()
    assert got.status_code == 200 and got.headers["Content-Type"] == "application/json"
    user = got.json()
    assert user["id"] == me.id and user["identities"][0]["provider"] == "email" and user["is_anonymous"] is False


def test_needs_a_token(server):
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Basic eA=="}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}):
        for method in ("GET", "PUT"):
            is_error(server.request(method, "/user", headers=headers), 401, "no_authorization", "This endpoint requires a valid Bearer token")


def test_metadata_is_merged(server):
    me = server.sign_up(data={"keep": 1, "change": 1, "drop": 1})
    got = me.put(data={"change": 2, "drop": None, "new": {"x": None}}).json()["user_metadata"]
    assert got["keep"] == 1 and got["change"] == 2 and got["new"] == {"x": None} and "drop" not in got
    assert me.get().json()["user_metadata"] == got


def test_metadata_of_two_at_once_is_not_lost(server):
    import requests

    from harness import many

    me = server.sign_up()
    many(8, lambda i: server.put("/user", {"data": {f"k{i}": i}}, me.access, http=requests))
    stored = me.get().json()["user_metadata"]
    assert {f"k{i}" for i in range(8)} <= set(stored)


def test_app_metadata_is_not_ours_to_change(server):
    me = server.sign_up()
    is_error(me.put(app_metadata={"role": "admin"}), 403, "not_admin", "Updating app_metadata requires admin privileges")


def test_password(server, sql):
    me = server.sign_up()
    other = server.sign_in(email=me.email, password=me.password).json()
    assert me.put(password="a new one 8").status_code == 200
    is_error(server.sign_in(email=me.email, password=me.password), 400, "invalid_credentials")
    assert server.sign_in(email=me.email, password="a new one 8").status_code == 200
    is_error(server.get("/user", other["access_token"]), 403, "session_not_found")
    assert me.get().status_code == 200
    assert sql("select 1 from auth.audit_log_entries where payload->>'action' = 'user_updated_password' and payload->>'actor_id' = %s", me.id)


def test_password_refused(server):
    me = server.sign_up()
    is_error(me.put(password=me.password), 422, "same_password", "New password should be different from the old password.")
    is_error(me.put(password="12345"), 422, "weak_password")
    is_error(me.put(password="x" * 73), 400, "validation_failed")


def test_current_password(serve):
    server = serve(GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD="true")
    me = server.sign_up()
    words = "Current password required when setting new password."
    is_error(me.put(password="a new one 8"), 400, "current_password_required", words)
    is_error(me.put(password="a new one 8", current_password="wrong"), 400, "current_password_invalid", words)
    assert me.put(password="a new one 8", current_password=me.password).status_code == 200


def test_reauthentication(serve, sql):
    server = serve(GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION="true")
    me = server.sign_up()
    assert me.put(password="a new one 8").status_code == 200
    sql("update auth.sessions set created_at = now() - interval '25 hours' where id = %s", me.session_id)
    is_error(me.put(password="a newer one 9"), 400, "reauthentication_needed", "Password update requires reauthentication")
    is_error(me.put(password="a newer one 9", nonce="123456"), 422, "reauthentication_not_valid")


def test_anonymous_needs_an_address_first(server):
    me = server.sign_up(email=None, password=None)
    is_error(me.put(password="a new one 8"), 422, "validation_failed", "Updating password of an anonymous user without an email or phone is not allowed")


def test_taken_addresses(server):
    number = phone()
    server.sign_up(email=None, phone=number)
    other, me = server.sign_up(), server.sign_up()
    is_error(me.put(email=other.email), 422, "email_exists")
    is_error(me.put(phone=number), 422, "phone_exists")


def test_audience(server):
    me = server.sign_up()
    is_error(server.get("/user", me.access, headers={"X-JWT-AUD": "other"}), 400, "validation_failed", "Token audience doesn't match request audience")


def test_gone_user(server, sql):
    me = server.sign_up()
    sql("delete from auth.users where id = %s", me.id)
    is_error(me.get(), 403, "user_not_found", "User from sub claim in JWT does not exist")


@pytest.mark.parametrize("body", ["", "[]", "null", "7", '"x"', "{", '{"data":[]}', '{"password":7}', "{'data':{}}", '{"data":{"a":NaN}}'])
def test_bad_bodies(server, body):
    me = server.sign_up()
    got = server.request("PUT", "/user", me.access, data=body)
    if body == "null":
        assert got.status_code == 200
    else:
        is_error(got, 400, "bad_json")


def test_costs_one_statement(server, only_workers):
    me = server.sign_up()
    assert server.cost(me.get) == (1, 1)
