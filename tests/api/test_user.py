# SPDX-License-Identifier: Apache-2.0
import json

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


AWKWARD = {"quote": 'a "b" \\ {c}, d', "null": "NULL", "empty": "", "list": [None, {"x": 1.5}], "snow": "\u2603 \U0001f600", "line": "a\nb\tc"}


def test_what_is_shown(server, sql):
    """Every member, whatever stands in it; times as Go writes them, and none where there is none."""
    me = server.sign_up()
    sql(
        """update auth.users set raw_user_meta_data = %s, raw_app_meta_data = 'null', email_confirmed_at = '2026-01-02 23:59:00',
            phone_confirmed_at = '2026-01-02 23:59:00.12', invited_at = 'infinity',
            confirmation_sent_at = '2026-03-04 05:06:07.1', recovery_sent_at = '2026-03-04 05:06:07', email_change = 'New', email_change_sent_at = 'infinity',
            phone_change_sent_at = '1969-12-31 23:59:59.5',
            last_sign_in_at = null, created_at = '1999-12-31 23:59:59.000001', banned_until = '-infinity', role = null where id = %s""",
        json.dumps(AWKWARD), me.id,
    )  # fmt: skip
    sql("update auth.identities set identity_data = '{}', created_at = null, last_sign_in_at = null, updated_at = null where user_id = %s", me.id)
    for provider, data, at in (("a", json.dumps(AWKWARD), "2026-01-01 00:00:00.5"), ("b{,", '{"email": "X@example.com"}', "2026-01-01")):
        sql("insert into auth.identities (provider_id, user_id, identity_data, provider, created_at) values ('NULL', %s, %s, %s, %s)",
            me.id, data, provider, at)
    for name, at, kind in (("one", "2026-01-02 00:00:00.1", "totp"), ("", "2026-01-02", "phone")):
        sql(
            "insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, phone, last_challenged_at) values "
            "(gen_random_uuid(), %s, %s, %s, 'unverified', %s, %s, %s, %s)",
            me.id, name, kind, at, at, "15550000000" if not name else None, at if name else None,
        )  # fmt: skip
    user = me.get().json()
    assert user["user_metadata"] == AWKWARD and user["app_metadata"] == {} and user["role"] == "" and user["new_email"] == "New"
    times = {k: v for k, v in user.items() if k.endswith("_at") and k != "updated_at"}
    assert times == {
        "email_confirmed_at": "2026-01-02T23:59:00Z",
        "phone_confirmed_at": "2026-01-02T23:59:00.12Z",
        "confirmed_at": "2026-01-02T23:59:00Z",
        "confirmation_sent_at": "2026-03-04T05:06:07.1Z",
        "recovery_sent_at": "2026-03-04T05:06:07Z",
        "phone_change_sent_at": "1969-12-31T23:59:59.5Z",
        "created_at": "1999-12-31T23:59:59.000001Z",
    }
    assert not {"banned_until", "new_phone", "deleted_at"} & set(user)
    assert [i["provider"] for i in user["identities"]] == ["b{,", "a", "email"]
    second, first, last = user["identities"][1], user["identities"][0], user["identities"][2]
    assert second["identity_data"] == AWKWARD and second["id"] == "NULL" and second["created_at"] == "2026-01-01T00:00:00.5Z" and "email" not in second
    assert first["email"] == "x@example.com" and set(last) == {"identity_id", "id", "user_id", "provider"}
    assert [(f["factor_type"], f.get("friendly_name"), f["phone"], f["last_challenged_at"]) for f in user["factors"]] == [
        ("phone", None, "15550000000", None),
        ("totp", "one", "", "2026-01-02T00:00:00.1Z"),
    ]
    assert set(user["factors"][0]) == {"id", "created_at", "updated_at", "status", "factor_type", "phone", "last_challenged_at"}
