# SPDX-License-Identifier: Apache-2.0
"""Breached passwords: a peer is api.pwnedpasswords.com at its own name over TLS; files that postern breached makes."""

import hashlib
import json
import os
import signal
import subprocess
import time
import uuid

import pytest

from harness import BIN, CGI, CLEAN, SETTINGS, address, is_error, open_transactions, wait_for
from peer import Peer

HOST = "api.pwnedpasswords.com"
WORDS = "Password is known to be weak and easy to guess, please choose a different one."
CLOSED = "Unable to perform password strength check with HaveIBeenPwned.org."
NOISE = [("0018A45C4D1DEF81644B54AB7F969B88D65", 1), ("FFF8A45C4D1DEF81644B54AB7F969B88D65", 10), ("FFF8A45C4D1DEF81644B54AB7F969B88D66", 0)]


def sha1(password):
    return hashlib.sha1(password.encode()).hexdigest().upper()


def some_password():
    return f"pässword {uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def hibp(authority):
    peer = Peer(authority.context(HOST))
    yield peer
    peer.stop()


@pytest.fixture
def asking(serve, authority, hibp):
    """asking(counts): a server, and what the peer was asked; counts: {password: how often it was found}, or a function of the request."""

    def start(counts=None, **settings):
        def answer(request):
            prefix = request.path.rsplit("/", 1)[1]
            lines = [(sha1(p)[5:], n) for p, n in (counts or {}).items() if sha1(p).startswith(prefix)] + NOISE
            return 200, {}, "\r\n".join(f"{suffix}:{n}" for suffix, n in sorted(lines)).encode()

        hibp.seen.clear()
        hibp.answer = counts if callable(counts) else answer
        return serve(GOTRUE_PASSWORD_HIBP_ENABLED="true", POSTERN_HTTP_CA_FILE=str(authority.file), POSTERN_HTTP_CONNECT_TO=f"{HOST}:443:127.0.0.1:{hibp.port}",
                     **settings), hibp.seen

    return start


def is_weak(got, *reasons):
    body = is_error(got, 422, "weak_password")
    assert body["weak_password"] == {"reasons": list(reasons)}, body
    return body["msg"]


def test_what_goes_out(asking):
    """The first 20 bits of the digest, and nothing else."""
    password = some_password()
    server, seen = asking({password: 3})
    assert is_weak(server.post("/signup", {"email": address(), "password": password}), "pwned") == WORDS
    (asked,) = seen
    assert (asked.command, asked.path, asked.body) == ("GET", f"/range/{sha1(password)[:5]}", b"")
    assert dict(asked.headers) == {"Host": HOST, "User-Agent": "https://github.com/supabase/gotrue", "Accept": "*/*", "Add-Padding": "true"}


def test_user_agent(asking):
    server, seen = asking(GOTRUE_PASSWORD_HIBP_USER_AGENT="me/1 (mail@example.com)")
    assert server.post("/signup", {"email": address(), "password": some_password()}).status_code == 200
    assert seen[0].headers["User-Agent"] == "me/1 (mail@example.com)"


def test_reasons_in_order(asking):
    server, _ = asking({"xyz": 1}, GOTRUE_PASSWORD_MIN_LENGTH="8", GOTRUE_PASSWORD_REQUIRED_CHARACTERS="0123")
    words = is_weak(server.post("/signup", {"email": address(), "password": "xyz"}), "length", "characters", "pwned")
    assert words == f"Password should be at least 8 characters. Password should contain at least one character of each: 0123. {WORDS}"


@pytest.mark.parametrize("count, known", [(0, False), (1, True), (10, True), (123456789, True)])
def test_counts(asking, count, known):
    password = some_password()
    server, _ = asking({password: count})
    assert (server.post("/signup", {"email": address(), "password": password}).status_code == 422) == known


@pytest.mark.parametrize("end, known", [(":5\n", True), (":5 \t\r\n", True), (":5", True), (":\r\n", False), ("\r\n", False), (":5x\r\n", False),
                                        ("0:5\r\n", False), (" 5", False)])
