# SPDX-License-Identifier: Apache-2.0
"""Hooks: a real HTTP server that checks signatures, and real functions in the database."""

import base64
import hashlib
import hmac
import json
import time
import uuid

import pytest
import requests

from harness import PASSWORD, SERVICE, Session, address, claims_of, is_error, many, open_transactions, phone
from peer import Peer

KEYS = [b"0123456789abcdef0123456789abcdef", b"fedcba9876543210fedcba9876543210"]
SECRETS = "|".join(f"v1,whsec_{base64.b64encode(key).decode()}" for key in KEYS)


def says(body, status=200, content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (status, {"Content-Type": content_type}, data)


class Site(Peer):
    """The site's own server: says[path] is what a hook answers, an object or a function of the call's body; each call is checked."""

    def __init__(self):
        super().__init__()
        self.says, self.calls, self.wrong = {}, [], []
        self.answer = self.decide

    def decide(self, request):
        body = json.loads(request.body)
        try:
            self.check(request, body)
        except AssertionError as e:
            self.wrong.append(f"{request.path}: {e}")
        self.calls.append((request.path, body))
        said = self.says.get(request.path, {})
        said = said(body) if callable(said) else said
        return said if isinstance(said, tuple) else says(said)

    @staticmethod
    def check(request, body):
        stamp, name = request.headers["webhook-timestamp"], request.headers["webhook-id"]
        signed = f"{name}.{stamp}.{request.body.decode()}".encode()
        wanted = [f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}" for key in KEYS]
        assert request.headers["webhook-signature"] == ", ".join(wanted)
        assert request.headers["Content-Type"] == "application/json"
        assert abs(int(stamp) - time.time()) < 5 and uuid.UUID(name)
        assert set(body["metadata"]) == {"uuid", "time", "name", "ip_address"} and uuid.UUID(body["metadata"]["uuid"])
        assert body["metadata"]["name"] == request.path.strip("/")

    def of(self, name):
        return [body for path, body in self.calls if path == f"/{name}"]


@pytest.fixture(scope="module")
def site():
    site = Site()
    yield site
    site.stop()
    assert not site.wrong, site.wrong


@pytest.fixture(autouse=True)
def quiet(site):
    site.says.clear()
    site.calls.clear()


def over_http(site, **names):
    """Settings of hooks: setting="the-name" that the site knows it by."""
    settings = {}
    for setting, name in names.items():
        settings |= {f"GOTRUE_HOOK_{setting}_ENABLED": "true", f"GOTRUE_HOOK_{setting}_URI": f"{site.url}/{name}", f"GOTRUE_HOOK_{setting}_SECRETS": SECRETS}
    return settings


def in_database(**functions):
    settings = {}
    for setting, function in functions.items():
        settings |= {f"GOTRUE_HOOK_{setting}_ENABLED": "true", f"GOTRUE_HOOK_{setting}_URI": f"pg-functions://postgres/public/{function}"}
    return settings


def make(sql, name, body, args="event jsonb", returns="jsonb"):
    sql(f"drop function if exists public.{name}")
    sql(f"create function public.{name}({args}) returns {returns} language plpgsql as $f$ begin {body} end $f$")


def count(sql, table, where="true"):
    return sql(f"select count(*) n from {table} where {where}")[0]["n"]


# --- The token ---


@pytest.fixture
def token(serve, site):
    return serve(**over_http(site, CUSTOM_ACCESS_TOKEN="customize-access-token", SEND_EMAIL="send-email"))


def add_claim(body):
    return {"claims": {**body["claims"], "plan": body["authentication_method"], "big": 12345678901234567890123}}


@pytest.mark.parametrize("more,words", [
    ('"more":"%s"' % ("x" * 60_000), None), ('"more":1e-16383', None), ('"more":1e400', "Error unmarshaling JSON output."),
    ('"more":"%s"' % ("x" * 70_000), "output claims are more than 65536 bytes larger than the input")])
def test_claims_have_limits(token, site, more, words):
    site.says["/customize-access-token"] = lambda body: says((json.dumps({"claims": body["claims"]})[:-2] + f",{more}}}}}").encode())
    got = token.post("/signup", {"email": address(), "password": PASSWORD})
    if words is None:
        assert got.status_code == 200 and claims_of(got.json()["access_token"])["more"] in (0, "x" * 60_000)
    else:
        assert got.status_code == 500 and got.json()["msg"] == words


def test_claims_are_the_hooks(token, site):
    site.says["/customize-access-token"] = add_claim
    got = token.sign_up(data={"n": 1})
    call = site.of("customize-access-token")[0]
    assert set(call) == {"metadata", "user_id", "claims", "authentication_method"}
    assert (call["user_id"], call["authentication_method"], call["claims"]["session_id"]) == (got.id, "password", got.session_id)
    assert call["claims"]["user_metadata"] == got.reply["user"]["user_metadata"] and call["claims"]["user_metadata"]["n"] == 1
    assert got.claims == {**call["claims"], "plan": "password", "big": 12345678901234567890123}
    assert got.get().status_code == 200
    fresh = token.refresh(got.refresh_token).json()
    assert claims_of(fresh["access_token"])["plan"] == "token_refresh"
    assert claims_of(token.post("/signup", {}).json()["access_token"])["plan"] == "anonymous"


def test_nothing_is_open_while_a_hook_is_asked(token, site, sql):
    seen = []

    def look(body):
        seen.append(open_transactions(sql))
        return add_claim(body)

    site.says["/customize-access-token"] = look
    site.says["/send-email"] = lambda body: seen.append(open_transactions(sql)) or {}
    got = token.sign_up()
    assert token.sign_in(email=got.email, password=PASSWORD).status_code == 200
    assert token.refresh(got.refresh_token).status_code == 200
    assert token.post("/signup", {}).status_code == 200
    assert token.post("/otp", {"email": got.email}).status_code == 200
    mail = site.of("send-email")[0]["email_data"]
    assert token.post("/verify", {"type": "magiclink", "token_hash": mail["token_hash"]}).status_code == 200
    assert token.post("/invite", {"email": address()}, SERVICE).status_code == 200
    assert len(seen) == 7 and not any(seen), seen


def test_a_refused_token(token, site, sql):
    email, guests = address(), count(sql, "auth.users", "is_anonymous")
    site.says["/customize-access-token"] = {"error": {"http_code": 403, "message": "not you"}}
    got = token.post("/signup", {"email": email, "password": PASSWORD})
    assert (got.status_code, got.json()) == (403, {"code": 403, "error_code": "unknown", "msg": "not you"})
    assert "x-sb-error-code" not in got.headers and "sb-auth-user-id" in got.headers
    assert count(sql, "auth.users u", f"email = '{email}' and not exists (select from auth.sessions where user_id = u.id)") == 1
    assert [a["a"] for a in sql("select payload->>'action' a from auth.audit_log_entries where payload->>'actor_username' = %s", email)] == ["user_signedup"]
    got = token.post("/signup", {})
    is_error(got, 500, "unexpected_failure", "Database error creating anonymous user")
    assert count(sql, "auth.users", "is_anonymous") == guests
    site.says["/customize-access-token"] = add_claim
    user = Session(token, {}, token.sign_in(email=email, password=PASSWORD).json())
    site.says["/customize-access-token"] = {"error": {"message": "no more"}}
    got = token.refresh(user.refresh_token)
    assert (got.status_code, got.json()["msg"]) == (500, "no more") and got.headers["sb-auth-refresh-token-reuse"] == "false"
    site.says["/customize-access-token"] = add_claim
    assert token.refresh(user.refresh_token).status_code == 200


def test_a_link_that_is_gone_meanwhile(token, site, sql):
    site.says["/customize-access-token"] = add_claim
    user = token.sign_up()
    assert token.post("/otp", {"email": user.email}).status_code == 200
    link = {"type": "magiclink", "token_hash": site.of("send-email")[0]["email_data"]["token_hash"]}
    before = count(sql, "auth.sessions", f"user_id = '{user.id}'")

    def meanwhile(body):
        sql("update auth.users set recovery_token = '' where id = %s", user.id)
        sql("delete from auth.one_time_tokens where user_id = %s", user.id)
        return add_claim(body)

    site.says["/customize-access-token"] = meanwhile
    is_error(token.post("/verify", link), 403, "otp_expired", "Email link is invalid or has expired")
    assert count(sql, "auth.sessions", f"user_id = '{user.id}'") == before


def test_one_link_many_times_at_once(token, site, sql):
    """Each asks the hook before it takes the link for good; one gets the session, the others are told that the link is used."""
    site.says["/customize-access-token"] = add_claim
    user = token.sign_up()
    for _ in range(3):
        sql("delete from postern.limits")
        sql("update auth.users set recovery_sent_at = null where id = %s", user.id)
        assert token.post("/otp", {"email": user.email}).status_code == 200
        link = {"type": "magiclink", "token_hash": site.of("send-email")[-1]["email_data"]["token_hash"]}
        before = count(sql, "auth.sessions", f"user_id = '{user.id}'")
        got = many(16, lambda i: token.post("/verify", link, http=requests))
        assert sorted(g.status_code for g in got) == [200] + [403] * 15, [g.text for g in got]
        assert {g.json()["error_code"] for g in got if g.status_code == 403} == {"otp_expired"}
        assert count(sql, "auth.sessions", f"user_id = '{user.id}'") == before + 1


WRONG = "output claims do not conform to the expected schema: \n"


@pytest.mark.parametrize("change,words", [
    ({"sub": None}, "- (root): sub is required\n"),
    ({"sub": None, "aud": None}, "- (root): aud is required\n- (root): sub is required\n"),
    ({"exp": 1.5}, "- exp: Invalid type. Expected: integer, given: number\n"),
    ({"aud": 5}, "- aud: Invalid type. Expected: [string,array], given: integer\n"),
    ({"role": True, "user_metadata": []
      }, "- user_metadata: Invalid type. Expected: object, given: array\n- role: Invalid type. Expected: string, given: boolean\n"),
    ({"amr": ["x", 5]}, "- amr.1: Must validate at least one schema (anyOf)\n- amr.1: Invalid type. Expected: string, given: integer\n"),
    ({"amr": "x"}, "- amr: Invalid type. Expected: array, given: string\n"),
])
def test_least_claims(token, site, change, words):
    site.says["/customize-access-token"] = lambda body: {"claims": {k: v for k, v in {**body["claims"], **change}.items() if v is not None}}
    got = token.post("/signup", {"email": address(), "password": PASSWORD})
    assert (got.status_code, got.json()["msg"]) == (500, WRONG + words) and "x-sb-error-code" not in got.headers


def test_claims_may_look_otherwise(token, site):
    site.says[
        "/customize-access-token"] = lambda body: {"claims": {**body["claims"], "exp": float(body["claims"]["exp"]), "is_anonymous": "no", "aud": ["a", "b"]}}
    got = token.post("/signup", {"email": address(), "password": PASSWORD})
    assert got.status_code == 200 and claims_of(got.json()["access_token"])["aud"] == ["a", "b"]


@pytest.mark.parametrize("answer,words", [
    (says({"claims": "x"}), "Error unmarshaling JSON output."),
    (says({"claims": None}), WRONG + "- (root): Invalid type. Expected: object, given: null\n"),
    (says(b"", 204), WRONG + "- (root): Invalid type. Expected: object, given: null\n"),
    (says(None), "output claims field is missing"),
    (says([]), "Error unmarshaling JSON output."),
    (says(b"{"), "Error unmarshaling JSON output."),
])
def test_no_claims(token, site, answer, words):
    site.says["/customize-access-token"] = answer
    got = token.post("/signup", {"email": address(), "password": PASSWORD})
    assert (got.status_code, got.json()["msg"]) == (500, words)


@pytest.mark.parametrize("answer,status,code,words", [
    (says({"x": "y" * 204800}), 422, "hook_payload_over_size_limit", "Payload size exceeded size limit of 204800 bytes"),
    (says({}, content_type="text/html"), 400, "hook_payload_invalid_content_type", "Invalid JSON response. Received content-type: text/html"),
    (says({}, 500), 500, "unexpected_failure", "Unexpected status code returned from hook: 500"),
])
def test_answers_that_are_none(token, site, sql, answer, status, code, words):
    site.says["/customize-access-token"] = answer
    sessions = count(sql, "auth.sessions")
    is_error(token.post("/signup", {"email": address(), "password": PASSWORD}), status, code, words)
    assert count(sql, "auth.sessions") == sessions


def test_a_hook_that_takes_too_long(token, site, sql):
    site.says["/customize-access-token"] = lambda body: time.sleep(6.5) or add_claim(body)
    start, sessions = time.monotonic(), count(sql, "auth.sessions")
    got = token.post("/signup", {"email": address(), "password": PASSWORD})
    is_error(got, 422, "hook_timeout", "Failed to reach hook within maximum time of 5.000000 seconds")
    assert time.monotonic() - start < 6.4 and count(sql, "auth.sessions") == sessions


# --- Functions in the database ---


def test_token_function(serve, sql):
    server = serve(**in_database(CUSTOM_ACCESS_TOKEN="token"))
    sql("create table if not exists public.told (at timestamptz default clock_timestamp(), event jsonb)")
    make(sql, "token", "insert into public.told (event) values (event); return jsonb_set(event, '{claims,plan}', event->'authentication_method');")
    user = server.sign_up()
    assert user.claims["plan"] == "password"
    assert sql("select event->>'user_id' u, event->'metadata'->>'name' n from told")[0] == {"u": user.id, "n": "customize-access-token"}
    make(sql, "token", "insert into public.told (event) values (event); return '{\"error\": {\"http_code\": 418, \"message\": \"tea\"}}';")
    got = server.sign_in(email=user.email, password=PASSWORD)
    assert (got.status_code, got.json()) == (418, {"code": 418, "error_code": "unknown", "msg": "tea"})
    assert (count(sql, "told"), count(sql, "auth.sessions", f"user_id = '{user.id}'")) == (1, 1)  # within the request's transaction
    make(sql, "token", "return event::jsonb;", args="event json")  # of whatever type it takes
    assert server.sign_in(email=user.email, password=PASSWORD).status_code == 200


def test_function_that_fails(serve, sql):
    server = serve(**in_database(CUSTOM_ACCESS_TOKEN="token"))
    make(sql, "token", "return event;")
    user = server.sign_up()
    words = "Error running hook URI: pg-functions://postgres/public/token"
    for body in ("perform 1 / 0; return event;", "perform pg_sleep(10); return event;"):
        make(sql, "token", body)
        start = time.monotonic()
        is_error(server.sign_in(email=user.email, password=PASSWORD), 500, "unexpected_failure", words)
        assert time.monotonic() - start < 4
    assert any(x["msg"] == "hook failed" and x.get("cause") == "division by zero" for x in server.log())
    make(sql, "token", "raise exception 'broken' using errcode = 'PT409', hint = 'mend it';")
    got = server.sign_in(email=user.email, password=PASSWORD)
    assert (got.status_code, got.json()) == (409, {"code": "PT409", "message": "broken", "hint": "mend it"})
    make(sql, "token", "return null;")
    assert server.sign_in(email=user.email, password=PASSWORD).json()["msg"].endswith("given: null\n")
    sql("drop function public.token")
    is_error(server.sign_in(email=user.email, password=PASSWORD), 500, "unexpected_failure", words)


def test_function_before_a_user_is_created(serve, sql):
    """What it writes stands although it refuses: that is what a list of the refused is made of."""
    server = serve(**in_database(BEFORE_USER_CREATED="before"))
    sql("create table if not exists public.refused (email text)")
    make(sql, "before", "insert into public.refused values (event->'user'->>'email'); return '{\"error\": {\"http_code\": 403, \"message\": \"staff only\"}}';")
    email = address()
    got = server.post("/signup", {"email": email, "password": PASSWORD})
    assert (got.status_code, got.json()["msg"]) == (403, "staff only")
    assert sql("select email from refused") == [{"email": email}] and count(sql, "auth.users", f"email = '{email}'") == 0
    make(sql, "before", "return '{}';")
    server.sign_up(email=email)


def test_function_that_counts_tries(serve, sql):
    server = serve(**in_database(PASSWORD_VERIFICATION_ATTEMPT="tries"))
    sql("create table if not exists public.tries (user_id uuid primary key, n int)")
    make(sql, "tries", """
        if (event->>'valid')::bool then return '{"decision": "continue"}'; end if;
        insert into public.tries as t values ((event->>'user_id')::uuid, 1) on conflict (user_id) do update set n = t.n + 1;
        if (select n > 2 from public.tries where user_id = (event->>'user_id')::uuid) then
            return '{"decision": "reject", "message": "enough", "should_logout_user": true}';
        end if;
        return '{"decision": "continue"}';""")
    user = server.sign_up()
    for words in ("Invalid login credentials", "Invalid login credentials", "enough"):
        assert user.get().status_code == 200
        is_error(server.sign_in(email=user.email, password="wrong"), 400, "invalid_credentials", words)
    assert sql("select n from tries where user_id = %s", user.id) == [{"n": 3}]
    is_error(user.get(), 403, "session_not_found")
    assert server.sign_in(email=user.email, password=PASSWORD).status_code == 200


# --- Users ---


@pytest.fixture
def told(serve, site):
    return serve(GOTRUE_MAILER_AUTOCONFIRM="false", GOTRUE_SMS_AUTOCONFIRM="false", **over_http(site, BEFORE_USER_CREATED="before-user-created",
                 AFTER_USER_CREATED="after-user-created", SEND_EMAIL="send-email", SEND_SMS="send-sms"))


def test_hooks_around_a_new_user(told, site, sql):
    email = address()
    site.says["/before-user-created"] = lambda body: open_transactions(sql) and {"error": {"message": "open"}} or {}
    site.says["/after-user-created"] = lambda body: {} if count(sql, "auth.users", f"id = '{body['user']['id']}'") else {"error": {"message": "not there"}}
    got = told.post("/signup", {"email": email.upper(), "password": PASSWORD, "data": {"a": [1, None]}})
    assert got.status_code == 200, got.text
    assert [path for path, _ in site.calls] == ["/before-user-created", "/send-email", "/after-user-created"]
    before, mail, after = [body["user"] for _, body in site.calls]
    never = "0001-01-01T00:00:00Z"
    assert before == {
        "id": got.json()["id"], "aud": "authenticated", "role": "", "email": email, "phone": "", "identities": [], "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": {"a": [1, None]}, "created_at": never, "updated_at": never
    }
    assert mail["identities"][0]["identity_data"]["email"] == email and mail["role"] == "authenticated" and "confirmation_sent_at" not in mail
    assert after == got.json()


def test_a_repeated_sign_up_shows_the_identity_as_it_is(serve, site, sql):
    """In the reply and to the hook: this provider's alone, with its own data, whatever the user has been told to be meanwhile."""
    server = serve(GOTRUE_MAILER_AUTOCONFIRM="false", GOTRUE_SMTP_MAX_FREQUENCY="1ns", **over_http(site, AFTER_USER_CREATED="after-user-created"))
    email = address()
    body = {"email": email, "password": PASSWORD, "data": {"a": 1}}
    first = server.post("/signup", body).json()
    assert first["identities"][0]["identity_data"] == first["user_metadata"] == {
        "a": 1, "sub": first["id"], "email": email, "email_verified": False, "phone_verified": False
    }
    sql("update auth.users set raw_user_meta_data = '{\"b\": 2}' where id = %s", first["id"])
    sql("insert into auth.identities (id, provider_id, user_id, provider, identity_data, created_at) values (gen_random_uuid(), 'x', %s, 'github', %s, now())",
        first["id"], '{"sub": "x"}')
    again = server.post("/signup", body).json()
    own = sql("select identity_data from auth.identities where user_id = %s and provider = 'email'", first["id"])[0]["identity_data"]
    assert [(x["provider"], x["identity_data"]) for x in again["identities"]] == [("email", own)] and own["email"] == email
    assert again["user_metadata"] == {"b": 2}
    assert [call["user"] for _, call in site.calls] == [first, again]
    sure = serve(GOTRUE_MAILER_AUTOCONFIRM="true").post("/signup", body).json()["user"]
    assert [(x["provider"], x["identity_data"]["sub"], "b" in x["identity_data"]) for x in sure["identities"]] == [("email", first["id"], False)]


def test_refused_users(told, site, sql):
    emails = {what: address(what) for what in ("signup", "otp", "invite", "link")}
    site.says["/before-user-created"] = {"error": {"http_code": 403, "message": "staff only"}}
    got = [told.post("/signup", {"email": emails["signup"], "password": PASSWORD}), told.post("/signup", {}), told.post("/otp", {"email": emails["otp"]}),
           told.post("/invite", {"email": emails["invite"]}, SERVICE), told.post("/admin/generate_link", {"type": "invite", "email": emails["link"]}, SERVICE)]
    assert [(g.status_code, g.json()["msg"]) for g in got] == [(403, "staff only")] * 5
    assert sql("select email from auth.users where email = any (%s)", list(emails.values())) == []
    assert told.post("/admin/users", {"email": emails["link"]}, SERVICE).status_code == 200
    assert {path for path, _ in site.calls} == {"/before-user-created"}


def test_users_stay_when_the_hook_behind_them_fails(told, site, sql):
    email = address()
    site.says["/after-user-created"] = {"error": {"http_code": 418, "message": "after trouble"}}
    is_error(told.post("/signup", {"email": email, "password": PASSWORD}), 500, "unexpected_failure", "Error invoking hook")
    got = told.post("/invite", {"email": address()}, SERVICE)
    assert (got.status_code, got.json()["msg"]) == (418, "after trouble")
    got = told.post("/signup", {})
    assert (got.status_code, got.json()["msg"]) == (418, "after trouble")
    assert count(sql, "auth.users", f"email = '{email}' and confirmation_token <> ''") == 1


def test_functions_behind_a_user_are_told_what_is_there(serve, sql):
    server = serve(**in_database(AFTER_USER_CREATED="after"))
    sql("create table if not exists public.welcome (id uuid references auth.users (id))")
    make(sql, "after", "insert into public.welcome values ((event->'user'->>'id')::uuid); return '{}';")
    user = server.post("/signup", {}).json()["user"]
    assert sql("select id::text from welcome") == [{"id": user["id"]}]
    make(sql, "after", "raise exception 'no welcome';")
    got = server.post("/signup", {})
    assert (got.status_code, got.json()) == (500, {"code": "P0001", "message": "no welcome"})


# --- Tries of a password ---


@pytest.fixture
def judged(serve, site):
    return serve(**over_http(site, PASSWORD_VERIFICATION_ATTEMPT="password-verification"))


def test_password_attempts(judged, site, sql):
    user = judged.sign_up()
    for password, valid in ((PASSWORD, True), ("wrong", False)):
        judged.sign_in(email=user.email, password=password)
        call = site.of("password-verification")[-1]
        assert {k: v for k, v in call.items() if k != "metadata"} == {"user_id": user.id, "valid": valid}
    judged.sign_in(email=address(), password="wrong")
    assert len(site.calls) == 2
    site.says["/password-verification"] = {"decision": "reject"}
    got = judged.sign_in(email=user.email, password=PASSWORD)
    is_error(got, 400, "invalid_credentials", "Further password verification attempts will be rejected.")
    assert user.get().status_code == 200
    site.says["/password-verification"] = {"DECISION": "reject", "message": "out", "should_logout_user": True}
    is_error(judged.sign_in(email=user.email, password=PASSWORD), 400, "invalid_credentials", "out")
    assert count(sql, "auth.sessions", f"user_id = '{user.id}'") == 0


@pytest.mark.parametrize("answer,status,words", [
    ({"decision": "continue", "should_logout_user": True}, 200, None),
    ({"decision": "whatever"}, 200, None),
    (None, 200, None),
    ({"decision": 5}, 500, "Error unmarshaling JSON output."),
    ({"should_logout_user": "yes"}, 500, "Error unmarshaling JSON output."),
    ({"error": {"http_code": 429, "message": "slow down"}}, 429, "slow down"),
])
def test_verdicts(judged, site, answer, status, words):
    user = judged.sign_up()
    site.says["/password-verification"] = answer if answer is not None else says(None)
    got = judged.sign_in(email=user.email, password=PASSWORD)
    assert (got.status_code, got.json().get("msg")) == (status, words)
    assert user.get().status_code == 200


# --- Messages ---


def confirmed(server):
    email = address()
    assert server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, SERVICE).status_code == 200
    return Session(server, {"email": email, "password": PASSWORD}, server.sign_in(email=email, password=PASSWORD).json())


