# SPDX-License-Identifier: Apache-2.0
"""What a stranger is answered does not tell who has an address or a number: nobody, somebody who has not confirmed it, somebody who has."""

import itertools

import pytest

from harness import PASSWORD, SERVICE, address, is_error, phone
from peer import Peer

OFTEN = {"GOTRUE_SMTP_MAX_FREQUENCY": "1m", "GOTRUE_SMS_MAX_FREQUENCY": "1m"}

MAIL = {
    "signup": lambda server, email: server.post("/signup", {"email": email, "password": PASSWORD}),
    "otp": lambda server, email: server.post("/otp", {"email": email}),
    "magiclink": lambda server, email: server.post("/magiclink", {"email": email}),
    "recover": lambda server, email: server.post("/recover", {"email": email}),
    "resend signup": lambda server, email: server.post("/resend", {"type": "signup", "email": email}),
    "resend email_change": lambda server, email: server.post("/resend", {"type": "email_change", "email": email}),
}
PHONE = {
    "signup": lambda server, number: server.post("/signup", {"phone": number, "password": PASSWORD}),
    "otp": lambda server, number: server.post("/otp", {"phone": number}),
    "resend sms": lambda server, number: server.post("/resend", {"type": "sms", "phone": number}),
    "resend phone_change": lambda server, number: server.post("/resend", {"type": "phone_change", "phone": number}),
}


@pytest.fixture(autouse=True)
def full_buckets(sql):
    sql("delete from postern.limits")


def people(server, sql, kind):
    """An address of nobody, of somebody unconfirmed, of somebody confirmed; all long ago."""
    make = address if kind == "email" else phone
    nobody, *somebody = (make() for _ in range(3))
    for name, confirmed in zip(somebody, (False, True)):
        got = server.post("/admin/users", {kind: name, "password": PASSWORD, f"{kind}_confirm": confirmed}, SERVICE)
        assert got.status_code == 200, got.text
    return nobody, *somebody


def shown(got, way):
    """What of an answer may be compared: ids and times differ, as may what a sign-up shows of its own data."""
    body = got.json()
    return got.status_code, body.get("error_code"), body.get("message_id") is not None, way == "signup" or body.keys()


def alike(server, sql, kind, ways, pair):
    answers = [[shown(ways[way](server, name), way) for way in pair] for name in people(server, sql, kind)]
    assert answers[0] == answers[1] == answers[2], answers
    return answers[0]


@pytest.mark.parametrize("pair", list(itertools.product(MAIL, MAIL)), ids=lambda pair: ", ".join(pair))
def test_twice_by_mail(mailing, sql, pair):
    first, second = alike(mailing(**OFTEN), sql, "email", MAIL, pair)
    assert first[0] == 200
    apart = (pair[0] == "resend email_change") != (pair[1] == "resend email_change")
    assert second[:2] == ((200, None) if apart else (429, "over_email_send_rate_limit"))


@pytest.mark.parametrize("pair", list(itertools.product(PHONE, PHONE)), ids=lambda pair: ", ".join(pair))
def test_twice_by_phone(mailing, sql, pair):
    first, second = alike(mailing(**OFTEN), sql, "phone", PHONE, pair)
    assert first[0] == 200
    apart = (pair[0] == "resend phone_change") != (pair[1] == "resend phone_change")
    assert second[:2] == ((200, None) if apart else (429, "over_sms_send_rate_limit"))


@pytest.mark.parametrize("way", MAIL)
def test_a_minute_later(mailing, sql, way):
    server = mailing(**OFTEN)
    for name in people(server, sql, "email"):
        assert MAIL[way](server, name).status_code == 200
        words = is_error(MAIL[way](server, name), 429, "over_email_send_rate_limit")["msg"]
        assert words.startswith("For security purposes, you can only request this after 5"), words
        sql("update postern.limits set refilled = refilled - interval '61 s'")
        sql("update auth.users set confirmation_sent_at = confirmation_sent_at - interval '61 s', recovery_sent_at = recovery_sent_at - interval '61 s'")
        assert MAIL[way](server, name).status_code == 200


@pytest.mark.parametrize("kind, way", [*(("email", w) for w in MAIL), *(("phone", w) for w in PHONE)])
def test_one_bucket(mailing, sql, kind, way):
    """Whoever has the address, it is one message less for all; and when there are none left, all are refused."""
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="3", GOTRUE_RATE_LIMIT_SMS_SENT="3")
    ways, word = (MAIL, "email") if kind == "email" else (PHONE, "sms")
    for name in people(server, sql, kind):
        assert ways[way](server, name).status_code == 200
    assert sql("select key, tokens from postern.limits where key like '%%_sent'") == [{"key": f"{word}_sent", "tokens": 0}]
    for name in people(server, sql, kind):
        is_error(ways[way](server, name), 429, f"over_{word}_send_rate_limit")


@pytest.mark.parametrize("way", MAIL)
def test_with_a_hook(mailing, sql, way):
    site = Peer()
    site.answer = lambda request: (200, {"Content-Type": "application/json"}, b"{}")
    server = mailing(**OFTEN, GOTRUE_RATE_LIMIT_EMAIL_SENT="3", GOTRUE_HOOK_SEND_EMAIL_ENABLED="true", GOTRUE_HOOK_SEND_EMAIL_URI=site.url,
                     GOTRUE_HOOK_SEND_EMAIL_SECRETS="v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    assert [got[0] for got in alike(server, sql, "email", MAIL, (way, way))] == [200, 429]
    assert sql("select tokens from postern.limits where key = 'email_sent'") == [{"tokens": 0}]
    site.stop()


def test_what_was_asked_before_it_was_proven(mailing, sql, post):
    """Who has just proven the address may go on at once."""
    server = mailing(**OFTEN)
    email = address()
    for _ in range(2):
        assert server.post("/otp", {"email": email}).status_code == 200
        assert server.get(post.take(email).path).status_code == 303


def test_an_address_that_waits(mailing, sql, post):
    """A change that its owner has begun has the time of its letters, however often a stranger has asked before."""
    server = mailing(**OFTEN)
    email = people(server, sql, "email")[2]
    me = server.sign_in(email=email, password=PASSWORD).json()
    assert MAIL["resend email_change"](server, email).status_code == 200
    assert server.put("/user", {"email": address()}, me["access_token"]).status_code == 200
    sql("update auth.users set email_change_sent_at = email_change_sent_at - interval '61 s'")
    assert MAIL["resend email_change"](server, email).status_code == 200
    is_error(MAIL["resend email_change"](server, email), 429, "over_email_send_rate_limit")