def test_lines(asking, end, known):
    password = some_password()
    server, _ = asking(lambda r: (200, {}, ("zzz\n\n:\r\n" + NOISE[0][0] + ":1\r\n" + sha1(password)[5:] + end).encode()))
    assert (server.post("/signup", {"email": address(), "password": password}).status_code == 422) == known


def test_wherever_a_password_is_set(asking, key, sql):
    """Asked while no transaction is open; an operator's new user is their affair, as in the reference."""
    password = some_password()
    open_meanwhile = []

    def answer(request):
        open_meanwhile.extend(open_transactions(sql))
        return 200, {}, f"{sha1(password)[5:]}:7".encode()

    server, seen = asking(answer)
    me = server.sign_up()
    for got in (
            server.put("/user", {"password": password}, me.access),
            server.put(f"/admin/users/{me.id}", {"password": password}, key),
            server.post("/admin/generate_link", {"type": "signup", "email": address(), "password": password}, key),
            server.post("/signup", {"phone": "15550100", "password": password}),
    ):
        assert is_weak(got, "pwned") == WORDS
    asked = len(seen)
    assert server.post("/admin/users", {"email": address(), "password": password}, key).status_code == 200
    is_error(server.put("/user", {"password": "x" * 73}, me.access), 400, "validation_failed")
    assert server.put("/user", {"data": {"a": 1}}, me.access).status_code == 200
    assert len(seen) == asked and not open_meanwhile
    assert server.put("/user", {"password": some_password()}, me.access).status_code == 200


def test_at_sign_in_it_is_told(asking, serve):
    me = serve().sign_up(password=some_password())
    server, seen = asking({me.password: 2})
    got = server.sign_in(email=me.email, password=me.password)
    assert got.status_code == 200 and got.json()["weak_password"] == {"message": WORDS, "reasons": ["pwned"]}
    seen.clear()
    is_error(server.sign_in(email=me.email, password="wrong"), 400, "invalid_credentials")
    assert not seen
    server, _ = asking()
    assert server.sign_in(email=me.email, password=me.password).json()["weak_password"] is None


BAD = {
    "status": lambda r: (503, {}, b"0018A45C4D1DEF81644B54AB7F969B88D65:1"),
    "redirect": lambda r: (302, {"Location": f"https://{HOST}/range/elsewhere"}, b""),
    "page": lambda r: (200, {"Content-Type": "text/html"}, b"<html>Log in to the hotel's network</html>"),
    "broken off": lambda r: None,
    "half": lambda r: (200, {"Content-Length": "1000"}, b"0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n"),
    "huge": lambda r: (200, {}, b"0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n" * 50000),
}


def hung_up(answer):
    def call(request):
        request.close_connection = True
        return answer(request)
    return call


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("how", BAD)
def test_no_answer(asking, serve, how, closed):
    """It passes with a warning, or is refused; sign-in never is. The log says why, and not what was asked."""
    password = some_password()
    server, seen = asking(hung_up(BAD[how]), **({"GOTRUE_PASSWORD_HIBP_FAIL_CLOSED": "true"} if closed else {}))
    got = server.post("/signup", {"email": address(), "password": password})
    if closed:
        is_error(got, 500, "unexpected_failure", CLOSED)
    else:
        assert got.status_code == 200
    assert len(seen) in (1, 2) and all(one.path.endswith(sha1(password)[:5]) for one in seen)  # libcurl tries again where a kept connection is dead
    line = server.log_of(got)
    (warning,) = [x for x in server.log() if x.get("request_id") == line["request_id"] and "breached" in x["msg"]]
    assert warning["level"] == "warning" and warning["error"] and sha1(password)[:5] not in json.dumps(warning) + json.dumps(line)
    me = serve().sign_up(password=password)
    assert server.sign_in(email=me.email, password=password).json()["weak_password"] is None


