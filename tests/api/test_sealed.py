# SPDX-License-Identifier: Apache-2.0
"""Passwords that are encrypted in the database (GOTRUE_SECURITY_DB_ENCRYPTION_*), read here as the reference reads them."""

import base64
import hashlib
import json
import re
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from factors import Factor, wrong_code
from harness import PASSWORD, SERVICE, Cluster, address, claims_of, is_error, many, phone
from test_command import command

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
KEY_ID = "3f1c2a52-8d0e-4b6d-9d56-6f6b7c1f0a11"
# A trivial cost is enough: but for its digits, the form is the same.
CHEAP = {"POSTERN_PASSWORD_HASH": "scrypt", "POSTERN_SCRYPT_LOG_N": "10", "POSTERN_SCRYPT_R": "32", "POSTERN_SCRYPT_P": "16"}


def sealing(key_id=KEY_ID, **more):
    return {"GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT": "true", "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID": key_id,
            "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY": KEY, "GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS": f"{key_id}:{KEY}", **more}


@pytest.fixture(scope="module")
def server(serve):
    """With the hash that is configured where nothing is."""
    return serve(**sealing(POSTERN_PASSWORD_HASH=None, POSTERN_SCRYPT_LOG_N=None, POSTERN_SCRYPT_R=None, POSTERN_SCRYPT_P=None))


def stored(sql, user):
    return sql("select encrypted_password as p from auth.users where id = %s", user)[0]["p"]


def unsealed(text, row, key_id=KEY_ID):
    """What is inside: crypto.EncryptedString."""
    sealed = json.loads(text)
    assert sealed["key_id"] == key_id and sealed["alg"] == "aes-gcm-hkdf"
    key = HKDF(hashes.SHA256(), 32, b"", row.encode()).derive(base64.urlsafe_b64decode(KEY + "="))
    return AESGCM(key).decrypt(base64.b64decode(sealed["nonce"]), base64.b64decode(sealed["data"]), None).decode()


def opened(sql, user):
    """The hash inside."""
    text = stored(sql, user)
    assert len(text) <= 255
    return unsealed(text, user)


def fits(hash_, password):
    """crypto.CompareHashAndPassword of $fbscrypt$."""
    n, r, p, sk, salt, wanted = re.fullmatch(r"\$fbscrypt\$v=1,n=(\d+),r=(\d+),p=(\d+),sk=([^$]+)\$([^$]+)\$(.+)", hash_).groups()
    derived = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt), n=1 << int(n), r=int(r), p=int(p), maxmem=1 << 28, dklen=32)
    cipher = Cipher(algorithms.AES(derived), modes.CTR(b"\0" * 16)).encryptor()
    return cipher.update(base64.b64decode(sk, validate=True)) + cipher.finalize() == base64.b64decode(wanted, validate=True)


def by_sign_up(server):
    me = server.sign_up()
    return me.id, me.email, PASSWORD


def by_operator(server):
    email = address()
    made = server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, SERVICE)
    assert made.status_code == 200, made.text
    return made.json()["id"], email, PASSWORD


def by_operators_change(server):
    me = server.sign_up()
    assert server.put("/admin/users/" + me.id, {"password": "another horse"}, SERVICE).status_code == 200
    return me.id, me.email, "another horse"


def by_change(server):
    me = server.sign_up()
    got = me.put(password="another horse")
    assert got.status_code == 200, got.text
    return me.id, me.email, "another horse"


def by_link(server):
    email = address()
    made = server.post("/admin/generate_link", {"type": "signup", "email": email, "password": PASSWORD}, SERVICE)
    assert made.status_code == 200, made.text
    got = server.post("/verify", {"type": "signup", "token_hash": made.json()["hashed_token"]})
    assert got.status_code == 200, got.text
    return made.json()["id"], email, PASSWORD


@pytest.mark.parametrize("way", [by_sign_up, by_operator, by_operators_change, by_change, by_link])
def test_a_sealed_password_opens(server, sql, way):
    user, email, password = way(server)
    assert fits(opened(sql, user), password)
    got = server.sign_in(email=email, password=password)
    assert got.status_code == 200 and claims_of(got.json()["access_token"])["sub"] == user
    is_error(server.sign_in(email=email, password=password + "x"), 400, "invalid_credentials")


def test_many_sign_ins_renew_it_at_once(server, serve, sql):
    """Only the form of the password has changed for those who come second."""
    me = serve().sign_up()
    assert stored(sql, me.id).startswith("$2")
    got = many(6, lambda _: server.sign_in(email=me.email, password=PASSWORD))
    assert [x.status_code for x in got] == [200] * 6, [x.text for x in got]
    assert opened(sql, me.id).startswith("$2")


def test_what_nobody_knows_is_sealed_for_its_user(server, sql):
    made = server.post("/admin/generate_link", {"type": "magiclink", "email": address()}, SERVICE)
    assert made.status_code == 200 and opened(sql, made.json()["id"]).startswith("$fbscrypt$")


def test_an_imported_hash_that_is_too_long_to_be_sealed(server, sql):
    me = server.sign_up()
    salt = b"0123456789abcdef" * 3
    signer = bytes(range(40))
    derived = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)
    cipher = Cipher(algorithms.AES(derived), modes.CTR(b"\0" * 16)).encryptor()
    b = lambda x: base64.b64encode(x).decode()
    hash_ = f"$fbscrypt$v=1,n=10,r=8,p=1,sk={b(signer)}${b(salt)}${b(cipher.update(signer) + cipher.finalize())}"
    sql("update auth.users set encrypted_password = %s where id = %s", hash_, me.id)
    assert server.sign_in(email=me.email, password=PASSWORD).status_code == 200
    assert fits(opened(sql, me.id), PASSWORD)
    assert server.sign_in(email=me.email, password=PASSWORD).status_code == 200


