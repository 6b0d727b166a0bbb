# SPDX-License-Identifier: Apache-2.0
"""Codes by text message: gateways as real servers at their own names over TLS, codes fixed for testing, Twilio Verify."""

import base64
import json
import os
import re
import subprocess
import time
from urllib.parse import parse_qsl

import pytest

from factors import Factor
from harness import BIN, PASSWORD, SETTINGS, is_error, open_transactions, phone
from peer import Peer

HOSTS = {"twilio": "api.twilio.com", "twilio_verify": "verify.twilio.com", "messagebird": "rest.messagebird.com", "textlocal": "api.textlocal.in",
         "vonage": "rest.nexmo.com"}
ACCOUNTS = {
    "GOTRUE_SMS_TWILIO_ACCOUNT_SID": "AC1", "GOTRUE_SMS_TWILIO_AUTH_TOKEN": "tok", "GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID": "MG1",
    "GOTRUE_SMS_TWILIO_VERIFY_ACCOUNT_SID": "AC2", "GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN": "tok2", "GOTRUE_SMS_TWILIO_VERIFY_MESSAGE_SERVICE_SID": "VA1",
    "GOTRUE_SMS_MESSAGEBIRD_ACCESS_KEY": "mb", "GOTRUE_SMS_MESSAGEBIRD_ORIGINATOR": "Me", "GOTRUE_SMS_TEXTLOCAL_API_KEY": "tl",
    "GOTRUE_SMS_TEXTLOCAL_SENDER": "TL", "GOTRUE_SMS_VONAGE_API_KEY": "vk", "GOTRUE_SMS_VONAGE_API_SECRET": "vs", "GOTRUE_SMS_VONAGE_FROM": "V",
}
SENT = {"twilio": {"sid": "SM1", "status": "queued"}, "messagebird": {"id": "mb1", "recipients": {"totalSentCount": 1}},
        "textlocal": {"status": "success"}, "vonage": {"messages": [{"status": "0", "message-id": "v1"}]}}
TEXT = {"twilio": "Body", "messagebird": "body", "textlocal": "message", "vonage": "text"}
IDS = {"twilio": {"message_id": "SM1"}, "messagebird": {"message_id": "mb1"}, "textlocal": {}, "vonage": {"message_id": "v1"}}


@pytest.fixture(scope="module")
def gateways(authority):
    peers = {name: Peer(authority.context(host)) for name, host in HOSTS.items()}
    yield peers
    for peer in peers.values():
        peer.stop()


@pytest.fixture
def gateway(serve, authority, gateways):
    """gateway(name, answer): a server that sends by it, and what it was asked; answer: (status, body), or a function of the request."""

    def start(name, answer=None, **settings):
        peer = gateways[name]
        peer.seen.clear()
        status, body = answer if isinstance(answer, tuple) else (200, SENT.get(name))
        peer.answer = answer if callable(answer) else lambda r: (status, {"Content-Type": "application/json"}, json.dumps(body).encode())
        to = ",".join(f"{host}:443:127.0.0.1:{gateways[g].port}" for g, host in HOSTS.items())
        server = serve(GOTRUE_SMS_PROVIDER=name, GOTRUE_SMS_AUTOCONFIRM="false", POSTERN_HTTP_CA_FILE=str(authority.file), POSTERN_HTTP_CONNECT_TO=to,
                       **{"GOTRUE_RATE_LIMIT_SMS_SENT": "100000", **ACCOUNTS, **settings})
        return server, peer.seen

    return start


@pytest.fixture(autouse=True)
def fresh(sql):
    sql("delete from postern.limits")


def form(request):
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl(request.body.decode(), strict_parsing=True))


def users(sql, number):
    return sql("select count(*) n from auth.users where phone = %s", number)[0]["n"]


