# SPDX-License-Identifier: Apache-2.0
"""/admin/users: what operators do to users."""

import hashlib
import time

import pytest

import harness
from harness import PASSWORD, address, is_error, many, mint, phone

NOBODY = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
BCRYPT = "$2a$04$abcdefghijklmnopqrstuugOXdu4fjtpTOHIrBRfnjYOW/1D7m7sW"  # secret12


@pytest.fixture
def make(server, key):
    """make(email=...): a user of the admin API's making."""

    def one(**body):
        got = server.post("/admin/users", body or {"email": address()}, key)
        assert got.status_code == 200, got.text
        return got.json()

    return one


@pytest.fixture
def change(server, key):
    def one(user, **body):
        return server.put(f"/admin/users/{user['id']}", body, key)

    return one


def providers(user):
    return [i["provider"] for i in user["identities"]]


# Making.


def test_with_both_addresses(server, key, sql, make):
    email, number = address(), phone()
    made = make(email=email, phone=f"+{number}", password=PASSWORD, email_confirm=True, phone_confirm=True, role=" editor ", user_metadata={"a": None, "b": 1},
                app_metadata={"plan": "pro", "gone": None})  # fmt: skip
    assert providers(made) == ["email", "phone"]
    assert made["app_metadata"] == {"provider": "email", "providers": ["email", "phone"], "plan": "pro"}
    assert made["user_metadata"] == {"a": None, "b": 1, "email_verified": True}
    assert (made["role"], made["phone"]) == ("editor", number)
    assert "confirmed_at" not in made
    again = server.get(f"/admin/users/{made['id']}", key).json()
    assert again.pop("confirmed_at") and again == made
    for body in ({"email": email}, {"phone": number}):
        assert server.sign_in(password=PASSWORD, **body).status_code == 200
    said = sql("select payload, ip_address from auth.audit_log_entries where payload->'traits'->>'user_id' = %s", made["id"])
    assert said == [{
        "payload": {
            "actor_id": "00000000-0000-0000-0000-000000000000", "actor_via_sso": False, "actor_username": "service_role", "action": "user_signedup",
            "log_type": "team", "traits": {"user_id": made["id"], "user_email": email, "user_phone": number, "provider": "email"}
        }, "ip_address": ""
    }]  # fmt: skip


def test_cost(server, key):
    """Who holds the address, and the write; with a number one more."""
    assert server.cost(lambda: server.post("/admin/users", {"email": address()}, key))[0] == 2
    assert server.cost(lambda: server.post("/admin/users", {"email": address(), "phone": phone()}, key))[0] == 3


def test_one_address_at_once(server, key, sql):
    for body in ({"email": address("at.once")}, {"phone": phone()}, {"email": address("both"), "phone": phone()}):
        got = many(64, lambda i: server.post("/admin/users", body, key, http=harness.requests.Session()))
        codes = sorted(r.status_code for r in got)
        assert codes == [200] + [422] * 63, codes
        assert {r.json()["error_code"] for r in got if r.status_code == 422} <= {"email_exists", "phone_exists"}
        assert sql("select count(*) from auth.users where email = %s or phone = %s", body.get("email"), body.get("phone"))[0]["count"] == 1


def test_an_id_of_ones_own(server, key, make):
    wanted = "8D3C1D3E-5A5C-4B1F-9D0B-" + address()[5:].replace(".", "0")[:10].ljust(12, "0")
    made = make(email=address(), id="{" + wanted + "}")
    assert made["id"] == wanted.lower() and made["identities"][0]["id"] == wanted.lower()
    is_error(server.post("/admin/users", {"email": address(), "id": wanted}, key), 422, "user_already_exists")
    is_error(server.post("/admin/users", {"email": address(), "id": "x"}, key), 400, "validation_failed", "ID must conform to the uuid v4 format")
    is_error(server.post("/admin/users", {"email": address(), "id": "00000000-0000-0000-0000-000000000000"}, key), 400, "validation_failed",
             "ID cannot be a nil uuid")


