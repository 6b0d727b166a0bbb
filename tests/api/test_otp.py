# SPDX-License-Identifier: Apache-2.0
"""Asking for a code or link: /otp, /magiclink, /recover, /resend."""

import pytest

from harness import PASSWORD, address, is_error, phone, typed
from post import Landing


@pytest.fixture
def server(mailing):
    return mailing()


def known(server, sql, post, confirmed=True):
    email = address()
    assert server.post("/signup", {"email": email, "password": PASSWORD, "data": {"name": "Ada"}}).status_code == 200
    post.take(email)
    if confirmed:
        sql("update auth.users set email_confirmed_at = now(), confirmation_sent_at = null where email = %s", email)
    return email


def user(sql, **by):
    column, value = by.popitem()
    found = sql(f"select * from auth.users where {column} = %s", value)
    return found[0] if found else None


def actions(sql, email):
    return [
        x["a"] for x in sql(
            "select payload->>'action' as a from auth.audit_log_entries where payload->>'actor_id' = (select id::text from auth.users where email = %s) "
            "order by created_at",
            email)
    ]


def empty(got):
    assert (got.status_code, got.json()) == (200, {}), got.text


# /otp and /magiclink with an address.


@pytest.mark.parametrize("path", ["/otp", "/magiclink"])
def test_somebody_new_signs_up(server, sql, post, path):
    email = address()
    empty(server.post(path, {"email": email.upper(), "data": {"name": "Ada", "gone": None}}))
    letter = post.take(email)
    assert letter.type == "signup"
    made = user(sql, email=email)
    assert made["raw_user_meta_data"]["name"] == "Ada" and made["email_confirmed_at"] is None and made["encrypted_password"]
    assert actions(sql, email) == ["user_confirmation_requested"]
    assert Landing(server.get(letter.path)).signed_in


@pytest.mark.parametrize("path", ["/otp", "/magiclink"])
def test_somebody_known(server, sql, post, path):
    email = known(server, sql, post)
    before = user(sql, email=email)
    empty(server.post(path, {"email": email.upper(), "data": {"name": "Eve"}}))
    letter = post.take(email)
    assert letter.type == "magiclink" and letter.message["Subject"]
    after = user(sql, email=email)
    assert after["raw_user_meta_data"] == before["raw_user_meta_data"] and after["encrypted_password"] == before["encrypted_password"]
    assert after["recovery_token"] == typed(email, letter.code) and after["recovery_sent_at"]
    assert actions(sql, email)[-1] == "user_recovery_requested"
    assert Landing(server.get(letter.path)).fragment["type"] == "magiclink"


@pytest.mark.parametrize("path", ["/otp", "/magiclink"])
def test_somebody_unconfirmed_gets_the_confirmation(server, sql, post, path):
    email = known(server, sql, post, confirmed=False)
    empty(server.post(path, {"email": email}))
    assert post.take(email).type == "signup"


def test_with_autoconfirm(mailing, sql, post):
    server = mailing(GOTRUE_MAILER_AUTOCONFIRM="true")
    email = address()
    empty(server.post("/otp", {"email": email}))
    letter = post.take(email)
    assert letter.type == "magiclink" and user(sql, email=email)["email_confirmed_at"]
    assert "user_signedup" in actions(sql, email) and actions(sql, email)[-1] == "user_recovery_requested"


def test_who_may_not_sign_up(server, sql, post):
    email = address()
    is_error(server.post("/otp", {"email": email, "create_user": False}), 422, "otp_disabled", "Signups not allowed for otp")
    is_error(server.post("/otp", {"phone": phone(), "create_user": False}), 422, "otp_disabled", "Signups not allowed for otp")
    is_error(server.post("/otp", {"email": "nonsense", "create_user": False}), 422, "otp_disabled", "Signups not allowed for otp")
    assert user(sql, email=email) is None
    email = known(server, sql, post)
    empty(server.post("/otp", {"email": email, "create_user": False}))
    assert post.take(email).type == "magiclink"


def test_sign_up_is_disabled(mailing, sql, post):
    email = known(mailing(), sql, post)
    server = mailing(GOTRUE_DISABLE_SIGNUP="true")
    is_error(server.post("/otp", {"email": address()}), 422, "signup_disabled", "Signups not allowed for this instance")
    empty(server.post("/otp", {"email": email}))
    assert post.take(email).type == "magiclink"


