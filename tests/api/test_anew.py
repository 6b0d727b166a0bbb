# SPDX-License-Identifier: Apache-2.0
"""What begins anew and what does not: somebody else was in the way, or the site's own triggers are; and what is said when nothing is kept."""

import threading
import time

import pytest
import requests
from test_admin_factors import factor, me, raised  # noqa: F401
from test_external import authorize, callback, house, someone  # noqa: F401

from harness import PASSWORD, address, is_error, wait_for

TRIGGERS = {  # what a site writes beside its users: a name that is taken, and its own words
    "a row of the site's": "insert into public.names values ('taken');",
    "words of the site's": "raise exception 'no tenant' using errcode = '23503';",
}


@pytest.fixture(params=TRIGGERS)
def trigger(sql, request):
    sql("create table public.names (name text primary key); insert into public.names values ('taken');"
        f"create function public.told() returns trigger language plpgsql as $$ begin {TRIGGERS[request.param]} return new; end $$;"
        "create trigger told after insert on auth.users for each row execute function public.told()")
    yield
    sql("drop trigger told on auth.users; drop function public.told(); drop table public.names")


def begun(server, got):
    """How often the request was begun anew."""
    line = wait_for(lambda: server.log_of(got), 5, "a line in the log")
    return sum(one["msg"] == "the request begins anew" for one in server.log() if one.get("request_id") == line["request_id"])


def test_a_trigger_of_the_site_is_asked_once(mailing, trigger):
    server = mailing()
    got = server.post("/signup", {"email": address(), "password": PASSWORD})
    assert got.status_code == 500 and begun(server, got) == 0


def test_a_provider_is_asked_once(house, providers, trigger):  # noqa: F811
    server = house()
    someone(providers)
    back = providers.sign_in(authorize(server, "google"))
    asked = len(providers.peer.seen)
    got = callback(server, back)
    assert "Database+error+saving+new+user" in got.headers["Location"]
    assert sum(one.command == "POST" for one in providers.peer.seen[asked:]) == 1


def test_what_an_operator_is_told_is_told_at_once(server, key, me):  # noqa: F811
    got = server.post("/admin/users", {"id": me.id, "email": address()}, key)
    assert got.status_code == 422 and begun(server, got) == 0


def test_a_wrong_code_that_is_not_counted_is_not_answered(mailing, sql):
    """What a client learns of a code rests on its being counted."""
    server = mailing()
    email = address()
    server.post("/signup", {"email": email, "password": PASSWORD})
    sql("alter table postern.attempts rename to attempts_away")
    try:
        got = server.post("/verify", {"type": "signup", "email": email, "token": "000000"})
    finally:
        sql("alter table postern.attempts_away rename to attempts")
    assert got.status_code == 500 and "attempts" in server.log_of(got)["error"]


def test_a_hook_is_not_blamed_for_the_site(mailing, sql):
    sql("create function public.late() returns trigger language plpgsql as $$ begin raise exception 'no tenant for you'; end $$;"
        "create constraint trigger late after insert on auth.users deferrable initially deferred for each row execute function public.late()")
    body = {"email": address(), "password": PASSWORD}
    try:
        plain = mailing().post("/signup", body)
        told = mailing(GOTRUE_HOOK_AFTER_USER_CREATED_ENABLED="true", GOTRUE_HOOK_AFTER_USER_CREATED_URI="http://127.0.0.1:1/").post("/signup", body)
    finally:
        sql("drop trigger late on auth.users; drop function public.late()")
    assert (plain.status_code, plain.json()["message"]) == (told.status_code, told.json()["message"]) == (500, "no tenant for you")


def test_a_factor_goes_while_the_password_is_hashed(serve, key, sql, factor, me):  # noqa: F811
    server = serve(POSTERN_PASSWORD_HASH="bcrypt", POSTERN_BCRYPT_COST="12")
    one, _ = factor(name="one"), factor(name="two")
    raised(sql, me.session_id, one, "totp")
    got = []
    change = threading.Thread(target=lambda: got.append(server.put("/user", {"password": "another horse 8"}, me.access, http=requests)))
    change.start()
    time.sleep(0.1)
    assert server.request("DELETE", one, key).status_code == 200 and not got
    change.join()
    is_error(got[0], 401, "insufficient_aal")


def test_how_much_mail_waits_is_the_operators(server, key):
    assert server.get("/health/ready").json() == {"ready": True}
    assert set(server.get("/health/ready", key).json()["mail"]) == {"waiting", "failed", "oldest_seconds"}


def test_a_hook_that_counts_is_asked_once(serve, sql):
    """A sign-in whose commit can't be serialized the first time."""
    sql("create table public.counted (event jsonb);"
        "create function public.count(event jsonb) returns jsonb language sql as $$"
        " insert into public.counted values (event); select '{\"decision\": \"continue\"}'::jsonb $$;"
        "create sequence public.commits; create function public.late() returns trigger language plpgsql as $$ begin"
        " if nextval('public.commits') = 1 then raise exception 'late' using errcode = '40001'; end if; return null; end $$")
    hook = "GOTRUE_HOOK_PASSWORD_VERIFICATION_ATTEMPT_"
    server = serve(**{hook + "ENABLED": "true", hook + "URI": "pg-functions://postgres/public/count"})
    me = server.sign_up()
    sql("create constraint trigger late after insert on auth.sessions deferrable initially deferred for each row execute function public.late()")
    try:
        got = server.sign_in(email=me.email, password=PASSWORD)
    finally:
        sql("drop trigger late on auth.sessions; drop function public.late(); drop sequence public.commits")
    assert got.status_code == 200 and begun(server, got) == 1
    assert sql("select event->>'valid' as valid from public.counted") == [{"valid": "true"}]