def test_a_password_hash(server, key, sql, make):
    email = address()
    made = make(email=email, password_hash=BCRYPT)
    assert made["user_metadata"] is None
    assert sql("select encrypted_password, raw_user_meta_data from auth.users where id = %s",
               made["id"]) == [{"encrypted_password": BCRYPT, "raw_user_meta_data": None}]
    assert server.get(f"/admin/users/{made['id']}", key).json()["user_metadata"] == {}
    server.put(f"/admin/users/{made['id']}", {"email_confirm": True, "user_metadata": {"a": 1}}, key)
    reply = server.sign_in(email=email, password="secret12").json()
    assert reply["user"]["user_metadata"] == {"email_verified": True, "a": 1}
    got = server.put("/user", {"data": {"b": 2}}, reply["access_token"]).json()
    assert got["user_metadata"] == {"email_verified": True, "a": 1, "b": 2}


@pytest.mark.parametrize(
    "wrong", ["plain", "$2a$10$short", "$argon2id$v=19$m=16,t=2,p=256$bGJRWThNOHJJTVBSdHl2dQ$NfEnUOuUpb7F2fQkgFUG4g", "$fbscrypt$v=2,n=14", BCRYPT + "x" * 300])
def test_a_bad_password_hash(server, key, wrong):
    is_error(server.post("/admin/users", {"email": address(), "password_hash": wrong}, key), 400, "validation_failed")


def test_refusals(server, key, make):
    taken = make(email=address(), phone=phone())
    for body, status, code in (
        ({}, 400, "validation_failed"),
        ({"email": "no address"}, 400, "validation_failed"),
        ({"phone": "0123"}, 400, "validation_failed"),
        ({"email": taken["email"].upper()}, 422, "email_exists"),
        ({"phone": taken["phone"]}, 422, "phone_exists"),
        ({"email": address(), "password": "", "password_hash": BCRYPT}, 400, "validation_failed"),
        ({"email": address(), "password": "x" * 73}, 400, "validation_failed"),
        ({"email": address(), "role": "r" * 300}, 400, "validation_failed"),
        ({"email": address(), "ban_duration": "a year"}, 400, "validation_failed"),
        ({"email": address(), "user_metadata": [1]}, 400, "bad_json"),
    ):
        is_error(server.post("/admin/users", body, key), status, code)


def test_an_address_of_another_audience(server, key, make):
    """The table has one row an address, whatever the audience."""
    taken = make(email=address(), aud="elsewhere")
    is_error(server.post("/admin/users", {"email": taken["email"]}, key), 422, "email_exists")


# Changing.


def test_the_reply_shows_what_was_read_at_first(server, key, make, change):
    """As the reference does: new identities are shown, changed ones as they were, and what the database computes not yet."""
    made = make(email=address(), password=PASSWORD)
    new, number = address(), phone()
    got = change(made, email=new, email_confirm=True, phone=number).json()
    assert got["email"] == new and "confirmed_at" not in got
    assert providers(got) == ["email", "phone"]
    assert got["identities"][0]["identity_data"]["email"] == made["email"]
    now = server.get(f"/admin/users/{made['id']}", key).json()
    assert now["identities"][0]["identity_data"] == {"sub": made["id"], "email": new, "email_verified": True, "phone_verified": False}
    assert now["identities"][1]["identity_data"] == {"sub": made["id"], "phone": number, "email_verified": False, "phone_verified": False}
    assert now["confirmed_at"]
    assert server.sign_in(email=new, password=PASSWORD).status_code == 200


def test_metadata(make, change):
    made = make(email=address(), user_metadata={"a": 1, "b": {"x": 1}}, app_metadata={"plan": "free"})
    got = change(made, user_metadata={"a": None, "b": {"y": 2}, "c": 3}, app_metadata={"plan": None, "k": True}).json()
    assert got["user_metadata"] == {"b": {"y": 2}, "c": 3}
    assert got["app_metadata"] == {"provider": "email", "providers": ["email"], "k": True}
    same = change(made).json()
    assert same == {**got, "updated_at": same["updated_at"]}


