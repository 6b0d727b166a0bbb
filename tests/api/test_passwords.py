# SPDX-License-Identifier: Apache-2.0
"""Hashes that other programs made, and those that we make."""

import base64
import hashlib
import os
import time

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from harness import SERVICE, address, is_error, phone


KNOWN = {
    "bcrypt 2a": ("test", "$2a$04$WXFfMWnG/2rzY3wAoaTz9O8dQA1GlLLQYPfHwxSP7g/gFuTAYqOi."),
    "argon2id": ("test", "$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk"),
    "argon2i": ("test", "$argon2i$v=19$m=16,t=2,p=1$bGJRWThNOHJJTVBSdHl2dQ$NfEnUOuUpb7F2fQkgFUG4g"),
}


def fbscrypt(password, n=14, r=8, p=1):
    key, salt = os.urandom(64), os.urandom(10)
    derived = hashlib.scrypt(password.encode(), salt=salt + b"\x42", n=1 << n, r=r, p=p, maxmem=1 << 26, dklen=32)
    cipher = Cipher(algorithms.AES(derived), modes.CTR(b"\0" * 16)).encryptor()
    hash_ = cipher.update(key) + cipher.finalize()
    b = lambda x: base64.b64encode(x).decode()
    return f"$fbscrypt$v=1,n={n},r={r},p={p},ss={b(bytes([0x42]))},sk={b(key)}${b(salt)}${b(hash_)}"


def put_hash(sql, me, hash_):
    sql("update auth.users set encrypted_password = %s where id = %s", hash_, me.id)


@pytest.mark.parametrize("kind", KNOWN)
def test_known_hashes(server, sql, kind):
    password, hash_ = KNOWN[kind]
    me = server.sign_up()
    put_hash(sql, me, hash_)
    assert server.sign_in(email=me.email, password=password).status_code == 200, kind
    is_error(server.sign_in(email=me.email, password=password + "x"), 400, "invalid_credentials")


@pytest.mark.parametrize("cost", [{"n": 14, "r": 8, "p": 1}, {"n": 10, "r": 4, "p": 2}])
def test_fbscrypt(server, sql, cost):
    me = server.sign_up()
    put_hash(sql, me, fbscrypt("firebase pass", **cost))
    assert server.sign_in(email=me.email, password="firebase pass").status_code == 200
    is_error(server.sign_in(email=me.email, password="firebase pas"), 400, "invalid_credentials")


def test_no_password(server, sql):
    me = server.sign_up()
    for nothing in (None, ""):
        put_hash(sql, me, nothing)
        is_error(server.sign_in(email=me.email, password=me.password), 400, "invalid_credentials")
        is_error(server.sign_in(email=me.email, password=""), 400, "invalid_credentials")


@pytest.mark.parametrize("junk", [
    "x", "$", "$2a$", "$argon2id$", "$fbscrypt$v=1,n=99,r=8,p=1,sk=eA==$eA==$eA==", "$argon2id$v=19$m=4294967295,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", "$1$x$y",
    "*0"
])
def test_junk_never_passes(server, sql, junk):
    me = server.sign_up()
    put_hash(sql, me, junk)
    assert server.sign_in(email=me.email, password=me.password).status_code in (400, 500)


def test_scrypt_is_the_default(serve, sql):
    server = serve(POSTERN_PASSWORD_HASH=None, POSTERN_BCRYPT_COST=None)
    me = server.sign_up()
    stored = sql("select encrypted_password as h from auth.users where id = %s", me.id)[0]["h"]
    assert stored.startswith("$fbscrypt$v=1,n=14,r=8,p=5,")
    assert server.sign_in(email=me.email, password=me.password).status_code == 200
    is_error(server.sign_in(email=me.email, password="x"), 400, "invalid_credentials")


def test_72_bytes(server):
    long = "é" * 36
    me = server.sign_up(password=long)
    assert server.sign_in(email=me.email, password=long).status_code == 200
    is_error(server.post("/signup", {"email": "z@example.com", "password": long + "x"}), 400, "validation_failed")


def test_rehash(serve, sql):
    stored = lambda me: sql("select encrypted_password as h, updated_at from auth.users where id = %s", me.id)[0]["h"]
    server = serve(POSTERN_PASSWORD_REHASH="true", POSTERN_PASSWORD_HASH="bcrypt", POSTERN_BCRYPT_COST="5")
    me = server.sign_up()
    put_hash(sql, me, KNOWN["bcrypt 2a"][1])
    assert server.sign_in(email=me.email, password="test").status_code == 200
    assert stored(me).startswith(("$2a$05$", "$2b$05$", "$2y$05$"))
    assert server.sign_in(email=me.email, password="test").status_code == 200
    put_hash(sql, me, KNOWN["argon2id"][1])
    assert server.sign_in(email=me.email, password="test").status_code == 200
    assert stored(me) == KNOWN["argon2id"][1]


def test_no_rehash_unless_asked(server, sql):
    me = server.sign_up()
    put_hash(sql, me, KNOWN["bcrypt 2a"][1])
    server.sign_in(email=me.email, password="test")
    assert sql("select encrypted_password as h from auth.users where id = %s", me.id)[0]["h"] == KNOWN["bcrypt 2a"][1]


def invited(server, post):
    """Somebody who has followed the link of an invitation."""
    email = address()
    made = server.post("/invite", {"email": email}, SERVICE)
    assert server.get(post.take(email).path).status_code == 303
    return made


CODES = {
    "/otp": lambda server, post: server.post("/otp", {"email": address()}),
    "/otp by phone": lambda server, post: server.post("/otp", {"phone": phone()}),
    "/magiclink": lambda server, post: server.post("/magiclink", {"email": address()}),
    "/invite": invited,
    "/admin/generate_link": lambda server, post: server.post("/admin/generate_link", {"type": "magiclink", "email": address()}, SERVICE),
    "/admin/users": lambda server, post: server.post("/admin/users", {"email": address()}, SERVICE),
}
DEAR = {
    "bcrypt": ({"POSTERN_PASSWORD_HASH": "bcrypt", "POSTERN_BCRYPT_COST": "17"}, r"\$2a\$17\$[./A-Za-z0-9]{53}"),
    "scrypt": ({"POSTERN_PASSWORD_HASH": "scrypt",
                "POSTERN_SCRYPT_LOG_N": "20"}, r"\$fbscrypt\$v=1,n=20,r=8,p=5,sk=[+/A-Za-z0-9]{20}\$[+/A-Za-z0-9]{20}\$[+/A-Za-z0-9]{20}"),
}


@pytest.mark.parametrize("kind", DEAR)
@pytest.mark.parametrize("way", CODES)
def test_a_password_that_nobody_knows_costs_nothing(mailing, sql, post, phones, kind, way):
    """A hash would take seconds here."""
    settings, form = DEAR[kind]
    server = mailing(**settings)
    sql("delete from auth.users")
    started = time.monotonic()
    assert CODES[way](server, post).status_code == 200
    assert time.monotonic() - started < 2
    assert sql("select encrypted_password ~ %s as fits from auth.users", f"^{form}$") == [{"fits": True}]


@pytest.mark.parametrize("kind", ["bcrypt", "scrypt"])
def test_a_password_that_nobody_knows_is_a_wrong_one(serve, sql, kind):
    server = serve(POSTERN_PASSWORD_HASH=kind)
    email = address()
    assert server.post("/admin/users", {"email": email, "email_confirm": True}, SERVICE).status_code == 200
    for password in ("", "x", "some good words 1"):
        is_error(server.sign_in(email=email, password=password), 400, "invalid_credentials")
    assert "can be read" not in server.log_path.read_text()
