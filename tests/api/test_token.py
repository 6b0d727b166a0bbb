# SPDX-License-Identifier: Apache-2.0
import statistics
import time

import pytest

from harness import PASSWORD, address, is_error, phone


def test_password(server, sql):
    me = server.sign_up()
    got = server.sign_in(email=me.email.upper(), password=me.password)
    assert got.status_code == 200, got.text
    reply = got.json()
    assert set(reply) >= {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"}
    assert reply["user"]["id"] == me.id and reply["user"]["last_sign_in_at"]
    assert abs(reply["expires_at"] - time.time() - 3600) < 5
    assert sql("select count(*) as n from auth.sessions where user_id = %s", me.id)[0]["n"] == 2


def test_phone(server):
    number = phone()
    me = server.sign_up(email=None, phone=number)
    assert server.sign_in(phone="+" + number, password=me.password).json()["user"]["id"] == me.id


def test_session_remembers_the_client(server, sql):
    me = server.sign_up()
    got = server.post("/token?grant_type=password", {"email": me.email, "password": me.password}, headers={"User-Agent": "tests/1 (é)"}).json()
    row = sql("select host(s.ip) as ip, user_agent from auth.sessions s join auth.refresh_tokens t on t.session_id = s.id where token = %s",
              got["refresh_token"])[0]
    assert row["ip"] == "127.0.0.1" and row["user_agent"].startswith("tests/1")


@pytest.mark.parametrize(
    "body, code, message",
    [
        ({}, "validation_failed", "missing email or phone"),
        ({"email": "a@b.c", "phone": "1555", "password": "x"}, "validation_failed", "Only an email address or phone number should be provided on login."),
        ({"email": "nobody@example.com", "password": "x"}, "invalid_credentials", "Invalid login credentials"),
        ({"phone": "15550000000", "password": "x"}, "invalid_credentials", "Invalid login credentials"),
    ],
)
def test_refused(server, body, code, message):
    is_error(server.sign_in(**body), 400, code, message)


def test_wrong_password(server):
    me = server.sign_up()
    for wrong in ("x", me.password + " ", me.password[:-1], ""):
        is_error(server.sign_in(email=me.email, password=wrong), 400, "invalid_credentials", "Invalid login credentials")


def test_banned(server, sql):
    me = server.sign_up()
    sql("update auth.users set banned_until = now() + interval '1 hour' where id = %s", me.id)
    is_error(server.sign_in(email=me.email, password=me.password), 400, "user_banned", "User is banned")
    is_error(me.get(), 403, "user_banned", "User is banned")
    is_error(server.refresh(me.refresh_token), 400, "user_banned", "Invalid Refresh Token: User Banned")


def test_grant_types(server):
    is_error(server.post("/token", {}), 400, "invalid_credentials", "unsupported_grant_type")
    is_error(server.post("/token?grant_type=magic", {}), 400, "invalid_credentials", "unsupported_grant_type")
    got = server.request("POST", "/token", data={"grant_type": "refresh_token"})
    assert got.status_code == 400 and got.json()["error_code"] == "bad_json", "the grant type is read from a form too, the parameters never are"


def test_pkce_checks(server):
    path = "/token?grant_type=pkce"
    words = "invalid request: both auth code and code verifier should be non-empty"
    is_error(server.post(path, {}), 400, "validation_failed", words)
    is_error(server.post(path, {"auth_code": "x"}), 400, "validation_failed", words)
    is_error(server.post(path, {"auth_code": "0" * 36, "code_verifier": "v" * 43}), 404, "flow_state_not_found")


def test_providers_switched_off(serve):
    server = serve(GOTRUE_EXTERNAL_EMAIL_ENABLED="false", GOTRUE_EXTERNAL_PHONE_ENABLED="false")
    is_error(server.sign_in(email="a@b.c", password="x"), 422, "email_provider_disabled", "Email logins are disabled")
    is_error(server.sign_in(phone="1555", password="x"), 422, "phone_provider_disabled", "Phone logins are disabled")


def test_weak_password_is_told_on_sign_in(serve):
    me = serve().sign_up(password="short1")
    reply = serve(GOTRUE_PASSWORD_MIN_LENGTH="20").sign_in(email=me.email, password="short1").json()
    assert reply["weak_password"]["reasons"] == ["length"] and reply["access_token"]


def test_names_without_regard_to_case_and_last_of_two(server):
    me = server.sign_up()
    body = '{"Email":"other@example.com","EMAIL":"%s","pass\\u0077ord":"%s","unknown":[1,{}],"phone":null}' % (me.email, me.password)
    assert server.request("POST", "/token?grant_type=password", data=body).status_code == 200


def test_same_time_whether_the_user_exists(serve, sql):
    server = serve(POSTERN_PASSWORD_HASH="scrypt", POSTERN_BCRYPT_COST=None)
    me = server.sign_up()
    sql("delete from auth.users where id <> %s", me.id)  # nobody unknown is as quick as somebody with a cheap hash

    def took(email):
        began = time.monotonic()
        assert server.sign_in(email=email, password="wrong").status_code == 400
        return time.monotonic() - began

    for email in (me.email, address()):
        took(email)
    known = statistics.median(took(me.email) for _ in range(5))
    unknown = statistics.median(took(address()) for _ in range(5))
    assert known > 0.02 and abs(known - unknown) < 0.5 * max(known, unknown)


def test_costs_three_round_trips(server, only_workers):
    me = server.sign_up()
    trips, _ = server.cost(lambda: server.sign_in(email=me.email, password=me.password))
    assert trips <= 3


def test_password_never_in_the_log(server):
    me = server.sign_up(password="a Secret nobody reads 9")
    server.sign_in(email=me.email, password=me.password)
    server.refresh(me.refresh_token)
    text = server.log_path.read_text(errors="replace")
    for secret in (me.password, me.access, me.refresh_token, PASSWORD):
        assert secret not in text


def test_tokens_too_large_for_a_header_are_in_the_log(server):
    """Web servers refuse a request that shows one before the program gets it."""
    said = lambda: {x.get("user_id") for x in server.log() if "larger than web servers take" in x.get("msg", "")}
    small, large = server.sign_up(data={"x": "m" * 20000}), server.sign_up(data={"x": "m" * 24000})
    assert large.id in said() and small.id not in said()
