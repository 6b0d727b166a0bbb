# SPDX-License-Identifier: Apache-2.0
"""postern reseal: what is stored encrypted comes under another key, beside a running server."""

import base64
import json
import os
import re
import signal
import subprocess
import threading
import time
import uuid

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import harness
from factors import Factor, code_of
from harness import PASSWORD, Database, Server, address, claims_of, free_port, wait_for
from post import MAIL
from test_command import command
from test_custom_providers import create

KEYS = {name: base64.urlsafe_b64encode(bytes([n]) * 32).rstrip(b"=").decode() for n, name in enumerate(("old", "new", "lost"), 1)}
COLUMNS = {
    "users.encrypted_password": ("auth.users", "encrypted_password"),
    "sessions.refresh_token_hmac_key": ("auth.sessions", "refresh_token_hmac_key"),
    "custom_oauth_providers.client_secret": ("auth.custom_oauth_providers", "client_secret"),
    "mfa_factors.secret": ("auth.mfa_factors", "secret"),
    "mfa_challenges.otp_code": ("auth.mfa_challenges", "otp_code"),
    "waiting.password": ("postern.waiting", "password"),
}
V2 = {"GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION": "2", "GOTRUE_MFA_TOTP_ENROLL_ENABLED": "true", "GOTRUE_MFA_TOTP_VERIFY_ENABLED": "true",
      "POSTERN_TOTP_ONCE": "false"}


def under(name, *others, **more):
    """Settings: this key encrypts, the others still decrypt."""
    return {"GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT": "true", "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID": name,
            "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY": KEYS[name],
            "GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS": ",".join(f"{k}:{KEYS[k]}" for k in (name, *others)), **V2, **more}


def derived(name, row):
    return AESGCM(HKDF(hashes.SHA256(), 32, b"", row.encode()).derive(base64.urlsafe_b64decode(KEYS[name] + "=")))


def sealed(name, row, text):
    """As crypto.EncryptedString of the reference has it."""
    nonce = os.urandom(12)
    b = lambda x: base64.b64encode(x).decode()
    return json.dumps({"key_id": name, "alg": "aes-gcm-hkdf", "data": b(derived(name, row).encrypt(nonce, text.encode(), None)), "nonce": b(nonce)},
                      separators=(",", ":"))


def opened(name, row, text):
    box = json.loads(text)
    assert (box["key_id"], box["alg"]) == (name, "aes-gcm-hkdf")
    return derived(name, row).decrypt(base64.b64decode(box["nonce"]), base64.b64decode(box["data"]), None).decode()


@pytest.fixture
def own():
    """A database that nothing else is in."""
    db = Database(os.environ["POSTERN_TEST_PG"])
    yield db
    db.drop()


@pytest.fixture
def serve_own(own):
    running = []

    def start(**settings):
        running.append(Server(own.dsn, settings))
        return running[-1]

    yield start
    complaints = [c for s in running if s.alive() for c in s.stop()]
    assert not complaints, "\n".join(complaints)


def reseal(db, *args, status=0, **settings):
    done = command(db, "reseal", *args, **settings)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def counts(db, **settings):
    lines = [line.split("\t") for line in reseal(db, "--dry-run", **settings).splitlines()]
    return {(place, key): int(count) for place, key, count in lines}


def keys_of(db, **settings):
    """{place: the keys that its rows are under}, without letters."""
    found = {}
    for place, key in counts(db, **settings):
        if place in COLUMNS:
            found.setdefault(place, set()).add(key)
    return found