def test_ways_that_are_closed(mailing):
    no_links = mailing(GOTRUE_EXTERNAL_EMAIL_MAGIC_LINK_ENABLED="false")
    for path in ("/otp", "/magiclink"):
        is_error(no_links.post(path, {"email": address()}), 422, "email_provider_disabled", "Login with magic link is disabled")
    no_mail = mailing(GOTRUE_EXTERNAL_EMAIL_ENABLED="false")
    for path in ("/otp", "/magiclink"):
        is_error(no_mail.post(path, {"email": address()}), 422, "email_provider_disabled", "Email logins are disabled")
    is_error(no_mail.post("/resend", {"type": "signup", "email": address()}), 400, "email_provider_disabled", "Email logins are disabled")
    is_error(no_mail.post("/recover", {"email": address()}), 400, "email_provider_disabled", "Email logins are disabled")
    no_phone = mailing(GOTRUE_EXTERNAL_PHONE_ENABLED="false")
    is_error(no_phone.post("/otp", {"phone": phone()}), 400, "phone_provider_disabled", "Unsupported phone provider")
    is_error(no_phone.post("/resend", {"type": "sms", "phone": phone()}), 400, "phone_provider_disabled", "Phone logins are disabled")


@pytest.mark.parametrize("body, message", [
    ({}, "One of email or phone must be set"),
    ({"create_user": False}, "One of email or phone must be set"),
    ({"email": "a@example.com", "phone": "15551234567"}, "Only an email address or phone number should be provided"),
    ({"email": "a@example.com", "channel": "sms"}, "Channel should only be specified with Phone OTP"),
    ({"email": "nonsense"}, "Unable to validate email address: invalid format"),
    ({"email": "a" * 250 + "@example.com"}, "An email address is too long"),
    ({"phone": "nonsense"}, "Invalid phone number format (E.164 required)"),
])
def test_bad_requests(server, body, message):
    is_error(server.post("/otp", body), 400, "validation_failed", message)


def test_bad_bodies(server):
    for path in ("/otp", "/recover", "/resend", "/verify", "/magiclink"):
        for body in (b"", b"{", b"[]", b"email=a@example.com", b'{"email": 5}', b'{"email": {"a": 1}}'):
            got = server.request("POST", path, data=body, headers={"Content-Type": "application/json"})
            start = "Could not read verification params: " if path == "/magiclink" else "Could not parse request body as JSON: "
            assert is_error(got, 400, "bad_json")["msg"].startswith(start)
    assert server.post("/magiclink", {"email": address(), "phone": 5, "channel": [], "create_user": "?"}).status_code == 200


def test_a_magic_link_needs_an_address(server):
    is_error(server.post("/magiclink", {"phone": phone()}), 422, "validation_failed", "Password recovery requires an email")


# /otp with a number.


def test_a_new_number(server, sql, phones):
    number = phone()
    empty(server.post("/otp", {"phone": f"+{number}", "data": {"name": "Ada"}}))
    made = user(sql, phone=number)
    assert made["raw_user_meta_data"]["name"] == "Ada" and made["phone_confirmed_at"] is None
    assert server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).status_code == 200
    empty(server.post("/otp", {"phone": number, "create_user": False}))
    assert len(phones.to(number)) == 2


def test_a_number_with_autoconfirm(mailing, sql, phones):
    server = mailing(GOTRUE_SMS_AUTOCONFIRM="true")
    number = phone()
    empty(server.post("/otp", {"phone": number}))
    assert user(sql, phone=number)["phone_confirmed_at"]
    assert server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).status_code == 200


def test_what_the_hook_says(server, sql, phones):
    number = phone()
    phones.says = (200, {"Content-Type": "application/json"}, b'{"error": {"http_code": 418, "message": "no messages to there"}}')
    try:
        got = server.post("/otp", {"phone": number})
    finally:
        phones.says = (200, {"Content-Type": "application/json"}, b"{}")
    assert got.status_code == 418 and got.json()["msg"] == "no messages to there"
    assert user(sql, phone=number) is None and len(phones.to(number)) == 1


def test_channels(server, serve):
    # The hook takes any; gateways only those that they have.
    empty(server.post("/otp", {"phone": phone(), "channel": "whatsapp"}))
    words = "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider."
    for provider, channel in (("messagebird", "whatsapp"), ("twilio", "pigeon"), ("vonage", "whatsapp")):
        other = serve(GOTRUE_SMS_PROVIDER=provider, GOTRUE_SMS_AUTOCONFIRM="false")
        is_error(other.post("/otp", {"phone": phone(), "channel": channel}), 400, "validation_failed", words)


# /recover.


def test_recover(server, sql, post):
    email = known(server, sql, post)
    empty(server.post("/recover", {"email": email.upper()}))
    letter = post.take(email)
    assert letter.type == "recovery" and user(sql, email=email)["recovery_token"] == typed(email, letter.code)
    assert actions(sql, email)[-1] == "user_recovery_requested"


def test_recover_somebody_unknown(server, sql, post):
    email = address()
    empty(server.post("/recover", {"email": email}))
    assert user(sql, email=email) is None
    assert sql("select count(*) as n from auth.one_time_tokens where relates_to = %s", email)[0]["n"] == 0
    # Nor does a letter go out: one to somebody else is there, this one is not.
    email_known = known(server, sql, post)
    server.post("/recover", {"email": email_known})
    post.take(email_known)
    assert post.to(email) == []


