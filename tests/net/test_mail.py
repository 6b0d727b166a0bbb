# SPDX-License-Identifier: Apache-2.0
"""net/transport.h and net/mime.h against a real SMTP server, a sendmail and a maildir."""

import email
import email.policy
import socket
import threading
import time

import pytest

from conftest import tool


def send(settings, to="user@example.com", subject="Hello", text="Text", html="<p>Html</p>", stdin="", **more):
    return tool("mail", to, subject, text, html, stdin=stdin, **{**settings, **more})


def body(message, kind):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_delivery(catcher):
    assert send(catcher.settings, GOTRUE_SMTP_SENDER_NAME='Me "and" You') == {"outcome": "delivered", "why": None}
    sender, to, message, raw, session = catcher.mails[0]
    assert (sender, to) == ("admin@example.com", ["user@example.com"])
    assert catcher.greetings == ["auth.example.com"]
    assert message["From"] == '"Me \\"and\\" You" <admin@example.com>' and message["From"].addresses[0].display_name == 'Me "and" You'
    assert (message["To"], message["Subject"]) == ("user@example.com", "Hello")
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message["Message-ID"].endswith("@auth.example.com>") and message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert body(message, "plain").strip() == "Text" and body(message, "html").strip() == "<p>Html</p>"
    assert not message.defects


def test_no_server_means_nowhere():
    assert send({})["outcome"] == "nowhere"


@pytest.mark.parametrize("text", ["é" * 3000, "a" * 3000, "a b " * 900, ".\n..\nx\n.", "tab\t \nend ", "\r\n\r\n=3D = ==", "😀" * 300, "From me\n" * 3])
def test_content_survives(catcher, text):
    assert send(catcher.settings, text=text, html=f"<p>{text}</p>", subject=text)["outcome"] == "delivered"
    message, raw = catcher.mails[0][2:4]
    want = text.replace("\r\n", "\n")
    assert body(message, "plain") == want and body(message, "html") == f"<p>{want}</p>"
    assert max(map(len, raw.split(b"\r\n"))) <= 78 or text[0] == "a"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"") and not message.defects
    assert message["Subject"].split() == want.replace("\n", " ").replace("\t", " ").split()


def test_subjects(catcher):
    for subject in ("Grüße aus Köln", "=?utf-8?q?x?=", "a" * 100 + " " + "b" * 100, "x\r\nBcc: evil@example.com", "x\r\n\r\nbody", "日本語" * 40):
        send(catcher.settings, subject=subject)
        message, raw = catcher.mails[-1][2:4]
        if "=?" not in subject:  # Python's parser keeps what it was given, yet encoded
            assert message["Subject"] == " ".join(subject.replace("\r", " ").replace("\n", " ").split("\0")), subject
        assert message["Bcc"] is None and body(message, "plain").strip() == "Text"
    assert b"Subject: =?UTF-8?B?" in catcher.mails[1][3]


@pytest.mark.parametrize("to", ["a@b.c\r\nRCPT TO:<evil@x.y>", "a@b.c\nBcc: d@e.f", "<a@b.c", "a@b.c>", "", "a@b.c\x7f"])
def test_hostile_recipient(catcher, to):
    assert send(catcher.settings, to=to)["outcome"] == "refused"
    assert not catcher.mails


def test_headers_of_the_setting(catcher):
    headers = ('{"X-Kind":["$messageType; $messageType","b"],"Reply-To":["help@example.com"],"To":["evil@x.y"],'
               '"Bad:Name":["x"],"X-Cr":["a\\r\\nY: z"],"X-None":[]}')
    send(catcher.settings, GOTRUE_SMTP_HEADERS=headers)
    message = catcher.mails[0][2]
    assert message["X-Kind"] == "invite; invite, b" and message["Reply-To"] == "help@example.com"
    assert message.get_all("To") == ["user@example.com"] and message["Y"] is None and "X-None" not in message
    send(catcher.settings, GOTRUE_SMTP_HEADERS='{"From":["other@example.com"],"subject":["Other"]}')
    message = catcher.mails[1][2]
    assert message.get_all("From") == ["other@example.com"] and message.get_all("Subject") == ["Other"]
    assert send(catcher.settings, GOTRUE_SMTP_HEADERS="nonsense")["outcome"] == "delivered"


