# SPDX-License-Identifier: Apache-2.0
"""Servers whose database goes away, and workers that are killed: with a cluster of this file's own."""

import os
import re
import signal
import threading
import time

import pytest
import requests

import harness
from harness import PASSWORD, address, is_error, many, wait_for

pytestmark = pytest.mark.skipif(harness.CGI, reason="about workers")


@pytest.fixture(scope="module")
def cluster():
    cluster = harness.Cluster()
    cluster.start(more="")  # durable: it is going to be killed
    harness.make_template(cluster.dsn)
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="module")
def database(cluster):
    return harness.Database(cluster.dsn)


def statuses_during(server, call, action):
    """What calls in a loop get while the action happens; ends when all is well for a while."""
    seen, stop = [], threading.Event()

    def loop():
        while not stop.is_set():
            seen.append(call())

    threads = [threading.Thread(target=loop) for _ in range(3)]
    [t.start() for t in threads]
    try:
        action()
        time.sleep(0.5)
    finally:
        stop.set()
        [t.join() for t in threads]
    return seen


def test_restarted_database(serve, cluster):
    """Where no request waits for it, each that comes meanwhile is told so."""
    server = serve(POSTERN_DB_WAIT="0s")
    me = server.sign_up()

    def restart():
        time.sleep(0.2)
        cluster.stop("immediate")
        time.sleep(0.5)
        cluster.start(more="")

    def look():
        got = server.get("/user", me.access, http=requests)
        return got.status_code, got.headers.get("Retry-After"), got.json().get("error_id")

    seen = statuses_during(server, look, restart)
    assert {status for status, _, _ in seen} <= {200, 503}, {status for status, _, _ in seen}
    away = [x for x in seen if x[0] == 503]
    assert away and all(int(after) >= 1 and error_id for _, after, error_id in away)
    wait_for(lambda: me.get().status_code == 200, 1, "health by itself")


def test_away(server, cluster):
    me = server.sign_up()
    cluster.stop("immediate")
    try:
        assert me.get().status_code == 503
        assert server.post("/signup", {"email": address(), "password": PASSWORD}).status_code == 503
        assert server.get("/health").status_code == 200
        assert server.get("/health/ready").status_code == 503
    finally:
        cluster.start(more="")
    assert me.get().status_code == 200
    assert server.get("/health/ready").status_code == 200


def test_cut_connections_are_not_noticed_by_readers(server, database):
    me = server.sign_up()
    for _ in range(8):
        me.get()
    database.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
    assert {me.get().status_code for _ in range(8)} == {200}


def test_killed_workers_are_replaced(server):
    before = server.workers()
    assert len(before) == 4
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    after = wait_for(lambda: len(server.workers()) == 4 and not set(server.workers()) & set(before) and server.workers(), 5, "new workers")
    assert len(after) == 4
    wait_for(lambda: server.get("/health").status_code == 200, 2)


def test_killed_worker_leaves_every_client_a_token_that_works(server, database):
    """kill -9 at any moment of refreshes: the token in hand, or the one that it became, still refreshes."""
    held = [server.sign_up() for _ in range(6)]
    tokens = {me.id: me.refresh_token for me in held}
    stop = threading.Event()

    def client(me):
        http = requests.Session()
        while not stop.is_set():
            try:
                got = server.refresh(tokens[me.id], http=http)
            except requests.RequestException:
                continue
            if got.status_code == 200:
                tokens[me.id] = got.json()["refresh_token"]
            else:
                assert got.status_code >= 500, got.text

    threads = [threading.Thread(target=client, args=(me,)) for me in held]
    [t.start() for t in threads]
    for _ in range(20):
        time.sleep(0.1)
        workers = server.workers()
        if workers:
            os.kill(workers[0], signal.SIGKILL)
    stop.set()
    [t.join() for t in threads]
    wait_for(lambda: len(server.workers()) == 4, 10, "four workers")
    for me in held:
        got = wait_for(lambda: (r := server.refresh(tokens[me.id])).status_code == 200 and r, 5, "a token")
        assert got.json()["user"]["id"] == me.id


