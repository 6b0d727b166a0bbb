# SPDX-License-Identifier: Apache-2.0
"""Odd things from outside: what a web server calls its client, long headers, times without end, half characters, letters that curse."""

import json
import os
import subprocess
import uuid

import pytest

import harness
from harness import BIN, PASSWORD, SERVICE, SETTINGS, address, is_error


# --- A client that is no IP address ---

def cgi(database, method, path, body="", query="", **variables):
    """The program as a CGI process: (status, headers, body)."""
    env = {**harness.CLEAN, **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1", "GATEWAY_INTERFACE": "CGI/1.1",
           "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json",
           "GOTRUE_LOG_LEVEL": "info", **variables}
    done = subprocess.run([BIN], env=env, input=body.encode(), capture_output=True, timeout=60)
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return int(headers["Status"].split()[0]), headers, rest, done.stderr.decode()


@pytest.mark.parametrize("client", ["unix:", "unix:/run/x.sock", "fe80::1%eth0", "@", "not an address", "1.2.3.4.5", "[::1]:80", "\u00e9"])
def test_a_client_that_is_no_address(database, sql, client):
    email = address()
    status, _, body, log = cgi(database, "POST", "/signup", json.dumps({"email": email, "password": PASSWORD}), REMOTE_ADDR=client,
                               POSTERN_AUDIT_ADDRESS="true")
    assert status == 200, body
    me = json.loads(body)
    assert sql("select ip from auth.sessions where user_id = %s", me["user"]["id"]) == [{"ip": None}]
    assert client.strip() in log or client == "\u00e9"
    for _ in range(2):
        status, _, body, _ = cgi(database, "POST", "/token", json.dumps({"refresh_token": me["refresh_token"]}), "grant_type=refresh_token", REMOTE_ADDR=client)
        assert status == 200, body
        me = json.loads(body)
    counted = dict(REMOTE_ADDR=client, GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION="2")
    status, _, body, _ = cgi(database, "POST", "/token", json.dumps({"email": email, "password": PASSWORD}), "grant_type=password", **counted)
    assert status == 200, body
    status, _, body, _ = cgi(database, "POST", "/token", json.dumps({"refresh_token": json.loads(body)["refresh_token"]}), "grant_type=refresh_token",
                             **counted)
    assert status == 200, body


def test_a_client_that_is_one(database, sql):
    status, _, body, _ = cgi(database, "POST", "/signup", json.dumps({"email": address(), "password": PASSWORD}), REMOTE_ADDR="::ffff:192.0.2.7")
    assert status == 200 and sql("select host(ip) as ip from auth.sessions where user_id = %s", json.loads(body)["user"]["id"]) == [{"ip": "192.0.2.7"}]


# --- Long headers ---

def noise(length):
    """What no index can press together."""
    return os.urandom(length).hex()[:length]


def test_a_long_limit_header(serve):
    server = serve(GOTRUE_RATE_LIMIT_HEADER="X-Client", GOTRUE_RATE_LIMIT_TOKEN_REFRESH="1")
    long = noise(5000)
    got = [server.refresh("aaaabbbbcccc", headers={"X-Client": who}).status_code for who in [long] * 31 + [long + "x"]]
    assert got[0] == 400 and got[-2] == 429 and got[-1] == 400 and set(got) == {400, 429}


@pytest.mark.parametrize("name", ["X-JWT-AUD", "User-Agent", "X-Forwarded-For", "X-Request-Id", "Accept-Language"])
def test_long_headers(server, name):
    headers = {name: noise(5000)}
    assert server.get("/settings", headers=headers).status_code == 200
    for path, body in [("/signup", {"email": address(), "password": PASSWORD}), ("/otp", {"email": address()}), ("/signup", {})]:
        got = server.post(path, body, headers=headers)
        assert got.status_code < 500, got.text


@pytest.mark.parametrize("field", ["role", "aud"])
def test_what_is_longer_than_its_column(server, field):
    got = server.post("/admin/users", {"email": address(), "password": PASSWORD, field: noise(300)}, SERVICE)
    assert got.status_code < 500, got.text
    me = server.sign_up()
    got = server.put("/admin/users/" + me.id, {field: noise(300)}, SERVICE)
    assert got.status_code < 500, got.text


# --- Times without end ---

@pytest.mark.parametrize("when", ["infinity", "-infinity", "294000-01-01", "4000-01-01 BC"])
@pytest.mark.parametrize("column", ["not_after", "created_at", "refreshed_at", "updated_at"])
def test_sessions_without_end(server, sql, column, when):
    me = server.sign_up()
    sql(f"update auth.sessions set {column} = %s where user_id = %s", when, me.id)
    ended = column == "not_after" and when in ("-infinity", "4000-01-01 BC")
    assert me.get().status_code == 200, me.get().text
    got = server.refresh(me.refresh_token)
    assert got.status_code == (400 if ended else 200), got.text


