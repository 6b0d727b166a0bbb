# SPDX-License-Identifier: Apache-2.0
"""A session is written only for what was seen: what changes while a request hashes or waits for a hook is found by its write."""

import pytest

from harness import PASSWORD, SERVICE, Session, address, is_error, phone
from post import Landing, exchange, pkce
from test_hooks import Site, over_http

OTHER = "entirely new 1"


@pytest.fixture(scope="module")
def site():
    site = Site()
    yield site
    site.stop()


def as_it_is(body):
    return {"claims": body["claims"]}


@pytest.fixture
def server(mailing, site):
    site.says["/token"] = as_it_is
    return mailing(**over_http(site, CUSTOM_ACCESS_TOKEN="token"))


def change(me, **body):
    assert me.server.put(f"/admin/users/{me.id}", body, token=SERVICE).status_code == 200


MEANWHILE = {"ban": {"ban_duration": "1h"}, "password": {"password": OTHER}}


@pytest.fixture
def me(server):
    email = address()
    assert server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, token=SERVICE).status_code == 200
    return Session(server, {"email": email, "password": PASSWORD}, server.sign_in(email=email, password=PASSWORD).json())


@pytest.fixture
def meanwhile(me, site):
    """meanwhile("ban"): it happens while the next token waits for its hook."""
    def prepare(what):
        def answer(body):
            site.says["/token"] = as_it_is
            change(me, **MEANWHILE[what])
            return as_it_is(body)

        site.says["/token"] = answer

    return prepare


def link(me, post, **flow):
    assert me.server.post("/otp", {"email": me.email, **flow}).status_code == 200
    return post.take(me.email)


def by_code(me, post):
    letter = link(me, post)
    return lambda: me.server.post("/verify", {"type": "magiclink", "token": letter.code, "email": me.email})


def by_link(me, post):
    letter = link(me, post)
    return lambda: me.server.get(letter.path)


def by_pkce(me, post):
    verifier, flow = pkce()
    code = Landing(me.server.get(link(me, post, **flow).path)).query["code"]
    return lambda: exchange(me.server, code, verifier)


GRANTS = {
    "password": lambda me, post: lambda: me.server.sign_in(email=me.email, password=PASSWORD),
    "refresh": lambda me, post: lambda: me.server.refresh(me.refresh_token),
    "code": by_code,
    "link": by_link,
    "pkce": by_pkce,
}


def tokens_in(got):
    return Landing(got).signed_in if got.status_code == 303 else "access_token" in got.json()


@pytest.mark.parametrize("grant", GRANTS)
def test_a_ban(me, meanwhile, post, sql, grant):
    call = GRANTS[grant](me, post)
    before = sql("select count(*) as n from auth.sessions where user_id = %s", me.id)[0]["n"]
    meanwhile("ban")
    got = call()
    assert not tokens_in(got), got.text
    if grant == "link":
        Landing(got).is_refused("user_banned", "User is banned")
    elif grant == "pkce":
        is_error(got, 404, "flow_state_not_found")  # a ban ends flows
    else:
        is_error(got, 400 if grant in ("password", "refresh") else 403, "user_banned")
    assert sql("select count(*) as n from auth.sessions where user_id = %s", me.id)[0]["n"] == before


@pytest.mark.parametrize("grant", ["password", "refresh", "pkce"])
def test_a_new_password(me, meanwhile, post, sql, grant):
    call = GRANTS[grant](me, post)
    meanwhile("password")
    got = call()
    assert not tokens_in(got), got.text
    assert got.json()["error_code"] == {"password": "invalid_credentials", "refresh": "refresh_token_not_found", "pkce": "flow_state_not_found"}[grant]
    assert sql("select count(*) as n from auth.sessions where user_id = %s", me.id)[0]["n"] == 0


def test_a_flow_of_somebody_banned(me, post, sql):
    """Also where the ban was written by somebody who knows nothing of flows."""
    call = by_pkce(me, post)
    sql("update auth.users set banned_until = now() + interval '1 hour' where id = %s", me.id)
    is_error(call(), 403, "user_banned")


def test_somebody_who_goes_meanwhile(me, site):
    def answer(body):
        assert me.server.request("DELETE", f"/admin/users/{me.id}", SERVICE).status_code == 200
        return as_it_is(body)

    site.says["/token"] = answer
    got = me.server.sign_in(email=me.email, password=PASSWORD)
    assert 400 <= got.status_code < 500 and "access_token" not in got.text


# --- Nor does anybody change what is no longer theirs ---

UNDOES = {
    "password": lambda me: me.put(password=OTHER),
    "operator's password": lambda me: me.server.put(f"/admin/users/{me.id}", {"password": OTHER}, token=SERVICE),
    "ban": lambda me: me.server.put(f"/admin/users/{me.id}", {"ban_duration": "1h"}, token=SERVICE),
    "logout": lambda me: me.server.post("/logout?scope=global", token=me.access),
    "logout of others": lambda me: me.server.post("/logout?scope=others", token=me.access),
}
CHANGES = {
    "email": lambda: {"email": address("thief")}, "phone": lambda: {"phone": phone()}, "all": lambda: {"email": address("thief"), "password": "the thief's 1"}
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("how", UNDOES)
def test_a_change_on_its_way(mailing, site, sql, how, change):
    """A thief's change waits for a hook while the owner throws them out."""
    server = mailing(**over_http(site, SEND_EMAIL="mail", SEND_SMS="sms"))
    email = address()
    assert server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, token=SERVICE).status_code == 200
    me, thief = (Session(server, {}, server.sign_in(email=email, password=PASSWORD).json()) for _ in range(2))

    def answer(body):
        site.says["/mail"] = site.says["/sms"] = {}
        assert UNDOES[how](me).status_code in (200, 204)
        return {}

    site.says["/mail"] = site.says["/sms"] = answer
    is_error(thief.put(**CHANGES[change]()), 403, "user_banned" if how == "ban" else "session_not_found")
    row = sql("select email_change, phone_change from auth.users where id = %s", me.id)[0]
    assert row == {"email_change": "", "phone_change": ""}
    is_error(server.sign_in(email=email, password="the thief's 1"), 400, "user_banned" if how == "ban" else "invalid_credentials")
