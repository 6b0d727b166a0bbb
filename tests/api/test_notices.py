# SPDX-License-Identifier: Apache-2.0
"""Letters that only tell what has happened: after it has, whatever else goes wrong."""

import json

import pytest

from harness import PASSWORD, SERVICE, Session, address, is_error, phone, wait_for
from peer import Peer

NOTICES = {f"GOTRUE_MAILER_NOTIFICATIONS_{what}_ENABLED": "true" for what in ("PASSWORD_CHANGED", "EMAIL_CHANGED", "PHONE_CHANGED", "IDENTITY_LINKED")}
SINGLE = {"GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED": "false"}


class Site(Peer):
    """The send_email hook: what it was told, by the kind of letter."""

    def __init__(self):
        super().__init__()
        self.status = 200
        self.answer = lambda request: (self.status, {"Content-Type": "application/json"}, b"{}")

    @property
    def settings(self):
        return {"GOTRUE_HOOK_SEND_EMAIL_ENABLED": "true", "GOTRUE_HOOK_SEND_EMAIL_URI": self.url,
                "GOTRUE_HOOK_SEND_EMAIL_SECRETS": "v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}

    def told(self, action):
        calls = [json.loads(x.body) for x in list(self.seen)]
        return [x for x in calls if x["email_data"]["email_action_type"] == action]

    def wait(self, action):
        return wait_for(lambda: self.told(action), 5, action)


@pytest.fixture(scope="module")
def site():
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def server(mailing):
    return mailing(**NOTICES, **SINGLE)


def somebody(server):
    email = address()
    made = server.post("/admin/generate_link", {"type": "signup", "email": email, "password": PASSWORD}, token=SERVICE).json()
    got = server.post("/verify", {"type": "signup", "token_hash": made["hashed_token"]})
    return Session(server, {"email": email, "password": PASSWORD}, got.json())


def change_email(me, post):
    new = address("new")
    assert me.put(email=new).status_code == 200
    letter = post.take(new)
    assert me.server.post("/verify", {"type": "email_change", "token_hash": letter.hash}).status_code == 200
    return new


def change_phone(me, phones):
    number = phone()
    assert me.put(phone=number).status_code == 200
    got = me.server.post("/verify", {"type": "phone_change", "token": phones.take(number), "phone": number})
    assert got.status_code == 200
    return number


def nothing_more(post, *recipients):
    """A letter to somebody else comes after all that were before."""
    assert not [x for x in recipients if post.to(x)]


def test_password(server, post):
    me = somebody(server)
    assert me.put(password="entirely new 1").status_code == 200
    letter = post.take(me.email)
    assert letter.link is None and letter.code is None and me.email in letter.text
    is_error(me.put(password="entirely new 1"), 422, "same_password")
    assert me.put(data={"a": 1}).status_code == 200
    assert me.put(password="entirely new 2").status_code == 200
    post.take(me.email)
    nothing_more(post, me.email)


def test_email(server, post):
    me = somebody(server)
    new = change_email(me, post)
    letter = post.take(me.email)
    assert me.email in letter.text and new in letter.text
    nothing_more(post, new, me.email)


def test_email_of_both_halves(mailing, post):
    """Only when the second is proven."""
    server = mailing(**NOTICES)
    me, new = somebody(server), address("new")
    me.put(email=new)
    old_letter, new_letter = post.take(me.email), post.take(new)
    server.post("/verify", {"type": "email_change", "token_hash": new_letter.hash})
    assert me.put(password="entirely new 1").status_code == 200  # takes the other half back, and its notice comes first
    first = post.take(me.email)
    assert new not in first.text
    is_error(server.post("/verify", {"type": "email_change", "token_hash": old_letter.hash}), 403, "otp_expired")
    nothing_more(post, me.email, new)


def test_phone(server, post, phones):
    me = somebody(server)
    first = change_phone(me, phones)
    letter = post.take(me.email)  # a new way to sign in
    assert "phone" in letter.text.lower() and first not in letter.text
    second = change_phone(me, phones)
    letter = post.take(me.email)
    assert first in letter.text and second in letter.text
    nothing_more(post, me.email)


def test_without_an_address(server, post, phones):
    number = phone()
    server.post("/otp", {"phone": number})
    me = Session(server, {}, server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).json())
    assert me.put(password="entirely new 1").status_code == 200
    change_phone(me, phones)


