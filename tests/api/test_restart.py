# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL is restarted, killed, and away for a while, with requests under way."""

import threading
import time
from collections import Counter

import pytest

from harness import CGI, Cluster, Database, Server, make_template, many

if CGI:
    pytest.skip("each process connects by itself", allow_module_level=True)

WORKERS = 4
CLIENTS = 10
TOTAL = 5000


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster()
    cluster.start()
    make_template(cluster.dsn)
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="module")
def server(cluster):
    database = Database(cluster.dsn)
    server = Server(database.dsn, {"POSTERN_TEST_WORKERS": str(WORKERS)})
    yield server
    assert server.stop() == []


def traffic(server, disturb):
    """What becomes of so many requests, reads and writes, while something is done to the database."""
    users = [server.sign_up() for _ in range(CLIENTS)]
    done, begun = Counter(), threading.Event()

    def client(i):
        me, n = users[i], 0
        for n in range(TOTAL // CLIENTS):
            if n == 20:
                begun.set()
            got = me.get() if n % 3 else me.put(data={"n": n}) if n % 2 else server.sign_in(email=me.email, password=me.password)
            done[(got.status_code, got.headers.get("Retry-After"))] += 1

    def trouble():
        begun.wait(60)
        disturb()

    thread = threading.Thread(target=trouble)
    thread.start()
    many(CLIENTS, client)
    thread.join()
    return done


def test_fast_restart(server, cluster):
    def restart():
        for _ in range(3):
            cluster.stop("fast")
            cluster.start()
            time.sleep(0.3)

    got = traffic(server, restart)
    assert set(got) == {(200, None)}, got


def test_immediate_restart(server, cluster):
    def crash():
        cluster.stop("immediate")
        cluster.start()

    got = traffic(server, crash)
    bad = sum(n for what, n in got.items() if what != (200, None))
    assert bad <= WORKERS and set(got) <= {(200, None), (503, "1")}, got


def test_away(server, cluster):
    """The first who meet it wait for two seconds, then everybody hears of it at once, and of its return within a second."""
    me = server.sign_up()
    cluster.stop("fast")
    try:
        began = time.monotonic()
        assert all(r.status_code == 503 for r in many(WORKERS, lambda i: me.get()))
        assert 1.8 < time.monotonic() - began < 8
        began = time.monotonic()
        got = [me.get() for _ in range(200)]
        assert all((r.status_code, r.headers["Retry-After"]) == (503, "1") for r in got)
        assert time.monotonic() - began < 10  # 200 that wait would take minutes
    finally:
        cluster.start()
    began = time.monotonic()
    while me.get().status_code != 200:
        assert time.monotonic() - began < 5
        time.sleep(0.05)
    assert all(r.status_code == 200 for r in many(WORKERS * 4, lambda i: me.get()))