@pytest.mark.parametrize("name", SENT)
def test_sign_up_by_message(gateway, sql, name):
    server, seen = gateway(name)
    number = phone()
    got = server.post("/signup", {"phone": f"+{number}", "password": PASSWORD})
    assert got.status_code == 200 and got.json()["phone"] == number and got.json()["confirmation_sent_at"]
    text = form(seen[0])[TEXT[name]]
    code = re.fullmatch(r"Your code is (\d{6})", text).group(1)
    is_error(server.post("/verify", {"type": "sms", "phone": number, "token": f"{(int(code) + 1) % 1000000:06}"}), 403, "otp_expired",
             "Token has expired or is invalid")
    session = server.post("/verify", {"type": "sms", "phone": number, "token": code})
    assert session.status_code == 200 and session.json()["user"]["phone_confirmed_at"]
    is_error(server.post("/otp", {"phone": number}), 429, "over_sms_send_rate_limit")
    sql("update auth.users set confirmation_sent_at = now() - interval '2 minutes' where phone = %s", number)
    got = server.post("/otp", {"phone": number})
    assert (got.status_code, got.json()) == (200, IDS[name]) and len(seen) == 2


def test_what_twilio_is_asked(gateway):
    server, seen = gateway("twilio", GOTRUE_SMS_TEMPLATE="{{ .Code }} <b>& yours</b>", GOTRUE_SMS_OTP_LENGTH="8")
    number = phone()
    assert server.post("/otp", {"phone": number}).status_code == 200
    asked = form(seen[0])
    assert re.fullmatch(r"\d{8} <b>& yours</b>", asked.pop("Body"))
    assert asked == {"To": f"+{number}", "From": "MG1", "Channel": "sms"}
    assert base64.b64decode(seen[0].headers["Authorization"].split()[1]) == b"AC1:tok"


def test_nothing_is_open_while_a_gateway_is_asked(gateway, sql):
    seen = []

    def answer(request):
        seen.append(open_transactions(sql))
        return (201, {}, json.dumps(SENT["twilio"]).encode())

    server, _ = gateway("twilio", answer)
    number = phone()
    assert server.post("/signup", {"phone": number, "password": PASSWORD}).status_code == 200
    sql("update auth.users set confirmation_sent_at = null where phone = %s", number)
    assert server.post("/resend", {"type": "sms", "phone": number}).status_code == 200
    assert seen == [set(), set()]


@pytest.mark.parametrize("name,answer,words", [
    ("twilio",
     (400, {"code": 21211, "message": "Invalid number.", "more_info": "https://t/21211", "status": 400}), "Invalid number. More information: https://t/21211"),
    ("twilio",
     (200, {"sid": "SM9", "status": "failed", "error_message": "no carrier", "error_code": "30004"}), "twilio error: no carrier 30004 for message SM9"),
    ("messagebird", (422, {"errors": [{"code": 9, "description": "no recipient", "parameter": "recipients"}]}), "no recipient"),
    ("messagebird", (200, {"id": "x", "recipients": {"totalSentCount": 0}}), "messagebird error: total sent count is 0"),
    ("textlocal", (200, {"status": "failure", "errors": [{"code": 4, "message": "no text"}]}), "textlocal error: no text (code: 4) message "),
    ("vonage", (200, {"messages": [{"status": "2", "error-text": "Missing from", "message-id": "m"}]}), "vonage error: Missing from (status: 2) for message m"),
])
def test_a_gateway_refuses(gateway, sql, name, answer, words):
    server, _ = gateway(name, answer)
    number = phone()
    for path, body in (("/signup", {"phone": number, "password": PASSWORD}), ("/otp", {"phone": number})):
        is_error(server.post(path, body), 422, "sms_send_failed", f"Error sending confirmation OTP to provider: {words}")
    assert users(sql, number) == 0


