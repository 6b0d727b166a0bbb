# SPDX-License-Identifier: Apache-2.0
"""Everything that is good once, used by many at the same moment: one gets it, the others hear what somebody late would."""

import os
import threading
from collections import Counter

import psycopg2
import pytest

from harness import CGI, PASSWORD, SANITIZED, SERVICE, Session, address, many, phone, typed, wait_for
from post import Landing, Letter, exchange, pkce

ROUNDS = int(os.environ.get("POSTERN_TEST_ROUNDS", "5" if CGI or SANITIZED else "20"))
MANY = 64


@pytest.fixture(scope="module")
def server(mailing):
    return mailing(POSTERN_TEST_WORKERS="12", GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION="true")


def generate(server, **body):
    got = server.post("/admin/generate_link", body, token=SERVICE)
    assert got.status_code == 200, got.text
    return got.json()


def outcome(got):
    """What became of a request, in a word or two."""
    if got.status_code == 303:
        landing = Landing(got)
        if landing.signed_in or "code" in landing.query:
            return "in"
        return landing.fragment.get("error_code") or landing.fragment["message"][:4]
    if got.status_code == 200:
        return "in" if got.json().get("access_token") or "email" in got.json() else got.json()["msg"][:4]
    return f"{got.status_code} {got.json().get('error_code')}"


def sessions(sql, user_id):
    return sql("select count(*) as n from auth.sessions where user_id = %s", user_id)[0]["n"]


class Race:
    """race(round, calls, id): calls(i) are made at once, and what becomes of them.  In the first rounds the user's row is locked until
    all workers stand at the secret and have seen it there."""

    def __init__(self, dsn):
        self.connection = psycopg2.connect(dsn)

    def __call__(self, round, calls, id):
        if round < 3:
            with self.connection.cursor() as cursor:
                cursor.execute("select 1 from auth.users where id = %s for update", (id,))
                cursor.execute("select 1 from auth.flow_state where user_id = %s for update", (id,))
            threading.Timer(0.2, self.connection.commit).start()
        return Counter(outcome(r) for r in many(MANY, calls))


@pytest.fixture(scope="module")
def race(database):
    race = Race(database.dsn)
    yield race
    race.connection.close()


@pytest.fixture
def one_wins(race, sql):
    """one_wins(round, calls, id, late, round + 1): one is in, with one session more than before; every other is late."""

    def run(round, calls, id, late, before=0):
        got = race(round, calls, id)
        assert got == {"in": 1, late: MANY - 1}, got
        assert sessions(sql, id) == before + 1

    return run


@pytest.mark.parametrize("kind", ["signup", "invite", "recovery", "magiclink"])
def test_a_link(server, sql, one_wins, kind):
    for round in range(ROUNDS):
        email = address()
        if kind in ("recovery", "magiclink"):
            generate(server, type="signup", email=email, password=PASSWORD)
        made = generate(server, type=kind, email=email, password=PASSWORD)
        path = f"/verify?token={made['hashed_token']}&type={kind}"
        one_wins(round, lambda i: server.get(path), made["id"], "otp_expired")


def test_a_token_hash(server, sql, one_wins):
    for round in range(ROUNDS):
        made = generate(server, type="signup", email=address(), password=PASSWORD)
        body = {"type": "signup", "token_hash": made["hashed_token"]}
        one_wins(round, lambda i: server.post("/verify", body), made["id"], "403 otp_expired")


@pytest.mark.parametrize("type", ["signup", "email"])
def test_a_mailed_code(server, sql, one_wins, type):
    for round in range(ROUNDS):
        email = address()
        made = generate(server, type="signup", email=email, password=PASSWORD)
        body = {"type": type, "token": made["email_otp"], "email": email}
        one_wins(round, lambda i: server.post("/verify", body), made["id"], "403 otp_expired")


def test_a_code_by_sms(server, sql, one_wins, phones):
    number = phone()
    for round in range(ROUNDS):
        assert server.post("/otp", {"phone": number}).status_code == 200
        body = {"type": "sms", "token": phones.take(number), "phone": number}
        id = sql("select id from auth.users where phone = %s", number)[0]["id"]
        one_wins(round, lambda i: server.post("/verify", body), id, "403 otp_expired", round)


def test_a_code_for_a_new_number(server, sql, one_wins, phones):
    me = signed_in(server)
    for round in range(ROUNDS):
        number = phone()
        assert me.put(phone=number).status_code == 200
        body = {"type": "phone_change", "token": phones.take(number), "phone": number}
        one_wins(round, lambda i: server.post("/verify", body), me.id, "403 otp_expired", round + 1)


def signed_in(server):
    email = address()
    made = generate(server, type="signup", email=email, password=PASSWORD)
    got = server.post("/verify", {"type": "signup", "token_hash": made["hashed_token"]})
    return Session(server, {"email": email, "password": PASSWORD}, got.json())


def test_a_pkce_code(server, sql, one_wins, post):
    me = signed_in(server)
    for round in range(ROUNDS):
        verifier, more = pkce()
        assert server.post("/otp", {"email": me.email, **more}).status_code == 200
        code = Landing(server.get(post.take(me.email).path)).query["code"]
        one_wins(round, lambda i: exchange(server, code, verifier), me.id, "404 flow_state_not_found", round + 1)


