#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""web/ behind real web servers: echo_server (tests/unit) pre-forks, and lighttpd and nginx talk to it.  Needs no database.

    tests/web/serve_test.py [-k NAME]       ECHO_SERVER names the program, else it is build/tests/unit/echo_server
"""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
ECHO = os.environ.get("ECHO_SERVER", str(TOP / "build/tests/unit/echo_server"))
SBIN = "/usr/sbin:/sbin:" + os.environ["PATH"]

LIGHTTPD = """
server.document-root = "{dir}"
server.port = {port}
server.bind = "127.0.0.1"
server.errorlog = "{dir}/lighttpd.log"
server.modules = ( "mod_fastcgi" )
server.systemd-socket-activation = "disable"
fastcgi.server = ( "{prefix}" => (( {backend}, "check-local" => "disable" {extra} )) )
"""
NGINX = """
daemon off; master_process on; worker_processes 2; pid {dir}/nginx.pid; error_log {dir}/nginx.log;
{user}
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {dir}/b; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    upstream back {{ server unix:{dir}/sock; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 8m;
        location / {{
            fastcgi_pass back; fastcgi_keep_conn on;
            fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_URI $request_uri; fastcgi_param SCRIPT_NAME $fastcgi_script_name;
            fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param SERVER_SOFTWARE nginx/$nginx_version;
        }}
    }}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(check, seconds=10):
    end = time.monotonic() + seconds
    while not (got := check()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return got


def connects(where):
    with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as s:
        try:
            s.connect(where)
            return True
        except OSError:
            return False


def gone(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def traced(pid):
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def record(kind, content=b""):
    """Of FastCGI, for request 1."""
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def fcgi_pairs(**variables):
    return b"".join(bytes((len(name), len(value))) + f"{name}{value}".encode() for name, value in variables.items())


RESPONDER = record(1, struct.pack(">HB5x", 1, 0))


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="postern-web."))
        self.dir.chmod(0o755)
        self.sock = str(self.dir / "sock")
        self.port = free_port()
        self.running = []
        self.log = open(self.dir / "echo.log", "w+b")
        self.env = os.environ | {"ECHO_BAD": str(self.dir / "bad"), "ECHO_DEADLY": str(self.dir / "deadly")}

    def tearDown(self):
        for p in reversed(self.running):
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(10)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
        self.log.close()
        shutil.rmtree(self.dir)

    def run_program(self, *command, **more):
        p = subprocess.Popen([str(c) for c in command], env=self.env | {"PATH": SBIN}, stdout=subprocess.DEVNULL, stderr=self.log, **more)
        self.running.append(p)
        return p

    def echo(self, workers=4, listen=None):
        self.parent = self.run_program(ECHO, listen or "unix:" + self.sock, workers)
        if listen is None:
            wait_for(lambda: connects(self.sock))
            os.chmod(self.sock, 0o666)
            wait_for(lambda: len(self.workers()) == workers + 1)  # and the helper
        return self.parent

    def peer(self, sent, pause=0.05):
        """One that speaks FastCGI itself; pauses, so that each has a worker of its own."""
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.settimeout(10)
        s.connect(self.sock)
        s.sendall(sent)
        time.sleep(pause)
        return s

    def lighttpd(self, prefix="/", extra="", backend=None):
        conf = self.dir / "lighttpd.conf"
        conf.write_text(LIGHTTPD.format(dir=self.dir, port=self.port, prefix=prefix, backend=backend or f'"socket" => "{self.sock}"', extra=extra))
        front = self.run_program("lighttpd", "-D", "-f", conf)
        wait_for(lambda: connects(("127.0.0.1", self.port)))
        return front

    def nginx(self):
        conf = self.dir / "nginx.conf"
        conf.write_text(NGINX.format(dir=self.dir, port=self.port, user="user root;" if os.getuid() == 0 else ""))
        front = self.run_program("nginx", "-p", self.dir, "-c", conf)
        wait_for(lambda: connects(("127.0.0.1", self.port)))
        return front

    def ask(self, method, path, body=None, headers=(), timeout=30):
        """headers: pairs, so that one may come twice."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        c.putrequest(method, path)
        for name, value in headers:
            c.putheader(name, value)
        if body is not None:
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body)
        r = c.getresponse()
        text = r.read()
        c.close()
        return r, text

    def echoed(self, *args, **more):
        r, text = self.ask(*args, **more)
        self.assertEqual(r.status, 200, text)
        return json.loads(text)

    def log_text(self):
        return (self.dir / "echo.log").read_text()

    def workers(self):
        return [int(p) for p in Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children").read_text().split()]

    def load(self, seconds, during, threads=8):
        """Requests from many threads while during() runs; gives what came back.  Anything but 200 fails."""
        seen, wrong, end = [], [], threading.Event()

        def work():
            while not end.is_set():
                try:
                    r, text = self.ask("GET", "/load?sleep=" + str(random.choice((0, 0, 3))))
                    (seen if r.status == 200 else wrong).append(json.loads(text) if r.status == 200 else (r.status, text))
                except OSError as e:
                    wrong.append(e)

        pool = [threading.Thread(target=work) for _ in range(threads)]
        for t in pool:
            t.start()
        during()
        time.sleep(seconds)
        end.set()
        for t in pool:
            t.join()
        self.assertEqual(wrong, [])
        self.assertGreater(len(seen), 50)
        return seen


class TestRequests(Case):
    def both(self):
        self.echo()
        for front in (lambda: self.lighttpd(extra=', "fix-root-scriptname" => "enable"'), self.nginx):
            running = front()
            yield
            running.terminate()
            running.wait()
            self.port = free_port()

    def test_what_arrives(self):
        for _ in self.both():
            got = self.echoed("POST", "/user?value=a%20b", b'{"x":1}', [("Authorization", "Bearer t"), ("Proxy", "http://evil"), ("User-Agent", "M\u00fc")])
            self.assertEqual((got["method"], got["path"], got["value"], got["body"]), ("POST", "/user", "a b", '{"x":1}'))
            self.assertEqual((got["authorization"], got["address"], got["agent"]), ("Bearer t", "127.0.0.1", "M?"))
            self.assertNotIn("proxy", got)
            for method in ("PUT", "PATCH", "DELETE", "GET"):
                self.assertEqual(self.echoed(method, "/x/y")["method"], method)
            self.assertEqual(self.echoed("GET", "/x", headers=[("X-Forwarded-For", "203.0.113.7, 10.0.0.1")])["address"], "203.0.113.7")

    def test_head_has_no_body(self):
        for _ in self.both():
            r, text = self.ask("HEAD", "/x")
            self.assertEqual((r.status, text), (200, b""))

    def test_preflight_and_errors(self):
        for _ in self.both():
            r, text = self.ask("OPTIONS", "/user", headers=[("Origin", "https://app"), ("Access-Control-Request-Method", "PUT")])
            self.assertEqual((r.status, text, r.getheader("Access-Control-Allow-Methods")), (204, b"", "PUT"))
            r, text = self.ask("GET", "/missing", headers=[("Origin", "https://app")])
            self.assertEqual((r.status, r.getheader("X-Sb-Error-Code"), r.getheader("Vary")), (404, "user_not_found", "Origin"))
            self.assertEqual(json.loads(text)["error_code"], "user_not_found")

    def test_bodies(self):
        for _ in self.both():
            size = 1 << 20
            self.assertEqual(len(self.echoed("POST", "/x", b"a" * size)["body"]), size)
            self.assertEqual(self.echoed("POST", "/x", b"a" * (size + 1))["body"], "")
            self.assertEqual(self.echoed("POST", "/x", b"a" * 3000000)["body"], "")
            form = [("Content-Type", "application/x-www-form-urlencoded")]
            self.assertEqual(self.echoed("POST", "/x?grant_type=q", b"grant_type=f", form)["grant_type"], "f")

    def test_cookies(self):
        end, none = "; HttpOnly; SameSite=Lax", "b=; Path=/; Max-Age=0"
        for _ in self.both():
            for sent, came in ((["a=0; b=2"], "b=2; Path=/; Max-Age=60"), (["b=2; b=3"], none), (["b=2", "b=3"], none), ([], none)):
                reply, _ = self.ask("GET", "/", headers=[("Cookie", cookie) for cookie in sent])
                self.assertEqual(reply.headers.get_all("Set-Cookie"), ["a=1; Path=/" + end, came + end], sent)

    def test_encoded_slash(self):
        for _ in self.both():
            self.assertEqual(self.echoed("GET", "/a%2Fb/c%20d")["path"], "/a%2Fb/c d")

    def test_underscores(self):
        """lighttpd passes them on, but then says the name twice; nginx drops them."""
        self.echo()
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        r, _ = self.ask("GET", "/x", headers=[("X-Forwarded-For", "203.0.113.7"), ("X_Forwarded_For", "203.0.113.8")])
        self.assertEqual(r.status, 400)
        self.assertEqual(self.echoed("GET", "/x", headers=[("Accept", "a"), ("Accept", "b"), ("redirect_to", "http://a")])["redirect"], "http://a")
        self.port = free_port()
        self.nginx()
        got = self.echoed("GET", "/x", headers=[("X-Forwarded-For", "203.0.113.7"), ("X_Forwarded_For", "203.0.113.8")])
        self.assertEqual((got["address"], got["forwarded"]), ("203.0.113.7", "203.0.113.7"))

    def test_mounted_at_a_prefix(self):
        self.echo()
        self.lighttpd("/auth/v1")
        self.assertEqual(self.echoed("GET", "/auth/v1/user?value=1")["path"], "/user")
        self.assertEqual(self.echoed("GET", "/auth/v1/a%2Fb")["path"], "/a%2Fb")

    def test_spawned_by_lighttpd(self):
        self.lighttpd(extra=', "fix-root-scriptname" => "enable", "max-procs" => 2', backend=f'"socket" => "{self.sock}", "bin-path" => "{ECHO}"')
        pid = int(self.echoed("GET", "/x")["pid"])
        os.kill(pid, signal.SIGUSR1)
        wait_for(lambda: gone(pid))
        wait_for(lambda: self.ask("GET", "/x")[0].status == 200)

    def test_kept_connections_starve_nobody(self):
        """Two workers, two nginx processes that would like to keep eight connections each."""
        self.echo(workers=2)
        self.nginx()
        pids = {x["pid"] for x in self.load(1, lambda: None)}
        self.assertEqual(len(pids), 2)

    @unittest.skipUnless(os.getuid() == 0 and shutil.which("strace"), "root may look into a worker, with strace")
    def test_kept_connections_that_close_late(self):
        """A worker that loses its processor between the end of a reply and the end of the connection: nginx must not send a POST there."""
        self.echo(workers=2)
        self.nginx()
        for pid in self.workers():
            self.run_program("strace", "-p", pid, "-o", "/dev/null", "-e", "trace=close", "-e", "inject=close:delay_enter=20000")
            wait_for(lambda: traced(pid))
        self.assertEqual([self.ask("POST", "/x", b"a=1")[0].status for _ in range(50)], [200] * 50)

    def test_only_responders(self):
        """Asked as an authorizer or a filter, the answer to /health must not open what the web server guards."""
        self.echo()
        (self.dir / "guarded.txt").write_text("secret")
        for mode, status in (("authorizer", 403), ("responder", 200)):
            self.port = free_port()
            self.lighttpd(extra=f', "mode" => "{mode}", "docroot" => "{self.dir}"')
            r, text = self.ask("GET", "/guarded.txt")
            self.assertEqual(r.status, status, text)
            self.assertNotIn(b"secret", text)
        for role in (2, 3):  # a body that never comes is not waited for
            begin = record(1, struct.pack(">HB5x", role, 0))
            self.assertTrue(self.peer(begin + record(4)).recv(4096)[8:].startswith(b"Status: 403 "))

    def test_slow_peers_hold_nobody_longer_than_ten_seconds(self):
        """Four workers, and for each a peer that is silent, drips, keeps its body back, or does not read what it asked for; and CGI."""
        self.echo()
        before = set(self.workers())
        cgi = subprocess.Popen([ECHO],
                               env={"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5"},
                               stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE,
                               stderr=self.log)
        self.addCleanup(cgi.kill)
        cgi.stdin.write(b"hell")
        cgi.stdin.flush()
        params = record(4, fcgi_pairs(REQUEST_METHOD="POST", SCRIPT_NAME="/x", CONTENT_LENGTH="1000000")) + record(4)
        first = [b"", RESPONDER[:9], RESPONDER + params + record(5, b"a" * 100), RESPONDER + params + record(5, b"a" * 50000) * 20 + record(5)]
        peers = [self.peer(bytes_) for bytes_ in first]
        for byte in (RESPONDER[9:] + record(4, bytes(99)))[:21]:
            time.sleep(0.5)
            with contextlib.suppress(OSError):
                peers[1].sendall(bytes((byte,)))
        began = time.monotonic()
        ask = RESPONDER + record(4, fcgi_pairs(REQUEST_METHOD="GET", SCRIPT_NAME="/x", QUERY_STRING="sleep=300")) + record(4) + record(5)
        for peer in [self.peer(ask) for _ in before]:
            self.assertIn(b"Status: 200", peer.recv(4096))
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual(set(self.workers()), before)
        self.assertEqual(json.loads(cgi.communicate(timeout=1)[0].partition(b"\r\n\r\n")[2])["body"], "")

    def test_nonsense_harms_nobody(self):
        self.echo(workers=2)
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        before = self.workers()
        rng = random.Random(4)
        begin = b"\x01\x01\x00\x01\x00\x08\x00\x00" + b"\x00\x01\x00\x00\x00\x00\x00\x00"
        junk = [
            b"", b"GET / HTTP/1.0\r\n\r\n", begin, begin[:9], begin + b"\x01\x04\x00\x01\x00\x00\x00\x00",
            begin + b"\x01\x04\x00\x01\xff\xff\x00\x00" + b"\xff" * 99,
            begin + b"\x01\x04\x00\x01\x00\x04\x00\x00\x7f\x7f\x00\x00" + b"\x01\x04\x00\x01\x00\x00\x00\x00\x01\x05\x00\x01\x00\x00\x00\x00"
        ]
        junk += [begin + rng.randbytes(rng.randrange(1, 200)) for _ in range(100)] + [rng.randbytes(rng.randrange(1, 99)) for _ in range(100)]
        for bytes_ in junk:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.sock)
                try:
                    s.sendall(bytes_)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        self.assertEqual(self.echoed("GET", "/x")["path"], "/x")
        self.assertEqual(set(self.workers()), set(before))


class TestPlaces(Case):
    """Of four workers two do what takes long; the rest of it waits, and no worker with it."""

    def setUp(self):
        super().setUp()
        self.echo()
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')

    def slow(self, count, ms):
        """So many at once; threads, and what they got: status, Retry-After, when."""
        got, began = [], time.monotonic()

        def one():
            r, text = self.ask("GET", f"/slow?sleep={ms}")
            got.append((r.status, r.getheader("Retry-After"), time.monotonic() - began))

        threads = [threading.Thread(target=one) for _ in range(count)]
        for t in threads:
            t.start()
        return threads, got

    def quick(self, seconds):
        """How long others take meanwhile, in order."""
        took, end = [], time.monotonic() + seconds
        while (began := time.monotonic()) < end:
            self.assertEqual(self.ask("GET", "/x")[0].status, 200)
            took.append(time.monotonic() - began)
        return sorted(took)

    def test_the_quick_pass(self):
        threads, got = self.slow(14, 400)
        time.sleep(0.1)
        took = self.quick(2)
        for t in threads:
            t.join()
        self.assertLess(took[len(took) * 9 // 10], 0.1)
        self.assertEqual({status for status, _, _ in got}, {200})
        self.assertGreater(max(when for _, _, when in got), 2.7)  # two at a time

    def test_who_has_waited_for_long_is_refused(self):
        threads, got = self.slow(9, 3000)
        time.sleep(0.1)
        took = self.quick(6)
        for t in threads:
            t.join()
        self.assertLess(took[len(took) * 9 // 10], 0.1)
        statuses = [status for status, _, _ in got]
        self.assertEqual(set(statuses), {200, 503})
        self.assertIn(statuses.count(200), (3, 4))
        # A worker that has found a place itself refuses the others behind that.
        self.assertTrue(all(after == "1" and 4.5 < when < 8 for status, after, when in got if status == 503), got)

    def test_a_killed_worker_keeps_no_place(self):
        threads, _ = self.slow(2, 20000)
        time.sleep(0.3)
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)
        for t in threads:
            t.join()
        wait_for(lambda: len(self.workers()) == 5)
        threads, got = self.slow(4, 100)
        for t in threads:
            t.join()
        self.assertEqual([status for status, _, _ in got], [200] * 4)
        self.assertLess(max(when for _, _, when in got), 1)

    def test_term_waits_for_them(self):
        threads, got = self.slow(8, 300)
        time.sleep(0.1)
        self.parent.terminate()
        for t in threads:
            t.join()
        self.assertEqual([status for status, _, _ in got], [200] * 8)
        self.assertEqual(self.parent.wait(5), 0)


class TestParent(Case):
    def test_reload_loses_nothing(self):
        self.echo()
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')

        def reload_often():
            for _ in range(3):
                time.sleep(0.7)
                self.parent.send_signal(signal.SIGHUP)

        seen = self.load(1.5, reload_often)
        self.assertEqual({x["generation"] for x in seen} | {"3"}, {"0", "1", "2", "3"})
        wait_for(lambda: len(self.workers()) == 5)
        self.assertEqual(self.echoed("GET", "/x")["generation"], "3")

    def test_reload_that_fails_changes_nothing(self):
        self.echo()
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        before = self.workers()
        (self.dir / "bad").touch()
        self.parent.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        self.assertEqual(self.workers(), before)
        self.assertEqual(self.echoed("GET", "/x")["generation"], "0")

    def test_new_workers_that_die_leave_the_old(self):
        self.echo(workers=2)
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        (self.dir / "deadly").touch()

        def reload_deadly():
            self.parent.send_signal(signal.SIGHUP)
            time.sleep(1)

        seen = self.load(0.5, reload_deadly)
        self.assertEqual({x["generation"] for x in seen}, {"0"})
        self.assertLess(self.log_text().count("ended with status 3"), 9)
        (self.dir / "deadly").unlink()
        wait_for(lambda: self.echoed("GET", "/x")["generation"] == "1", 15)

    def test_killed_processes_are_replaced(self):
        self.echo(workers=2)
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        time.sleep(1.1)
        before = set(self.workers())
        self.assertEqual(len(before), 3)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(set(self.workers()) - before) == 3)
        self.assertEqual(self.echoed("GET", "/x")["path"], "/x")

    def test_requests_that_kill_their_worker_keep_nobody_away(self):
        self.echo(workers=2)
        self.lighttpd(extra=', "disable-time" => 0, "fix-root-scriptname" => "enable"')
        for _ in range(14):
            self.ask("GET", "/abort")
        began = time.monotonic()
        wait_for(lambda: self.ask("GET", "/x")[0].status == 200)
        self.assertLess(time.monotonic() - began, 0.5)

    def test_term_drains(self):
        self.echo(workers=2)
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        answers = []
        pool = [threading.Thread(target=lambda: answers.append(self.ask("GET", "/x?sleep=1200")[0].status)) for _ in range(2)]
        for t in pool:
            t.start()
        time.sleep(0.4)
        self.parent.terminate()
        wait_for(lambda: not os.path.exists(self.sock), 1)
        for t in pool:
            t.join()
        self.assertEqual(answers, [200, 200])
        self.assertEqual(self.parent.wait(5), 0)

    def test_term_empties_the_queue(self):
        """What has connected before TERM is answered, however much it is; a worker that is told alone by TERM does the same."""
        self.echo(workers=2)
        ask = RESPONDER + record(4, fcgi_pairs(REQUEST_METHOD="GET", SCRIPT_NAME="/x", QUERY_STRING="sleep=2")) + record(4) + record(5)
        for told in (self.workers(), [self.parent.pid]):
            wait_for(lambda: len(self.workers()) == 3)
            peers = [self.peer(ask, pause=0) for _ in range(750)]
            for pid in told:
                os.kill(pid, signal.SIGTERM)
            for peer in peers:
                self.assertIn(b"Status: 200", peer.recv(4096))
                peer.close()
        self.assertEqual(self.parent.wait(5), 0)

    def test_orphans_end(self):
        self.echo(workers=2)
        children = wait_for(lambda: len(self.workers()) == 3 and self.workers())
        time.sleep(0.3)
        self.parent.kill()
        self.parent.wait()
        wait_for(lambda: all(gone(pid) for pid in children))
        # the name that a killed parent leaves behind is no obstacle
        self.echo(workers=1)
        self.lighttpd(extra=', "fix-root-scriptname" => "enable"')
        self.assertEqual(self.echoed("GET", "/x")["path"], "/x")

    def refused(self, listen):
        p = subprocess.run([ECHO, listen, "1"], stderr=subprocess.PIPE, timeout=10, env=self.env)
        self.assertEqual(p.returncode, 1)
        return json.loads(p.stderr)["msg"]

    def test_addresses(self):
        self.echo(workers=1)
        self.assertIn("another server listens there", self.refused("unix:" + self.sock))
        (self.dir / "file").touch()
        self.assertIn("not a socket", self.refused(f"unix:{self.dir}/file"))
        self.assertIn("No such file", self.refused(f"unix:{self.dir}/none/sock"))
        self.assertIn("too long", self.refused("unix:/" + "x" * 200))
        for wrong in ("here", "127.0.0.1:", "::1:80", "unix:"):
            self.assertIn("cannot listen on " + wrong, self.refused(wrong))
        self.assertTrue(connects(self.sock))

    def test_tcp(self):
        for family, host, listen in ((socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET6, "::1", "[::1]")):
            port = free_port()
            if family == socket.AF_INET6 and not os.path.exists("/proc/net/if_inet6"):
                continue
            self.echo(workers=1, listen=f"{listen}:{port}")

            def up():
                with socket.socket(family) as s:
                    return s.connect_ex((host, port)) == 0

            wait_for(up)
            self.assertIn("another server listens there", self.refused(f"{listen}:{port}"))
        self.assertNotIn("beyond this machine", self.log_text())
        self.echo(workers=1, listen=f":{free_port()}")
        wait_for(lambda: "beyond this machine" in self.log_text())

    def test_mode(self):
        self.parent = self.run_program(ECHO, "unix:" + self.sock, 1)
        wait_for(lambda: connects(self.sock))
        self.assertEqual(os.stat(self.sock).st_mode & 0o777, 0o660)


class TestCgi(Case):
    def cgi(self, body=b"", **env):
        p = subprocess.run([ECHO], env={"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET"} | env, input=body, capture_output=True, timeout=10)
        self.assertEqual(p.returncode, 0, p.stderr)
        head, _, text = p.stdout.partition(b"\r\n\r\n")
        return head.decode(), json.loads(text)

    def test_one_request(self):
        head, got = self.cgi(b"hello and more", REQUEST_METHOD="POST", CONTENT_LENGTH="5", PATH_INFO="/user", QUERY_STRING="value=x", REMOTE_ADDR="192.0.2.1",
                             HTTP_AUTHORIZATION="Bearer t", HTTP_PROXY="http://evil")
        self.assertTrue(head.startswith("Status: 200 OK\r\n"))
        self.assertEqual((got["path"], got["body"], got["value"], got["address"], got["authorization"]), ("/user", "hello", "x", "192.0.2.1", "Bearer t"))
        self.assertNotIn("proxy", got)

    def test_odd_variables(self):
        self.cgi(REQUEST_METHOD="")
        self.cgi(CONTENT_LENGTH="-1", PATH_INFO="%%%", REQUEST_URI="%2f%", QUERY_STRING="&&=%&=;" + "a" * 60000)
        self.cgi(CONTENT_LENGTH="99999999999999999999", CONTENT_TYPE=";;;", HTTP_X_FORWARDED_FOR="," * 5000)


if __name__ == "__main__":
    if not os.access(ECHO, os.X_OK):
        sys.exit(f"{ECHO} is missing: build it, or say where it is with ECHO_SERVER")
    unittest.main(verbosity=2)
