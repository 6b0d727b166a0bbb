# SPDX-License-Identifier: Apache-2.0
"""Every route with every hook, as a function in the database and over HTTP, an address and a number at once: no worker ends."""

import base64
import json
import re

import pytest

from harness import PASSWORD, SERVICE, TOP, Session, address, phone
from peer import Peer
from post import pkce
from providers import settings

pytestmark = pytest.mark.usefixtures("only_workers")  # as plain CGI it would be the same code, and hours of processes
SECRET = f"v1,whsec_{base64.b64encode(b'0123456789abcdef0123456789abcdef').decode()}"
HOOKS = re.findall(r"^HOOK\(\w+,\s*(\w+),", (TOP / "src/hook.def").read_text(), re.M)
ROUTES = re.findall(r'^ROUTE\("(\w+)",\s*"([^"]+)"', (TOP / "src/route.def").read_text(), re.M)


def answer(body):
    return {"claims": body["claims"]} if "claims" in body else {"decision": "continue"} if "valid" in body else {}


@pytest.fixture(scope="module")
def site():
    site = Peer()
    site.answer = lambda request: (200, {"Content-Type": "application/json"}, json.dumps(answer(json.loads(request.body))).encode())
    yield site
    site.stop()


@pytest.fixture(scope="module", params=["function", "http", "function, no proof", "http, no proof"])
def server(request, mailing, database, providers, site):
    database.sql("create table if not exists public.seen (hook text)")
    hooks = {}
    for hook in HOOKS:
        database.sql(f"""create or replace function public.on_{hook}(event jsonb) returns jsonb language plpgsql as $f$
            begin
                insert into public.seen values ('{hook}');
                return case when event ? 'claims' then jsonb_build_object('claims', event -> 'claims')
                            when event ? 'valid' then '{{"decision": "continue"}}' else '{{}}' end;
            end $f$""")
        uri = f"pg-functions://postgres/public/on_{hook}" if request.param.startswith("function") else f"{site.url}/{hook}"
        name = f"GOTRUE_HOOK_{hook.upper()}"
        hooks |= {f"{name}_ENABLED": "true", f"{name}_URI": uri, f"{name}_SECRETS": SECRET}
    proof = "true" if request.param.endswith("no proof") else "false"
    notices = {
        f"GOTRUE_MAILER_NOTIFICATIONS_{n}_ENABLED": "true"
        for n in ("PASSWORD_CHANGED", "EMAIL_CHANGED", "PHONE_CHANGED", "IDENTITY_LINKED", "IDENTITY_UNLINKED")
    }
    base = settings(providers.port, providers.authority_file, "http://auth.test/callback")
    return mailing(**{**base, **hooks, **notices, "GOTRUE_MAILER_AUTOCONFIRM": proof, "GOTRUE_SMS_AUTOCONFIRM": proof, "POSTERN_TEST_WORKERS": "2",
                      "GOTRUE_SECURITY_MANUAL_LINKING_ENABLED": "true", "GOTRUE_CUSTOM_OAUTH_ENABLED": "true",
                      "GOTRUE_EXPERIMENTAL_CREATE_EMAIL_IDENTITY_ON_PASSWORD_SET_ENABLED": "true",
                      "GOTRUE_RATE_LIMIT_HEADER": "X-Client", "GOTRUE_RATE_LIMIT_VERIFY": "100000", "GOTRUE_RATE_LIMIT_OTP": "100000"})


