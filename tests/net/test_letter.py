# SPDX-License-Identifier: Apache-2.0
"""letter/letter.h: our own letters, files and URLs."""

import json
import subprocess
import time

import pytest

from conftest import TOOL, tool, environment

VALUES = {
    "ConfirmationURL": "https://auth.example.com/verify?token=abc&type=signup&redirect_to=https://app.test",
    "Token": "123456", "TokenHash": "abc", "SiteURL": "https://app.test", "Email": "o'neil+x@example.com", "NewEmail": "new@example.com",
    "OldEmail": "old@example.com", "Phone": "15551", "OldPhone": "15550", "Provider": "github", "FactorType": "totp", "Data": {"name": "<b>Zoë"},
}
LINKS = ["invite", "confirmation", "recovery", "magic_link", "email_change"]
NOTICES = [f"{name}_notification" for name in ("password_changed", "email_changed", "phone_changed", "identity_linked", "identity_unlinked",
                                               "mfa_factor_enrolled", "mfa_factor_unenrolled")]


def render(name, languages="", values=VALUES, **settings):
    return tool("letter", name, languages, json.dumps(values), **settings)


@pytest.mark.parametrize("name", LINKS + ["reauthentication"] + NOTICES)
def test_our_own(name):
    got = render(name)
    assert got["subject"] and "{{" not in got["html"] + got["text"] + got["subject"]
    assert got["html"].startswith("<!DOCTYPE html>") and "LETTER" not in got["html"]
    assert got["type"] == {"reauthentication": "reauthenticate"}.get(name, name) and got["enabled"] == (name not in NOTICES)
    if name in LINKS:
        assert 'href="https://auth.example.com/verify?token=abc&amp;type=signup&amp;redirect_to=https://app.test"' in got["html"]
        assert VALUES["ConfirmationURL"] in got["text"].splitlines()
    if name not in NOTICES:
        assert "123456" in got["text"].splitlines()
    assert max(map(len, got["text"].splitlines())) < 200 and "\n\n\n" not in got["text"]
    assert tool("check", name, "fetch")["why"] is None
    assert render(name, values={})["html"]


def test_notices_are_asked_for():
    assert render("password_changed_notification", GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED="true")["enabled"]


def test_subject_is_no_html():
    got = render("invite", GOTRUE_MAILER_SUBJECTS_INVITE="{{ .Email }} & {{ .Data.name }}{{ .None }}")
    assert got["subject"] == "o'neil+x@example.com & <b>Zoë"
    assert render("reauthentication")["subject"] == "123456 is your verification code"


def test_url(peer):
    peer.answer = lambda r: (200, {}, b'<p>{{ .Data.name }} <a href="{{ .ConfirmationURL }}">go</a></p>')
    got = render("invite", GOTRUE_MAILER_TEMPLATES_INVITE=peer.url + "/invite.html")
    assert got["html"] == '<p>&lt;b&gt;Zoë <a href="https://auth.example.com/verify?token=abc&amp;type=signup&amp;redirect_to=https://app.test">go</a></p>'
    assert got["text"] == "<b>Zoë go:\n" + VALUES["ConfirmationURL"] + "\n"
    render("invite", GOTRUE_MAILER_TEMPLATES_INVITE="/mail/invite.html", GOTRUE_SITE_URL=peer.url)
    assert [r.path for r in peer.seen] == ["/invite.html", "/mail/invite.html"]