class Everything:
    """One of each, made on a server."""

    def __init__(self, server, sql, seal):
        self.me = server.sign_up()
        self.factor = Factor(self.me)
        self.refresh = self.factor.raised().refresh_token
        self.provider = create(server, client_secret="of " + self.me.id)
        assert self.provider.status_code == 201, self.provider.text
        self.waiting, self.challenge = str(uuid.uuid4()), str(uuid.uuid4())
        sql("insert into postern.waiting (user_id, link, password) values (%s, 'x', %s)", self.waiting, seal(self.waiting, "$2a$"))
        sql("insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code) values (%s, %s, now(), '127.0.0.1', %s)",
            self.challenge, self.factor.id, seal(self.challenge, "123456"))

    def works(self, server, sql, name):
        signed_in = server.sign_in(email=self.me.email, password=PASSWORD)
        assert signed_in.status_code == 200, signed_in.text
        assert server.sign_in(email=self.me.email, password="x").status_code == 400
        refreshed = server.refresh(self.refresh)
        assert refreshed.status_code == 200, refreshed.text
        self.refresh = refreshed.json()["refresh_token"]
        self.factor.server, token = server, signed_in.json()["access_token"]
        assert self.factor.verify(token=token).status_code == 200
        provider, code = self.provider.json()["id"], sql("select otp_code from auth.mfa_challenges where id = %s", self.challenge)[0]["otp_code"]
        secret = sql("select client_secret from auth.custom_oauth_providers where id = %s", provider)[0]["client_secret"]
        waiting = sql("select password from postern.waiting where user_id = %s", self.waiting)[0]["password"]
        assert opened(name, provider, secret) == "of " + self.me.id and opened(name, self.challenge, code) == "123456"
        assert opened(name, self.waiting, waiting) == "$2a$"


def test_all_of_it(own, serve_own):
    plain, old = serve_own(**V2), serve_own(**under("old"))
    people = [Everything(plain, own.sql, lambda row, text: text), Everything(old, own.sql, lambda row, text: sealed("old", row, text))]
    assert {key for _, key in counts(own, **under("new", "old"))} == {"plain", "old"}
    assert keys_of(own, **under("new", "old")) == {place: {"plain", "old"} for place in COLUMNS}
    rows = lambda table: {row.get("id") or row["user_id"]: row for row in own.sql(f"select * from {table}")}
    before = {table: rows(table) for table, _ in COLUMNS.values()}

    done = dict(line.split("\t") for line in reseal(own, **under("new", "old")).splitlines())
    assert set(done) == set(COLUMNS) and all(int(n) >= 2 for n in done.values())
    assert keys_of(own, **under("new")) == {place: {"new"} for place in COLUMNS}
    for table, column in COLUMNS.values():  # nothing else was touched
        assert {k: {**row, column: None} for k, row in rows(table).items()} == {k: {**row, column: None} for k, row in before[table].items()}
    assert set(reseal(own, **under("new")).split("\n")) == {f"{place}\t0" for place in COLUMNS} | {""}

    server = serve_own(**under("new"))
    for one in people:
        one.works(server, own.sql, "new")


def test_what_is_empty_stays_so(own, serve_own):
    server = serve_own(**V2)
    assert server.post("/signup", {}).status_code == 200  # anonymous: no password
    own.sql("update auth.users set encrypted_password = ''")
    reseal(own, **under("new"))
    assert {row["p"] for row in own.sql("select encrypted_password as p from auth.users")} == {""}


LETTERS = {**MAIL, "GOTRUE_SMTP_MAX_FREQUENCY": "1ns"}


def test_letters(own, serve_own, post, only_workers):
    nobody = serve_own(**LETTERS, GOTRUE_SMTP_PORT=str(free_port()), POSTERN_QUEUE_KEYS="a secret that is long enough")
    email = address()
    assert nobody.post("/signup", {"email": email, "password": PASSWORD}).status_code == 200
    wait_for(lambda: own.sql("select from postern.outbox where attempts > 0 or last_error is not null"), 10, "the letter to be tried")
    nobody.stop()

    (key,) = [key for place, key in counts(own) if place == "outbox.sealed"]
    assert f"outbox.sealed: 1 under the key {key}" in command(own, "check").stdout
    assert "warning: 1 rows of outbox.sealed are under a key that none of the settings has" in command(own, "check").stdout
    assert reseal(own, status=1).splitlines()[0] == "outbox.sealed\t0"
    both = {"POSTERN_QUEUE_KEYS": "another secret of some length|a secret that is long enough"}
    done = command(own, "reseal", **both)
    assert done.returncode == 0 and done.stdout.splitlines()[0] == "outbox.sealed\t1" and "only letters are encrypted" in done.stderr
    server = serve_own(**LETTERS, GOTRUE_SMTP_PORT=str(post.port), POSTERN_QUEUE_KEYS="another secret of some length")
    got = server.post("/verify", {"type": "signup", "email": email, "token": post.take(email).code})
    assert got.status_code == 200, got.text