def test_message_hook(told, site, sql):
    number = phone()
    got = told.post("/signup", {"phone": f"+{number}", "password": PASSWORD, "channel": "pigeon"})  # the hook takes any channel
    assert got.status_code == 200, got.text
    call = site.of("send-sms")[0]
    assert call["sms"] == {"otp": call["sms"]["otp"], "phone": number} and len(call["sms"]["otp"]) == 6
    assert call["user"]["identities"][0]["provider"] == "phone" and call["user"]["created_at"] == got.json()["created_at"]
    session = told.post("/verify", {"type": "sms", "phone": number, "token": call["sms"]["otp"]}).json()
    other = phone()
    assert told.put("/user", {"phone": other}, session["access_token"]).status_code == 200
    call = site.of("send-sms")[1]
    assert (call["sms"]["phone"], call["user"]["phone"], call["user"]["new_phone"]) == (other, number, other)
    assert told.post("/verify", {"type": "phone_change", "phone": other, "token": call["sms"]["otp"]}).status_code == 200


def test_hooks_are_told_the_changed_user(told, site, sql):
    """Each of a request as the steps before it have left the user; and the audit log at its end."""
    me = confirmed(told)
    email, number = address(), phone()
    body = {"email": email, "phone": number, "password": "a new one 8", "data": {"lang": "fr", "full_name": "Zoe"}}
    site.calls.clear()
    got = told.put("/user", body, me.access)
    assert got.status_code == 200, got.text
    mail, sms = site.of("send-email")[-1]["user"], site.of("send-sms")[-1]["user"]
    assert mail["user_metadata"]["lang"] == "fr" and (mail["email"], mail["new_email"]) == (me.email, email)
    assert sms["user_metadata"]["lang"] == "fr" and (sms["new_email"], sms["new_phone"]) == (email, number)
    assert sms["email_change_sent_at"] == got.json()["email_change_sent_at"]
    last = sql("select payload from auth.audit_log_entries where payload->>'actor_id' = %s order by created_at desc limit 1", me.id)[0]["payload"]
    assert (last["action"], last["actor_name"]) == ("user_modified", "Zoe")