def test_the_longest_of_costs_fits(serve, sql):
    me = serve(**sealing(**CHEAP)).sign_up()
    text = opened(sql, me.id)
    assert fits(text, PASSWORD) and len(stored(sql, me.id)) <= 255


def test_check_tries_it(database, sql):
    done = command(database, "check", **sealing(POSTERN_PASSWORD_HASH="scrypt"))
    assert "0 errors" in done.stdout, done.stdout
    done = command(database, "check", **sealing("x" * 60, POSTERN_PASSWORD_HASH="scrypt"))
    assert "error: GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID is so long that no password fits into its column" in done.stdout
    assert "0 errors" in command(database, "check", **sealing("x" * 60, POSTERN_PASSWORD_HASH="bcrypt")).stdout
    done = command(database, "serve", "--listen", "127.0.0.1:0", **sealing("x" * 60, POSTERN_PASSWORD_HASH="scrypt"))
    assert done.returncode != 0 and "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID is so long" in done.stderr + done.stdout


@pytest.mark.parametrize("args", [("check",), ("serve", "--listen", "127.0.0.1:0"), ("reseal",)])
def test_what_could_not_be_read_again_is_not_written(database, args):
    """The name of the key was changed, or the key itself, and the other one was forgotten."""
    another = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    done = command(database, *args, **sealing(GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS=f"{KEY_ID}:{another},old:{KEY}"))
    words = (f'GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS has another key by the name "{KEY_ID}" than GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY')
    assert done.returncode == 1 and words in (done.stderr + done.stdout).replace("\\", "")
    same = sealing(GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS=f"old:{another},{KEY_ID}:{KEY}")
    assert "0 errors" in command(database, "check", **same).stdout


def test_check_asks_the_column(database, sql):
    sql("alter table auth.users alter column encrypted_password type varchar(100) using left(encrypted_password, 100)")
    try:
        done = command(database, "check", **sealing(POSTERN_PASSWORD_HASH="scrypt"))
        assert "characters as the settings have it stored, and its column holds 100." in done.stdout and done.returncode == 1
    finally:
        sql("alter table auth.users alter column encrypted_password type varchar(255)")


# --- Second factors ---


@pytest.fixture
def phoning(mailing):
    """phoning(settings): users may have telephones as second factors."""
    phone_factors = {"GOTRUE_MFA_PHONE_ENROLL_ENABLED": "true", "GOTRUE_MFA_PHONE_VERIFY_ENABLED": "true", "GOTRUE_MAILER_AUTOCONFIRM": "true"}
    return lambda settings: mailing(**phone_factors, **settings)


def test_the_secret_of_a_factor(server, serve, sql):
    """Sealed by the factor's id; one that is not, or by another key, is renewed, also by a wrong code."""
    factor = Factor(server.sign_up())
    now = lambda: sql("select secret from auth.mfa_factors where id = %s", factor.id)[0]["secret"]
    assert unsealed(now(), factor.id) == factor.secret and factor.secret not in now()
    sql("update auth.mfa_factors set secret = %s where id = %s", factor.secret, factor.id)
    is_error(factor.verify(wrong_code(factor.secret)), 422, "mfa_verification_failed")
    assert unsealed(now(), factor.id) == factor.secret
    factor.server = serve(**sealing("later", GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS=f"later:{KEY},{KEY_ID}:{KEY}"))
    assert factor.verify().status_code == 200
    assert unsealed(now(), factor.id, "later") == factor.secret
    sql("update auth.mfa_factors set secret = %s where id = %s", now().replace("later", "nobodys"), factor.id)
    low = server.sign_in(email=factor.me.email, password=PASSWORD).json()["access_token"]
    is_error(factor.verify(token=low), 500, "unexpected_failure")


def test_the_code_of_a_telephone(phoning, phones, sql):
    """Sealed by the challenge's id."""
    number = phone()
    factor = Factor(phoning(sealing(POSTERN_PASSWORD_HASH="scrypt")).sign_up(), phone=number)
    challenge = factor.challenge()
    now = lambda: sql("select otp_code from auth.mfa_challenges where id = %s", challenge)[0]["otp_code"]
    code = phones.take(number)
    assert unsealed(now(), challenge) == code
    sql("update auth.mfa_challenges set otp_code = %s where id = %s", code, challenge)
    is_error(factor.verify("x", challenge), 422, "mfa_verification_failed")
    assert unsealed(now(), challenge) == code and factor.verify(code, challenge).status_code == 200


def test_nothing_that_a_factor_is_shown_by_can_be_read(phoning, phones, sql, database):
    number = phone()
    server = phoning(sealing(POSTERN_PASSWORD_HASH="scrypt"))
    me = server.sign_up()
    app, mobile = Factor(me, friendly_name="app"), Factor(me, phone=number, friendly_name="mobile")
    challenge = mobile.challenge()
    app.verify(wrong_code(app.secret))
    dump = subprocess.run([Cluster.lib(None, "pg_bin").strip() + "/pg_dump", "--data-only", database.dsn], capture_output=True, text=True, check=True).stdout
    assert challenge in dump and app.secret not in dump and not re.search(rf"(^|\t){phones.take(number)}(\t|$)", dump, re.M)
    assert app.secret not in server.log_path.read_text() and phones.take(number) not in server.log_path.read_text()