@pytest.mark.parametrize("when", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer,outcome", [("550 5.7.1 go away", "refused"), ("451 4.3.0 not now", "later"), ("552 too much", "refused")])
def test_answers(catcher, when, answer, outcome):
    catcher.say(when, answer)
    assert send(catcher.settings) == {"outcome": outcome, "why": answer}


def test_refusal_before_the_letter_is_about_us():
    """A server that turns us away at the door has not seen the letter: it may be our address's reputation of today."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].sendall(b"554 no service for you\r\n"), daemon=True).start()
        got = send({"GOTRUE_SMTP_HOST": "127.0.0.1", "GOTRUE_SMTP_PORT": str(listener.getsockname()[1]), "GOTRUE_SMTP_ADMIN_EMAIL": "a@b.c"})
        assert got == {"outcome": "later", "why": "554 no service for you"}


def test_down_and_slow(catcher):
    got = send({**catcher.settings, "GOTRUE_SMTP_PORT": "1"})
    assert got["outcome"] == "later" and "connect" in got["why"]
    assert send({**catcher.settings, "GOTRUE_SMTP_HOST": "no-such-host.invalid"})["outcome"] == "later"
    catcher.delay = 5
    start = time.monotonic()
    assert send(catcher.settings, POSTERN_SMTP_TIMEOUT="500ms")["outcome"] == "later"
    assert time.monotonic() - start < 3


def test_silent_server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = time.monotonic()
        settings = {"GOTRUE_SMTP_HOST": "127.0.0.1", "GOTRUE_SMTP_PORT": str(listener.getsockname()[1]), "GOTRUE_SMTP_ADMIN_EMAIL": "a@b.c"}
        assert send(settings, POSTERN_SMTP_TIMEOUT="300ms")["outcome"] == "later"
        assert time.monotonic() - start < 3


def test_connection_is_kept(catcher):
    assert [g["outcome"] for g in send(catcher.settings, stdin="again\nagain\n")] == ["delivered"] * 3
    assert len(catcher.mails) == 3 and len({id(m[4]) for m in catcher.mails}) == 1
    assert len({m[2]["Message-ID"] for m in catcher.mails}) == 1


ELSEWHERE = "127.0.0.2"  # none of the names of this machine


def test_starttls_when_offered(catcher_of, authority):
    catcher = catcher_of(host=ELSEWHERE, tls_context=authority.context(ELSEWHERE))
    assert send(catcher.settings)["outcome"] == "later"  # an unknown CA
    assert send(catcher.settings, POSTERN_SMTP_CA_FILE=str(authority.file))["outcome"] == "delivered"
    assert catcher.mails[0][4].ssl


def test_any_certificate_on_loopback(catcher_of, authority):
    catcher = catcher_of(tls_context=authority.context("mail.example.com"), auth_required=True)
    assert send(catcher.settings, GOTRUE_SMTP_USER="me", GOTRUE_SMTP_PASS="right")["outcome"] == "delivered"
    assert catcher.mails[0][4].ssl and catcher.authenticated[0][3]
    assert send(catcher.settings, GOTRUE_SMTP_USER="me", GOTRUE_SMTP_PASS="right", POSTERN_SMTP_TLS="require")["outcome"] == "later"


@pytest.mark.parametrize("user", [{}, {"GOTRUE_SMTP_USER": "me", "GOTRUE_SMTP_PASS": "right"}])
def test_a_relay_with_neither_auth_nor_tls(catcher_of, user):
    catcher = catcher_of(host=ELSEWHERE)
    for tls, outcome in (("", "delivered"), ("opportunistic", "delivered"), ("off", "delivered"), ("require", "later"), ("implicit", "later")):
        assert send(catcher.settings, **user, POSTERN_SMTP_TLS=tls, POSTERN_SMTP_TIMEOUT="2s")["outcome"] == outcome, tls
    assert len(catcher.mails) == 3 and not catcher.authenticated
    assert tool("probe", **catcher.settings, **user)["why"] is None
    catcher.say("RCPT", "550 no such user")
    assert send(catcher.settings, **user) == {"outcome": "refused", "why": "550 no such user"}
    catcher.say("MAIL", "530 5.7.0 Authentication required")
    assert send(catcher.settings, **user)["outcome"] == "later"


def test_ways_of_tls(catcher_of, authority):
    user = {"GOTRUE_SMTP_USER": "me", "GOTRUE_SMTP_PASS": "right"}
    ca = {"POSTERN_SMTP_CA_FILE": str(authority.file)}
    good = catcher_of(host=ELSEWHERE, tls_context=authority.context(ELSEWHERE), auth_required=True)
    assert send(good.settings, **user, **ca, POSTERN_SMTP_TLS="require")["outcome"] == "delivered"
    bad = catcher_of(host=ELSEWHERE, tls_context=authority.context("mail.example.com"), auth_required=True)
    for tls, outcome in (("", "later"), ("require", "later"), ("opportunistic", "delivered"), ("off", "later")):
        assert send(bad.settings, **user, **ca, POSTERN_SMTP_TLS=tls)["outcome"] == outcome, tls
    assert [session.ssl is not None for *_, session in good.mails + bad.mails] == [True, True]
    assert all(sealed for *_, sealed in good.authenticated + bad.authenticated)


def test_implicit(catcher_of, authority):
    catcher = catcher_of(host=ELSEWHERE, ssl_context=authority.context(ELSEWHERE))
    settings = {**catcher.settings, "POSTERN_SMTP_CA_FILE": str(authority.file), "POSTERN_SMTP_TIMEOUT": "2s"}
    assert send(settings, POSTERN_SMTP_TLS="implicit")["outcome"] == "delivered"
    assert send(settings)["outcome"] == "later"
    assert send({**settings, "POSTERN_SMTP_CA_FILE": ""}, POSTERN_SMTP_TLS="implicit")["outcome"] == "later"


def test_sign_in(catcher_of, authority):
    catcher = catcher_of(tls_context=authority.context("127.0.0.1"), auth_required=True)
    ca = {"POSTERN_SMTP_CA_FILE": str(authority.file), "GOTRUE_SMTP_USER": "me"}
    assert send(catcher.settings, **ca, GOTRUE_SMTP_PASS="right")["outcome"] == "delivered"
    assert catcher.authenticated[0][1:3] == ("me", "right")
    got = send(catcher.settings, **ca, GOTRUE_SMTP_PASS="wrong")
    assert got["outcome"] == "later" and got["why"].startswith("535")
    assert len(catcher.mails) == 1
    assert tool("probe", **catcher.settings, **ca, GOTRUE_SMTP_PASS="right")["why"] is None
    assert tool("probe", **catcher.settings, **ca, GOTRUE_SMTP_PASS="wrong")["why"].startswith("535")


def test_password_is_not_said_in_the_clear(catcher_of):
    """A server elsewhere that offers AUTH and no TLS gets no password, unless that is asked for."""
    user = {"GOTRUE_SMTP_USER": "me", "GOTRUE_SMTP_PASS": "right"}
    catcher = catcher_of(host=ELSEWHERE, auth_require_tls=False, auth_required=True)
    for tls in ("", "opportunistic", "require"):
        got = send(catcher.settings, **user, POSTERN_SMTP_TLS=tls)
        assert got["outcome"] == "later" and got["why"].startswith("the mail server offers AUTH without TLS"), tls
        assert tool("probe", **catcher.settings, **user, POSTERN_SMTP_TLS=tls)["why"].startswith(got["why"])
    assert not catcher.authenticated
    assert send(catcher.settings, **user, POSTERN_SMTP_TLS="off")["outcome"] == "delivered"
    catcher = catcher_of(auth_require_tls=False)
    assert send(catcher.settings, **user)["outcome"] == "delivered" and catcher.authenticated


def test_ipv6(catcher_of):
    try:
        catcher = catcher_of(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    assert send(catcher.settings)["outcome"] == "delivered"


def test_probe(catcher):
    assert tool("probe", **catcher.settings)["why"] is None
    assert "connect" in tool("probe", **{**catcher.settings, "GOTRUE_SMTP_PORT": "1"})["why"]
    assert not catcher.mails


def sendmail(tmp_path, script):
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    return {"POSTERN_MAIL_TRANSPORT": "sendmail", "POSTERN_SENDMAIL_PATH": str(program), "GOTRUE_SMTP_ADMIN_EMAIL": "admin@example.com"}


def test_sendmail(tmp_path):
    settings = sendmail(tmp_path, f'printf "%s\\n" "$@" > {tmp_path}/args; env > {tmp_path}/env; exec cat > {tmp_path}/mail\n')
    assert send(settings, to="-oQ@example.com", text="long " * 20000)["outcome"] == "delivered"
    assert (tmp_path / "args").read_text().split() == ["-i", "-f", "admin@example.com", "--", "-oQ@example.com"]
    assert "GOTRUE" not in (tmp_path / "env").read_text()
    raw = (tmp_path / "mail").read_bytes()
    assert b"\r" not in raw and body(email.message_from_bytes(raw, policy=email.policy.default), "plain").startswith("long long")
    assert tool("probe", **settings)["why"] is None


@pytest.mark.parametrize("script,outcome", [("cat >/dev/null; exit 75", "later"), ("cat >/dev/null; exit 67", "refused"), ("exit 0", "later"),
                                            ("exec sleep 30", "later")])
def test_sendmail_fails(tmp_path, script, outcome):
    start = time.monotonic()
    got = send(sendmail(tmp_path, script + "\n"), text="x" * 100000, POSTERN_SMTP_TIMEOUT="500ms")
    assert got["outcome"] == outcome and got["why"] and time.monotonic() - start < 5


def test_sendmail_missing():
    settings = {"POSTERN_MAIL_TRANSPORT": "sendmail", "POSTERN_SENDMAIL_PATH": "/nowhere/sendmail", "GOTRUE_SMTP_ADMIN_EMAIL": "a@b.c"}
    assert send(settings)["outcome"] == "later"
    assert "No such file" in tool("probe", **settings)["why"]


def test_maildir(tmp_path):
    settings = {"POSTERN_MAIL_TRANSPORT": "maildir", "POSTERN_MAILDIR": str(tmp_path / "box"), "GOTRUE_SMTP_ADMIN_EMAIL": "a@b.c"}
    assert tool("probe", **settings)["why"] is None
    assert send(settings)["outcome"] == "delivered"
    (file,) = (tmp_path / "box/new").iterdir()
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["Delivered-To"] == "user@example.com" and body(message, "plain").strip() == "Text"
    assert not list((tmp_path / "box/tmp").iterdir()) and file.stat().st_mode & 0o777 == 0o600
    settings["POSTERN_MAILDIR"] = "/proc/nowhere"
    assert send(settings)["outcome"] == "later" and tool("probe", **settings)["why"]
