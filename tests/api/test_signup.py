# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import PASSWORD, address, claims_of, is_error, many, phone


def test_email(server, sql):
    me = server.sign_up(email="Ada.L@Example.COM", data={"name": "Ada", "n": 1})
    user = me.reply["user"]
    assert user["email"] == "ada.l@example.com"
    assert user["user_metadata"]["name"] == "Ada"
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["role"] == "authenticated" and user["aud"] == "authenticated"
    assert me.reply["token_type"] == "bearer" and me.reply["expires_in"] == 3600
    assert me.claims["sub"] == me.id and me.claims["aal"] == "aal1" and me.claims["amr"][0]["method"] == "password"
    row = sql("select * from auth.users where id = %s", me.id)[0]
    assert row["email_confirmed_at"] and row["encrypted_password"].startswith("$2")
    identity = sql("select * from auth.identities where user_id = %s", me.id)[0]
    assert identity["provider"] == "email" and identity["identity_data"]["email"] == "ada.l@example.com"
    assert [x["payload"]["action"] for x in sql("select payload from auth.audit_log_entries where payload->>'actor_id' = %s order by created_at", me.id)
            ] == ["user_signedup", "login"]


def test_audit_names_the_client(serve, sql):
    me = serve(POSTERN_AUDIT_ADDRESS="true").sign_up()
    me.server.refresh(me.refresh_token)
    rows = sql("select payload->>'action' as action, ip_address from auth.audit_log_entries where payload->>'actor_id' = %s", me.id)
    assert {x["ip_address"] for x in rows} == {"127.0.0.1"} and {x["action"] for x in rows} >= {"user_signedup", "token_refreshed", "token_revoked"}


def test_phone(server, sql):
    number = phone()
    me = server.sign_up(email=None, phone="+" + number)
    assert me.reply["user"]["phone"] == number
    assert me.reply["user"]["app_metadata"]["provider"] == "phone"
    assert sql("select phone_confirmed_at from auth.users where id = %s", me.id)[0]["phone_confirmed_at"]


def test_anonymous(server):
    me = server.sign_up(email=None, password=None, data={"theme": "dark"})
    assert me.reply["user"]["is_anonymous"] is True and me.claims["is_anonymous"] is True
    assert me.reply["user"]["user_metadata"] == {"theme": "dark"}
    assert me.claims["amr"][0]["method"] == "anonymous"