def test_check_counts(own, serve_own):
    me = serve_own(**under("old")).sign_up()
    serve_own(**V2).sign_up()
    said = command(own, "check", **under("new", "old"))
    assert "users.encrypted_password: 1 not encrypted\nusers.encrypted_password: 1 under the key old\n" in said.stdout
    assert "sessions.refresh_token_hmac_key: 1 under the key old\n" in said.stdout
    assert "0 errors" in said.stdout and "rows of" not in said.stdout
    said = command(own, "check", **under("new"))
    assert "warning: 1 rows of users.encrypted_password are under a key that none of the settings has, so nobody can read them." in said.stdout
    assert said.returncode == 0
    own.sql("update auth.users set encrypted_password = %s where id = %s", '{"key_id":"\x1b[2J","alg":"aes-gcm-hkdf","data":"x","nonce":"y"}', me.id)
    said = command(own, "check", **under("new"))
    assert "under the key ?[2J\n" in said.stdout


def test_what_can_not_be_opened(own, serve_own):
    lost, kept = serve_own(**under("lost")).sign_up(), serve_own(**under("old")).sign_up()
    password = own.sql("select encrypted_password as p from auth.users where id = %s", lost.id)
    done = command(own, "reseal", **under("new", "old"))
    assert done.returncode == 1 and "users.encrypted_password\t1\n" in done.stdout
    assert "postern: 1 rows of users.encrypted_password stay as they are: no key that we have opens them" in done.stderr
    assert own.sql("select encrypted_password as p from auth.users where id = %s", lost.id) == password
    assert counts(own, **under("new"))["users.encrypted_password", "new"] == 1
    reseal(own, **under("new", "old", "lost"))
    server = serve_own(**under("new"))
    assert all(server.sign_in(email=who.email, password=PASSWORD).status_code == 200 for who in (lost, kept))


def test_what_does_not_fit(own, serve_own):
    me = serve_own(**V2).sign_up()
    own.sql("update auth.users set encrypted_password = rpad(encrypted_password, 200, 'x') where id = %s", me.id)
    done = command(own, "reseal", **under("new"))
    assert done.returncode == 1 and "1 rows of users.encrypted_password stay as they are: encrypted with this key" in done.stderr
    assert counts(own, **under("new"))["users.encrypted_password", "plain"] == 1


def test_what_only_looks_encrypted(own, serve_own):
    """A secret that somebody chose so; and one that is spelled otherwise than we do."""
    server = serve_own(**V2)
    odd = ['{"key_id":"new","alg":"aes-gcm-hkdf"}', '{"alg":"aes-gcm-hkdf"', "{}", '{"a":"\\"%"}']
    ids = [create(server, client_secret=text).json()["id"] for text in odd]
    own.sql("update auth.custom_oauth_providers set client_secret = %s where id = %s", sealed("new", ids[3], odd[3]).replace('":"', '" : "'), ids[3])
    reseal(own, **under("new"))
    for text, row in list(zip(odd, ids))[1:]:
        assert opened("new", row, own.sql("select client_secret as s from auth.custom_oauth_providers where id = %s", row)[0]["s"]) == text


def test_another_is_at_it(own, serve_own):
    """Whoever is changing a row keeps it; it is encrypted when he has done."""
    server = serve_own(**under("old"))
    me, other = server.sign_up(), server.sign_up()
    theirs = Database.__new__(Database)
    theirs.dsn, theirs.connection = own.dsn, None
    theirs.sql("begin")
    theirs.sql("update auth.users set encrypted_password = %s where id = %s", sealed("old", me.id, "of the writer"), me.id)
    settings = {**harness.CLEAN, **harness.SETTINGS, **under("new", "old"), "DATABASE_URL": own.dsn, "API_EXTERNAL_URL": "http://x.test"}
    running = subprocess.Popen([harness.BIN, "reseal"], env=settings, stdout=subprocess.PIPE, text=True)
    stored = lambda who: own.sql("select encrypted_password as p from auth.users where id = %s", who.id)[0]["p"]
    wait_for(lambda: '"new"' in stored(other), 10, "the other row")
    time.sleep(0.3)
    assert running.poll() is None and '"old"' in stored(me)
    theirs.sql("commit")
    assert running.wait(20) == 0
    assert opened("new", me.id, stored(me)) == "of the writer"
    theirs.connection.close()