def test_switched_off(mailing, post, phones):
    server = mailing(**SINGLE)
    me = somebody(server)
    assert me.put(password="entirely new 1").status_code == 200
    change_phone(me, phones)
    new = change_email(me, post)
    somebody_else = somebody(server)
    server.post("/recover", {"email": somebody_else.email})
    post.take(somebody_else.email)
    nothing_more(post, me.email, new)


def test_first_addresses_are_no_change(server, post, phones):
    me = server.sign_up(email=None, password=None)
    new = change_email(me, post)
    nothing_more(post, new)


def test_the_limit_does_not_stop_them(mailing, post, sql):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="3", **NOTICES)
    me = somebody(server)
    sql("insert into postern.limits (key, tokens, refilled) values ('email_sent', 0, clock_timestamp()) on conflict (key) do update set tokens = 0, "
        "refilled = clock_timestamp()")
    try:
        assert me.put(password="entirely new 1").status_code == 200
        post.take(me.email)
        is_error(server.post("/recover", {"email": me.email}), 429, "over_email_send_rate_limit")
    finally:
        sql("delete from postern.limits")


def test_they_count(mailing, post, sql):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="2", **NOTICES)
    me = somebody(server)
    sql("delete from postern.limits")
    server.post("/recover", {"email": me.email})
    assert me.put(password="entirely new 1").status_code == 200
    is_error(server.post("/recover", {"email": me.email}), 429, "over_email_send_rate_limit")
    sql("delete from postern.limits")


def test_none_at_all(mailing, post):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="0", **NOTICES)
    me = somebody(server)
    assert me.put(password="entirely new 1").status_code == 200


def test_not_to_who_is_not_authorized(mailing, post):
    me = somebody(mailing(**NOTICES))
    server = mailing(GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES="boss@app.test", **NOTICES)
    me.server = server
    assert me.put(password="entirely new 1").status_code == 200


def test_hook(mailing, site, phones):
    server = mailing(**NOTICES, **SINGLE, **site.settings)
    me, new = somebody(server), address("new")
    assert me.put(password="entirely new 1").status_code == 200
    call = site.wait("password_changed_notification")[0]
    assert call["user"]["id"] == me.id and call["user"]["email"] == me.email
    assert call["email_data"]["token"] == call["email_data"]["token_hash"] == ""
    assert me.put(email=new).status_code == 200
    hash = site.wait("email_change")[0]["email_data"]["token_hash"]
    assert server.post("/verify", {"type": "email_change", "token_hash": hash}).status_code == 200
    call = site.wait("email_changed_notification")[0]
    assert call["email_data"]["old_email"] == me.email and call["user"]["email"] == new and "new_email" not in call["user"]
    first, second = change_phone(me, phones), change_phone(me, phones)
    call = site.wait("phone_changed_notification")[0]
    assert call["email_data"]["old_phone"] == first and call["user"]["phone"] == second
    call = site.wait("identity_linked_notification")
    assert call[0]["email_data"]["provider"] == "phone"
    assert [len(site.told(f"{what}_notification")) for what in ("password_changed", "email_changed", "phone_changed", "identity_linked")] == [1, 1, 1, 1]


def test_a_hook_that_fails(mailing, site):
    server = mailing(**NOTICES, **SINGLE, **site.settings)
    me = somebody(server)
    site.status = 500
    site.seen.clear()
    try:
        assert me.put(password="entirely new 1").status_code == 200
        site.wait("password_changed_notification")
        assert server.sign_in(email=me.email, password="entirely new 1").status_code == 200
    finally:
        site.status = 200


def test_a_function_of_the_database(mailing, sql):
    """What it writes about a notification stands."""
    sql("create table if not exists public.told (what jsonb)")
    sql("create or replace function public.tell(event jsonb) returns jsonb language plpgsql security definer as $$ begin insert into public.told values "
        "(event); return '{}'; end $$")
    server = mailing(**NOTICES, GOTRUE_HOOK_SEND_EMAIL_ENABLED="true", GOTRUE_HOOK_SEND_EMAIL_URI="pg-functions://postgres/public/tell")
    me = somebody(server)
    assert me.put(password="entirely new 1").status_code == 200
    told = wait_for(lambda: sql("select what from public.told"), 5, "the function's row")
    assert [x["what"]["email_data"]["email_action_type"] for x in told] == ["password_changed_notification"]
    assert told[0]["what"]["user"]["id"] == me.id