def test_what_counts_at_once_is_told_too(serve, site, sql):
    """The address of somebody anonymous where nothing is asked for."""
    server = serve(GOTRUE_SMS_AUTOCONFIRM="false", **over_http(site, SEND_SMS="send-sms"))
    email, number = address(), phone()
    me = server.sign_up(email=None, password=None)
    assert me.put(email=email, phone=number).status_code == 200
    user = site.of("send-sms")[-1]["user"]
    assert (user["email"], user["is_anonymous"], user["new_phone"]) == (email, False, number) and user["email_confirmed_at"]
    last = sql("select payload from auth.audit_log_entries where payload->>'actor_id' = %s order by created_at desc limit 1", me.id)[0]["payload"]
    assert (last["action"], last["actor_username"]) == ("user_modified", email)


@pytest.mark.parametrize("answer,status,words", [
    ({"error": {"http_code": 422, "message": "no such number"}}, 422, "no such number"),
    (says({}, 500), 500, "Unexpected status code returned from hook: 500"),
])
def test_message_hook_refuses(told, site, sql, answer, status, words):
    number = phone()
    site.says["/send-sms"] = answer
    for path, body in (("/otp", {"phone": number}), ("/signup", {"phone": number, "password": PASSWORD})):
        got = told.post(path, body)
        assert (got.status_code, got.json()["msg"]) == (status, words)
    assert count(sql, "auth.users", f"phone = '{number}'") == 0


def test_message_function(serve, sql):
    server = serve(GOTRUE_SMS_AUTOCONFIRM="false", **in_database(SEND_SMS="send_sms"))
    sql("create table if not exists public.sms (phone text, otp text)")
    make(sql, "send_sms", "insert into public.sms values (event->'sms'->>'phone', event->'sms'->>'otp'); return '{}';")
    number = phone()
    assert server.post("/otp", {"phone": number}).status_code == 200
    code = sql("select otp from sms where phone = %s", number)[0]["otp"]
    assert server.post("/verify", {"type": "sms", "phone": number, "token": code}).status_code == 200


def test_without_address_the_hook_fails(serve):
    server = serve(GOTRUE_HOOK_BEFORE_USER_CREATED_ENABLED="true")
    got = server.post("/signup", {"email": address(), "password": PASSWORD})
    assert (got.status_code, got.json()["msg"]) == (500, "Unexpected failure, please check server logs for more information")
