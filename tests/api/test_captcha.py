# SPDX-License-Identifier: Apache-2.0
"""Captcha: a peer is hCaptcha and Turnstile at their own names over TLS."""

import json
import re
import threading
import time
from urllib.parse import parse_qs

import pytest
import requests

from harness import CGI, PASSWORD, TOP, address, is_error, many, open_transactions, wait_for
from peer import Peer

PATHS = {"hcaptcha": ("hcaptcha.com", "/siteverify"), "turnstile": ("challenges.cloudflare.com", "/turnstile/v0/siteverify")}
REFUSED = "captcha protection: request disallowed (%s)"
FAILED = "captcha verification process failed"
ADDRESS = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def judges(authority):
    peers = {name: Peer(authority.context(host)) for name, (host, _) in PATHS.items()}
    yield peers
    for peer in peers.values():
        peer.stop()


@pytest.fixture
def guarded(serve, authority, judges):
    """guarded(answer): a server with captcha, and what the provider was asked; answer: (status, body), or a function of the request."""

    def start(answer=(200, {"success": True}), provider="hcaptcha", **settings):
        peer = judges[provider]
        peer.seen.clear()
        peer.answer = answer if callable(answer) else lambda r: (answer[0], {}, answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode())
        to = ",".join(f"{host}:443:127.0.0.1:{judges[name].port}" for name, (host, _) in PATHS.items())
        server = serve(GOTRUE_SECURITY_CAPTCHA_ENABLED="true", GOTRUE_SECURITY_CAPTCHA_PROVIDER=provider, GOTRUE_SECURITY_CAPTCHA_SECRET=" se&cret ",
                       POSTERN_HTTP_CA_FILE=str(authority.file), POSTERN_HTTP_CONNECT_TO=to, **{"GOTRUE_SECURITY_CAPTCHA_TIMEOUT": "1s", **settings})
        return server, peer.seen

    return start


def with_token(token="tok en+&=", **body):
    return {"email": address(), "password": PASSWORD, "gotrue_meta_security": {"captcha_token": token}, **body}


@pytest.mark.parametrize("provider", PATHS)
def test_the_provider_is_asked(guarded, provider):
    server, seen = guarded(provider=provider)
    body = with_token("  tok en+&= ")
    got = server.post("/signup", body, headers=ADDRESS)
    assert got.status_code == 200, got.text
    (asked,) = seen
    assert (asked.command, asked.path) == ("POST", PATHS[provider][1])
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = parse_qs(asked.body.decode(), strict_parsing=True)
    assert form == {"secret": ["se&cret"], "response": ["tok en+&="], "remoteip": ["203.0.113.9"]}
    assert server.post("/token?grant_type=password", body).status_code == 200 and len(seen) == 2


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("answer, codes", [
    ({"success": False, "error-codes": ["invalid-input-response", "timeout-or-duplicate"], "hostname": "x"}, "invalid-input-response, timeout-or-duplicate"),
    ({"success": False}, ""),
    ({"success": None, "error-codes": None}, ""),
    ({"error-codes": ["<a>\n"]}, "<a>\n"),
])
def test_refused(guarded, status, answer, codes):
    server, _ = guarded((status, answer))
    is_error(server.post("/signup", with_token()), 400, "captcha_failed", REFUSED % codes)


def test_any_status_may_pass(guarded):
    server, _ = guarded((503, {"success": True, "error-codes": ["odd"]}))
    assert server.post("/signup", with_token()).status_code == 200


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"yes"', b'{"success":"true"}', b'{"success":1}', b'{"success":true,"error-codes":"x"}',
                                  b'{"success":true,"error-codes":[1]}', b'{"success":true}' + b" " * 20000, b"[" * 5000, b'{"success":true\xff}'])
def test_no_verdict(guarded, body):
    """What is no verdict lets nobody pass, and the client learns nothing of it."""
    server, seen = guarded((200, body))
    email = address()
    is_error(server.post("/signup", with_token(email=email)), 500, "unexpected_failure", FAILED)
    assert len(seen) == 1 and server.post("/token?grant_type=password", with_token(email=email)).status_code == 500


def test_a_redirect_is_not_followed(guarded):
    server, seen = guarded(lambda r: (307, {"Location": f"https://{PATHS['hcaptcha'][0]}/elsewhere"}, b""))
    is_error(server.post("/signup", with_token()), 500, "unexpected_failure", FAILED)
    assert [one.path for one in seen] == ["/siteverify"]