def test_a_password_ends_all_sessions(server, key):
    me = server.sign_up()
    is_error(server.put(f"/admin/users/{me.id}", {"password": "abc"}, key), 422, "weak_password")
    assert me.get().status_code == 200
    assert server.put(f"/admin/users/{me.id}", {"password": "another one 9"}, key).status_code == 200
    is_error(me.get(), 403, "session_not_found")
    is_error(server.refresh(me.refresh_token), 400, "refresh_token_not_found")
    assert server.sign_in(email=me.email, password=PASSWORD).status_code == 400
    assert server.sign_in(email=me.email, password="another one 9").status_code == 200


def test_taken(make, change):
    one, other = make(email=address(), phone=phone()), make(email=address())
    is_error(change(other, email=one["email"]), 422, "email_exists")
    is_error(change(other, phone=one["phone"]), 422, "phone_exists")


def test_an_anonymous_user_gets_a_name(server, key):
    me = server.sign_up(email=None, password=None)
    assert server.put(f"/admin/users/{me.id}", {"email": address()}, key).json()["is_anonymous"] is True
    assert server.put(f"/admin/users/{me.id}", {"email": address(), "email_confirm": True}, key).json()["is_anonymous"] is False


@pytest.mark.parametrize(
    "text, why",
    [
        ("soon", 'time: invalid duration "soon"'),
        ("24", 'time: missing unit in duration "24"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("1h2", 'time: missing unit in duration "1h2"'),
        ("-", 'time: invalid duration "-"'),
        ("9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'),
    ],
)
def test_bad_bans(make, change, text, why):
    is_error(change(make(), ban_duration=text), 400, "validation_failed", f"invalid format for ban duration: {why}")


def test_bans(server, key, sql):
    me = server.sign_up()

    def ban(duration):
        got = server.put(f"/admin/users/{me.id}", {"ban_duration": duration}, key)
        assert got.status_code == 200, got.text
        return got.json().get("banned_until")

    assert ban("1h30m")
    left = sql("select extract(epoch from banned_until - now())::float as s from auth.users where id = %s", me.id)[0]["s"]
    assert 5390 < left <= 5400
    is_error(me.get(), 403, "user_banned")
    is_error(server.refresh(me.refresh_token), 400, "user_banned")
    assert ban("none") is None
    assert me.get().status_code == 200
    assert ban("-1h") and me.get().status_code == 200
    assert ban("0s") is None


def test_a_first_password_may_bring_an_identity(serve, key, sql):
    server = serve(GOTRUE_EXPERIMENTAL_CREATE_EMAIL_IDENTITY_ON_PASSWORD_SET_ENABLED="true")
    made = server.post("/admin/users", {"email": address(), "email_confirm": True}, key).json()
    sql("update auth.users set encrypted_password = null where id = %s", made["id"])
    sql("update auth.identities set provider = 'github', provider_id = 'x' || id where user_id = %s", made["id"])
    got = server.put(f"/admin/users/{made['id']}", {"password": PASSWORD}, key).json()
    assert providers(got) == ["github", "email"]
    assert got["app_metadata"] == {"provider": "github", "providers": ["github", "email"]}


# Deleting.


def obfuscated(user, text):
    return harness.b64(hashlib.sha256((user["id"] + text).encode()).digest())


def test_a_deleted_user_is_gone(server, key, sql):
    me = server.sign_up()
    assert server.request("DELETE", f"/admin/users/{me.id}", key).json() == {}
    for table in ("identities", "sessions", "refresh_tokens"):
        assert sql(f"select count(*) from auth.{table} where user_id::text = %s", me.id)[0]["count"] == 0
    is_error(me.get(), 403, "user_not_found")
    is_error(server.request("DELETE", f"/admin/users/{me.id}", key), 404, "user_not_found")


def test_softly(server, key, sql, make):
    email, number = address(), phone()
    made = make(email=email, phone=number, password=PASSWORD, email_confirm=True, user_metadata={"n": 1})
    me = server.sign_in(email=email, password=PASSWORD).json()
    sql(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values (gen_random_uuid(), %s, 'totp', 'verified', now(), "
        "now())",
        made["id"])
    sql("insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to) values (gen_random_uuid(), %s, 'recovery_token', 'h', 'r')",
        made["id"])
    for _ in range(2):
        assert server.request("DELETE", f"/admin/users/{made['id']}", key, json={"should_soft_delete": True}).json() == {}
    now = server.get(f"/admin/users/{made['id']}", key).json()
    assert (now["email"], now["phone"]) == (obfuscated(made, email), obfuscated(made, number)[:15])
    assert (now["new_email"], now["new_phone"]) == (obfuscated(made, ""), obfuscated(made, "")[:15])
    assert now["user_metadata"] == now["app_metadata"] == {} and now["deleted_at"]
    assert [i["id"] for i in now["identities"]] == [obfuscated(made, f"{p}:{made['id']}") for p in ("email", "phone")]
    assert all("identity_data" not in i for i in now["identities"])
    for table in ("sessions", "mfa_factors", "one_time_tokens"):
        assert sql(f"select count(*) from auth.{table} where user_id = %s", made["id"])[0]["count"] == 0
    assert sql("select encrypted_password from auth.users where id = %s", made["id"])[0]["encrypted_password"] is None
    is_error(server.get("/user", me["access_token"]), 403, "session_not_found")
    assert make(email=email, phone=number)["id"] != made["id"]


@pytest.mark.parametrize("body, status", [(b"", 200), (b"{}", 200), (b"null", 200), (b'{"SHOULD_SOFT_DELETE": false}', 200), (b"  ", 400), (b"[]", 400),
                                          (b'{"should_soft_delete": "yes"}', 400)])
def test_bodies_of_a_deletion(server, key, make, body, status):
    made = make()
    assert server.request("DELETE", f"/admin/users/{made['id']}", key, data=body).status_code == status
    assert server.get(f"/admin/users/{made['id']}", key).status_code == (404 if status == 200 else 200)


# Who, and where.


@pytest.mark.parametrize("path", ["/admin/users/", "/admin/user/"])
def test_both_paths(server, key, make, path):
    made = make()
    assert server.get(path + made["id"], key).json()["id"] == made["id"]
    assert server.put(path + made["id"], {"role": "x"}, key).json()["role"] == "x"
    assert server.request("DELETE", path + made["id"] + "/", key).status_code == 200


def test_the_user_comes_before_the_method(server, key, make):
    made = make()
    for method, rest in (("PATCH", ""), ("POST", ""), ("GET", "/nothing")):
        is_error(server.request(method, f"/admin/users/{NOBODY}{rest}", key), 404, "user_not_found")
        is_error(server.request(method, f"/admin/users/x{rest}", key), 404, "validation_failed", "user_id must be an UUID")
        assert server.request(method, f"/admin/users/{made['id']}{rest}", key).status_code == (404 if rest else 405)
        is_error(server.request(method, f"/admin/users/{made['id']}{rest}"), 401, "no_authorization")


def test_only_operators(server):
    me = server.sign_up()
    for method, path in (("GET", "/admin/users"), ("POST", "/admin/users"), ("GET", f"/admin/users/{me.id}"), ("DELETE", f"/admin/users/{me.id}"),
                         ("GET", "/admin/audit"), ("GET", "/admin/none")):
        is_error(server.request(method, path), 401, "no_authorization")
        is_error(server.request(method, path, me.access), 403, "not_admin")
        is_error(server.request(method, path, mint({"role": "service_role", "exp": int(time.time()) - 60})), 403, "bad_jwt")
    assert me.get().status_code == 200


def test_an_operator_with_a_session(server, key, sql):
    """A token that names a session is as good as the session."""
    me = server.sign_up()
    token = mint({**me.claims, "role": "service_role"})
    assert server.get(f"/admin/users/{me.id}", token).status_code == 200
    sql("delete from auth.sessions where user_id = %s", me.id)
    is_error(server.get(f"/admin/users/{me.id}", token), 403, "session_not_found")