def test_five_seconds(asking):
    server, _ = asking(lambda r: time.sleep(11))
    began = time.monotonic()
    assert server.post("/signup", {"email": address(), "password": some_password()}).status_code == 200
    assert 4.9 < time.monotonic() - began < 10


def test_who_signs_in_waits_no_second_time(asking, only_workers):
    """Where nobody answers, sign-ins would have all the places of what takes long; new passwords are asked about each time."""
    server, seen = asking(lambda r: (503, {}, b""), POSTERN_TEST_WORKERS="2")
    me = server.sign_up()
    seen.clear()
    for _ in range(8):
        assert server.sign_in(email=me.email, password=me.password).json()["weak_password"] is None
    assert len(seen) <= 2
    seen.clear()
    assert server.put("/user", {"password": some_password()}, me.access).status_code == 200 and len(seen) == 1


BLOOM = {"GOTRUE_PASSWORD_HIBP_BLOOM_ENABLED": "true"}


def test_what_was_known_is_not_asked_again(asking):
    """By none of the workers, also those that come later; nor is what else was in the answer."""
    password, neighbour = "neighbour 449", "neighbour 876"  # of one range
    assert sha1(password)[:5] == sha1(neighbour)[:5]
    server, seen = asking({password: 1, neighbour: 1}, **BLOOM)

    def refused(password):
        return is_weak(server.post("/signup", {"email": address(), "password": password}), "pwned")

    refused(password)
    assert len(seen) == 1
    for _ in range(12):
        refused(password)
        refused(neighbour)
    assert len(seen) == (25 if CGI else 1)
    if not CGI:
        before = server.workers()
        os.kill(server.parent(), signal.SIGHUP)
        wait_for(lambda: len(server.workers()) == 4 and not set(server.workers()) & set(before), 10, "new workers")
        refused(neighbour)
        assert len(seen) == 1
    for _ in range(2):
        assert server.post("/signup", {"email": address(), "password": some_password()}).status_code == 200
    assert len(seen) == (27 if CGI else 3)


@pytest.mark.skipif(CGI, reason="memory of the workers")
def test_memory_is_emptied(asking):
    passwords = [some_password() for _ in range(4)]
    server, seen = asking({p: 1 for p in passwords}, GOTRUE_PASSWORD_HIBP_BLOOM_ITEMS="10", **BLOOM)
    for p in passwords:  # three more with each
        is_weak(server.post("/signup", {"email": address(), "password": p}), "pwned")
    is_weak(server.post("/signup", {"email": address(), "password": passwords[3]}), "pwned")
    assert len(seen) == 4
    is_weak(server.post("/signup", {"email": address(), "password": passwords[0]}), "pwned")
    assert len(seen) == 5


# --- The file ---


def postern(*words, stdin="", **settings):
    return subprocess.run([BIN, *map(str, words)], input=stdin, env={**CLEAN, **settings}, capture_output=True, text=True)


def make_file(path, *passwords):
    text = "".join(f"{hash_}:{n + 1}\r\n" for n, hash_ in enumerate(sorted(map(sha1, passwords))))
    made = postern("breached", path, stdin=text)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    return path


def test_file(asking, tmp_path, key):
    """It comes before anybody outside, who is not asked."""
    password = some_password()
    server, seen = asking({}, POSTERN_PASSWORD_BREACHED_FILE=str(make_file(tmp_path / "breached", password, *(some_password() for _ in range(1000)))))
    assert is_weak(server.post("/signup", {"email": address(), "password": password}), "pwned") == WORDS
    me = server.sign_up(password=some_password())
    assert is_weak(server.put("/user", {"password": password}, me.access), "pwned") == WORDS
    other = server.post("/admin/users", {"email": address(), "password": password, "email_confirm": True}, key).json()
    assert server.sign_in(email=other["email"], password=password).json()["weak_password"] == {"message": WORDS, "reasons": ["pwned"]}
    assert not seen


