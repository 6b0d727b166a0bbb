# SPDX-License-Identifier: Apache-2.0
"""net/sms_gateway.h against peers that stand at the gateways' own names, over TLS."""

import base64
import json
from urllib.parse import parse_qs

import pytest

from conftest import tool

SETTINGS = {
    "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "tok", "TWILIO_MESSAGE_SERVICE_SID": "MG1", "TWILIO_VERIFY_ACCOUNT_SID": "AC2",
    "TWILIO_VERIFY_AUTH_TOKEN": "tok2", "TWILIO_VERIFY_MESSAGE_SERVICE_SID": "VA1", "MESSAGEBIRD_ACCESS_KEY": "mbkey", "MESSAGEBIRD_ORIGINATOR": "Me",
    "TEXTLOCAL_API_KEY": "tlkey", "TEXTLOCAL_SENDER": "TL", "VONAGE_API_KEY": "vkey", "VONAGE_API_SECRET": "vsecret", "VONAGE_FROM": "V",
}
HOSTS = {"twilio": "api.twilio.com", "twilio_verify": "verify.twilio.com", "messagebird": "rest.messagebird.com", "textlocal": "api.textlocal.in",
         "vonage": "rest.nexmo.com"}


@pytest.fixture
def gateway(peer_of, authority):
    """gateway(name, status, answer): a peer at that gateway's name, and the settings that lead there."""

    def start(name, status, answer):
        host = HOSTS[name]
        peer = peer_of(authority.context(host))
        peer.answer = lambda r: (status, {"Content-Type": "application/json"}, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        settings = {f"GOTRUE_SMS_{k}": v for k, v in SETTINGS.items()}
        settings |= {"GOTRUE_SMS_PROVIDER": name, "POSTERN_HTTP_CA_FILE": str(authority.file), "POSTERN_HTTP_CONNECT_TO": f"{host}:443:127.0.0.1:{peer.port}"}
        return peer, settings

    return start


def send(settings, text="Your code is 123456", channel="sms", **more):
    return tool("sms", "15551234567", text, "123456", channel, **{**settings, **more})


def form(peer):
    request = peer.seen[-1]
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return request.command, request.path, {k: v[0] for k, v in parse_qs(request.body.decode(), strict_parsing=True).items()}


def basic(request):
    return base64.b64decode(request.headers["Authorization"].split()[1]).decode()


def test_twilio(gateway):
    peer, settings = gateway("twilio", 201, {"sid": "SM1", "status": "queued", "error_code": None})
    assert send(settings) == {"id": "SM1", "sent": True, "why": None}
    assert form(peer) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json",
                          {"To": "+15551234567", "Channel": "sms", "From": "MG1", "Body": "Your code is 123456"})
    assert basic(peer.seen[0]) == "AC1:tok"
    send(settings, channel="whatsapp")
    assert form(peer)[2] == {"To": "whatsapp:+15551234567", "Channel": "whatsapp", "From": "MG1", "Body": "Your code is 123456"}
    send(settings, channel="whatsapp", GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID="+1 555 000", GOTRUE_SMS_TWILIO_CONTENT_SID="HX1")
    assert form(peer)[2] == {"To": "whatsapp:+15551234567", "Channel": "whatsapp", "From": "whatsapp:+1 555 000", "ContentSid": "HX1",
                             "ContentVariables": '{"1":"123456"}'}


def test_twilio_refuses(gateway):
    peer, settings = gateway("twilio", 400, {"code": 21211, "message": "Invalid 'To'", "more_info": "https://x", "status": 400})
    assert send(settings) == {"id": "", "sent": False, "why": "Invalid 'To' More information: https://x"}
    peer, settings = gateway("twilio", 200, {"sid": "SM2", "status": "failed", "error_code": 30004, "error_message": "blocked"})
    assert send(settings) == {"id": "SM2", "sent": False, "why": "twilio error: blocked 30004 for message SM2"}


def test_twilio_verify(gateway):
    peer, settings = gateway("twilio_verify", 201, {"sid": "VE1", "status": "pending", "valid": False})
    assert send(settings)["id"] == "VE1"
    assert form(peer) == ("POST", "/v2/Services/VA1/Verifications", {"To": "+15551234567", "Channel": "sms"})
    assert basic(peer.seen[0]) == "AC2:tok2"
    assert tool("gateway", **settings) == {"why": None, "verifies": True}
    assert tool("verify", "15551234567", "123456", **settings) == {"why": "twilio verification error:  pending", "right": False}
    assert form(peer) == ("POST", "/v2/Services/VA1/VerificationCheck", {"To": "+15551234567", "Code": "123456"})
    peer, settings = gateway("twilio_verify", 200, {"status": "approved", "valid": True})
    assert tool("verify", "15551234567", "123456", **settings)["right"]
    peer, settings = gateway("twilio_verify", 200, {"status": "approved", "valid": "true"})
    assert not tool("verify", "15551234567", "123456", **settings)["right"]
    peer, settings = gateway("twilio_verify", 404, {"message": "not found", "more_info": "x"})
    assert tool("verify", "15551234567", "123456", **settings) == {"why": "not found More information: x", "right": False}