class Round:
    """The requests of one user, for every route; whatever comes of them."""

    def __init__(self, server, providers):
        self.server, self.providers = server, providers
        self.me = self.someone()
        self.guest = Session(server, {}, server.post("/signup", {}).json())

    def someone(self):
        email, number = address(), phone()
        body = {"email": email, "phone": number, "password": PASSWORD, "email_confirm": True, "phone_confirm": True}
        assert self.server.post("/admin/users", body, SERVICE).status_code == 200
        me = Session(self.server, {"email": email, "password": PASSWORD}, self.server.sign_in(email=email, password=PASSWORD).json())
        me.phone = number
        return me

    def link(self, type, email, **more):
        return self.server.post("/admin/generate_link", {"type": type, "email": email, "password": PASSWORD, **more}, SERVICE).json()

    def bodies(self, path):
        """What is sent to a path: [(query, body, token)]."""
        me, new, number, challenge = self.me, address("new"), phone(), pkce()[1]
        if path == "/signup":
            return [("", {"email": new, "password": PASSWORD, "data": {"a": 1}}, None)] * 2 + [("", {"phone": number, "password": PASSWORD}, None)] * 2 + [
                ("", {}, None), ("", {"email": me.email, "password": PASSWORD}, None), ("", {"email": address(), "password": PASSWORD, **challenge}, None)]
        if path in ("/otp", "/magiclink"):
            return [("", body, None) for body in ({"email": new}, {"email": new}, {"email": me.email, **challenge}, {"phone": number}, {"phone": me.phone})]
        if path == "/recover":
            return [("", {"email": me.email}, None), ("", {"email": new}, None)]
        if path == "/resend":
            return [("", {"type": type, **to}, None) for type in ("signup", "email_change", "sms", "phone_change")
                    for to in ({"email": me.email}, {"phone": me.phone}, {"email": new})]
        if path == "/invite":
            return [("", {"email": new, "data": {"a": 1}}, SERVICE)] * 2
        if path == "/token":
            self.providers.be("4711", address(), verified=False)
            unproven = self.providers.id_token("google")
            self.providers.be("4712", me.email)
            return [("?grant_type=password", {"email": me.email, "password": PASSWORD}, None),
                    ("?grant_type=password", {"email": me.email, "password": "no"}, None),
                    ("?grant_type=refresh_token", {"refresh_token": me.refresh_token}, None),
                    ("?grant_type=id_token", {"provider": "google", "id_token": unproven}, None),
                    ("?grant_type=id_token", {"provider": "google", "id_token": self.providers.id_token("google")}, None),
                    ("?grant_type=pkce", {"auth_code": "x", "code_verifier": "y"}, None)]
        if path == "/verify":
            links = [self.link("signup", address()), self.link("recovery", me.email), self.link("invite", address()),
                     self.link("email_change_new", me.email, new_email=address("changed"))]
            return [("", {"type": x.get("verification_type"), "token_hash": x["hashed_token"]}, None) for x in links] + [
                ("", {"type": type, "token": "123456", "phone": me.phone}, None) for type in ("sms", "phone_change")]
        if path == "/user":
            return [("", body, token) for token in (me.access, self.guest.access) for body in (
                {"email": address("new"), "phone": phone()}, {"email": address("new"), "phone": phone(), "data": {"a": 1}, "password": f"{PASSWORD} {number}"},
                {"data": {"b": 2}}, {"password": PASSWORD}, {"phone": phone()})]
        if path == "/admin/generate_link":
            return [("", {"type": type, "email": email, "password": PASSWORD, "new_email": address("new")}, SERVICE) for email in (new, me.email, address())
                    for type in ("signup", "invite", "magiclink", "recovery", "email_change_current", "email_change_new")]
        if path.startswith("/admin/users") or path.startswith("/admin/user"):
            return [("", {"email": new, "phone": number, "password": PASSWORD, "email_confirm": True}, SERVICE)]
        if path.startswith("/admin"):
            return [("", {"identifier": "custom:house", "provider_type": "oauth2"}, SERVICE)]
        return [("?provider=google", None, token) for token in (None, me.access)]

    def follow(self, path):
        link = self.link("magiclink", self.me.email)
        return f"{path}?token={link['hashed_token']}&type=magiclink"

    def send(self, method, path):
        where = path.replace("{user_id}", self.someone().id).replace("{identity_id}", self.me.id).replace("{identifier}", "custom:house")
        if method == "GET" and path == "/verify":
            return [self.server.get(self.follow(path))]
        if path == "/callback":
            there = self.server.get("/authorize?provider=github").headers["Location"]
            self.providers.be("4713", address(), verified=False)
            return [self.server.request(method, path, params=self.providers.sign_in(there))]
        more = {"X-Client": phone()}
        return [self.server.request(method, where + query, token, json=body, headers=more) for query, body, token in self.bodies(path)]


def test_every_route(server, providers, sql):
    workers = server.workers()
    for method, path in ROUTES:
        round = Round(server, providers)
        got = [(r.status_code, r.text[:300]) for r in round.send(method, path)]
        assert got and not [x for x in got if x[0] >= 500], (method, path, got)
        assert server.workers() == workers, (method, path)
    assert not [x for x in server.log() if "by itself" in x.get("msg", "")]


def test_every_hook_was_asked(server, sql):
    """It would be no test of hooks otherwise."""
    if "pg-functions" in server.settings["GOTRUE_HOOK_SEND_EMAIL_URI"]:
        seen = {row["hook"] for row in sql("select distinct hook from public.seen")}
        assert seen >= set(HOOKS) - {"mfa_verification_attempt"}