def test_a_gateway_that_takes_too_long(gateway, sql):
    server, _ = gateway("twilio", lambda r: time.sleep(4), GOTRUE_INTERNAL_HTTP_TIMEOUT="1s")
    number, start = phone(), time.monotonic()
    got = server.post("/otp", {"phone": number})
    assert got.json()["msg"].startswith("Error sending confirmation OTP to provider: ") and "tok" not in got.text.replace("token", "")
    is_error(got, 422, "sms_send_failed")
    assert time.monotonic() - start < 3 and users(sql, number) == 0


def test_change_of_number(gateway, sql):
    server, seen = gateway("vonage")
    user = server.sign_up()
    number = phone()
    assert user.put(phone=number).json()["new_phone"] == number
    code = form(seen[0])["text"][-6:]
    got = server.post("/verify", {"type": "phone_change", "phone": number, "token": code})
    assert got.status_code == 200 and got.json()["user"]["phone"] == number


def test_no_gateway(serve, sql):
    for settings in ({}, {"GOTRUE_SMS_PROVIDER": "pigeon"}, {"GOTRUE_SMS_PROVIDER": "vonage"}):
        server = serve(GOTRUE_SMS_AUTOCONFIRM="false", **settings)
        number = phone()
        is_error(server.post("/otp", {"phone": number}), 500, "unexpected_failure", "Unable to get SMS provider")
        assert users(sql, number) == 0


def test_channels(gateway):
    words = ("Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.")
    server, seen = gateway("twilio")
    number = phone()
    assert server.post("/otp", {"phone": number, "channel": "whatsapp"}).status_code == 200
    assert (form(seen[0])["To"], form(seen[0])["Channel"]) == (f"whatsapp:+{number}", "whatsapp")
    is_error(server.post("/otp", {"phone": phone(), "channel": "pigeon"}), 400, "validation_failed", words)
    server, seen = gateway("vonage")
    is_error(server.post("/otp", {"phone": phone(), "channel": "whatsapp"}), 400, "validation_failed", words)
    assert not seen


# --- Codes that are not ours ---


def test_fixed_codes(gateway, sql):
    number, other = phone(), phone()
    fixed = {"GOTRUE_SMS_TEST_OTP": f"+{number}:123456"}
    server, seen = gateway("twilio", **fixed, GOTRUE_RATE_LIMIT_SMS_SENT="1")
    for _ in range(2):  # no message, so no limit
        got = server.post("/otp", {"phone": number})
        assert got.status_code == 200 and got.json() in ({}, {"message_id": "test-otp"})
        is_error(server.post("/verify", {"type": "sms", "phone": number, "token": "654321"}), 403, "otp_expired")
        assert server.post("/verify", {"type": "sms", "phone": number, "token": "123456"}).status_code == 200
        sql("update auth.users set confirmation_sent_at = null where phone = %s", number)
    assert not seen
    assert server.post("/otp", {"phone": other}).status_code == 200 and len(seen) == 1
    is_error(server.post("/otp", {"phone": phone()}), 429, "over_sms_send_rate_limit", "SMS rate limit exceeded")
    sql("delete from postern.limits")
    server, seen = gateway("twilio", **fixed, GOTRUE_SMS_TEST_OTP_VALID_UNTIL="2020-01-01T00:00:00Z")
    assert server.post("/otp", {"phone": number}).status_code == 200 and len(seen) == 1
    is_error(server.post("/verify", {"type": "sms", "phone": number, "token": "123456"}), 403, "otp_expired")
    server, seen = gateway("twilio", **fixed, GOTRUE_SMS_TEST_OTP_VALID_UNTIL="2099-01-01T00:00:00Z")
    assert server.post("/verify", {"type": "sms", "phone": number, "token": "123456"}).status_code == 200