def test_nobody_there(guarded, serve, authority, sql):
    """Refused, silent, broken off: nothing is written, no transaction waits meanwhile, the log says why and not the secret."""
    open_meanwhile = []

    def silent(r):
        open_meanwhile.append(open_transactions(sql))
        time.sleep(5)

    server, _ = guarded(silent)
    began = time.monotonic()
    got = server.post("/signup", with_token())
    is_error(got, 500, "unexpected_failure", FAILED)
    assert 0.9 < time.monotonic() - began < 4.5 and open_meanwhile == [set()]
    line = wait_for(lambda: server.log_of(got), 5, "a line in the log")
    assert "within 1000 ms" in json.dumps(line)
    assert "se&cret" not in server.log_path.read_text() and "tok en" not in server.log_path.read_text()
    server, _ = guarded(lambda r: None)
    is_error(server.post("/signup", with_token()), 500, "unexpected_failure", FAILED)
    nowhere = serve(GOTRUE_SECURITY_CAPTCHA_ENABLED="true", GOTRUE_SECURITY_CAPTCHA_SECRET="s", POSTERN_HTTP_CONNECT_TO="::127.0.0.1:1")
    is_error(nowhere.post("/signup", with_token()), 500, "unexpected_failure", FAILED)


def test_a_token_that_is_none(guarded):
    server, seen = guarded()
    for none in ("", " \t", None):
        is_error(server.post("/signup", with_token(none)), 400, "captcha_failed", REFUSED % "no captcha_token found")
    is_error(server.post("/signup", with_token("x" * 17000)), 400, "captcha_failed", REFUSED % "invalid-input-response")
    assert not seen
    assert server.post("/signup", with_token("x" * 16000)).status_code == 200


def test_who_is_not_asked(guarded, key):
    server, seen = guarded()
    session = server.post("/signup", with_token()).json()
    seen.clear()
    assert server.post("/signup", {"email": address(), "password": PASSWORD}, key).status_code == 200
    assert server.refresh(session["refresh_token"]).status_code == 200
    for grant in ("pkce", "id_token"):
        assert server.post(f"/token?grant_type={grant}", {}).json().get("error_code") != "captcha_failed"
    assert not seen
    is_error(server.post("/signup", {}, session["access_token"]), 400, "captcha_failed")


def test_after_the_limit(guarded, sql):
    """Whoever asks too often costs no call, but at /signup and /token, whose own limits come later."""
    server, seen = guarded(GOTRUE_RATE_LIMIT_HEADER="X-Client", GOTRUE_RATE_LIMIT_OTP="0.001", GOTRUE_RATE_LIMIT_TOKEN_REFRESH="0.001")
    spent = "insert into postern.limits (key, tokens, refilled, allowed) values (%s, 0, now(), true)"
    for name in ("recover", "resend", "magiclink", "otp"):
        sql(spent, f"{name} 10.9.9.9")
        is_error(server.post(f"/{name}", with_token(), headers={"X-Client": "10.9.9.9"}), 429, "over_request_rate_limit")
    assert not seen
    sql(spent, "token 10.9.9.9")
    is_error(server.post("/token?grant_type=password", with_token(), headers={"X-Client": "10.9.9.9"}), 429, "over_request_rate_limit")
    assert len(seen) == 1


def test_a_token_is_shown_once(guarded):
    """Also by requests that begin anew, because somebody else was in the way."""
    used = []

    def once(r):
        token = parse_qs(r.body.decode())["response"][0]
        used.append(token)
        return 200, {}, json.dumps({"success": used.count(token) == 1, "error-codes": ["timeout-or-duplicate"]}).encode()

    server, _ = guarded(once, POSTERN_SLOW_REQUESTS="64", GOTRUE_MAILER_AUTOCONFIRM="true")
    email = address()
    got = many(8, lambda i: server.post("/signup", with_token(f"t{i}", email=email)))
    assert {g.status_code for g in got} <= {200, 422} and sum(g.status_code == 200 for g in got) == 1
    assert sorted(used) == [f"t{i}" for i in range(8)]


@pytest.mark.skipif(CGI, reason="workers")
def test_half_of_the_workers(guarded):
    """Those that wait for the provider leave workers for what is quick, also below the mount, where there is no route."""
    hold = threading.Event()
    server, seen = guarded(lambda r: hold.wait(15), POSTERN_SLOW_REQUESTS=None, GOTRUE_SECURITY_CAPTCHA_TIMEOUT="20s")

    def call(i):
        requests.post(server.url + ("/signup/nowhere" if i % 2 else "/signup"), json=with_token(), timeout=30)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(6)]
    [t.start() for t in threads]
    wait_for(lambda: len(seen) == 2, 5, "the calls of those that have a place")
    began = time.monotonic()
    assert server.get("/health/ready").status_code == 200 and time.monotonic() - began < 10
    assert len(seen) == 2
    hold.set()
    [t.join() for t in threads]


def test_rows_have_a_place():
    """What calls outside stands behind what bounds it."""
    rows = [row for row in (TOP / "src/route.def").read_text().splitlines() if "CAPTCHA" in row]
    assert rows and all(re.search(r"PLACE,.*CAPTCHA", row) for row in rows)
