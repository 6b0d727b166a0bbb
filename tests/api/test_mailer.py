# SPDX-License-Identifier: Apache-2.0
"""Letters from the request to a real SMTP server: none lost, none that nobody wants, and nobody waits for them."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import harness
from harness import BIN, SERVICE, address, is_error, many, wait_for
from peer import Peer
from post import MAIL, Post


class House:
    """A database of its own, a server on it, a mail server."""

    def __init__(self, settings):
        self.post = Post()
        self.database = harness.Database(os.environ["POSTERN_TEST_PG"])
        self.sql = self.database.sql
        self.folder = tempfile.mkdtemp(prefix="postern-house.")  # of what a kill leaves behind
        # The mailer is the one beside the workers; what leaves without it, as plain CGI, is for the tests that say so.
        self.settings = {**MAIL, "GOTRUE_SMTP_PORT": str(self.post.port), "TMPDIR": self.folder, "POSTERN_TEST_CGI": "0", **settings}
        self.server = None
        self.start()

    def start(self, **settings):
        self.server = harness.Server(self.database.dsn, {**self.settings, **settings})

    def stop(self):
        complaints = self.server.stop() if self.server else []
        self.server = None
        return complaints

    def kill(self):
        """All of the program's processes at once, as when the machine loses power."""
        os.killpg(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()
        shutil.rmtree(self.server.dir)
        self.server = None

    def end(self):
        complaints = self.stop()
        self.post.down()
        self.database.drop()
        shutil.rmtree(self.folder)
        assert not complaints, "\n".join(complaints)

    def sign_up(self, to=None):
        to = to or address()
        got = self.server.post("/signup", {"email": to, "password": harness.PASSWORD})
        assert got.status_code == 200, got.text
        return to

    def delays(self, count):
        """How long after the answer each of so many letters was there; the first one, which connects, does not count."""
        found = []
        for _ in range(count + 1):
            to = self.sign_up()
            answered = time.monotonic()
            self.post.wait(to)
            found.append(self.post.got[-1][0] - answered)
        return found[1:]

    def environment(self, **settings):
        return {
            "PATH": os.environ["PATH"], **harness.SETTINGS, "DATABASE_URL": self.database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1:9999", **self.settings,
            **settings
        }

    @contextlib.contextmanager
    def deliver(self, **settings):
        """postern deliver meanwhile."""
        with subprocess.Popen([BIN, "deliver"], env=self.environment(**settings)) as mailer:
            yield
            mailer.terminate()
            assert mailer.wait(5) == 0

    def command(self, *args, check=True, **settings):
        done = subprocess.run([BIN, *args], env=self.environment(**settings), capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def rows(self):
        return self.sql("select * from postern.outbox order by created_at")

    def emptied(self, seconds=20):
        wait_for(lambda: not self.rows(), seconds, "an empty outbox")


@pytest.fixture
def house():
    """house(SETTING="..."): a house with these settings."""
    built = []

    def build(**settings):
        built.append(House(settings))
        return built[-1]

    yield build
    for one in built:
        one.end()


@pytest.fixture
def home(house):
    return house()


def test_a_letter(home):
    to = home.sign_up()
    letter = home.post.wait(to)
    assert letter["To"] == to and letter["From"] == "postern@app.test" and letter["Message-ID"]
    link = re.search(r"http\S+/verify\?\S+", letter.get_body(("plain",)).get_content()).group()
    got = home.server.request("GET", link[link.index("/verify"):])
    assert got.status_code == 303 and "access_token=" in got.headers["location"]
    home.emptied()


def test_within_200_ms(home):
    assert sorted(home.delays(20))[18] < 0.2


SLOW = """
create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.4); return null; end';
create trigger slow before delete on auth.flow_state execute function public.slow();
create trigger slow before delete on auth.oauth_client_states execute function public.slow();
create trigger slow before delete on postern.limits execute function public.slow();
create trigger slow before delete on postern.waiting execute function public.slow();
create trigger slow before delete on postern.attempts execute function public.slow();
create trigger slow before delete on postern.oidc_cache execute function public.slow()"""


def test_tidying_lets_letters_pass(home, only_workers):
    """The mailer tidies when it starts: here 2.4 s of it, of which a letter waits for one table's."""
    home.stop()
    home.sql(SLOW)
    home.start()
    began = time.monotonic()
    home.post.wait(home.sign_up())
    assert time.monotonic() - began < 1.2


@pytest.mark.parametrize("cgi", ["true", "false"])
def test_cgi(house, cgi):
    home = house(POSTERN_TEST_CGI="1", POSTERN_CGI_DELIVER=cgi)
    to = home.sign_up()
    if cgi == "true":
        home.post.wait(to)
    else:
        time.sleep(0.5)
        assert not home.post.to(to)
        home.command("deliver", "--once")
        assert len(home.post.to(to)) == 1
    home.emptied()


def test_deliver_listens(house):
    """Without postern serve: NOTIFY wakes the loop long before it would look by itself."""
    home = house(POSTERN_TEST_CGI="1", POSTERN_CGI_DELIVER="false")
    with home.deliver():
        assert sorted(home.delays(10))[8] < 0.2


@pytest.fixture
def pooler():
    """pooler(dsn): the same database through pgbouncer, which deals out connections by the transaction."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip("needs pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="postern-pgbouncer."))
    as_user = {"user": "postgres"} if os.getuid() == 0 else {}
    running = []

    def start(dsn):
        parts, port = urlsplit(dsn), harness.free_port()
        (folder / "users").write_text('"postgres" ""\n')
        (folder / "ini").write_text(
            f"[databases]\n* = host={parts.hostname} port={parts.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\n"
            f"auth_type=trust\nauth_file={folder}/users\npool_mode=transaction\n")
        if as_user:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "postgres")
        running.append(subprocess.Popen([program, "-q", folder / "ini"], stderr=subprocess.DEVNULL, **as_user))
        wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), 5, "pgbouncer")
        return f"postgresql://postgres@127.0.0.1:{port}{parts.path}"

    yield start
    for process in running:
        process.kill()
        process.wait()
    shutil.rmtree(folder)


def test_deliver_behind_a_pooler(house, pooler):
    """LISTEN would be told to somebody else: the mailer looks more often instead."""
    home = house(POSTERN_TEST_CGI="1", POSTERN_CGI_DELIVER="false")
    with home.deliver(DATABASE_URL=pooler(home.database.dsn)):
        assert sorted(home.delays(10))[8] < 0.4


def test_sealed(home):
    home.post.down()
    to = home.sign_up()
    row = home.rows()[0]
    hashed = home.sql("select token_hash from auth.one_time_tokens")[0]["token_hash"]
    assert row["recipient"] == to and row["letter"] == "confirmation" and (row["kind"], row["hash"]) == ("confirmation_token", hashed)
    assert b"verify" not in bytes(row["sealed"]) and to.encode() not in bytes(row["sealed"])
    # What is sealed is good for this row alone.
    home.sql("update postern.outbox set recipient = 'thief@example.com'")
    home.post.up()
    wait_for(lambda: home.rows()[0]["failed_at"], 20, "a failed letter")
    assert not home.post.recipients()


def test_no_transport(house):
    home = house(GOTRUE_SMTP_HOST="")
    home.sign_up()
    assert not home.rows()


def test_tried_again(home):
    refusals = iter(["451 busy", "450 not now"])
    home.post.answer = lambda recipient: next(refusals, "250 OK")
    to = home.sign_up()
    message_id = wait_for(lambda: home.rows() and home.rows()[0]["last_error"] and home.rows()[0], 5)["message_id"]
    assert home.post.wait(to, 30)["Message-ID"] == message_id
    home.emptied()
    assert len(home.post.to(to)) == 1


def test_refused_has_failed(home):
    home.post.answer = lambda recipient: "554 no such user"
    to, other = home.sign_up(), home.sign_up()
    wait_for(lambda: [r["attempts"] for r in home.rows() if r["failed_at"]] == [1, 1], 10, "failed letters")
    assert all("554 no such user" in r["last_error"] for r in home.rows())
    listed = home.command("mail", "list").stdout.splitlines()
    assert len(listed) == 2 and all("failed" in line and "554" in line for line in listed) and to in listed[0]
    assert home.server.get("/health/ready", SERVICE).json()["mail"] == {"waiting": 0, "failed": 2, "oldest_seconds": 0}
    # Nobody tries again until told to.
    home.post.answer = lambda recipient: "250 OK"
    time.sleep(1.5)
    assert not home.post.recipients()
    ids = {r["recipient"]: str(r["id"]) for r in home.rows()}
    home.command("mail", "retry", ids[to])
    home.post.wait(to)
    home.command("mail", "drop", "all")
    assert not home.rows() and not home.post.to(other)
    assert home.command("mail", "drop", ids[to], check=False).returncode == 1
    assert home.command("mail", "retry", "x", check=False).returncode == 1


def test_unreadable_has_failed_not_lost(house):
    home = house(POSTERN_QUEUE_KEYS="one-secret-of-the-queue")
    home.post.down()
    to = home.sign_up()
    home.stop()
    home.post.up()
    home.start(POSTERN_QUEUE_KEYS="another")
    row = wait_for(lambda: home.rows()[0]["failed_at"] and home.rows()[0], 10, "a failed letter")
    assert "POSTERN_QUEUE_KEYS" in row["last_error"] and not home.post.recipients()
    home.stop()
    # With the key back, and a newer one before it, it can go.
    home.start(POSTERN_QUEUE_KEYS="another|one-secret-of-the-queue")
    home.command("mail", "retry", "all")
    home.post.wait(to)


def test_the_default_key_is_of_the_jwt_secret(home):
    home.post.down()
    to = home.sign_up()
    home.stop()
    home.post.up()
    home.start(POSTERN_QUEUE_KEYS="from-now-on")
    home.post.wait(to)


def test_slow_server_is_nobodys_business(home):
    home.post.delay = 0.5
    took = []
    for _ in range(8):
        start = time.monotonic()
        home.sign_up()
        took.append(time.monotonic() - start)
    assert sorted(took)[6] < 0.2, took
    home.emptied()
    assert len(set(home.post.recipients())) == 8


def test_down_for_a_while(home):
    home.post.down()
    wanted = many(40, lambda i: (time.monotonic(), home.sign_up(), time.monotonic()))
    assert max(end - start for start, _, end in wanted) < 5
    time.sleep(3)
    assert len(home.rows()) == 40 and not any(r["failed_at"] for r in home.rows())
    assert home.server.get("/health/ready", SERVICE).json()["mail"]["oldest_seconds"] >= 3
    home.post.up()
    home.emptied(20)
    assert sorted(home.post.recipients()) == sorted(to for _, to, _ in wanted)


def test_only_letters_that_are_still_good(home):
    home.post.down()
    used, gone, again, good = (home.sign_up() for _ in range(4))
    home.sql("delete from auth.one_time_tokens t using auth.users u where u.id = t.user_id and u.email = %s", used)
    home.sql("delete from auth.users where email = %s", gone)
    home.sql("update auth.users set confirmation_sent_at = now() - interval '1 hour' where email = %s", again)
    assert home.server.post("/resend", {"type": "signup", "email": again}).status_code == 200
    home.post.up()
    home.emptied()
    assert sorted(home.post.recipients()) == sorted([again, good])
    current = home.sql("select token_hash from auth.one_time_tokens t join auth.users u on u.id = t.user_id where u.email = %s", again)[0]["token_hash"]
    assert current in home.post.to(again)[0].get_body(("plain",)).get_content()


def test_too_late(home):
    home.post.down()
    home.sign_up()
    home.sql("update postern.outbox set created_at = now() - interval '2 days', due_at = now()")
    wait_for(lambda: home.rows()[0]["failed_at"], 10, "a failed letter")
    assert "expired" in home.rows()[0]["last_error"]


@pytest.mark.parametrize("moment", [0.3, 0.7])
def test_killed(home, only_workers, moment):
    home.post.delay = 0.05
    wanted = many(30, lambda i: home.sign_up())
    ids = {r["recipient"]: r["message_id"] for r in home.rows()}
    wait_for(lambda: len(home.post.recipients()) >= 3, 10, "the first letters")
    time.sleep(moment)
    home.kill()
    before = len(home.post.recipients())
    assert 0 < before < 30
    home.start()
    home.emptied(30)
    got = home.post.recipients()
    assert set(got) == set(wanted)
    assert len(got) <= 31
    for to in got:
        assert {m["Message-ID"] for m in home.post.to(to)} == {ids.get(to, home.post.to(to)[0]["Message-ID"])}


def test_many_mailers(home):
    home.post.down()
    wanted = many(30, lambda i: home.sign_up())
    home.stop()
    home.post.up()
    home.post.delay = 0.02
    done = many(4, lambda i: home.command("deliver", "--once"))
    assert all(d.returncode == 0 for d in done)
    assert sorted(home.post.recipients()) == sorted(wanted) and not home.rows()


def test_once_with_the_server_down(home):
    home.post.down()
    home.sign_up()
    home.stop()
    assert home.command("deliver", "--once", check=False).returncode == 1
    row = home.rows()[0]
    assert row["failed_at"] is None and row["claimed_until"] is None and row["last_error"]


def test_term_waits_for_the_letter(home, only_workers):
    home.post.delay = 1
    to = home.sign_up()
    time.sleep(0.4)
    for pid in home.server.mailers():
        os.kill(pid, signal.SIGTERM)
    home.post.wait(to)
    home.emptied(3)
    assert len(home.post.to(to)) == 1
    wait_for(lambda: home.server.mailers(), 5, "another mailer")


def test_the_mailer_is_replaced(home, only_workers):
    for pid in home.server.mailers():
        os.kill(pid, signal.SIGKILL)
    home.post.wait(home.sign_up())


def test_check(home):
    assert "0 errors" in home.command("check").stdout
    home.post.down()
    assert "smtp" in home.command("check", check=False).stdout
    home.sign_up()
    home.sql("update postern.outbox set created_at = now() - interval '6 minutes'")
    assert "waited for 6 minutes" in home.command("check", check=False).stdout


def test_maildir(house, tmp_path):
    home = house(POSTERN_MAIL_TRANSPORT="maildir", POSTERN_MAILDIR=str(tmp_path / "mail"), GOTRUE_SMTP_HOST="")
    home.sign_up()
    to = home.sign_up()
    home.emptied()
    shown = home.command("mail", "newest").stdout
    hashed = home.sql("select token_hash from auth.one_time_tokens t join auth.users u on u.id = t.user_id where u.email = %s", to)[0]["token_hash"]
    assert f"To: {to}\n" in shown and "Subject: " in shown and f"token={hashed}" in shown


# Whom letters can reach.


def refused(home, to):
    return is_error(home.server.post("/signup", {"email": to, "password": harness.PASSWORD}), 400, "email_address_invalid", f'Email address "{to}" is invalid')


def test_authorized_addresses(house):
    home = house(GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES="boss@app.test,Me@App.Test")
    for to in ("boss@app.test", "me+label@app.test"):
        home.sign_up(to)
    other = address()
    is_error(home.server.post("/signup", {"email": other, "password": harness.PASSWORD}), 400, "email_address_not_authorized",
             f'Email address "{other}" cannot be used as it is not authorized')
    assert len(home.sql("select * from auth.users")) == 2


def test_addresses_that_are_nobodys(house):
    home = house(GOTRUE_MAILER_EMAIL_VALIDATION_EXTENDED="true")
    for to in ("test@gmail.com", "abc@gmail.com", "x@example.com", "x@localhost", "x@sub.test", "x@gamil.com", "a..b@gmail.com"):
        refused(home, to)
    home.sign_up("somebody@gmail.com")
    assert len(home.sql("select * from auth.users")) == 1


def test_a_service_that_judges(house):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    seen, answers = [], {}

    class Judge(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.headers["X-Key"], self.headers["Content-Type"], body))
            status, text = next((v for k, v in answers.items() if k.encode() in body), (200, b'{"valid":true}'))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            pass

    judge = ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    threading.Thread(target=judge.serve_forever, daemon=True).start()
    home = house(GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL=f"http://127.0.0.1:{judge.server_port}/",
                 GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_HEADERS='{"X-Key":["one","two"]}')
    answers.update({
        "bad@": (200, b'{"valid": false}'), "error@": (500, b'{"valid": false}'), "null@": (200, b'{"valid":null}'), "odd@": (200, b'{"valid":"no"}'),
        "more@": (200, b'{"VALID":false} and so on for very long'), "long@": (200, b'{"why":"it is very long indeed","valid":false}')
    })
    for to in ("bad@app.test", "more@app.test"):
        refused(home, to)
    for to in ("good@app.test", "error@app.test", "null@app.test", "odd@app.test", "long@app.test"):
        home.sign_up(to)
    assert seen[0] == ("two", "application/json", b'{"email":"bad@app.test"}')
    judge.shutdown()
    judge.server_close()
    home.sign_up("down@app.test")


class NameServer:
    """Answers from {(name, type): [record]}; None: NXDOMAIN, [] : no such record, "mute": no answer."""

    ADDRESS = "127.53.53.53"
    MX, A, AAAA = 15, 1, 28

    def __init__(self, zone):
        self.zone, self.asked = zone, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.ADDRESS, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def name(text):
        return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"

    def record(self, kind, value):
        data = struct.pack("!H", 10) + self.name(value) if kind == self.MX else socket.inet_pton(socket.AF_INET if kind == self.A else socket.AF_INET6, value)
        return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data

    def serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            end, labels = 12, []
            while query[end]:
                labels.append(query[end + 1:end + 1 + query[end]].decode())
                end += 1 + query[end]
            kind = struct.unpack("!H", query[end + 1:end + 3])[0]
            self.asked.append((".".join(labels), kind))
            found = self.zone.get(self.asked[-1])
            if found == "mute":
                continue
            records = [self.record(kind, value) for value in found or []]
            head = query[:2] + struct.pack("!HHHHH", 0x8180 | (3 if found is None else 0), 1, len(records), 0, 0)
            self.socket.sendto(head + query[12:end + 5] + b"".join(records), peer)

    def stop(self):
        self.socket.close()


@pytest.fixture
def asked_names(tmp_path):
    """The program as CGI, in a mount namespace whose resolver asks us."""
    (tmp_path / "resolv.conf").write_text(f"nameserver {NameServer.ADDRESS}\n")
    inside = ["unshare", "-m", "sh", "-c", f'mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$@"', "sh"]
    try:
        subprocess.run([*inside, "true"], check=True, capture_output=True)
        server = NameServer({})
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root")
    yield server, inside
    server.stop()


def test_mail_exchangers(house, asked_names):
    server, inside = asked_names
    home = house(GOTRUE_MAILER_EMAIL_VALIDATION_EXTENDED="true", GOTRUE_MAILER_EMAIL_VALIDATION_BLOCKED_MX='["mx.bad.net","192.0.2.66"]')
    mx, a, aaaa = server.MX, server.A, server.AAAA
    server.zone.update({
        ("mx.org", mx): ["mail.mx.org"], ("blocked.org", mx): ["mx.good.net", "mx.bad.net"],
        ("host.org", mx): [], ("host.org", a): ["192.0.2.1"], ("host.org", aaaa): [],
        ("six.org", mx): [], ("six.org", a): [], ("six.org", aaaa): ["2001:db8::1"],
        ("there.org", mx): [], ("there.org", a): ["192.0.2.66"], ("there.org", aaaa): [],
        ("nothing.org", mx): [], ("nothing.org", a): [], ("nothing.org", aaaa): [],
        ("mute.org", mx): "mute", ("late.org", mx): [], ("late.org", a): "mute", ("late.org", aaaa): "mute",
    })

    def sign_up(domain):
        body = json.dumps({"email": f"{address().split('@')[0]}@{domain}", "password": harness.PASSWORD})
        env = home.environment(GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD="POST", PATH_INFO="/signup", CONTENT_LENGTH=str(len(body)))
        start = time.monotonic()
        done = subprocess.run([*inside, BIN], env=env, input=body, capture_output=True, text=True, timeout=20)
        return int(done.stdout.split()[1]), time.monotonic() - start

    for domain, status in [("mx.org", 200), ("host.org", 200), ("six.org", 200), ("blocked.org", 400), ("there.org", 400), ("nothing.org", 400),
                           ("nowhere.org", 400), ("gmail.com", 200)]:
        assert sign_up(domain)[0] == status, domain
    assert not [name for name, _ in server.asked if "gmail" in name]
    # What can't be found out passes, and in time.
    for domain in ("mute.org", "late.org"):
        status, seconds = sign_up(domain)
        assert status == 200 and seconds < 6, domain


def test_templates_that_can_not_be_used(house, tmp_path):
    """Everything starts, the log names each mistake before there is a letter, and our own letter goes."""
    (tmp_path / "magic_link.html").write_text("<p>\n  {{ define }}</p>")
    index = Peer()
    index.answer = lambda r: (200, {}, b"<!doctype html><div id=root></div>")
    bad = {
        "GOTRUE_MAILER_SUBJECTS_CONFIRMATION": "{{ .Email | upper }}", "GOTRUE_MAILER_TEMPLATES_RECOVERY": index.url,
        "GOTRUE_MAILER_TEMPLATES_CONFIRMATION": index.url, "POSTERN_MAILER_TEMPLATE_DIR": str(tmp_path)
    }
    try:
        home = house(**bad)
        named = ("GOTRUE_MAILER_SUBJECTS_CONFIRMATION: line 1, column 13: upper is not understood",
                 f"{tmp_path}/magic_link.html: line 2, column 6: define is not", "GOTRUE_MAILER_TEMPLATES_RECOVERY: it has none of {{ .ConfirmationURL }}")
        wait_for(lambda: all(words in home.server.log_path.read_text() for words in named), 10, "the log")
        checked = home.command("check", check=False)
        assert checked.returncode == 1 and all(words in checked.stdout + checked.stderr for words in named)
        to = home.sign_up()
        letter = home.post.take(to)
        assert letter.message["Subject"] == "Confirm your email address" and letter.path.startswith("/verify")
    finally:
        index.stop()
