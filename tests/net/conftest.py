# SPDX-License-Identifier: Apache-2.0
"""Peers for tests/net: HTTP with and without TLS under a CA made here, SMTP, and the tool that speaks to them."""

import asyncio
import email
import email.policy
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))
from peer import authority, peer_of  # noqa: E402, F401 (fixtures)

TOOL = os.environ.get("POSTERN_NETTOOL", str(TOP / "build/tests/net/nettool"))
SETTINGS = {"GOTRUE_SITE_URL": "http://app.test", "API_EXTERNAL_URL": "https://auth.example.com", "GOTRUE_JWT_SECRET": "x" * 32,
            "DATABASE_URL": "postgresql://nowhere/none"}


def environment(**settings):
    return {**{k: v for k, v in os.environ.items() if not k.startswith(("GOTRUE_", "POSTERN_"))}, **SETTINGS, **settings}


def tool(*args, stdin="", **settings):
    """Runs the tool; gives its JSON (a list when it says more than one)."""
    done = subprocess.run([TOOL, *map(str, args)], env=environment(**settings), input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return said[0] if len(said) == 1 else said


@pytest.fixture
def peer(peer_of):
    return peer_of()


@pytest.fixture
def tls_peer(peer_of, authority):
    return peer_of(authority.context("127.0.0.1"))


class Catcher:
    """An SMTP server: .mails holds (from, to, message, bytes); say(when, answer) makes it answer that to EHLO, MAIL, RCPT or DATA."""

    def __init__(self, host="127.0.0.1", **options):
        self.mails, self.greetings, self.answers, self.delay = [], [], {}, 0
        self.authenticated = []
        options.setdefault("auth_required", False)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:  # aiosmtpd must be told a port
            s.bind((host, 0))
            self.port = s.getsockname()[1]
        self.controller = Controller(self, hostname=host, port=self.port, authenticator=self.authenticate, **options)
        self.controller.start()
        self.settings = {"GOTRUE_SMTP_HOST": host, "GOTRUE_SMTP_PORT": str(self.port), "GOTRUE_SMTP_ADMIN_EMAIL": "admin@example.com"}

    def authenticate(self, server, session, envelope, mechanism, data):
        self.authenticated.append((mechanism, data.login.decode(), data.password.decode(), bool(session.ssl)))
        return AuthResult(success=data.password == b"right", handled=False)

    def say(self, when, answer):
        self.answers[when] = answer

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.greetings.append(hostname)
        return [self.answers["EHLO"]] if "EHLO" in self.answers else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        await asyncio.sleep(self.delay)
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "DATA" in self.answers:
            return self.answers["DATA"]
        content = envelope.content
        message = email.message_from_bytes(content, policy=email.policy.default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, message, content, session))
        return "250 OK"

    def stop(self):
        self.controller.stop(no_assert=True)


@pytest.fixture
def catcher_of():
    """catcher_of(**options of aiosmtpd): a new SMTP server."""
    catchers = []

    def start(**options):
        catchers.append(Catcher(**options))
        return catchers[-1]

    yield start
    for catcher in catchers:
        catcher.stop()


@pytest.fixture
def catcher(catcher_of):
    return catcher_of()
