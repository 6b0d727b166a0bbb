# SPDX-License-Identifier: Apache-2.0
"""The samples of contrib/ for web servers, in front of the program."""

import html
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import harness
from harness import BIN, PASSWORD, SERVICE, TOP, address, is_error, mint, wait_for

pytestmark = pytest.mark.plain
ROOT = os.getuid() == 0


class Front(harness.Server):
    """A web server by a sample's configuration; and the workers, when the sample has them started apart."""

    def __init__(self, dsn, prefix):
        self.port, self.prefix = harness.free_port(), prefix
        self.url = f"http://127.0.0.1:{self.port}"
        self.dir = Path(tempfile.mkdtemp(prefix="postern-front."))
        self.dir.chmod(0o755)
        self.settings = {**harness.SETTINGS, "DATABASE_URL": dsn, "API_EXTERNAL_URL": self.url + prefix}
        self.conf = self.dir / "postern.conf"
        self.conf.write_text("".join(f"{k}={v}\n" for k, v in self.settings.items()))
        self.bin = self.dir / "postern"
        shutil.copy(BIN, self.bin)
        self.bin.chmod(0o755)
        self.log_path = self.dir / "log"
        self.http = harness.requests.Session()
        self.http.trust_env = False
        self.children = []

    def sample(self, path, **change):
        text = (TOP / "contrib" / path).read_text()
        for old, new in {
                "/run/postern/postern.sock": f"{self.dir}/socket", "/etc/postern/postern.conf": str(self.conf), "/usr/local/bin/postern": str(self.bin),
                **change
        }.items():
            text = text.replace(old, new)
        return re.sub(r"\b9999\b", str(self.port), text)

    def spawn(self, *command):
        log = open(self.log_path, "ab")
        self.children.append(subprocess.Popen([str(x) for x in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def workers(self):
        self.spawn(self.bin, "serve", "-c", self.conf, "--listen", f"unix:{self.dir}/socket", "--workers", "2", "--mode", "0666")
        wait_for((self.dir / "socket").exists, 5, "the socket")

    def alive(self):
        return all(child.poll() is None for child in self.children)

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
            child.wait(10)
        shutil.rmtree(self.dir)


def needs(*paths):
    for path in paths:
        if not Path(path).exists():
            pytest.skip(f"{path} is not installed")


def lighttpd(front):
    needs("/usr/sbin/lighttpd")
    front.workers()
    conf = front.dir / "lighttpd.conf"
    conf.write_text(
        front.sample("lighttpd/postern.conf",
                     **{"/var/www/html": str(front.dir), "/var/cache/lighttpd/uploads": str(front.dir), "/var/log/lighttpd": str(front.dir)}))
    front.spawn("/usr/sbin/lighttpd", "-D", "-f", conf)


def nginx(front):
    needs("/usr/sbin/nginx")
    front.workers()
    temp = "".join(f"{x}_temp_path {front.dir}/{x};" for x in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = front.dir / "nginx.conf"
    user = "user root;" if ROOT else ""
    conf.write_text(
        f"daemon off; {user} pid {front.dir}/pid; error_log stderr; events {{}} http {{ access_log off; {temp}\n{front.sample('nginx/postern.conf')}\n}}\n")
    front.spawn("/usr/sbin/nginx", "-p", front.dir, "-c", conf)


def apache(front):
    modules = Path("/usr/lib/apache2/modules")
    needs("/usr/sbin/apache2", modules / "mod_fcgid.so")
    load = "".join(f"LoadModule {x}_module {modules}/mod_{x}.so\n" for x in ("mpm_event", "authz_core", "alias", "fcgid"))
    if ROOT:
        entry = pwd.getpwnam("www-data")
        load += "User www-data\nGroup www-data\n"
        os.chown(front.conf, entry.pw_uid, entry.pw_gid)
        (front.dir / "ipc").mkdir()
        os.chown(front.dir / "ipc", entry.pw_uid, entry.pw_gid)
    conf = front.dir / "apache.conf"
    conf.write_text(
        f"ServerRoot {front.dir}\nServerName localhost\nListen 127.0.0.1:{front.port}\nPidFile {front.dir}/pid\nErrorLog {front.dir}/log\n"
        f"DocumentRoot {front.dir}\n{load}"
        f"FcgidIPCDir {front.dir}/ipc\nFcgidProcessTableFile {front.dir}/table\n{front.sample('apache/postern.conf')}")
    front.spawn("/usr/sbin/apache2", "-DFOREGROUND", "-f", conf)


@pytest.fixture(scope="module", params=[(lighttpd, ""), (nginx, ""), (apache, "/auth/v1")], ids=lambda x: x[0].__name__)
def front(request, database):
    start, prefix = request.param
    front = Front(database.dsn, prefix)
    try:
        start(front)
        wait_for(front.answers, 10, "the web server")
        yield front
    finally:
        front.stop()


def test_whole_session(front):
    me = front.sign_up()
    assert me.get().json()["id"] == me.id
    assert front.sign_in(email=me.email, password=me.password).status_code == 200
    assert me.put(data={"a": 1}).json()["user_metadata"]["a"] == 1
    assert front.refresh(me.refresh_token).status_code == 200
    assert front.post("/logout", token=me.access).status_code == 204
    assert me.get().status_code == 403


def test_methods_and_paths(front):
    assert front.get("/nothing").status_code == 404
    assert front.get("/nothing%2Felse").status_code == 404
    for method in ("PATCH", "DELETE", "PUT"):
        assert front.request(method, "/health").status_code == 405, method
    assert front.request("OPTIONS", "/user", headers={"Origin": "http://a", "Access-Control-Request-Method": "PUT"}).status_code == 204
    assert front.request("HEAD", "/health").content == b""


def test_too_large_is_said_in_our_words(front):
    body = '{"password":"' + "x" * (1 << 20) + '"}'
    is_error(front.request("POST", "/signup", data=body), 413, "request_entity_too_large")


def test_client_address(front, sql):
    got = front.post("/signup", {"email": address(), "password": PASSWORD}).json()
    assert sql("select host(ip) as ip from auth.sessions where user_id = %s", got["user"]["id"])[0]["ip"] == "127.0.0.1"


def large(front, metadata):
    """A link of somebody who has so many bytes of metadata."""
    email = address()
    admin = mint({"role": "supabase_admin"})
    assert front.post("/admin/users", {"email": email, "email_confirm": True, "user_metadata": {"x": "m" * metadata}}, admin).status_code == 200
    made = front.post("/admin/generate_link", {"type": "magiclink", "email": email}, admin).json()
    return front.get(f"/verify?token={made['hashed_token']}&type=magiclink")


@pytest.mark.parametrize("metadata", [100, 3000, 9000, 16000])
def test_long_tokens(front, metadata):
    """There in a redirect, or in the page that stands for it; back in a header."""
    got = large(front, metadata)
    if got.status_code == 200:
        assert front.prefix and metadata > 3000, "Apache's way, where it must be"
        assert got.headers["cache-control"] == "no-store" and "script" not in got.text.lower()
        to = html.unescape(re.search('http-equiv="refresh" content="0;url=([^"]*)"', got.text)[1])
        assert html.unescape(re.search('<a href="([^"]*)"', got.text)[1]) == to
    else:
        assert got.status_code == 303, got.text
        to = got.headers["location"]
    assert to.startswith("http://app.test#access_token=")
    token = parse_qs(urlsplit(to).fragment)["access_token"][0]
    assert len(token) > metadata * 4 / 3
    assert front.get("/user", token).json()["user_metadata"]["x"] == "m" * metadata


def test_a_list_that_breaks_off(front, sql):
    key = SERVICE
    sql("""insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
        select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), json_build_object('note', repeat('x', 500)), now() - k * interval '1 minute', ''
            from generate_series(1, 3000) k""")
    assert front.how_it_ends("/admin/audit?per_page=3000", key) == "whole"
    harness.spoil_audit(sql)
    try:
        assert front.how_it_ends("/admin/audit?per_page=3000", key) == ("no JSON" if front.prefix else "cut")
    finally:
        sql("alter table auth.audit_log_entries alter created_at type timestamptz using created_at::timestamptz")
    assert front.get("/health").status_code == 200
