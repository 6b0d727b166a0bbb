# SPDX-License-Identifier: Apache-2.0
"""net/http.h against real servers."""

import base64
import time

import pytest

from conftest import tool

PRIVATE = {"POSTERN_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8"}


def http(url, *more, trust="operator", timeout="5s", most=0, redirects=0, stdin="", **settings):
    return tool("http", trust, url, timeout, most, redirects, *more, stdin=stdin, **settings)


def test_get(peer):
    peer.answer = lambda r: (200, {"Content-Type": "text/x; charset=utf-8", "X-Test": " a b "}, "grüße".encode())
    got = http(peer.url + "/x?y=z")
    assert (got["result"], got["status"], got["type"], got["body"], got["x"]) == ("answered", 200, "text/x; charset=utf-8", "grüße", "a b")
    assert peer.seen[0].path == "/x?y=z" and peer.seen[0].command == "GET"
    assert peer.seen[0].headers["User-Agent"] == "postern"


def test_post_with_headers_and_basic(peer):
    http(peer.url, "a=b" * 1000, "Content-Type", "text/y", "X-Empty", "", TOOL_USER="me:", TOOL_PASSWORD="pä")
    asked = peer.seen[0]
    assert asked.command == "POST" and asked.body == b"a=b" * 1000 and "Expect" not in asked.headers
    assert asked.headers["Content-Type"] == "text/y" and asked.headers["X-Empty"] == ""
    assert base64.b64decode(asked.headers["Authorization"].split()[1]).decode() == "me::pä"


def test_error_statuses_are_answers(peer):
    peer.answer = lambda r: (503, {}, b"no")
    got = http(peer.url)
    assert (got["result"], got["status"], got["body"]) == ("answered", 503, "no")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x01"])
def test_header_injection(peer, value):
    assert http(peer.url, "", "X-A", value)["result"] == "bad call"
    assert not peer.seen


def test_connection_is_used_again(peer):
    got = http(peer.url, stdin="again\nagain\n")
    assert [g["result"] for g in got] == ["answered"] * 3 and peer.connections == 1


@pytest.mark.parametrize("headers, connections", [({"Content-Length": "2"}, 2), ({"Transfer-Encoding": "chunked"}, 2), ({}, 1)])
def test_a_body_behind_a_204(peer, headers, connections):
    """Some send one all the same, perhaps late; it is not the beginning of the next answer."""
    def answer(r):
        if len(peer.seen) == 1:
            return 204, headers, b""
        if headers and peer.connections == 1:
            r.wfile.write(b"{}")
        return 200, {}, b"next"

    peer.answer = answer
    got = http(peer.url, "body", stdin="again\n")
    assert [(g["result"], g["status"], g["body"]) for g in got] == [("answered", 204, ""), ("answered", 200, "next")]
    assert (len(peer.seen), peer.connections) == (2, connections)


def test_environment_proxy_is_ignored(peer):
    assert http(peer.url, http_proxy="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")["result"] == "answered"


def test_timeout_covers_everything(peer):
    def drip(r):
        r.send_response(200)
        r.send_header("Content-Length", "1000")
        r.end_headers()
        for _ in range(100):
            r.wfile.write(b"x")
            time.sleep(0.1)

    peer.answer = drip
    start = time.monotonic()
    got = http(peer.url, timeout="700ms")
    assert got["result"] == "timeout" and time.monotonic() - start < 2
    assert "700 ms" in got["why"]


@pytest.mark.parametrize("size,result", [(999, "answered"), (1000, "answered"), (1001, "too big")])
def test_size_limit(peer, size, result):
    peer.answer = lambda r: (200, {}, b"x" * size)
    assert http(peer.url, most=1000)["result"] == result


def test_size_limit_without_length(peer):
    def flood(r):
        r.send_response(200)
        r.end_headers()
        while True:
            r.wfile.write(b"x" * 65536)

    peer.answer = flood
    assert http(peer.url)["result"] == "too big"


def test_header_size_limit(peer):
    peer.answer = lambda r: (200, {f"X-{i}": "y" * 8000 for i in range(20)}, b"")
    assert http(peer.url)["result"] == "too big"


def test_redirects(peer, tls_peer, authority):
    peer.answer = lambda r: (302, {"Location": "/b", "X-Test": "first"}, b"") if r.path == "/a" else (200, {}, b"there")
    got = http(peer.url + "/a")
    assert (got["status"], got["x"]) == (302, "first")
    got = http(peer.url + "/a", redirects=3)
    assert (got["status"], got["body"], got["x"]) == (200, "there", None)
    peer.answer = lambda r: (302, {"Location": r.path + "a"}, b"")
    assert http(peer.url + "/a", redirects=3)["result"] == "no contact"
    assert len(peer.seen) == 1 + 2 + 4
    for elsewhere in (tls_peer.url, "file:///etc/passwd", "gopher://127.0.0.1/"):
        peer.answer = lambda r: (302, {"Location": elsewhere}, b"")
        assert http(peer.url, redirects=3, POSTERN_HTTP_CA_FILE=str(authority.file))["result"] == "bad call"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "//x", "http://", "http://a b/", ""])