@pytest.mark.skipif(CGI, reason="each request opens it")
def test_file_anew(serve, tmp_path):
    """HUP takes the new one; one that can't be used leaves the old one in use."""
    old, new = some_password(), some_password()
    file = make_file(tmp_path / "breached", old)
    server = serve(POSTERN_PASSWORD_BREACHED_FILE=str(file))

    def status(password):
        return server.post("/signup", {"email": address(), "password": password}).status_code

    def reload():
        before = len(server.log())
        os.kill(server.parent(), signal.SIGHUP)
        return before

    assert (status(old), status(new)) == (422, 200)
    make_file(file, new)
    reload()
    wait_for(lambda: (status(old), status(new)) == (200, 422), 5, "the new file")
    (tmp_path / "nonsense").write_text("nonsense")
    (tmp_path / "nonsense").replace(file)
    before = reload()
    wait_for(lambda: any("POSTERN_PASSWORD_BREACHED_FILE" in x["msg"] for x in server.log()[before:]), 5, "the complaint")
    assert (status(old), status(new)) == (200, 422)


@pytest.mark.skipif(CGI, reason="each request opens it")
@pytest.mark.parametrize("closed", [False, True])
def test_file_cut_off(serve, tmp_path, closed):
    password = some_password()
    file = make_file(tmp_path / "breached", password)
    server = serve(POSTERN_PASSWORD_BREACHED_FILE=str(file), GOTRUE_PASSWORD_HIBP_FAIL_CLOSED=str(closed).lower())
    os.truncate(file, os.path.getsize(file) - 6)
    got = server.post("/signup", {"email": address(), "password": password})
    assert got.status_code == (500 if closed else 200)
    assert any("can't be read any more" in x.get("error", "") for x in server.log() if "breached" in x["msg"])


def test_no_such_file(database, tmp_path):
    """The server does not start, and says why; so does check."""
    bad = tmp_path / "bad"
    bad.write_bytes(make_file(tmp_path / "good", some_password()).read_bytes()[:-1])
    settings = {**SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://x.test"}
    for file, why in ((tmp_path / "none", "No such file"), (bad, "it is damaged"), (tmp_path, "it is not a file that postern breached has made")):
        got = postern("check", **settings, POSTERN_PASSWORD_BREACHED_FILE=str(file))
        assert got.returncode == 1 and f"error: POSTERN_PASSWORD_BREACHED_FILE: {file} can't be used: {why}" in got.stdout, got.stdout
        got = postern("serve", "--listen", f"unix:{tmp_path}/sock", **settings, POSTERN_PASSWORD_BREACHED_FILE=str(file))
        assert got.returncode == 1 and why in got.stderr
    assert postern("check", **settings, POSTERN_PASSWORD_BREACHED_FILE=str(tmp_path / "good")).returncode == 0


def test_command(tmp_path):
    text = tmp_path / "text"
    text.write_text(f"{sha1('a')}:1\n")
    assert postern("breached", tmp_path / "one", text).returncode == 0
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "one").read_bytes() == make_file(tmp_path / "two", "a").read_bytes()
    for words, status, why in (((), 2, "usage"), (("a", "b", "c"), 2, "usage"), ((tmp_path / "x", tmp_path / "none"), 1, "can't be read"),
                               ((tmp_path / "x", BIN), 1, "line 1 is not"), ((tmp_path / "none/x", text), 1, "can't be made"),
                               ((tmp_path, text), 1, "is not made")):
        got = postern("breached", *words)
        assert got.returncode == status and why in got.stderr, got
    assert sorted(x.name for x in tmp_path.iterdir()) == ["one", "text", "two"]


def test_by_the_operator(database, tmp_path, serve):
    me = serve().sign_up()
    password = some_password()
    file = make_file(tmp_path / "f", password)
    settings = {**SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://x.test", "POSTERN_PASSWORD_BREACHED_FILE": str(file)}
    got = postern("user", "password", me.email, stdin=password + "\n", **settings)
    assert got.returncode == 1 and WORDS in got.stderr
    assert postern("user", "password", me.email, stdin=some_password() + "\n", **settings).returncode == 0
