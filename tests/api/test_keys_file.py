# SPDX-License-Identifier: Apache-2.0
"""Keys that change while the server runs: postern keys, POSTERN_JWT_KEYS_FILE."""

import json
import os
import re
import stat
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone

import jwt
import pytest

import harness
from harness import PASSWORD, SECRET, address, header_of, is_error, many, mint, wait_for
from post import MAIL
from test_command import command
from test_sealed import sealing

ALGORITHMS = ["ES256", "ES512", "RS256", "RS512", "EdDSA", "HS256"]


class Keys:
    def __init__(self, database, path):
        self.database, self.path = database, path
        self.settings = {"POSTERN_JWT_KEYS_FILE": str(path)}

    def call(self, *args, **settings):
        return command(self.database, "keys", *args, **{**self.settings, **settings})

    def __call__(self, *args):
        done = self.call(*args)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def states(self):
        return {kid: state for kid, _, state, _ in (line.split("\t") for line in self("list").splitlines())}

    def rotate(self, *args):
        kid = self("new", *args)
        assert self("promote", "--now") == kid
        return kid

    def written(self):
        return json.loads(self.path.read_text())

    def age(self, seconds):
        """As if every key had been so long what it is."""
        file = self.written()
        for key in file["keys"]:
            key["since"] = (datetime.now(timezone.utc) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        self.path.write_text(json.dumps(file))


@pytest.fixture
def keys(database, tmp_path):
    return Keys(database, tmp_path / "keys.json")


def published(server):
    return {key["kid"]: key for key in server.get("/.well-known/jwks.json").json()["keys"]}


def verified(server, token):
    """As somebody who has nothing but the key set does it."""
    key = published(server)[header_of(token)["kid"]]
    return jwt.decode(token, jwt.PyJWK(key).key, algorithms=[key["alg"]], audience="authenticated")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_algorithm(serve, keys, alg):
    kid = keys("new", "--algorithm", alg)
    assert keys.states() == {kid: "current"}
    server = serve(**keys.settings)
    me = server.sign_up()
    assert header_of(me.access) == {"alg": alg, "kid": kid, "typ": "JWT"}
    assert me.get().status_code == 200
    if alg == "HS256":
        assert published(server) == {}
    else:
        assert verified(server, me.access)["sub"] == me.id
        assert not set(published(server)[kid]) & {"d", "p", "q", "dp", "dq", "qi", "k", "state", "since"}


def test_a_keys_life(serve, keys):
    first = keys("new")
    server = serve(**keys.settings)
    me = server.sign_up()

    second = keys("new", "--algorithm", "EdDSA")
    assert keys.states() == {first: "current", second: "standby"}
    assert set(published(server)) == {first, second}
    assert header_of(server.sign_up().access)["kid"] == first

    assert keys("promote", "--now") == second
    assert keys.states() == {first: "previous", second: "current"}
    assert set(published(server)) == {first, second}
    assert header_of(server.sign_up().access)["kid"] == second
    assert me.get().status_code == 200 and verified(server, me.access)["sub"] == me.id

    assert keys("retire", first) == first
    assert keys.states() == {first: "retired", second: "current"}
    assert set(published(server)) == {second}
    for _ in range(8):  # every worker
        is_error(me.get(), 403, "bad_jwt", f"invalid JWT: unable to parse or verify signature, token signature is invalid: signing method ES256 is invalid")
    fresh = server.refresh(me.refresh_token).json()["access_token"]
    assert header_of(fresh)["kid"] == second and server.get("/user", fresh).status_code == 200


def test_retired_beside_its_like(serve, keys):
    keys("new")
    server = serve(**keys.settings)
    me = server.sign_up()
    first = header_of(me.access)["kid"]
    keys.rotate()
    keys("retire", first)
    assert f"unrecognized JWT kid {first} for algorithm ES256" in is_error(me.get(), 403, "bad_jwt")["msg"]
    done = keys.call("promote", first, "--now")
    assert done.returncode == 1 and "retired" in done.stderr


def test_a_standby_key_verifies(serve, keys):
    """Of two machines with one file, the other may sign with it first."""
    keys("new")
    server = serve(**keys.settings)
    me = server.sign_up()
    kid = keys("new")
    secret = next(key["key"] for key in keys.written()["keys"] if key["key"]["kid"] == kid)
    token = jwt.encode({**me.claims, "exp": int(time.time()) + 60}, jwt.PyJWK(secret, algorithm="ES256").key, "ES256", headers={"kid": kid})
    assert server.get("/user", token).status_code == 200


def test_promote_goes_back(serve, keys):
    first = keys("new")
    second = keys.rotate()
    assert keys("promote", first) == first  # at once: everybody knows it
    assert keys.states() == {first: "current", second: "previous"}


def test_promote_waits_for_the_key_set(keys):
    first, second = keys("new"), keys("new")
    keys.age(598)
    began = time.monotonic()
    done = keys.call("promote")
    assert done.returncode == 0 and 1 < time.monotonic() - began < 30
    assert re.search(rf"waiting for [12] s: .* without {second}", done.stderr)
    assert keys.states() == {first: "previous", second: "current"}


def test_promote_says_how_long(keys, database):
    keys("new")
    keys("new")
    env = {**harness.CLEAN, **harness.SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://x.test", **keys.settings}
    waiting = subprocess.Popen([harness.BIN, "keys", "promote"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert re.match(r"postern: waiting for (599|600) s: ", waiting.stderr.readline())
        assert "standby" in keys.states().values()
        assert keys("new"), "the others are not kept waiting"
    finally:
        waiting.kill()
        waiting.wait()


@pytest.mark.parametrize("args, why", [
    (["promote", "nobody"], "has no key of that kid"),
    (["promote"], "has no key that stands by: postern keys new makes one"),
    (["retire", "nobody"], "has no key of that kid"),
])
def test_what_can_not_be_done(keys, args, why):
    keys("new")
    before = keys.path.read_bytes()
    done = keys.call(*args)
    assert (done.returncode, done.stderr, done.stdout) == (1, f"postern: {keys.path} {why}\n", "")
    assert keys.path.read_bytes() == before


def test_the_key_that_signs_does_not_go(keys):
    kid = keys("new")
    done = keys.call("retire", kid)
    assert done.returncode == 1 and done.stderr.endswith("has that key as the one that signs: promote another first\n")


@pytest.mark.parametrize("args", [["new", "--algorithm", "none"], ["new", "--algorithm", "HS512"], ["new", "x"], ["retire"], ["dance"]])
def test_wrong_calls(keys, args):
    done = keys.call(*args)
    assert done.returncode == 2 and "usage: postern keys" in done.stderr and not keys.path.exists()


def test_without_the_setting(keys):
    done = keys.call("list", POSTERN_JWT_KEYS_FILE=None)
    assert done.returncode == 1 and done.stderr == "postern: POSTERN_JWT_KEYS_FILE must be set: the file that the keys are in\n"


def test_nobody_else_reads_it(keys):
    old = os.umask(0)
    try:
        for args in (["new"], ["new"], ["promote", "--now"]):
            keys(*args)
            assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    finally:
        os.umask(old)
    assert [p.name for p in keys.path.parent.iterdir()] == ["keys.json"]
    os.chmod(keys.path, 0o644)
    assert f"warning: {keys.path} holds secrets and everybody on this machine may read it" in command(keys.database, "check", **keys.settings).stdout


@pytest.mark.parametrize("before, after", [(0o600, 0o600), (0o640, 0o640), (0o644, 0o640), (0o666, 0o640), (0o400, 0o600), (0o604, 0o600)])
def test_who_could_read_it_can(keys, before, after):
    """Such as a server that is in the group of what root writes; never everybody."""
    keys("new")
    os.chmod(keys.path, before)
    keys("new")
    assert stat.S_IMODE(keys.path.stat().st_mode) == after


def test_a_symbolic_link(keys):
    """Replaced, it would leave the file behind it with keys that are retired here; followed, it is somebody else who says where we write."""
    real = keys.path.with_name("real.json")
    keys("new")
    before = keys.path.read_text()
    os.rename(keys.path, real)
    for target in (real, "nowhere.json"):
        keys.path.unlink(missing_ok=True)
        os.symlink(target, keys.path)
        done = keys.call("new")
        assert done.returncode == 1 and "is a symbolic link: POSTERN_JWT_KEYS_FILE has to be the name of the file itself" in done.stderr
        assert keys.path.is_symlink() and real.read_text() == before and len(list(real.parent.iterdir())) == 2


def test_a_file_with_the_old_ones_time(serve, keys, only_workers):
    """Written where it stands, of the same length, with the time of the one before: cp -p, or an archive that is unpacked."""
    keys("new")
    kid = keys("new")
    server = serve(**keys.settings)
    assert header_of(server.sign_up().access)["kid"] != kid
    before, text = keys.path.stat(), keys.path.read_text()
    keys.path.write_text(text.replace("current", "CURRENT").replace("standby", "current").replace("CURRENT", "standby"))
    os.utime(keys.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = keys.path.stat()
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)
    assert header_of(server.sign_up().access)["kid"] == kid


def test_what_is_said_holds_no_secret(keys):
    keys("new")
    kid = keys("new", "--algorithm", "HS256")
    secrets = [key["key"].get("d") or key["key"]["k"] for key in keys.written()["keys"]]
    said = [keys.call("list"), keys.call("promote", "--now"), command(keys.database, "check", "-v", **keys.settings)]
    assert all(secret not in done.stdout + done.stderr for secret in secrets for done in said)
    keys.rotate()
    keys("retire", kid)
    assert secrets[1] not in keys.path.read_text()
    assert next(k["key"] for k in keys.written()["keys"] if k["state"] == "retired") == {"kid": kid, "alg": "HS256"}


def test_many_operators_at_once(keys):
    made = many(12, lambda _: keys("new"))
    states = keys.states()
    assert set(states) == set(made) and len(states) == 12
    assert sorted(states.values()) == ["current"] + 11 * ["standby"]


def test_a_file_that_is_full(keys):
    """Retired ones make way, the oldest first; those that are good for something do not."""
    keys("new")
    (current,) = keys.written()["keys"]
    older = [{**current, "state": "retired" if n < 2 else "previous", "key": {**current["key"], "kid": f"old-{n}"}} for n in range(63)]
    keys.path.write_text(json.dumps({"keys": older + [current]}))
    for n in range(2):
        new, states = keys("new"), keys.states()
        assert len(states) == 64 and states[new] == "standby" and [x for x in ("old-0", "old-1") if x in states] == ["old-1"][n:]
    done = keys.call("new")
    assert done.returncode == 1 and "has 64 keys: retire some" in done.stderr


def test_both_settings(keys, database):
    keys("new")
    beside = {**keys.settings, "GOTRUE_JWT_KEYS": "[]"}
    sentence = "POSTERN_JWT_KEYS_FILE and GOTRUE_JWT_KEYS exclude each other: take one of them away."
    done = command(database, "check", **beside)
    assert done.returncode == 1 and f"error: {sentence}" in done.stdout
    done = command(database, "serve", "--listen", "127.0.0.1:0", **beside)
    assert done.returncode == 1 and sentence in done.stderr


BROKEN = {
    "cut": (lambda text: text[: len(text) // 2], "is not JSON"),
    "empty": (lambda text: "", "is not JSON"),
    "nothing": (lambda text: '{"keys":[]}', "has no signing key"),
    "a list": (lambda text: "[]", 'is not an object with a list "keys"'),
    "a state": (lambda text: text.replace('"current"', '"courant"'), '"state" is none of'),
    "a time": (lambda text: text.replace('"since":"2', '"since":"x'), '"since" is no time'),
    "two signers": (lambda text: text.replace('"standby"', '"current"'), "has multiple signing keys"),
    "no key": (lambda text: text.replace('"kty":"EC"', '"kty":"XY"'), "can't be used|none of oct"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_at_start(keys, database, how):
    keys("new")
    keys("new")
    spoil, why = BROKEN[how]
    keys.path.write_text(spoil(keys.path.read_text()))
    for args in (["check"], ["serve", "--listen", "127.0.0.1:0"], ["token", "anon"]):
        done = command(database, *args, **keys.settings)
        said = done.stdout + done.stderr.replace('\\"', '"')
        assert done.returncode == 1 and re.search(rf"POSTERN_JWT_KEYS_FILE.*({re.escape(why) if '|' not in why else why})", said), said


def test_no_file_yet(keys, database):
    done = command(database, "check", **keys.settings)
    assert done.returncode == 1 and f"POSTERN_JWT_KEYS_FILE ({keys.path}) is not there: postern keys new makes it" in done.stdout


def complaints(server):
    return [x for x in server.log() if x["msg"] == "the keys stay as they were"]


@pytest.mark.parametrize("how", [*BROKEN, "gone", "a pipe", "a folder"])
def test_a_file_that_breaks_under_the_server(serve, keys, only_workers, how):
    keys("new")
    kid = keys("new")
    server = serve(**keys.settings)
    me = server.sign_up()
    good = keys.path.read_text()
    if how in BROKEN:
        keys.path.write_text(BROKEN[how][0](good))
    else:
        keys.path.unlink()
        {"gone": lambda _: None, "a pipe": os.mkfifo, "a folder": os.mkdir}[how](keys.path)
    assert all(x.status_code == 200 for x in many(24, lambda _: server.get("/user", me.access, http=harness.requests)))
    assert header_of(server.sign_up().access)["kid"] == header_of(me.access)["kid"] and kid in published(server)
    assert len(wait_for(lambda: complaints(server), 5)) == 1

    if how == "a folder":
        keys.path.rmdir()
    keys.path.unlink(missing_ok=True)
    keys.path.write_text(good)
    keys("promote", "--now")
    assert header_of(server.sign_up().access)["kid"] == kid
    assert len(complaints(server)) == 1


def test_hup_with_a_broken_file(serve, keys, only_workers):
    keys("new")
    server = serve(**keys.settings)
    me = server.sign_up()
    good = keys.path.read_text()
    keys.path.write_text("{")
    os.kill(server.parent(), 1)
    wait_for(lambda: [x for x in server.log() if "is not JSON" in x["msg"]], 5)
    os.kill(server.workers()[0], 9)  # who is born now has the keys of before
    time.sleep(0.5)
    assert all(x.status_code == 200 for x in many(24, lambda _: server.get("/user", me.access, http=harness.requests)))
    keys.path.write_text(good)


def test_beside_the_secret(serve, keys, database):
    """As with GOTRUE_JWT_KEYS: HS256 is taken where it is a method of the keys, or named."""
    keys("new")
    server = serve(**keys.settings)
    me = server.sign_up()
    old = mint({"sub": me.id, "aud": "authenticated", "role": "authenticated", "session_id": me.session_id})
    is_error(server.get("/user", old), 403, "bad_jwt")
    both = serve(**keys.settings, GOTRUE_JWT_VALID_METHODS="ES256,HS256")
    assert both.get("/user", old).status_code == 200 and both.get("/user", me.access).status_code == 200


def test_a_key_that_signs_what_nobody_takes(serve, keys, only_workers):
    """An algorithm that GOTRUE_JWT_VALID_METHODS does not have makes no key, and one that gets into the file does not sign."""
    named = {"GOTRUE_JWT_VALID_METHODS": "ES256,HS256"}
    first = keys("new")
    done = keys.call("new", "--algorithm", "EdDSA", **named)
    assert done.returncode == 1 and "stays as it is: GOTRUE_JWT_VALID_METHODS does not have EdDSA; add it there" in done.stderr
    second = keys("new", "--algorithm", "EdDSA")
    done = keys.call("promote", "--now", **named)
    assert done.returncode == 1 and "GOTRUE_JWT_VALID_METHODS does not have EdDSA" in done.stderr
    assert keys.states() == {first: "current", second: "standby"}

    server = serve(**keys.settings, **named)
    me = server.sign_up()
    assert keys("promote", "--now") == second
    for _ in range(8):  # every worker
        fresh = server.sign_in(email=me.email, password=PASSWORD).json()["access_token"]
        assert header_of(fresh)["kid"] == first and server.get("/user", fresh).status_code == 200


@pytest.mark.parametrize("methods", ["RS256", "es256", "ES512,RS256,RS512,EdDSA"])
def test_methods_without_the_keys_own(keys, methods):
    words = "has a signing key of {}, which GOTRUE_JWT_VALID_METHODS does not have: add it there"
    done = command(keys.database, "check", GOTRUE_JWT_VALID_METHODS=methods)
    assert done.returncode == 1 and "error: GOTRUE_JWT_SECRET " + words.format("HS256") in done.stdout
    keys("new")
    done = command(keys.database, "check", **keys.settings, GOTRUE_JWT_VALID_METHODS=methods)
    assert done.returncode == 1 and "error: POSTERN_JWT_KEYS_FILE" in done.stdout and words.format("ES256") in done.stdout


def test_command_token(serve, keys, database):
    kid = keys("new")
    server = serve(**keys.settings)
    token = command(database, "token", "service_role", **keys.settings).stdout.strip()
    assert header_of(token)["kid"] == kid and server.get("/admin/users", token).status_code == 200


def test_nothing_else_hangs_on_the_keys(mailing, post, keys, sql):
    """v2 refresh tokens, waiting letters, sealed passwords and API keys of the secret: a key may go and nobody notices."""
    first = keys("new")
    server = mailing(**keys.settings, **sealing(GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION="2", GOTRUE_MAILER_AUTOCONFIRM="false",
                                                POSTERN_MAIL_GRACE="2s"))
    email = address()
    assert server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True},
                       command(keys.database, "token", "service_role", **keys.settings).stdout.strip()).status_code == 200
    session = server.sign_in(email=email, password=PASSWORD).json()
    assert len(session["refresh_token"]) > 20
    assert server.post("/otp", {"email": email}).status_code == 200  # the letter waits

    keys.rotate("--algorithm", "RS256")
    keys("retire", first)
    is_error(server.get("/user", session["access_token"]), 403, "bad_jwt")

    fresh = server.refresh(session["refresh_token"])
    assert fresh.status_code == 200 and server.get("/user", fresh.json()["access_token"]).status_code == 200
    assert server.sign_in(email=email, password=PASSWORD).status_code == 200
    got = server.post("/verify", {"type": "email", "email": email, "token": post.take(email).code})
    assert got.status_code == 200, got.text


class Client(threading.Thread):
    """Somebody who asks and refreshes without a pause, and counts what fails."""

    def __init__(self, server):
        super().__init__()
        self.server, self.me, self.http = server, server.sign_up(), harness.requests.Session()
        self.access, self.token = self.me.access, self.me.refresh_token
        self.done, self.failed, self.end = 0, [], False

    def look(self, got):
        self.done += 1
        if got.status_code != 200:
            self.failed.append(got.text)
        return got

    def run(self):
        while not self.end and not self.failed:
            for _ in range(4):
                self.look(self.server.get("/user", self.access, http=self.http))
            reply = self.look(self.server.refresh(self.token, http=self.http))
            if reply.status_code == 200:
                self.access, self.token = reply.json()["access_token"], reply.json()["refresh_token"]


@pytest.mark.parametrize("version", ["1", "2"])
def test_rotation_under_load(serve, keys, version):
    keys("new")
    server = serve(**keys.settings, GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION=version)
    clients = [Client(server) for _ in range(6)]
    for client in clients:
        client.start()
    try:
        for alg in ("ES256", "EdDSA", "RS256", "ES256", "HS256", "ES256"):
            before = next(kid for kid, state in keys.states().items() if state == "current")
            kid = keys("new", "--algorithm", alg)
            time.sleep(0.1)
            keys("promote", kid, "--now")
            wait_for(lambda: all(c.failed or header_of(c.access)["kid"] == kid for c in clients), 30, "everybody to have a token of the new key")
            keys("retire", before)
    finally:
        for client in clients:
            client.end = True
        for client in clients:
            client.join()
    assert [c.failed for c in clients] == [[] for _ in clients]
    assert sum(c.done for c in clients) > 100
    print(sum(c.done for c in clients), "requests, none failed")