def test_messagebird(gateway):
    peer, settings = gateway("messagebird", 201, {"id": "mb1", "recipients": {"totalSentCount": 1}})
    assert send(settings)["id"] == "mb1"
    assert form(peer) == ("POST", "/messages", {"originator": "Me", "body": "Your code is 123456", "recipients": "15551234567", "type": "sms",
                                                "datacoding": "unicode"})
    assert peer.seen[0].headers["Authorization"] == "AccessKey mbkey"
    assert send(settings, channel="whatsapp") == {"id": "", "sent": False, "why": 'channel type "whatsapp" is not supported for messagebird'}
    peer, settings = gateway("messagebird", 422, {"errors": [{"code": 9, "description": "no (correct) recipients found", "parameter": "recipient"}]})
    assert send(settings)["why"] == "no (correct) recipients found"
    peer, settings = gateway("messagebird", 201, {"id": "mb1", "recipients": {"totalSentCount": 0}})
    assert send(settings)["why"] == "messagebird error: total sent count is 0"


def test_textlocal(gateway):
    peer, settings = gateway("textlocal", 200, {"status": "success", "messages": [{"id": "tl1"}]})
    assert send(settings) == {"id": "", "sent": True, "why": None}
    assert form(peer) == ("POST", "/send", {"sender": "TL", "apikey": "tlkey", "message": "Your code is 123456", "numbers": "15551234567"})
    peer, settings = gateway("textlocal", 200, {"status": "failure", "errors": [{"code": 80, "message": "Invalid template"}]})
    assert send(settings)["why"] == "textlocal error: Invalid template (code: 80) template message: Your code is 123456"
    peer, settings = gateway("textlocal", 200, {"status": "failure", "errors": [{"code": 3, "message": "no"}], "messages": [{"id": "x"}]})
    assert send(settings)["why"] == "textlocal error: no (code: 3) message x"


def test_vonage(gateway):
    peer, settings = gateway("vonage", 200, {"messages": [{"message-id": "v1", "status": "0"}]})
    assert send(settings)["id"] == "v1"
    assert form(peer) == ("POST", "/sms/json", {"from": "V", "to": "15551234567", "text": "Your code is 123456", "api_key": "vkey", "api_secret": "vsecret"})
    send(settings, text="Für dich")
    assert form(peer)[2]["type"] == "unicode" and form(peer)[2]["text"] == "Für dich"
    peer, settings = gateway("vonage", 200, {"messages": [{"message-id": "v2", "status": "2", "error-text": "Missing from"}]})
    assert send(settings) == {"id": "v2", "sent": False, "why": "vonage error: Missing from (status: 2) for message v2"}
    peer, settings = gateway("vonage", 200, {"messages": []})
    assert send(settings)["why"] == "vonage error: Internal Error"


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("answer", [b"<html>busy</html>", b"[]", b"{}", b'{"sid":7,"status":[],"messages":7,"recipients":[],"errors":{}}'])
def test_nonsense(gateway, name, answer):
    peer, settings = gateway(name, 500, answer)
    got = send(settings)
    assert not got["sent"] and got["why"]


def test_unreachable_and_unknown():
    settings = {f"GOTRUE_SMS_{k}": v for k, v in SETTINGS.items()} | {"GOTRUE_SMS_PROVIDER": "vonage", "POSTERN_HTTP_CONNECT_TO": "::127.0.0.1:1"}
    got = send(settings)
    assert not got["sent"] and "vsecret" not in got["why"]
    assert send({"GOTRUE_SMS_PROVIDER": "pigeon"})["why"] == "sms Provider pigeon could not be found"
    assert tool("gateway", GOTRUE_SMS_PROVIDER="pigeon")["why"] == 'GOTRUE_SMS_PROVIDER: there is no gateway "pigeon"'
    assert tool("gateway", GOTRUE_SMS_PROVIDER="vonage")["why"] == "GOTRUE_SMS_VONAGE_API_KEY is needed for GOTRUE_SMS_PROVIDER=vonage"
