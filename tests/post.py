# SPDX-License-Identifier: Apache-2.0
"""A mail server that keeps what it gets, and the reading of letters."""

import asyncio
import base64
import email
import email.policy
import hashlib
import json
import re
import secrets
import threading
import time
from urllib.parse import parse_qsl, urlsplit

from aiosmtpd.controller import Controller

from harness import free_port, wait_for
from peer import Peer

MAIL = {
    "GOTRUE_MAILER_AUTOCONFIRM": "false",
    "GOTRUE_SMTP_HOST": "127.0.0.1",
    "GOTRUE_SMTP_ADMIN_EMAIL": "postern@app.test",
    "GOTRUE_RATE_LIMIT_EMAIL_SENT": "100000",
    "POSTERN_SMTP_TIMEOUT": "2s",
}


class Post:
    """A mail server on a port of its own that can be down, slow, or refuse: answer(recipient) gives what DATA is answered with."""

    def __init__(self):
        self.port = free_port()
        self.lock = threading.Lock()
        self.got = []  # (when, recipient, message)
        self.delay = 0
        self.answer = lambda recipient: "250 OK"
        self.controller = None
        self.up()

    def up(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def down(self):
        if self.controller:
            self.controller.stop()
        self.controller = None

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.delay)
        answer = self.answer(envelope.rcpt_tos[0])
        if answer.startswith("2"):
            with self.lock:
                message = email.message_from_bytes(envelope.content, policy=email.policy.default)
                self.got.append((time.monotonic(), envelope.rcpt_tos[0], message))
        return answer

    def to(self, recipient):
        with self.lock:
            return [message for _, to, message in self.got if to == recipient]

    def recipients(self):
        with self.lock:
            return [to for _, to, _ in self.got]

    def wait(self, recipient, seconds=10):
        return wait_for(lambda: self.to(recipient), seconds, f"a letter to {recipient}")[0]

    def take(self, recipient, seconds=10):
        """The oldest letter to somebody, which is gone then."""
        self.wait(recipient, seconds)
        with self.lock:
            i = next(i for i, (_, to, _) in enumerate(self.got) if to == recipient)
            return Letter(self.got.pop(i)[2])


class Letter:
    """What a letter that proves an address brings: .code, .link, and of the link .hash, .type, .to; .text is its plain part."""

    def __init__(self, message):
        self.message = message
        self.text = message.get_body(("plain",)).get_content()
        code = re.search(r"^\s*(\d{6,10})\s*$", self.text, re.M)
        link = re.search(r"http\S+[?&]token=\S+", self.text)
        self.code = code.group(1) if code else None
        self.link = link.group() if link else None
        if self.link:
            query = dict(parse_qsl(urlsplit(self.link).query))
            self.hash, self.type, self.to = query["token"], query["type"], query.get("redirect_to")
            self.path = self.link[self.link.index("/verify"):] if "/verify" in self.link else None


class Phones:
    """Everybody's telephone: the send_sms hook, which keeps the codes."""

    def __init__(self):
        self.peer = Peer()
        self.peer.answer = self.answer
        self.got = []  # (number, code)
        self.says = (200, {"Content-Type": "application/json"}, b"{}")

    def answer(self, request):
        sms = json.loads(request.body)["sms"]
        self.got.append((sms["phone"], sms["otp"]))
        return self.says

    @property
    def settings(self):
        secret = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
        return {
            "GOTRUE_SMS_AUTOCONFIRM": "false",
            "GOTRUE_SMS_OTP_EXP": "600",
            "GOTRUE_RATE_LIMIT_SMS_SENT": "100000",
            "GOTRUE_HOOK_SEND_SMS_ENABLED": "true",
            "GOTRUE_HOOK_SEND_SMS_URI": self.peer.url,
            "GOTRUE_HOOK_SEND_SMS_SECRETS": f"v1,whsec_{secret}",
        }

    def to(self, number):
        return [code for to, code in self.got if to == number]

    def take(self, number):
        """The newest code that a number got: it came before the answer."""
        return self.to(number)[-1]


class Landing:
    """Where a redirect leads: .base without query and fragment, .query and .fragment as dicts."""

    def __init__(self, response, status=303):
        assert response.status_code == status, (response.status_code, response.text)
        url = urlsplit(response.headers["Location"])
        self.base = f"{url.scheme}://{url.netloc}{url.path}"
        self.query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.fragment = dict(parse_qsl(url.fragment, keep_blank_values=True))

    @property
    def signed_in(self):
        return "access_token" in self.fragment

    def is_refused(self, code="otp_expired", description="Email link is invalid or has expired", error="access_denied"):
        wanted = {"error": error, "error_code": code, "error_description": description}
        assert self.fragment == {**wanted, "sb": ""}
        return self.query == wanted


def pkce(method="s256"):
    """(verifier, members of a request that begins a flow)"""
    verifier = secrets.token_urlsafe(40)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=") if method == "s256" else verifier
    return verifier, {"code_challenge": challenge, "code_challenge_method": method}


def exchange(server, code, verifier):
    return server.post("/token?grant_type=pkce", {"auth_code": code, "code_verifier": verifier})
