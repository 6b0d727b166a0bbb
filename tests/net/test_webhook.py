# SPDX-License-Identifier: Apache-2.0
"""net/webhook.h: signatures, tries and limits as receivers of Standard Webhooks see them."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conftest import tool

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "v1,whsec_" + base64.b64encode(KEY).decode()
PAYLOAD = '{"user":{"id":"1"}}'


def call(peer, *secrets, payload=PAYLOAD):
    return tool("hook", peer.url + "/hook", payload, *(secrets or [SECRET]))


def answer_json(value, status=200, type="application/json"):
    return lambda r: (status, {"Content-Type": type} if type else {}, value if isinstance(value, bytes) else json.dumps(value).encode())


def signed_content(request):
    return f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body.decode()}".encode()


def test_signature(peer):
    peer.answer = answer_json({"ok": [1, 2]})
    assert call(peer) == {"code": None, "status": 0, "message": None, "answer": {"ok": [1, 2]}}
    asked = peer.seen[0]
    assert asked.command == "POST" and asked.path == "/hook" and asked.body.decode() == PAYLOAD
    assert asked.headers["Content-Type"] == "application/json" and asked.headers["Accept-Encoding"] == "identity"
    assert abs(int(asked.headers["webhook-timestamp"]) - time.time()) < 5 and len(asked.headers["webhook-id"]) == 36
    want = "v1," + base64.b64encode(hmac.new(KEY, signed_content(asked), hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == want


def test_several_secrets(peer):
    private = Ed25519PrivateKey.generate()
    seed = private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    pair = f"v1a,whpk_{base64.b64encode(public).decode()}:whsk_{base64.b64encode(seed + public).decode()}"
    peer.answer = answer_json({})
    assert call(peer, SECRET, pair, "v1," + base64.b64encode(b"x" * 24).decode())["code"] is None
    asked = peer.seen[0]
    one, two, three = asked.headers["webhook-signature"].split(", ")
    assert one.startswith("v1,") and three.startswith("v1,") and two.startswith("v1a,")
    private.public_key().verify(base64.b64decode(two[4:]), signed_content(asked))


@pytest.mark.parametrize("secret", ["v1,whsec_***", "v2,whsec_abcd", "whsec_abcd", "v1a,whpk_abcd", "v1a,whpk_abcd:whsk_abcd"])
def test_bad_secret(peer, secret):
    got = call(peer, SECRET, secret)
    assert (got["code"], got["status"]) == ("unexpected_failure", 500) and got["message"].startswith("Error generating signatures")
    assert not peer.seen


@pytest.mark.parametrize("answer,want", [
    (answer_json(b"", 204, None), (None, 0, None)),
    (answer_json({"a": 1}, 202), (None, 0, None)),
    (answer_json({"a": 1}, 200, "Application/JSON ; charset=utf-8"), (None, 0, None)),
    (answer_json({"error": {"http_code": 403, "message": "no way"}}), ("unknown", 403, "no way")),
    (answer_json({"Error": {"message": "no way"}}), ("unknown", 500, "no way")),
    (answer_json({"error": {"http_code": 99, "message": "no way"}}), ("unknown", 500, "no way")),
    (answer_json({"error": {"http_code": 403}}), (None, 0, None)),
    (answer_json({"error": {"http_code": "403", "message": "x"}}), (None, 0, None)),
    (answer_json({"error": None}), (None, 0, None)),
    (answer_json(b"{", 200), ("unexpected_failure", 500, "Error unmarshaling JSON output.")),
    (answer_json({}, 200, None), ("hook_payload_invalid_content_type", 400, "Invalid Content-Type: Missing Content-Type header")),
    (answer_json({}, 200, "text/html"), ("hook_payload_invalid_content_type", 400, "Invalid JSON response. Received content-type: text/html")),
    (answer_json({"x": "y" * 300000}), ("hook_payload_over_size_limit", 422, "Payload size exceeded size limit of 204800 bytes")),
    (answer_json({}, 400), ("unexpected_failure", 500, "Invalid payload sent to hook")),
    (answer_json({}, 401), ("unexpected_failure", 500, "Hook requires authorization token")),
    (answer_json({}, 503), ("unexpected_failure", 500, "Service currently unavailable due to hook")),
    (answer_json({}, 307), ("unexpected_failure", 500, "Unexpected status code returned from hook: 307")),
])
def test_answers(peer, answer, want):
    peer.answer = answer
    got = call(peer)
    assert (got["code"], got["status"], got["message"]) == want
    assert len(peer.seen) == 1


def test_redirect_is_followed(peer):
    peer.answer = lambda r: answer_json({"a": 1})(r) if r.path == "/there" else (308, {"Location": "/there"}, b"")
    assert call(peer)["code"] is None
    assert [(r.command, r.path) for r in peer.seen][1:] == [("POST", "/there")] and peer.seen[0].body == peer.seen[1].body


def test_busy_hook_is_asked_again(peer):
    peer.answer = lambda r: (200, {"Content-Type": "application/json"}, b"{}") if len(peer.seen) == 3 else (429, {"Retry-After": "1"}, b"")
    assert call(peer)["code"] is None
    peer.answer = lambda r: (503, {"Retry-After": "1"}, b"")
    assert call(peer)["message"] == "Service currently unavailable due to hook" and len(peer.seen) == 6
    assert len({r.headers["webhook-id"] for r in peer.seen}) == 6


def test_unreachable():
    start = time.monotonic()
    got = tool("hook", "http://127.0.0.1:1/", "{}", SECRET)
    assert (got["code"], got["status"], got["message"]) == ("hook_timeout_after_retry", 422, "Failed to reach hook after maximum retries")
    assert 3.5 < time.monotonic() - start < 5.5


def test_slow(peer):
    peer.answer = lambda r: time.sleep(7)
    start = time.monotonic()
    got = call(peer)
    assert (got["code"], got["status"]) == ("hook_timeout", 422)
    assert got["message"] == "Failed to reach hook within maximum time of 5.000000 seconds" and time.monotonic() - start < 6
