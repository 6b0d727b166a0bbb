# SPDX-License-Identifier: Apache-2.0
"""Peers for tests/net: HTTP with and without TLS under a CA made here, SMTP, and the tool that speaks to them."""

import asyncio
import datetime
import email
import email.policy
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOP = Path(__file__).resolve().parent.parent.parent
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


class Authority:
    """A certificate authority with certificates for names and addresses of its own choosing."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.cert = self.sign(self.name, self.key.public_key(), 1, x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def sign(self, name, public, days, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=9)).not_valid_after(now + datetime.timedelta(days=days))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def context(self, host, days=1):
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alt = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alt = x509.DNSName(host)
        cert = self.sign(x509.Name([]), key.public_key(), days, x509.SubjectAlternativeName([alt]))
        file = self.folder / f"{host}.{days}.pem"
        file.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class Peer:
    """An HTTP server that answers as answer(request) says; what it was asked is in .seen, how often it was connected to in .connections."""

    def __init__(self, context=None, host="127.0.0.1"):
        peer = self
        self.seen, self.connections, self.answer = [], 0, lambda request: (200, {}, b"")

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                peer.connections += 1
                super().setup()

            def handle_any(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                peer.seen.append(SimpleNamespace(command=self.command, path=self.path, headers=self.headers, body=self.body))
                got = peer.answer(self)
                if got is None:
                    self.close_connection = True
                    return
                status, headers, body = got
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, address):
                if context:
                    request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, address)

            def handle_error(self, request, address):
                pass

        self.server = Server((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if context else 'http'}://{host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def peer_of():
    """peer_of(context=None): a new HTTP server."""
    peers = []

    def start(context=None):
        peers.append(Peer(context))
        return peers[-1]

    yield start
    for peer in peers:
        peer.stop()


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