def test_recover_errors(server):
    is_error(server.post("/recover", {}), 400, "validation_failed", "Password recovery requires an email")
    is_error(server.post("/recover", {"email": "nonsense"}), 400, "validation_failed", "Unable to validate email address: invalid format")


# /resend.


def test_resend_signup(server, sql, post):
    email = known(server, sql, post, confirmed=False)
    empty(server.post("/resend", {"type": "signup", "email": email}))
    letter = post.take(email)
    assert letter.type == "signup" and user(sql, email=email)["confirmation_token"] == typed(email, letter.code)
    assert actions(sql, email)[-1] == "user_confirmation_requested"
    assert Landing(server.get(letter.path)).signed_in
    empty(server.post("/resend", {"type": "signup", "email": email}))
    assert user(sql, email=email)["confirmation_token"] == ""


def test_resend_to_nobody(server, sql):
    for type in ("signup", "email_change"):
        empty(server.post("/resend", {"type": type, "email": address()}))
    for type in ("sms", "phone_change"):
        empty(server.post("/resend", {"type": type, "phone": phone()}))


def test_resend_email_change(server, sql, post):
    email, new = known(server, sql, post), address("new")
    empty(server.post("/resend", {"type": "email_change", "email": email}))
    access = server.sign_in(email=email, password=PASSWORD).json()["access_token"]
    assert server.put("/user", {"email": new}, access).status_code == 200
    first = post.take(email), post.take(new)
    empty(server.post("/resend", {"type": "email_change", "email": email}))
    second = post.take(email), post.take(new)
    assert {x.hash for x in first}.isdisjoint({x.hash for x in second})
    Landing(server.get(first[0].path)).is_refused()
    assert "message" in Landing(server.get(second[0].path)).fragment
    assert Landing(server.get(second[1].path)).signed_in


def test_resend_sms(server, sql, phones):
    number = phone()
    server.post("/signup", {"phone": number, "password": PASSWORD})
    empty(server.post("/resend", {"type": "sms", "phone": f"+{number}"}))
    first, second = phones.to(number)
    if first != second:
        is_error(server.post("/verify", {"type": "sms", "token": first, "phone": number}), 403, "otp_expired")
    assert server.post("/verify", {"type": "sms", "token": second, "phone": number}).status_code == 200
    empty(server.post("/resend", {"type": "sms", "phone": number}))
    assert len(phones.to(number)) == 2


def test_resend_phone_change(server, sql, phones):
    number, new = phone(), phone()
    server.post("/otp", {"phone": number})
    access = server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).json()["access_token"]
    empty(server.post("/resend", {"type": "phone_change", "phone": number}))
    assert server.put("/user", {"phone": new}, access).status_code == 200
    empty(server.post("/resend", {"type": "phone_change", "phone": number}))
    assert len(phones.to(new)) == 2
    assert server.post("/verify", {"type": "phone_change", "token": phones.take(new), "phone": new}).json()["user"]["phone"] == new


@pytest.mark.parametrize("body, message", [
    ({}, "Missing one of these types: signup, email_change, sms, phone_change"),
    ({"type": "recovery", "email": "a@example.com"}, "Missing one of these types: signup, email_change, sms, phone_change"),
    ({"type": "signup"}, "Type provided requires an email address"),
    ({"type": "signup", "phone": "15551234567"}, "Type provided requires an email address"),
    ({"type": "sms", "email": "a@example.com"}, "Type provided requires a phone number"),
    ({"type": "email_change"}, "Missing email address or phone number"),
    ({"type": "phone_change"}, "Missing email address or phone number"),
    ({"type": "signup", "email": "a@example.com", "phone": "15551234567"}, "Only an email address or phone number should be provided."),
    ({"type": "signup", "email": "nonsense"}, "Unable to validate email address: invalid format"),
    ({"type": "sms", "phone": "nonsense"}, "Invalid phone number format (E.164 required)"),
])
def test_resend_errors(server, body, message):
    is_error(server.post("/resend", body), 400, "validation_failed", message)


# What a code looks like.


@pytest.mark.parametrize("length, digits", [("6", 6), ("8", 8), ("10", 10), ("3", 6), ("40", 6)])
def test_lengths(mailing, post, phones, length, digits):
    server = mailing(GOTRUE_MAILER_OTP_LENGTH=length, GOTRUE_SMS_OTP_LENGTH=length)
    email, number = address(), phone()
    server.post("/otp", {"email": email})
    server.post("/otp", {"phone": number})
    assert len(post.take(email).code) == digits and len(phones.take(number)) == digits and phones.take(number).isdigit()