def test_a_pkce_link(server, sql, race, post):
    me = signed_in(server)
    for round in range(ROUNDS):
        assert server.post("/otp", {"email": me.email, **pkce()[1]}).status_code == 200
        path = post.take(me.email).path
        assert race(round, lambda i: server.get(path), me.id) == {"in": 1, "otp_expired": MANY - 1}


def test_a_nonce(server, sql, one_wins, post):
    me = signed_in(server)
    sql("update auth.sessions set created_at = created_at - interval '2 days' where user_id = %s", me.id)
    for round in range(ROUNDS):
        assert server.get("/reauthenticate", me.access).status_code == 200
        nonce = post.take(me.email).code
        one_wins(round, lambda i: me.put(password=f"number {round} and {i}", nonce=nonce), me.id, "422 reauthentication_not_valid")


def test_a_link_and_its_code(server, sql, race):
    """Both are the same secret."""
    for round in range(ROUNDS):
        email = address()
        made = generate(server, type="signup", email=email, password=PASSWORD)
        ways = (lambda: server.get(f"/verify?token={made['hashed_token']}&type=signup"),
                lambda: server.post("/verify", {"type": "email", "token": made["email_otp"], "email": email}),
                lambda: server.post("/verify", {"type": "signup", "token_hash": made["hashed_token"]}))
        got = race(round, lambda i: ways[i % 3](), made["id"])
        assert got["in"] == 1 and got["otp_expired"] + got["403 otp_expired"] == MANY - 1, got
        assert sessions(sql, made["id"]) == 1


def test_both_halves_of_a_change(server, sql, race, post):
    """One of each half is taken; whichever comes second changes the address and signs in."""
    me = signed_in(server)
    for round in range(ROUNDS):
        new, old = address("new"), me.email
        assert me.put(email=new).status_code == 200
        letters = [post.take(old), post.take(new)]
        ways = (lambda: server.get(letters[0].path),
                lambda: server.post("/verify", {"type": "email_change", "token_hash": letters[1].hash}),
                lambda: server.post("/verify", {"type": "email_change", "token": letters[0].code, "email": old}),
                lambda: server.post("/verify", {"type": "email_change", "token": letters[1].code, "email": new}))
        got = race(round, lambda i: ways[i % 4](), me.id)
        assert got["in"] == got["Conf"] == 1 and got["otp_expired"] + got["403 otp_expired"] == MANY - 2, got
        assert sessions(sql, me.id) == round + 2
        user = sql("select email, email_change, email_change_confirm_status as status from auth.users where id = %s", me.id)[0]
        assert user == {"email": new, "email_change": "", "status": 0}
        me.email = new


def test_asking(server, sql, post):
    """Somebody new who asks many times at once is one user, and the last of the letters is good."""
    for _ in range(max(1, ROUNDS // 4)):
        email = address()
        got = Counter(r.status_code for r in many(32, lambda i: server.post("/otp", {"email": email})))
        assert got[200] + got[429] == 32 and got[200] >= 1, got
        id = sql("select id from auth.users where email = %s", email)
        assert len(id) == 1
        links = sql("select token_hash from auth.one_time_tokens where user_id = %s", id[0]["id"])
        column = sql("select confirmation_token from auth.users where id = %s", id[0]["id"])[0]["confirmation_token"]
        letters = wait_for(lambda: [x for x in map(Letter, post.to(email)) if x.hash == links[0]["token_hash"]], what="the letter of the last")
        assert [typed(email, x.code) for x in letters] == [column]
        assert Landing(server.get(letters[0].path)).signed_in


def test_asking_while_using(server, sql):
    """A new letter and the use of the old one: one of them wins, and what is left in both places is the same."""
    for round in range(ROUNDS):
        email = address()
        made = generate(server, type="signup", email=email, password=PASSWORD)
        ways = (lambda: server.get(f"/verify?token={made['hashed_token']}&type=signup"),
                lambda: server.post("/resend", {"type": "signup", "email": email}),
                lambda: server.post("/verify", {"type": "signup", "token": made["email_otp"], "email": email}),
                lambda: server.post("/recover", {"email": email}))
        got = many(MANY, lambda i: ways[i % 4]())
        assert all(r.status_code in (200, 303, 403, 429) for r in got), Counter(r.status_code for r in got)
        assert sessions(sql, made["id"]) <= 1


def test_invitations(server, sql):
    for _ in range(max(1, ROUNDS // 4)):
        email = address()
        got = Counter(r.status_code for r in many(16, lambda i: server.post("/invite", {"email": email}, token=SERVICE)))
        assert got == {200: 16}, got
        assert sql("select count(*) as n from auth.users where email = %s", email)[0]["n"] == 1


def test_wrong_codes(server, sql):
    """All of them are counted."""
    email = address()
    made = generate(server, type="signup", email=email, password=PASSWORD)
    got = Counter(outcome(r) for r in many(MANY, lambda i: server.post("/verify", {"type": "signup", "token": f"x{i}", "email": email})))
    assert got == {"403 otp_expired": MANY}, got
    assert sql("select attempts from postern.attempts where hash = %s", typed(email, made["email_otp"]))[0]["attempts"] == MANY