def test_anonymous_disabled(serve):
    closed = serve(GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED="false")
    is_error(closed.post("/signup", {}), 422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")


def test_duplicate_says_so_with_autoconfirm(server, sql):
    me = server.sign_up()
    is_error(server.post("/signup", {"email": me.email.upper(), "password": PASSWORD}), 422, "user_already_exists", "User already registered")
    assert sql("select count(*) as n from auth.users where email = %s", me.email)[0]["n"] == 1
    assert sql("select 1 from auth.audit_log_entries where payload->>'action' = 'user_repeated_signup' and payload->>'actor_id' = %s", me.id)


def test_unconfirmed(serve, sql):
    server = serve(GOTRUE_MAILER_AUTOCONFIRM="false", GOTRUE_SMS_AUTOCONFIRM="false", GOTRUE_SMTP_MAX_FREQUENCY="60s")
    email = address()
    got = server.post("/signup", {"email": email, "password": PASSWORD})
    assert got.status_code == 200, got.text
    user = got.json()
    assert "access_token" not in user and user["email"] == email and user["confirmation_sent_at"]
    row = sql("select * from auth.users where id = %s", user["id"])[0]
    assert row["email_confirmed_at"] is None and row["confirmation_token"] and row["confirmation_sent_at"]
    assert sql("select token_type::text from auth.one_time_tokens where user_id = %s", user["id"]) == [{"token_type": "confirmation_token"}]
    is_error(server.sign_in(email=email, password=PASSWORD), 400, "email_not_confirmed", "Email not confirmed")
    is_error(server.post("/signup", {"email": email, "password": PASSWORD}), 429, "over_email_send_rate_limit")


def test_phone_without_autoconfirm_leaves_no_user(serve, sql):
    server = serve(GOTRUE_MAILER_AUTOCONFIRM="false", GOTRUE_SMS_AUTOCONFIRM="false", GOTRUE_SMTP_MAX_FREQUENCY="60s")
    number = phone()
    assert server.post("/signup", {"phone": number, "password": PASSWORD}).status_code >= 500
    assert not sql("select 1 from auth.users where phone = %s", number)


@pytest.mark.parametrize(
    "body, status, code, message",
    [
        ({"email": "a@example.com", "password": ""}, 400, "validation_failed", "Signup requires a valid password"),
        ({"email": "a@example.com", "password": "x" * 73}, 400, "validation_failed", "Password cannot be longer than 72 characters"),
        ({"email": "a@example.com", "phone": "155512345", "password": PASSWORD
          }, 400, "validation_failed", "Only an email address or phone number should be provided on signup."),
        ({"phone": "155512345", "password": PASSWORD, "code_challenge": "c" * 43, "code_challenge_method": "s256"
          }, 400, "validation_failed", "PKCE not supported for phone signups"),
        ({"email": "no-address", "password": PASSWORD}, 400, "validation_failed", "Unable to validate email address: invalid format"),
        ({"phone": "0123", "password": PASSWORD}, 400, "validation_failed", "Invalid phone number format (E.164 required)"),
        ({"phone": "155512345", "password": PASSWORD, "channel": "pigeon"}, 400, "validation_failed", None),
        ({"email": "a@example.com", "password": PASSWORD, "code_challenge": "c" * 43}, 400, "validation_failed", None),
        ({"email": "a@example.com", "password": PASSWORD, "code_challenge": "short", "code_challenge_method": "s256"}, 400, "validation_failed", None),
    ],
)
def test_refused(server, body, status, code, message):
    is_error(server.post("/signup", body), status, code, message)


def test_weak_password(server):
    body = is_error(server.post("/signup", {"email": address(), "password": "12345"}), 422, "weak_password", "Password should be at least 6 characters.")
    assert body["weak_password"]["reasons"] == ["length"]


def test_required_characters(serve):
    server = serve(GOTRUE_PASSWORD_MIN_LENGTH="8", GOTRUE_PASSWORD_REQUIRED_CHARACTERS="abcdefghijklmnopqrstuvwxyz:0123456789")
    body = is_error(server.post("/signup", {"email": address(), "password": "ABC"}), 422, "weak_password")
    assert body["weak_password"]["reasons"] == ["length", "characters"]
    server.sign_up(password="letters and 1 digit")


def test_switched_off(serve):
    off = serve(GOTRUE_DISABLE_SIGNUP="true")
    is_error(off.post("/signup", {"email": address(), "password": PASSWORD}), 422, "signup_disabled", "Signups not allowed for this instance")
    is_error(off.post("/signup", {}), 422, "signup_disabled", "Signups not allowed for this instance")
    no_mail = serve(GOTRUE_EXTERNAL_EMAIL_ENABLED="false", GOTRUE_EXTERNAL_PHONE_ENABLED="false")
    is_error(no_mail.post("/signup", {"email": address(), "password": PASSWORD}), 400, "email_provider_disabled", "Email signups are disabled")
    is_error(no_mail.post("/signup", {"phone": phone(), "password": PASSWORD}), 400, "phone_provider_disabled", "Phone signups are disabled")


def test_64_at_once_give_one_user(server, sql):
    email = address()
    got = many(64, lambda i: server.post("/signup", {"email": email, "password": PASSWORD}, http=__import__("requests")))
    statuses = sorted(x.status_code for x in got)
    assert statuses[0] == 200 and set(statuses[1:]) == {422}, statuses
    assert sql("select count(*) as n from auth.users where email = %s", email)[0]["n"] == 1
    assert sql("select count(*) as n from auth.identities where email = %s", email)[0]["n"] == 1


def test_metadata_stays_as_it_came(server, sql):
    data = {"nested": {"null": None, "list": [1, None, {"a": None}]}, "unicode": "é😀\u2028", "Key": 1, "key": 2, "": "empty"}
    stored = server.sign_up(data={**data, "null": None}).get().json()["user_metadata"]
    assert {k: stored[k] for k in data} == data
    assert "null" not in stored


def test_long_numbers_are_not_bent(server):
    number = "1234567890123456789012345678901234567890"
    got = server.post("/signup", data='{"email":"%s","password":"%s","data":{"n":%s}}' % (address(), PASSWORD, number))
    assert got.status_code == 200
    assert number in server.get("/user", got.json()["access_token"]).text


def test_costs_three_round_trips(server, only_workers):
    trips, _ = server.cost(lambda: server.post("/signup", {"email": address(), "password": PASSWORD}))
    assert trips <= 3


def test_token_of_the_new_user_works(server):
    me = server.sign_up()
    assert me.get().json()["id"] == me.id
    assert claims_of(me.access)["email"] == me.email