def test_twilio_verify(gateway, sql):
    right = "991199"

    def answer(request):
        asked = dict(parse_qsl(request.body.decode()))
        if request.path.endswith("/Verifications"):
            said = {"sid": "VE1", "status": "pending"}
        else:
            said = {"status": "approved", "valid": True} if asked["Code"] == right else {"status": "pending", "valid": False}
        return (200, {}, json.dumps(said).encode())

    server, seen = gateway("twilio_verify", answer)
    number = phone()
    assert server.post("/signup", {"phone": number, "password": PASSWORD}).status_code == 200
    assert (seen[0].path, form(seen[0])) == ("/v2/Services/VA1/Verifications", {"To": f"+{number}", "Channel": "sms"})
    is_error(server.post("/verify", {"type": "sms", "phone": number, "token": "000000"}), 403, "otp_expired", "Token has expired or is invalid")
    assert server.post("/verify", {"type": "sms", "phone": number, "token": right}).status_code == 200
    assert (seen[-1].path, form(seen[-1])) == ("/v2/Services/VA1/VerificationCheck", {"To": f"+{number}", "Code": right})


# --- Second factors ---

FACTORS = {"GOTRUE_MFA_PHONE_ENROLL_ENABLED": "true", "GOTRUE_MFA_PHONE_VERIFY_ENABLED": "true", "GOTRUE_MFA_PHONE_TEMPLATE": "Factor {{ .Code }}"}


def test_a_second_factor(gateway, sql):
    server, seen = gateway("twilio", **FACTORS)
    factor = Factor(server.sign_up(), phone=phone())
    is_error(server.post(factor.path + "/challenge", {"channel": "pigeon"}, factor.me.access), 400, "validation_failed")
    challenge = factor.challenge()
    code = re.fullmatch(r"Factor (\d{6})", form(seen[0])["Body"]).group(1)
    assert factor.verify(code, challenge).status_code == 200


def test_a_second_factor_whose_gateway_refuses(gateway, sql):
    server, _ = gateway("messagebird", (422, {"errors": [{"code": 9, "description": "no recipient", "parameter": "recipients"}]}), **FACTORS)
    factor = Factor(server.sign_up(), phone=phone())
    is_error(server.post(factor.path + "/challenge", {}, factor.me.access), 500, "unexpected_failure", "error sending message")
    assert sql("select count(*) n from auth.mfa_challenges where factor_id = %s", factor.id)[0]["n"] == 0


def test_a_second_factor_by_twilio_verify(gateway):
    right = "424242"

    def answer(request):
        asked = dict(parse_qsl(request.body.decode()))
        said = {"sid": "VE1", "status": "approved" if asked.get("Code") == right else "pending", "valid": asked.get("Code") == right}
        return (200, {}, json.dumps(said).encode())

    server, seen = gateway("twilio_verify", answer, **FACTORS)
    factor = Factor(server.sign_up(), phone=phone())
    challenge = factor.challenge()
    is_error(factor.verify("000000", challenge), 403, "otp_expired", "Token has expired or is invalid")
    assert factor.verify(right, challenge).status_code == 200 and len(seen) == 3


# --- Checks ---


def check(database, **settings):
    env = {"PATH": os.environ["PATH"], **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1", **settings}
    return subprocess.run([BIN, "check"], env=env, capture_output=True, text=True, timeout=60).stdout


def test_check(database):
    assert "GOTRUE_SMS" not in check(database)
    assert "error: GOTRUE_SMS_TEMPLATE, line 1, column " in check(database, GOTRUE_SMS_TEMPLATE="Your {{ range .Code }}")
    assert "error: GOTRUE_MFA_PHONE_TEMPLATE, line 1, column " in check(database, GOTRUE_MFA_PHONE_TEMPLATE="Your {{ range .Code }}")
    assert "nobody can use a phone as a second factor" in check(database, GOTRUE_MFA_PHONE_VERIFY_ENABLED="true")
    off = {"GOTRUE_SMS_AUTOCONFIRM": "false"}
    assert "warning: GOTRUE_SMS_VONAGE_API_KEY is needed" in check(database, GOTRUE_SMS_PROVIDER="vonage", **off)
    assert "warning: GOTRUE_SMS_PROVIDER must be set, or GOTRUE_HOOK_SEND_SMS_ENABLED: messages go nowhere" in check(database, **off)
