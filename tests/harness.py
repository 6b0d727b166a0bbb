# SPDX-License-Identifier: Apache-2.0
"""What the tests are made of: a scratch cluster, a database, a server, users and tokens."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg2
import psycopg2.extras
import requests

TOP = Path(__file__).resolve().parent.parent
BUILT = TOP if (TOP / "config.status").exists() else TOP / "build"
BIN = os.environ.get("POSTERN_BIN", str(BUILT / "postern"))
CGI = os.environ.get("POSTERN_TEST_CGI") == "1"
SANITIZED = os.environ.get("POSTERN_TEST_SANITIZED") == "1"
SECRET = "37c304f8-51aa-419a-a1af-06154e63707a"
PASSWORD = "correct horse 7"
CLEAN = {k: v for k, v in os.environ.items() if k == "PATH" or k.endswith("SAN_OPTIONS")}  # an environment without settings
ROLES = ("anon", "authenticated", "service_role", "supabase_auth_admin")

# Hashes are as cheap as they go: the tests are about everything else.
SETTINGS = {
    "GOTRUE_JWT_SECRET": SECRET,
    "GOTRUE_JWT_AUD": "authenticated",
    "GOTRUE_JWT_DEFAULT_GROUP_NAME": "authenticated",
    "GOTRUE_JWT_ADMIN_ROLES": "supabase_admin,service_role",
    "GOTRUE_SITE_URL": "http://app.test",
    "GOTRUE_MAILER_AUTOCONFIRM": "true",
    "GOTRUE_EXTERNAL_PHONE_ENABLED": "true",
    "GOTRUE_SMS_AUTOCONFIRM": "true",
    "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED": "true",
    "GOTRUE_API_REQUEST_ID_HEADER": "X-Request-Id",
    "GOTRUE_LOG_LEVEL": "info",
    "GOTRUE_SMTP_HOST": "",
    "POSTERN_PASSWORD_HASH": "bcrypt",
    "POSTERN_BCRYPT_COST": "4",
    "POSTERN_MAIL_GRACE": "20ms",
    "POSTERN_SLOW_REQUESTS": "64",  # whoever asks 64 at once asks about something else
}
if CGI:
    SETTINGS["POSTERN_DB_WAIT"] = "20s"  # 64 processes that all connect at once


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(check, seconds=10, what="it"):
    """Waits until check() gives something true, and gives that back."""
    end = time.monotonic() + seconds
    while True:
        got = check()
        if got:
            return got
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        time.sleep(0.02)


class Cluster:
    """A PostgreSQL cluster in a temporary folder, on a port of 127.0.0.1; user postgres, no password.  contrib/lib.sh makes it."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="postern-pg."))
        self.port = free_port()
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}"
        self.bin = Path(self.lib("pg_bin").strip())
        self.lib("cluster_make", self.dir, "trust")

    def lib(self, *command):
        done = subprocess.run(["bash", "-c", f'. "{TOP}/contrib/lib.sh"; "$@"', "bash", *map(str, command)], stdout=subprocess.PIPE, text=True)
        assert done.returncode == 0, f"{command[0]} failed: see above, or {self.dir}"
        return done.stdout

    def start(self, more="-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"):
        self.lib("cluster_start", self.dir, self.port, "-c max_connections=400", more)

    def stop(self, mode="fast"):
        self.lib("cluster_stop", self.dir, mode)

    def destroy(self):
        self.stop("immediate")
        shutil.rmtree(self.dir)


def admin(dsn, *statements):
    con = psycopg2.connect(dsn + "/postgres")
    con.autocommit = True
    with con.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    con.close()


