# SPDX-License-Identifier: Apache-2.0
"""Whatever is written about one user at the same moment: nobody waits for each other in a circle, and who was signed out stays so.
HACKING.md has the order of locks."""

import uuid
from collections import Counter
from itertools import combinations_with_replacement

import pytest
from authenticator import ORIGIN, Authenticator
from test_passkeys import SETTINGS, register, sign_in

from factors import code_of
from harness import PASSWORD, SERVICE, Session, address, many, phone
from post import Landing, exchange, pkce
from providers import settings

pytestmark = pytest.mark.usefixtures("only_workers")  # as plain CGI it would be the same code, and hours of processes
MANY = 64
SESSIONS = 4
APP = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the secret of an authenticator application


@pytest.fixture(scope="module")
def server(mailing, providers):
    base = settings(providers.port, providers.authority_file, "http://auth.test/callback")
    return mailing(**{**base, **SETTINGS, "POSTERN_TEST_WORKERS": "12", "GOTRUE_SECURITY_MANUAL_LINKING_ENABLED": "true",
                      "GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL": "0", "POSTERN_TOTP_ONCE": "false", "POSTERN_MFA_MAX_ATTEMPTS": "0",
                      "POSTERN_ACCOUNT_DELETE": "hard"})


class Me:
    """Somebody with an address, a number, an identity of Google, a new address and number that are not proven yet, and some sessions."""

    def __init__(self, server, providers, sql):
        self.server = server
        self.email, self.phone, self.password = address(), phone(), PASSWORD
        body = {"email": self.email, "phone": self.phone, "password": PASSWORD, "email_confirm": True, "phone_confirm": True}
        self.id = server.post("/admin/users", body, SERVICE).json()["id"]
        providers.be(str(uuid.uuid4().int)[:12], self.email)
        self.token = providers.id_token("google")
        self.sessions = [self.session() for _ in range(SESSIONS)]
        self.verifier, more = pkce()
        assert server.post("/otp", {"email": self.email, **more}).status_code == 200
        hash = sql("select token_hash as hash from auth.one_time_tokens where user_id = %s", self.id)[0]["hash"]
        self.code = Landing(server.get(f"/verify?token={hash}&type=magiclink")).query["code"]
        self.link = server.post("/admin/generate_link", {"type": "magiclink", "email": self.email}, SERVICE).json()
        assert server.post("/token?grant_type=id_token", {"provider": "google", "id_token": self.token}).status_code == 200
        self.identity = sql("select id from auth.identities where user_id = %s and provider = 'google'", self.id)[0]["id"]
        self.factor = str(uuid.uuid4())
        sql("insert into auth.mfa_factors (id, user_id, factor_type, status, secret, friendly_name, created_at, updated_at)"
            " values (%s, %s, 'totp', 'unverified', %s, 'app', now(), now())", self.factor, self.id, APP)  # fmt: skip
        sql("update auth.sessions set factor_id = %s where user_id = %s", self.factor, self.id)
        self.device = Authenticator(ORIGIN)
        self.passkey = register(server, self.one.access, self.device).json()["id"]
        self.one.put(email=address("new"), phone=phone())

    def session(self):
        got = self.server.sign_in(email=self.email, password=self.password)
        return Session(self.server, {"email": self.email, "password": self.password}, got.json())

    @property
    def one(self):
        return self.sessions[0]

    def of(self, i):
        return self.sessions[i // 2 % SESSIONS]

    def other(self, i):
        return self.sessions[(i // 2 + 1) % SESSIONS]


def admin(me, method, body):
    return me.server.request(method, f"/admin/users/{me.id}", SERVICE, json=body)


def factor(me, i):
    """Renamed many times, then deleted."""
    path = f"/admin/users/{me.id}/factors/{me.factor}"
    return me.server.request("DELETE", path, SERVICE) if i >= MANY - 2 else me.server.put(path, {"friendly_name": f"n{i}"}, SERVICE)


def passkey(me, i):
    """Signs in many times, beside others that are added, and goes at the end."""
    if i >= MANY - 2:
        return me.server.request("DELETE", f"/passkeys/{me.passkey}", me.of(i).access)
    options = me.server.post(f"/passkeys/{('authentication', 'registration')[i % 4 // 2]}/options", {}, me.of(i).access)
    if options.status_code != 200:
        return options
    return register(me.server, me.of(i).access, Authenticator(ORIGIN), options.json()) if i % 4 // 2 else sign_in(me.server, me.device, options.json())


def show(me, i):
    """A right code, on a challenge of its own."""
    path, token = f"/factors/{me.factor}", me.of(i).access
    got = me.server.post(f"{path}/challenge", {}, token)
    return me.server.post(f"{path}/verify", {"challenge_id": got.json()["id"], "code": code_of(APP)}, token) if got.status_code == 200 else got


WAYS = {
    "passkey": passkey,
    "enrol": lambda me, i: me.server.post("/factors", {"factor_type": "totp", "friendly_name": f"n{i}"}, me.of(i).access),
    "show a factor": show,
    "unenrol": lambda me, i: me.server.request("DELETE", f"/factors/{me.factor}", me.of(i).access),
    "admin factor": factor,
    "sign in": lambda me, i: me.server.sign_in(email=me.email, password=PASSWORD),
    "sign in by Google": lambda me, i: me.server.post("/token?grant_type=id_token", {"provider": "google", "id_token": me.token}),
    "refresh": lambda me, i: me.server.refresh(me.of(i).refresh_token),
    "exchange a code": lambda me, i: exchange(me.server, me.code, me.verifier),
    "logout": lambda me, i: me.server.post("/logout?scope=local", token=me.of(i).access),
    "logout others": lambda me, i: me.server.post("/logout?scope=others", token=me.of(i).access),
    "logout all": lambda me, i: me.server.post("/logout", token=me.of(i).access),
    "end a session": lambda me, i: me.server.request("DELETE", f"/user/sessions/{me.other(i).session_id}", me.of(i).access),
    "delete the account": lambda me, i: me.server.request("DELETE", "/user", me.of(i).access, json={"password": PASSWORD}),
    "sign up": lambda me, i: me.server.post("/signup", {"email": me.email, "password": PASSWORD}),
    "otp": lambda me, i: me.server.post("/otp", {"email": me.email, **pkce()[1]}),
    "otp to the phone": lambda me, i: me.server.post("/otp", {"phone": me.phone}),
    "recover": lambda me, i: me.server.post("/recover", {"email": me.email}),
    "reauthenticate": lambda me, i: me.server.get("/reauthenticate", me.of(i).access),
    "resend": lambda me, i: me.server.post("/resend", {"type": "email_change", "email": me.email}),
    "follow": lambda me, i: me.server.post("/verify", {"type": "magiclink", "token_hash": me.link["hashed_token"]}),
    "code": lambda me, i: me.server.post("/verify", {"type": "magiclink", "token": me.link["email_otp"], "email": me.email}),
    "wrong code": lambda me, i: me.server.post("/verify", {"type": "email", "token": f"x{i}", "email": me.email}),
    "metadata": lambda me, i: me.of(i).put(data={f"k{i}": i}),
    "password": lambda me, i: me.of(i).put(password=f"another horse {i}"),
    "addresses": lambda me, i: me.of(i).put(email=address(f"n{i}"), phone=phone()),
    "unlink": lambda me, i: me.server.request("DELETE", f"/user/identities/{me.identity}", me.of(i).access),
    "admin link": lambda me, i: me.server.post("/admin/generate_link", {"type": "recovery", "email": me.email}, SERVICE),
    "admin password": lambda me, i: admin(me, "PUT", {"password": f"an admin's horse {i}"}),
    "admin addresses": lambda me, i: admin(me, "PUT", {"email": me.email, "phone": me.phone, "email_confirm": True, "app_metadata": {"i": i}}),
    "admin hides": lambda me, i: admin(me, "DELETE", {"should_soft_delete": True}),
    "admin deletes": lambda me, i: admin(me, "DELETE", {}),
}
PAIRS = list(combinations_with_replacement(WAYS, 2))


def deadlocks(sql):
    return sql("select deadlocks as n from pg_stat_database where datname = current_database()")[0]["n"]


def ended(me, got):
    """The sessions whose end was confirmed."""
    for way, i, r in got:
        if r.status_code == 204:
            yield from {"logout": [me.of(i)], "end a session": [me.other(i)], "logout all": me.sessions,
                        "logout others": [s for s in me.sessions if s is not me.of(i)]}.get(way, [])  # fmt: skip


@pytest.mark.parametrize("first", WAYS)
def test_pairs(server, providers, sql, first):
    before = deadlocks(sql)
    for pair in PAIRS:
        if pair[0] != first:
            continue
        me = Me(server, providers, sql)
        got = many(MANY, lambda i: (pair[i % 2], i, WAYS[pair[i % 2]](me, i)))
        bad = Counter((way, r.status_code, r.text[:200]) for way, i, r in got if r.status_code >= 500)
        assert not bad, (pair, bad)
        gone = [s.session_id for s in ended(me, got)]
        assert sql("select id from auth.sessions where id = any (%s::uuid[])", gone) == [], pair
        assert deadlocks(sql) == before, pair