class Session:
    """The tool kept running, for what it remembers."""

    def __init__(self, *args, **settings):
        self.process = subprocess.Popen([TOOL, *args], env=environment(**settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self):
        while not (line := self.process.stdout.readline()).startswith('{"subject"'):
            assert line
        return json.loads(line)

    def again(self):
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        return self.read()

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()


def test_url_memory(peer):
    answers = [(200, {}, b"one<!--{{ .Token }}-->"), (200, {}, b"two<!--{{ .Token }}-->"), (500, {}, b"no"), (200, {}, b"<div id=root>"),
               (200, {}, b"three<!--{{ .Token }}-->")]
    peer.answer = lambda r: answers[min(len(peer.seen), len(answers)) - 1]
    session = Session("letter", "invite", "", "{}", GOTRUE_MAILER_TEMPLATES_INVITE=peer.url, GOTRUE_MAILER_TEMPLATE_MAX_AGE="200ms",
                      GOTRUE_MAILER_TEMPLATE_RETRY_INTERVAL="200ms")
    assert session.read()["html"] == "one" and session.again()["html"] == "one" and len(peer.seen) == 1
    seen = []
    for _ in range(4):
        time.sleep(0.25)
        seen.append(session.again()["html"])
    assert seen == ["two", "two", "two", "three"] and len(peer.seen) == 5
    session.stop()


def test_url_that_was_never_good(peer):
    peer.answer = lambda r: (404, {}, b"gone")
    session = Session("letter", "invite", "", json.dumps(VALUES), GOTRUE_MAILER_TEMPLATES_INVITE=peer.url)
    assert session.read()["html"].startswith("<!DOCTYPE") and session.again()["html"].startswith("<!DOCTYPE")
    assert len(peer.seen) == 1  # within _RETRY_INTERVAL
    session.stop()
    assert "status 404" in tool("check", "invite", "fetch", GOTRUE_MAILER_TEMPLATES_INVITE=peer.url)["why"]
    assert tool("check", "invite", "no", GOTRUE_MAILER_TEMPLATES_INVITE=peer.url)["why"] is None


def test_url_too_large(peer):
    peer.answer = lambda r: (200, {}, b"x" * 2000)
    assert render("invite", GOTRUE_MAILER_TEMPLATES_INVITE=peer.url, GOTRUE_MAILER_TEMPLATE_MAX_SIZE="1000")["html"].startswith("<!DOCTYPE")


def test_files_and_languages(tmp_path, peer):
    peer.answer = lambda r: (200, {}, b"url<!--{{ .Token }}-->")
    settings = {"POSTERN_MAILER_TEMPLATE_DIR": str(tmp_path), "GOTRUE_MAILER_TEMPLATES_INVITE": peer.url}
    assert render("invite", **settings)["html"] == "url"
    (tmp_path / "invite.html").write_text("<p>plain {{ .Token }}</p>")
    (tmp_path / "invite.de.html").write_text("<p>deutsch {{ .Token }}</p>")
    (tmp_path / "invite.de.subject").write_text("Einladung für {{ .Email }}\n")
    (tmp_path / "invite.pt-br.html").write_text("brasil<!--{{ .Token }}-->")
    (tmp_path / "secret.html").write_text("secret")
    assert render("invite", **settings)["html"] == "<p>plain 123456</p>"
    got = render("invite", "de", **settings)
    assert (got["html"], got["subject"]) == ("<p>deutsch 123456</p>", "Einladung für o'neil+x@example.com")
    for languages, want in (("DE-at", "deutsch"), ("fr,de;q=0.8,en", "deutsch"), ("pt-BR", "brasil"), ("pt", "plain"), ("../secret", "plain"),
                            ("de/../../secret", "plain"), ("", "plain"), (",;,*", "plain"), ("x," * 500 + "de", "plain")):
        assert want in render("invite", languages, **settings)["html"], languages
    assert tool("check", "invite", "no", **settings)["why"] is None
    (tmp_path / "invite.de.html").write_text("a\nb {{ nonsense }}")
    assert render("invite", "de", **settings)["html"] == "url"
    assert tool("check", "invite", "no", **settings)["why"].startswith(f"{tmp_path}/invite.de.html: line 2, column 6: nonsense is not understood")
    assert "No such file" in tool("check", "invite", "no", POSTERN_MAILER_TEMPLATE_DIR="/nowhere")["why"]


def test_bad_subject():
    settings = {"GOTRUE_MAILER_SUBJECTS_INVITE": "x {{ .A | b }}"}
    assert tool("check", "invite", "no", **settings)["why"].startswith("GOTRUE_MAILER_SUBJECTS_INVITE: line 1, column 11: b is not understood")
    assert render("invite", **settings)["subject"] == "You've been invited"


INDEX = b'<!doctype html><html><head><title>App</title></head><body><div id="root"></div></body></html>'


@pytest.mark.parametrize(
    "body",
    [INDEX, b'<a href="{{ .ConfirmURL }}">go</a>', b"{{ range .Data.list }}", b"{{ .Email | upper }} {{ .Token }}", b"{{ with .Email }}{{ .Token }}{{ end }}"])
def test_what_can_not_be_used_is_ours(peer, tmp_path, body):
    peer.answer = lambda r: (200, {}, body)
    (tmp_path / "recovery.html").write_bytes(body)
    for settings in ({"GOTRUE_MAILER_TEMPLATES_RECOVERY": peer.url}, {"POSTERN_MAILER_TEMPLATE_DIR": str(tmp_path)}):
        got = render("recovery", **settings)
        assert got["html"].startswith("<!DOCTYPE") and VALUES["ConfirmationURL"] in got["text"]
        if b"with" not in body:
            assert tool("check", "recovery", "fetch", **settings)["why"]


def test_a_notice_needs_no_link(peer):
    peer.answer = lambda r: (200, {}, INDEX)
    assert render("password_changed_notification", GOTRUE_MAILER_TEMPLATES_PASSWORD_CHANGED_NOTIFICATION=peer.url)["html"] == INDEX.decode()