USERS = ["banned_until", "created_at", "updated_at", "last_sign_in_at", "email_confirmed_at", "confirmation_sent_at", "recovery_sent_at", "invited_at",
         "email_change_sent_at", "phone_change_sent_at", "reauthentication_sent_at", "deleted_at", "phone_confirmed_at"]


@pytest.mark.parametrize("when", ["infinity", "-infinity"])
@pytest.mark.parametrize("column", USERS)
def test_users_without_end(mailing, sql, column, when):
    server = mailing(GOTRUE_MAILER_AUTOCONFIRM="true")
    me = server.sign_up()
    sql(f"update auth.users set {column} = %s where id = %s", when, me.id)
    banned = column == "banned_until" and when == "infinity"
    assert me.get().status_code == (403 if banned else 200), me.get().text
    got = server.sign_in(email=me.email, password=PASSWORD)
    assert got.status_code == (400 if banned else 200), got.text
    assert server.get("/admin/users/" + me.id, SERVICE).status_code == 200
    for query in ("", "?per_page=1", "?filter=" + me.email, "?email=" + me.email, "?cursor="):
        assert server.get("/admin/users" + query, SERVICE).status_code < 500, query
    for path, body in [("/recover", {}), ("/otp", {}), ("/resend", {"type": "signup"})]:
        got = server.post(path, {"email": me.email, **body})
        assert got.status_code < 500, got.text
    sql("delete from auth.users where id = %s", me.id)


def test_tokens_without_end(server, sql):
    me = server.sign_up()
    sql("update auth.refresh_tokens set updated_at = 'infinity', created_at = '-infinity' where user_id = %s", me.id)
    assert server.refresh(me.refresh_token).status_code == 200
    assert server.refresh(me.refresh_token).status_code < 500


# --- Half characters ---

HALF = "\\ud83d"


@pytest.mark.parametrize("cut", [HALF, "\\ude00", HALF + "x", HALF + "\\n", HALF + HALF, HALF + "\\u0041"])
def test_half_an_emoji(server, cut):
    whole = json.loads(f'"{cut}"').encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    email = address()
    got = server.post("/signup", data='{"email":"%s","password":"horse %s","data":{"bio":"%s","k%s":[1]}}' % (email, cut, cut, cut))
    assert got.status_code == 200, got.text
    shown = server.get("/user", got.json()["access_token"]).json()["user_metadata"]
    assert shown["bio"].replace("\ufffd", "?") == "".join("?" if 0xD800 <= ord(c) < 0xE000 else c for c in json.loads(f'"{cut}"'))
    assert [1] in shown.values()
    assert server.post("/token?grant_type=password", data='{"email":"%s","password":"horse %s"}' % (email, cut)).status_code == 200
    assert whole


@pytest.mark.parametrize("bad", [b'"\xed\xa0\xbd"', b'"\xff"', b'"\\u0000"', b'"\\ud83d\\u0000"', b'"\\ud83d\\u12"'])
def test_what_is_no_text_stays_refused(server, bad):
    is_error(server.post("/signup", data=b'{"email":"%s","password":"horses horses","data":{"a":%s}}' % (address().encode(), bad)), 400, "bad_json")


# --- What an operator's terminal obeys ---

def test_letters_that_curse(database, sql):
    letter = str(uuid.uuid4())
    columns = sql("select column_name as c, data_type as t, is_nullable as n, column_default as d from information_schema.columns "
                  "where table_schema = 'postern' and table_name = 'outbox'")
    values = {
        "id": letter, "letter": "magic_link", "recipient": "a\x1b[2J@b.test", "failed_at": "now",
        "last_error": "550 \x1b]0;owned\x07\u009b31m no\r\nsuch\x7f user"
    }
    for column in columns:
        if column["n"] == "NO" and column["d"] is None and column["c"] not in values:
            values[column["c"]] = {"bytea": b"x", "jsonb": "{}", "integer": 0,
                                   "smallint": 0}.get(column["t"], "now" if "time" in column["t"] else letter if column["t"] == "uuid" else "x")
    sql(f"insert into postern.outbox ({','.join(values)}) values ({','.join(['%s'] * len(values))})", *values.values())
    env = {**harness.CLEAN, **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1:9999"}
    got = subprocess.run([BIN, "mail", "list"], env=env, capture_output=True, timeout=60).stdout.decode()
    line = next(line for line in got.splitlines() if line.startswith(letter))
    assert line.split("\t")[3] == "a?[2J@b.test" and line.split("\t")[6] == "550 ?]0;owned??31m no??such? user"
    sql("update auth.users set email = %s where id = (select id from auth.users limit 1)", "a\x1b[2J\u009b@b.test")
    got = subprocess.run([BIN, "user", "list"], env=env, capture_output=True, timeout=60).stdout.decode()
    assert "\x1b" not in got and "\u009b" not in got