def make_template(dsn):
    """The migrated database that each test file's is a copy of."""
    admin(dsn, *(f"create role {role} login superuser" for role in ROLES), "create database template_auth")
    env = {**os.environ, **SETTINGS, "DATABASE_URL": f"{dsn}/template_auth", "API_EXTERNAL_URL": "http://127.0.0.1"}
    done = subprocess.run([BIN, "migrate"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"postern migrate: {done.stdout}{done.stderr}"


class Database:
    def __init__(self, cluster_dsn, template="template_auth"):
        self.cluster_dsn = cluster_dsn
        self.name = f"t_{uuid.uuid4().hex[:12]}"
        admin(cluster_dsn, f"create database {self.name} template {template}")
        self.dsn = f"{cluster_dsn}/{self.name}"
        self.connection = None

    def sql(self, text, *args):
        """Rows as dicts; of a statement without rows: how many it touched."""
        if self.connection is None or self.connection.closed:
            self.connection = psycopg2.connect(self.dsn)
            self.connection.autocommit = True
        with self.connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(text, args or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else cursor.rowcount

    def drop(self):
        if self.connection:
            self.connection.close()
        admin(self.cluster_dsn, f"drop database {self.name} with (force)")


class Server:
    """The program behind lighttpd, by tests/serve."""

    def __init__(self, dsn, settings):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.prefix = settings.get("POSTERN_TEST_PREFIX", "").rstrip("/")
        wanted = {**SETTINGS, "DATABASE_URL": dsn, "PORT": str(self.port), "API_EXTERNAL_URL": self.url, "POSTERN_TEST_NO_MIGRATE": "1", **settings}
        self.settings = {k: v for k, v in wanted.items() if v is not None}
        self.dir = Path(tempfile.mkdtemp(prefix="postern-test."))
        self.log_path = self.dir / "log"
        keep = {k: v for k, v in os.environ.items() if not k.startswith("GOTRUE_")}
        if SANITIZED:
            for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
                keep[name] = f"{keep.get(name, '')}:log_path={self.dir}/sanitizer"
        with open(self.log_path, "wb") as log:
            environment = {**keep, "POSTERN_BIN": BIN, **self.settings}
            self.process = subprocess.Popen([TOP / "tests/serve"], env=environment, stdout=log, stderr=log, start_new_session=True)
        self.http = requests.Session()
        self.http.trust_env = False
        wait_for(self.answers, 20, f"the server; its log:\n{self.log_path.read_text()[-3000:]}")

    def answers(self):
        assert self.alive(), f"the server ended; its log:\n{self.log_path.read_text()[-3000:]}"
        try:
            return self.get("/health").status_code == 200
        except requests.ConnectionError:
            return False

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it; gives a list of what it has to complain about: sanitizer reports."""
        if self.alive():
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return [f"the server did not end on TERM; its log:\n{self.log_path.read_text()[-3000:]}"]
        complaints = [p.read_text()[:6000] for p in self.dir.glob("sanitizer*")]
        shutil.rmtree(self.dir)
        return complaints

    def request(self, method, path, token=None, headers=None, http=None, **kw):
        headers = {k: v for k, v in {"X-Request-Id": str(uuid.uuid4()), **(headers or {})}.items() if v is not None}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return (http or self.http).request(method, self.url + self.prefix + path, headers=headers, allow_redirects=False, timeout=30, **kw)

    def get(self, path, token=None, **kw):
        return self.request("GET", path, token, **kw)

    def post(self, path, json=None, token=None, **kw):
        return self.request("POST", path, token, json=json, **kw)

    def put(self, path, json=None, token=None, **kw):
        return self.request("PUT", path, token, json=json, **kw)

    def how_it_ends(self, path, token):
        """What becomes of a reply 200: whole, cut, or at least no JSON (behind CGI and Apache nothing can be cut)."""
        with self.http.get(self.url + self.prefix + path, headers={"Authorization": f"Bearer {token}"}, timeout=30, stream=True) as got:
            assert got.status_code == 200
            try:
                json.loads(b"".join(got.iter_content(None)))
                return "whole"
            except requests.exceptions.ChunkedEncodingError:
                return "cut"
            except ValueError:
                return "no JSON"

    def raw(self, text):
        """Sends bytes as they are and gives what comes back: for what no library would send."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            got = b""
            while part := s.recv(65536):
                got += part
        return got

    # What the log says.

    def log(self):
        lines = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                pass
        return lines

    def log_of(self, response):
        """The line that the server wrote about this request."""
        wanted = response.request.headers["X-Request-Id"]
        return wait_for(lambda: next((x for x in self.log() if x.get("request_id") == wanted and "db_statements" in x), None), 5, "the request's log line")

    def cost(self, call, tries=8):
        """(round trips, statements) of a request, when every worker has connected and prepared: the least of some tries."""
        lines = [self.log_of(call()) for _ in range(tries)]
        return min(x["db_round_trips"] for x in lines), min(x["db_statements"] for x in lines)

    # The processes behind it.

    def processes(self):
        """{pid: parent} of everything of the program's that tests/serve started."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, rest = int(stat.parent.name), stat.read_text().rsplit(")", 1)[1].split()
                if int(rest[3]) == self.process.pid and rest[0] != "Z" and os.path.realpath(stat.parent / "exe") == os.path.realpath(BIN):
                    found[pid] = int(rest[1])
            except (OSError, IndexError):
                continue
        return found

    def parent(self):
        found = self.processes()
        return next(pid for pid, parent in found.items() if parent not in found)

    def workers(self):
        parent, mailers = self.parent(), self.mailers()
        return sorted(pid for pid, of in self.processes().items() if of == parent and pid not in mailers)

    def mailers(self):
        return [pid for pid in self.processes() if name_of(pid) == "postern-mailer"]

    # Users.

    def sign_up(self, **body):
        body = {"email": address(), "password": PASSWORD, **body}
        got = self.post("/signup", {k: v for k, v in body.items() if v is not None})
        assert got.status_code == 200, got.text
        return Session(self, body, got.json())

    def sign_in(self, **body):
        return self.post("/token?grant_type=password", body)

    def refresh(self, token, **kw):
        return self.post("/token?grant_type=refresh_token", {"refresh_token": token}, **kw)


class Session:
    """A signed-in user."""

    def __init__(self, server, body, reply):
        self.server, self.email, self.password = server, body.get("email"), body.get("password")
        self.reply = reply
        self.access, self.refresh_token = reply["access_token"], reply["refresh_token"]
        self.id = reply["user"]["id"]
        self.claims = claims_of(self.access)
        self.session_id = self.claims["session_id"]

    def get(self):
        return self.server.get("/user", self.access)

    def put(self, **body):
        return self.server.put("/user", body, self.access)


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def address(name="user"):
    return f"{name}.{uuid.uuid4().hex[:10]}@example.com"


def typed(where, code):
    """What a code is stored as in auth.users: of the address or number that it went to."""
    return hashlib.sha224((where + code).encode()).hexdigest()


def phone():
    return "1555" + str(uuid.uuid4().int)[:8]


def b64(data):
    if not isinstance(data, bytes):
        data = (data if isinstance(data, str) else json.dumps(data)).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token):
    return json.loads(unb64(token.split(".")[1]))


def header_of(token):
    return json.loads(unb64(token.split(".")[0]))


def hs256(signed, secret=SECRET):
    return b64(hmac.new(secret.encode() if isinstance(secret, str) else secret, signed.encode(), hashlib.sha256).digest())


def mint(claims, secret=SECRET, header=None):
    """A token of these claims (iat and exp are added; None removes); a string is the payload as it stands."""
    if isinstance(claims, dict):
        now = int(time.time())
        claims = {k: v for k, v in {"iat": now, "exp": now + 3600, **claims}.items() if v is not None}
    header = {"alg": "HS256", "typ": "JWT"} | (header or {}) if not isinstance(header, str) else header
    signed = b64(header if isinstance(header, str) else {k: v for k, v in header.items() if v is not None}) + "." + b64(claims)
    return signed + "." + hs256(signed, secret)


SERVICE = mint({"role": "service_role"})


def spoil_audit(sql):
    """From now on the first rows of the audit log can be read, and not what is behind them."""
    sql("alter table auth.audit_log_entries alter created_at type text")


def open_transactions(sql):
    """Those that stay open until whoever is asked outside, a hook or a gateway, has answered.  The mailer's, which end by themselves, are not meant."""
    def now():
        rows = sql("select pid, xact_start from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null")
        return {(row["pid"], row["xact_start"]) for row in rows}

    found, end = now(), time.monotonic() + 2
    while found and time.monotonic() < end:
        time.sleep(0.02)
        found &= now()
    return found


def many(count, call):
    """call(i) that many times at once, each in its thread, started together."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    barrier = Barrier(count)

    def one(i):
        barrier.wait()
        return call(i)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def private_kb(pid):
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def most_memory(server, call):
    """What call() gives, and how many kB of its own a process of the server has at most meanwhile."""
    from threading import Event, Thread

    done, most = Event(), [0]

    def watch():
        while not done.is_set():
            most[0] = max(most + [private_kb(pid) for pid in server.processes()])
            time.sleep(0.001)

    thread = Thread(target=watch)
    thread.start()
    try:
        got = call()
    finally:
        done.set()
        thread.join()
    return got, most[0]


def is_error(response, status, code, message=None):
    """Asserts an error in the form without X-Supabase-Api-Version."""
    body = response.json()
    assert (response.status_code, body.get("error_code")) == (status, code), response.text
    assert body["code"] == status
    assert response.headers.get("x-sb-error-code") == code
    if message is not None:
        assert body["msg"] == message
    return body