def test_other_schemes_and_bad_urls(url):
    assert http(url)["result"] in ("bad call", "no name")


def test_errors_of_contact():
    assert http("http://127.0.0.1:1/?secret=1#x")["result"] == "no contact"
    assert "secret" not in http("http://u:p@127.0.0.1:1/?secret=1#x")["why"]
    assert "u:p" not in http("http://u:p@127.0.0.1:1/?secret=1#x")["why"]
    assert http("http://no-such-name.invalid/")["result"] == "no name"


def test_tls(peer_of, tls_peer, authority):
    tls_peer.answer = lambda r: (200, {}, b"sealed")
    ca = {"POSTERN_HTTP_CA_FILE": str(authority.file)}
    assert http(tls_peer.url)["result"] == "tls"
    assert http(tls_peer.url, **ca)["body"] == "sealed"
    assert http(tls_peer.url.replace("127.0.0.1", "localhost"), **ca)["result"] == "tls"
    old = peer_of(authority.context("127.0.0.1", days=-1))
    assert http(old.url, **ca)["result"] == "tls"
    assert http(tls_peer.url, POSTERN_HTTP_CA_FILE="/nowhere.pem")["result"] == "tls"


def test_stranger_needs_https_and_a_public_address(peer, tls_peer, authority):
    ca = {"POSTERN_HTTP_CA_FILE": str(authority.file)}
    assert http(peer.url, trust="stranger")["result"] == "bad call"
    got = http(tls_peer.url, trust="stranger", **ca)
    assert got["result"] == "not allowed" and "127.0.0.1 is a loopback address" in got["why"]
    assert http(tls_peer.url.replace("127.0.0.1", "localhost"), trust="stranger", **ca)["result"] == "not allowed"
    assert http("https://[::ffff:127.0.0.1]:%d/" % tls_peer.port, trust="stranger", **ca)["result"] == "not allowed"
    assert http("https://[64:ff9b::7f00:1]:%d/" % tls_peer.port, trust="stranger", **ca)["result"] == "not allowed"
    assert tls_peer.connections == 0
    assert http(tls_peer.url, trust="stranger", **ca, **PRIVATE)["result"] == "answered"
    assert http(peer.url, trust="stranger", **PRIVATE)["result"] == "bad call"


def test_trusts_share_no_connection(tls_peer, authority):
    """What the operator's call has opened is no way in for a stranger's."""
    got = http(tls_peer.url, stdin="operator\nstranger\noperator\n", POSTERN_HTTP_CA_FILE=str(authority.file))
    assert [g["result"] for g in got] == ["answered", "answered", "not allowed", "answered"] and tls_peer.connections == 1


def test_stranger_redirected(tls_peer, peer, authority):
    tls_peer.answer = lambda r: (302, {"Location": "https://[::1]:1/"}, b"")
    got = http(tls_peer.url, trust="stranger", redirects=2, POSTERN_HTTP_CA_FILE=str(authority.file), **PRIVATE)
    assert got["result"] == "not allowed"


def test_connect_to(peer_of, authority):
    github = peer_of(authority.context("github.test"))
    github.answer = lambda r: (200, {}, r.headers["Host"].encode())
    to = {"POSTERN_HTTP_CA_FILE": str(authority.file), "POSTERN_HTTP_CONNECT_TO": f"x.test:80:127.0.0.1:1,github.test:443:127.0.0.1:{github.port}"}
    assert http("https://github.test/", **to)["body"] == "github.test"
    assert http("https://github.test/", trust="stranger", **to)["result"] == "not allowed"


def test_proxy(peer):
    peer.answer = lambda r: (200, {}, r.path.encode())
    proxy = {"POSTERN_HTTP_PROXY": peer.url}
    assert http("http://somewhere.invalid/x", **proxy)["body"] == "http://somewhere.invalid/x"
    assert http("https://127.0.0.1:4/", trust="stranger", **proxy)["result"] == "not allowed"
    assert http("https://somewhere.invalid/", trust="stranger", **proxy)["result"] == "no name"
    assert len(peer.seen) == 1


def test_stranger_behind_a_proxy_is_asked_for_by_address(peer_of):
    """The proxy is told the address that we looked at, so it can't resolve the name to another."""
    proxy = peer_of()
    asked = []
    proxy.server.RequestHandlerClass.do_CONNECT = lambda handler: (asked.append(handler.path), handler.send_error(502))
    http("https://localhost:4443/", trust="stranger", POSTERN_HTTP_PROXY=proxy.url, POSTERN_HTTP_PRIVATE_NETWORKS="127.0.0.0/8")
    assert asked == ["127.0.0.1:4443"]
