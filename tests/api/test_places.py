# SPDX-License-Identifier: Apache-2.0
"""What takes long leaves workers for what does not: hashes of passwords, hooks over HTTP and in the database."""

import json
import statistics
import threading
import time

import pytest
import requests

import harness
from harness import PASSWORD, address
from peer import Peer

SCRYPT = {"POSTERN_SLOW_REQUESTS": None, "POSTERN_PASSWORD_HASH": "scrypt", "POSTERN_BCRYPT_COST": None, "GOTRUE_RATE_LIMIT_TOKEN_REFRESH": "100000"}


def hook(name, uri):
    return {
        "POSTERN_SLOW_REQUESTS": None, f"GOTRUE_HOOK_{name}_ENABLED": "true", f"GOTRUE_HOOK_{name}_URI": uri,
        f"GOTRUE_HOOK_{name}_SECRETS": "v1,whsec_" + "c2VjcmV0" * 5
    }


def times(server, me, seconds):
    """How long GET /user takes, from first to last, in order."""
    took, end = [], time.monotonic() + seconds
    with requests.Session() as http:
        while (began := time.monotonic()) < end:
            assert server.get("/user", me.access, http=http).status_code == 200
            took.append(time.monotonic() - began)
            time.sleep(0.01)
    return sorted(took)


def calm_and_meanwhile(server, me, calls, seconds):
    """The medians of GET /user, without the calls and with them, and what became of those."""
    got = []
    calm = statistics.median(times(server, me, 1))
    threads = [threading.Thread(target=lambda c=c: got.append(c())) for c in calls]
    [t.start() for t in threads]
    time.sleep(0.1)
    took = times(server, me, seconds)
    [t.join() for t in threads]
    return calm, took, got


@pytest.mark.plain
def test_wrong_passwords(serve):
    """Six a second keep two workers of four busy for most of the time."""
    server = serve(**SCRYPT)
    me = server.sign_up()

    def later(i):
        def call():
            time.sleep(i / 6)
            return server.post("/token?grant_type=password", {"email": me.email, "password": "wrong"}, http=requests).status_code
        return call

    calm, took, got = calm_and_meanwhile(server, me, [later(i) for i in range(18)], 3)
    assert set(got) <= {400, 503}
    assert statistics.median(took) < 2 * calm, (calm, statistics.median(took))
    assert took[len(took) * 9 // 10] < 0.1  # more than a turn of the CPU, less than any hash


def slow_function(sql):
    sql("create table if not exists public.slow (seconds float)")
    sql("create or replace function public.slow_claims(event jsonb) returns jsonb language sql as $$"
        " select case when pg_sleep(coalesce((select max(seconds) from public.slow), 0)) is not null then event end $$")


@pytest.mark.plain
@pytest.mark.parametrize("kind", ["http", "function"])
def test_hooks(serve, sql, kind):
    """Eight sign-ins whose hook takes its time."""
    peer = Peer()
    slow = []

    def answer(request):
        time.sleep(slow[0] if slow else 0)
        body = json.loads(request.body)
        return 200, {"Content-Type": "application/json"}, json.dumps({"claims": body["claims"]}).encode()

    peer.answer = answer
    slow_function(sql)
    server = serve(**hook("CUSTOM_ACCESS_TOKEN", f"{peer.url}/claims" if kind == "http" else "pg-functions://postgres/public/slow_claims"))
    me = server.sign_up()
    slow.append(1)
    sql("insert into public.slow values (1)")
    calls = [lambda: server.post("/token?grant_type=password", {"email": me.email, "password": PASSWORD}, http=requests).status_code] * 8
    calm, took, got = calm_and_meanwhile(server, me, calls, 5)
    sql("delete from public.slow")
    peer.stop()
    assert set(got) <= {200, 503} and got.count(200) >= 4, got
    assert statistics.median(took) < 2 * calm, (calm, statistics.median(took))
    assert took[len(took) * 9 // 10] < 0.1


def test_as_many_as_the_setting_says(serve, sql):
    """Also where nobody is anybody's parent: plain CGI."""
    slow_function(sql)
    server = serve(**{**hook("CUSTOM_ACCESS_TOKEN", "pg-functions://postgres/public/slow_claims"), "POSTERN_SLOW_REQUESTS": "1"})
    me = server.sign_up()
    sql("insert into public.slow values (0.5)")
    began = time.monotonic()
    got = harness.many(4, lambda i: server.sign_in(email=me.email, password=PASSWORD).status_code)
    sql("delete from public.slow")
    assert got == [200] * 4
    assert time.monotonic() - began > 2


def test_everybody_gets_a_turn(serve):
    """More sign-ins and sign-ups at once than there are workers wait for each other, as ever."""
    server = serve(POSTERN_BCRYPT_COST="8")
    me = server.sign_up()

    def one(i):
        if i % 3:
            return server.sign_in(email=me.email, password=PASSWORD).status_code
        return server.post("/signup", {"email": address(), "password": PASSWORD}).status_code

    assert harness.many(16, one) == [200] * 16


@pytest.mark.usefixtures("only_workers")
def test_a_reply_that_is_not_due_keeps_nobody(serve):
    """One worker answers others while the least time of a reply runs."""
    server = serve(POSTERN_TEST_WORKERS="1", POSTERN_REPLY_JITTER="1s")
    got = []

    def recover():
        began = time.monotonic()
        got.append((server.post("/recover", {"email": address()}, http=requests).status_code, time.monotonic() - began))

    threads = [threading.Thread(target=recover) for _ in range(8)]
    [t.start() for t in threads]
    time.sleep(0.2)
    assert server.get("/health").status_code == 200 and not got
    [t.join() for t in threads]
    assert [code for code, _ in got] == [200] * 8 and all(1 <= took < 3 for _, took in got)
