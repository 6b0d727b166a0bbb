# SPDX-License-Identifier: Apache-2.0
"""GET /admin/audit, postern audit, postern user show and ban."""

import os
import subprocess

import pytest

from harness import BIN, PASSWORD, SETTINGS, address, is_error


@pytest.fixture
def log(server, key, sql):
    """An audit log of its own: (GET, the user)."""
    sql("delete from auth.audit_log_entries")
    me = server.sign_up(data={"full_name": "Ann\x1b Audit"})
    server.post("/logout", token=me.access)

    def get(query=""):
        got = server.get(f"/admin/audit{query}", key)
        assert got.status_code == 200, got.text
        return got

    return get, me


def actions(got):
    return [e["payload"]["action"] for e in got.json()]


def test_newest_first(log):
    get, me = log
    got = get()
    assert actions(got) == ["logout", "login", "user_signedup"]
    assert got.headers["x-total-count"] == "3" and got.headers["link"] == '</admin/audit?page=1>; rel="last"'
    entry = got.json()[1]
    assert set(entry) == {"id", "payload", "created_at", "ip_address"} and entry["ip_address"] == ""
    assert entry["payload"]["actor_id"] == me.id and entry["payload"]["actor_username"] == me.email


def test_pages(log):
    get, _ = log
    assert actions(get("?per_page=2&page=2")) == ["user_signedup"]
    assert actions(get("?per_page=2&page=9")) == []
    assert get("?per_page=2&query=action:o").headers["link"] == '</admin/audit?page=1&per_page=2&query=action%3Ao>; rel="last"'


@pytest.mark.parametrize(
    "query, found",
    [
        ("action:login", ["login"]),
        ("action:LOG", ["logout", "login"]),
        ("type:team", ["user_signedup"]),
        ("type:account", ["logout", "login"]),
        ("action:", ["logout", "login", "user_signedup"]),
        ("author:service_role", []),
        ("action:user%25up", ["user_signedup"]),
    ],
)
def test_queries(log, query, found):
    get, _ = log
    got = get(f"?query={query}")
    assert actions(got) == found and got.headers["x-total-count"] == str(len(found))


def test_by_author(log):
    get, me = log
    assert len(get(f"?query=author:{me.email.upper()}").json()) == 3
    assert "login" in actions(get("?query=author:AUDIT"))


@pytest.mark.parametrize("query", ["nothing", "bogus:x", "author", ":x", "Action:x"])
def test_bad_queries(server, key, query):
    is_error(server.get(f"/admin/audit?query={query}", key), 400, "validation_failed", f"Invalid query scope: {query}")


def test_bad_pages_come_first(server, key):
    is_error(server.get("/admin/audit?query=bogus:x&page=x", key), 400, "validation_failed",
             'Bad Pagination Parameters: strconv.ParseUint: parsing "x": invalid syntax')
    is_error(server.get("/admin/audit?per_page=0", key), 400, "validation_failed")


# The command line.


def command(database, *args):
    env = {"PATH": os.environ["PATH"], **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1:9999"}
    return subprocess.run([BIN, *args], env=env, capture_output=True, text=True, timeout=60)


def ok(*args):
    done = command(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_postern_audit(log, database):
    _, me = log
    lines = [line.split("\t") for line in ok(database, "audit").splitlines()]
    assert [line[1] for line in lines] == ["user_signedup", "login", "logout"]
    assert {line[2] for line in lines} == {me.email} and {line[3] for line in lines} == {"-"}
    assert [line.split("\t")[1] for line in ok(database, "audit", "-n", "1").splitlines()] == ["logout"]
    assert len(ok(database, "audit", "action:log").splitlines()) == 2
    assert command(database, "audit", "bogus:x").returncode == 1
    for wrong in (["-n", "x"], ["-n", ""], ["a", "b"]):
        assert command(database, "audit", *wrong).returncode == 2


def shown(database, who):
    return {line[:20].strip(): line[22:] for line in ok(database, "user", "show", who).splitlines()}


def test_user_show(database, server):
    me = server.sign_up(data={"note": "a\x1b]b"})
    for who in (me.email.upper(), me.id):
        got = shown(database, who)
        assert (got["id"], got["email"], got["identity"], got["sessions"], got["password"]) == (me.id, me.email, "email", "1", "yes")
        assert "\x1b" not in got["user_metadata"] and "banned_until" not in got
    assert command(database, "user", "show", "nobody@example.com").returncode == 1
    assert command(database, "user", "show").returncode == 2


def test_user_show_by_number(database, server, key):
    made = server.post("/admin/users", {"phone": "155512345678"}, key).json()
    assert shown(database, "+1 555 12345678")["id"] == made["id"]


def test_user_ban(database, server):
    me = server.sign_up()
    ok(database, "user", "ban", me.email)
    assert shown(database, me.email)["banned_until"] > "2100"
    is_error(server.sign_in(email=me.email, password=PASSWORD), 400, "user_banned")
    assert ok(database, "user", "ban", me.email, "none") == "not banned\n"
    assert server.sign_in(email=me.email, password=PASSWORD).status_code == 200
    ok(database, "user", "ban", me.id, "24h")
    is_error(me.get(), 403, "user_banned")
    done = command(database, "user", "ban", me.email, "soon")
    assert done.returncode == 1 and "ban duration" in done.stderr
    assert command(database, "user", "ban", address()).returncode == 1