def test_killed_worker_leaves_no_half_made_user(server, database):
    stop = threading.Event()

    def client(i):
        while not stop.is_set():
            try:
                server.post("/signup", {"email": address("half"), "password": PASSWORD}, http=requests)
            except requests.RequestException:
                pass

    threads = [threading.Thread(target=client, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    for _ in range(15):
        time.sleep(0.1)
        workers = server.workers()
        if workers:
            os.kill(workers[-1], signal.SIGKILL)
    stop.set()
    [t.join() for t in threads]
    half = database.sql(
        "select u.id from auth.users u where email like 'half%%' and (email_confirmed_at is null or encrypted_password is null"
        " or not exists (select from auth.identities i where i.user_id = u.id) or not exists (select from auth.sessions s where s.user_id = u.id))"
    )
    assert half == []
    wait_for(lambda: len(server.workers()) == 4, 10, "four workers")


def test_hangup_loses_no_request(server):
    me = server.sign_up()
    before = server.workers()

    def rollover():
        os.kill(server.parent(), signal.SIGHUP)
        wait_for(lambda: len(server.workers()) == 4 and not set(server.workers()) & set(before), 10, "new workers")

    seen = statuses_during(server, lambda: server.get("/user", me.access, http=requests).status_code, rollover)
    assert set(seen) == {200}, {s: seen.count(s) for s in set(seen)}


def test_term_of_a_worker_ends_it_after_the_request_in_hand(serve):
    server = serve(POSTERN_PASSWORD_HASH="scrypt", POSTERN_BCRYPT_COST=None)
    me = server.sign_up()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.sign_in(email=me.email, password=me.password).status_code)) for _ in range(4)]
    [t.start() for t in threads]
    time.sleep(0.1)
    before = server.workers()
    for pid in before:
        os.kill(pid, signal.SIGTERM)
    [t.join() for t in threads]
    assert answers == [200] * 4
    wait_for(lambda: len(server.workers()) == 4 and not set(server.workers()) & set(before), 5, "new workers")


def test_term_cuts_nobody(serve):
    """All that is ended at once, under load: each client gets its answer, or no connection."""
    server = serve(GOTRUE_DISABLE_SIGNUP="false")
    me = server.sign_up()
    seen = []

    def client(i):
        while not seen or seen[-1] != "refused":
            try:
                seen.append(server.get("/user", me.access, http=requests).status_code)
            except requests.ConnectionError as e:
                seen.append("refused" if "refused" in str(e) else str(e))
                return

    threads = [threading.Thread(target=client, args=(i,)) for i in range(16)]
    [t.start() for t in threads]
    time.sleep(0.3)
    os.kill(server.process.pid, signal.SIGTERM)
    [t.join() for t in threads]
    assert server.process.wait(10) == 0
    assert set(seen) == {200, "refused"}, {s: seen.count(s) for s in set(seen)}


def test_no_core_dumps(server):
    for pid in [server.parent(), *server.workers()]:
        limits = open(f"/proc/{pid}/limits").read()
        assert re.search(r"Max core file size +0 +0 ", limits)


def test_locked_row_does_not_hold_the_others(server, database):
    me, other = server.sign_up(), server.sign_up()
    con = harness.psycopg2.connect(database.dsn)
    con.cursor().execute("select 1 from auth.sessions where id = %s for update", (me.session_id,))
    waiting = threading.Thread(target=lambda: server.refresh(me.refresh_token, http=requests))
    waiting.start()
    assert {other.get().status_code for _ in range(8)} == {200}
    con.rollback()
    waiting.join()


def private_kb(pid):
    total = 0
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith(("Private_Clean", "Private_Dirty")):
            total += int(line.split()[1])
    return total


@pytest.mark.plain
def test_memory_is_flat(server):
    me = server.sign_up()

    def load(count):
        def some(i):
            with requests.Session() as http:
                for n in range(count // 4):
                    assert server.get("/user", me.access, http=http).status_code == 200
                    if n % 50 == 0:
                        server.post("/token?grant_type=password", {"email": me.email, "password": "wrong"}, http=http)

        many(4, some)
        return {pid: private_kb(pid) for pid in server.workers()}

    early = load(1000)
    late = load(3000)
    assert set(early) == set(late)
    assert max(late.values()) <= 5 * 1024
    assert max(late.values()) <= max(early.values()) + 200, (early, late)


def test_refused_answers_are_not_half_sent(server):
    """Requests that end early, or never: the server goes on."""
    server.raw(b"POST /signup HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    server.raw(b"GET /user HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"A" * 7000 + b"\r\nConnection: close\r\n\r\n")
    is_error(server.get("/user"), 401, "no_authorization")