def test_interrupted(own, serve_own):
    """kill -9 half-way, then again."""
    many = 3000
    own.sql("insert into auth.users (id, instance_id, aud, email, encrypted_password) select gen_random_uuid(), '00000000-0000-0000-0000-000000000000',"
            " 'authenticated', 'n' || n || '@example.com', '$2a$04$' || n from generate_series(1, %s) n", many)
    own.sql("create function public.slow() returns trigger language plpgsql as $$begin perform pg_sleep(0.001); return new; end$$;"
            "create trigger slow before update on auth.users for each row execute function public.slow()")
    settings = {**harness.CLEAN, **harness.SETTINGS, **under("new"), "DATABASE_URL": own.dsn, "API_EXTERNAL_URL": "http://x.test"}
    running = subprocess.Popen([harness.BIN, "reseal"], env=settings)
    done = lambda: own.sql("select count(*) from auth.users where encrypted_password like '{%%'")[0]["count"]
    wait_for(done, 20, "the first batch")
    running.send_signal(signal.SIGKILL)
    running.wait()
    half = wait_for(lambda: not own.sql("select from pg_stat_activity where datname = current_database() and query like 'with written%%' and state = 'active'")
                    and done(), 10)
    assert 0 < half < many
    own.sql("drop trigger slow on auth.users")
    assert f"users.encrypted_password\t{many - half}\n" in reseal(own, **under("new"))
    rows = own.sql("select id::text, email, encrypted_password as p from auth.users")
    assert len(rows) == many
    for row in rows[::50]:
        assert opened("new", row["id"], row["p"]) == "$2a$04$" + re.search(r"\d+", row["email"]).group()


class Person(threading.Thread):
    """Signs in, refreshes, shows the factor and changes the password without a pause."""

    def __init__(self, server):
        super().__init__()
        self.server, self.me, self.http, self.password = server, server.sign_up(), harness.requests.Session(), PASSWORD
        self.factor = Factor(self.me)
        self.refresh = self.factor.raised().refresh_token
        self.done, self.failed, self.end = 0, [], False

    def good(self, got):
        self.done += 1
        if got.status_code != 200:
            self.failed.append(got.text)
        return got.json()

    def turn(self):
        me = self.good(self.server.sign_in(email=self.me.email, password=self.password))
        self.refresh = self.good(self.server.refresh(self.refresh)).get("refresh_token")
        raised = self.good(self.factor.verify(token=me.get("access_token")))
        wanted = f"correct horse {self.done}"
        self.good(self.server.put("/user", {"password": wanted}, raised.get("access_token")))
        self.password = wanted
        self.refresh = self.good(self.server.sign_in(email=self.me.email, password=wanted)).get("refresh_token")

    def run(self):
        try:
            while not self.end and not self.failed:
                self.turn()
        except Exception as e:  # noqa: BLE001
            self.failed.append(repr(e))


def test_beside_a_running_server(own, serve_own):
    """The key goes to and fro while people are at work."""
    server = serve_own(**under("new", "old"), GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY="100000", GOTRUE_RATE_LIMIT_TOKEN_REFRESH="1000000")
    people = [Person(server) for _ in range(4)]
    for person in people:
        person.start()
    try:
        runs, end = 0, time.monotonic() + 12
        while time.monotonic() < end and not any(p.failed for p in people):
            for settings in (under("old", "new"), under("new", "old")):
                reseal(own, **settings)
                runs += 1
    finally:
        for person in people:
            person.end = True
        for person in people:
            person.join()
    assert [p.failed for p in people] == [[] for _ in people]
    reseal(own, **under("new", "old"))
    assert keys_of(own, **under("new")) == {place: {"new"} for place in COLUMNS if place in keys_of(own, **under("new"))}
    last = serve_own(**under("new"))
    for person in people:
        got = last.sign_in(email=person.me.email, password=person.password)
        assert got.status_code == 200 and claims_of(got.json()["access_token"])["sub"] == person.me.id
        assert last.refresh(person.refresh).status_code == 200
        person.factor.server = last
        assert person.factor.verify(code_of(person.factor.secret), token=got.json()["access_token"]).status_code == 200
    print(f"{runs} runs, {sum(p.done for p in people)} requests, none failed")
