# SPDX-License-Identifier: Apache-2.0
"""Providers that administrators add: /admin/custom-providers, and what their URLs may lead to."""

import json
import os
import subprocess
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

import harness
from harness import SERVICE, is_error

PUBLIC = "https://93.184.216.34"
LOCAL = {"POSTERN_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8"}
OAUTH2 = {"provider_type": "oauth2", "name": "Acme", "client_id": "me", "client_secret": "hush", "scopes": ["a", "b"],
          "authorization_url": PUBLIC + "/a", "token_url": PUBLIC + "/t", "userinfo_url": PUBLIC + "/u"}


@pytest.fixture
def op(peer_of, authority):
    """An issuer on 127.0.0.1 whose discovery document is .document."""
    peer = peer_of(authority.context("127.0.0.1"))
    peer.document = {"issuer": peer.url, "authorization_endpoint": peer.url + "/auth", "token_endpoint": peer.url + "/token",
                     "userinfo_endpoint": peer.url + "/me", "jwks_uri": peer.url + "/jwks", "scopes_supported": ["openid", "email"]}
    peer.answer = lambda r: (200, {"Content-Type": "application/json"}, json.dumps(peer.document).encode())
    return peer


@pytest.fixture
def house(serve, authority):
    """A server that trusts our authority and may talk to 127.0.0.1."""
    return serve(**LOCAL, POSTERN_HTTP_CA_FILE=str(authority.file))


def identifier():
    return "custom:" + uuid.uuid4().hex[:12]


def create(server, **body):
    body = {"identifier": identifier(), **OAUTH2, **body}
    return server.post("/admin/custom-providers", {k: v for k, v in body.items() if v is not None}, SERVICE)


def create_oidc(server, issuer, **body):
    return create(server, provider_type="oidc", issuer=issuer, authorization_url=None, token_url=None, userinfo_url=None, **body)


def change(server, which, **body):
    return server.put("/admin/custom-providers/" + which, body, SERVICE)


def refused(got, words):
    return is_error(got, 400, "validation_failed", words)


# --- What is kept ---


def test_create_read_change_remove(server, sql):
    made = create(server, attribute_mapping={"name": "display"}, custom_claims_allowlist=["groups"], authorization_params={"prompt": "login"})
    assert made.status_code == 201, made.text
    row = made.json()
    assert "hush" not in made.text and "client_secret" not in row and "issuer" not in row
    assert row["pkce_enabled"] is True and row["enabled"] is True and row["email_optional"] is False
    path = "/admin/custom-providers/" + row["identifier"]
    assert server.get(path, SERVICE).json() == row
    got = change(server, row["identifier"], name="New", scopes=[], enabled=False, attribute_mapping={}, client_secret="", client_id="",
                 issuer="http://x", skip_nonce_check=True)
    assert got.status_code == 200, got.text
    want = {**row, "name": "New", "scopes": [], "enabled": False, "attribute_mapping": {}, "updated_at": got.json()["updated_at"]}
    assert got.json() == want and got.json()["updated_at"] > row["updated_at"]
    assert server.request("DELETE", path, SERVICE).status_code == 204
    is_error(server.get(path, SERVICE), 404, "custom_provider_not_found", "Custom OAuth provider not found")
    is_error(change(server, row["identifier"], name="x"), 404, "custom_provider_not_found")
    is_error(server.request("DELETE", path, SERVICE), 404, "custom_provider_not_found")


def test_identifier_is_taken(server):
    name = create(server).json()["identifier"]
    is_error(create(server, identifier=name), 400, "conflict", "A custom OAuth provider with this identifier already exists")


@pytest.mark.parametrize("body,words", [
    ({"identifier": "custom:Upper"}, "identifier must have 2 to 50 characters"),
    ({"identifier": "custom:"}, "identifier must have 2 to 50 characters"),
    ({"identifier": "custom:" + "x" * 44}, "identifier must have 2 to 50 characters"),
    ({"name": "x" * 101}, "name must have at most 100 characters"),
    ({"client_id": "x" * 513}, "client_id must have at most 512 characters"),
    ({"token_url": PUBLIC + "/" + "x" * 2048}, "URL must have at most 2048 characters"),
    ({"token_url": PUBLIC.replace("https", "HTTPS")}, "URL must use HTTPS"),
    ({"jwks_uri": ""}, "URL must use HTTPS"),
])
def test_what_the_table_refuses(server, body, words):
    assert words in refused(create(server, **body), None)["msg"]


def test_quota(serve, sql):
    sql("delete from auth.custom_oauth_providers")
    server = serve(GOTRUE_CUSTOM_OAUTH_MAX_PROVIDERS="1")
    assert create(server).status_code == 201
    is_error(create(server), 400, "over_custom_provider_quota", "Maximum number of custom OAuth/OIDC providers reached")
    # What is sent is looked at before it is counted, where it leads after.
    refused(create(server, attribute_mapping={"role": "x"}), "Cannot map to protected system field: role")
    is_error(create(server, token_url="http://x"), 400, "over_custom_provider_quota")


def test_secret_is_sealed(serve, sql):
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    server = serve(GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT="true", GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID="k1",
                   GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY=key, GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS="k1:" + key)
    name = create(server, client_secret="very-hush").json()["identifier"]
    stored = [sql("select client_secret from auth.custom_oauth_providers where identifier = %s", name)[0]["client_secret"]]
    assert change(server, name, client_secret="other-hush").status_code == 200
    stored.append(sql("select client_secret from auth.custom_oauth_providers where identifier = %s", name)[0]["client_secret"])
    assert all(json.loads(text)["key_id"] == "k1" and "hush" not in text for text in stored) and stored[0] != stored[1]


def test_cost(server):
    name = create(server).json()["identifier"]
    assert server.cost(lambda: server.get("/admin/custom-providers/" + name, SERVICE)) == (1, 1)
    assert server.cost(lambda: change(server, name, name="x"))[0] == 2


# --- Where URLs may lead ---


@pytest.mark.parametrize("url,words", [
    ("https://a b/", "Invalid URL format"),
    ("https://x:port/", "Invalid URL format"),
    ("https://[::1/", "Invalid URL format"),
    ("https://x/%zz", "Invalid URL format"),
    ("http://93.184.216.34/", "URL must use HTTPS"),
    ("//93.184.216.34/", "URL must use HTTPS"),
    ("file:///etc/passwd", "URL must use HTTPS"),
    ("https:93.184.216.34", "URL must have a valid hostname"),
    ("https://:443/", "URL must have a valid hostname"),
    ("https://user@/", "URL must have a valid hostname"),
    ("https://LOCALHOST/", "URL cannot point to localhost or loopback addresses"),
    ("https://a.localhost/", "URL cannot point to localhost or loopback addresses"),
    ("https://93.184.216.34@127.0.0.1/", "URL cannot point to localhost or loopback addresses"),
    ("https://[::]/", "URL cannot point to localhost or loopback addresses"),
    ("https://127.0.0.2/", "URL cannot resolve to loopback addresses"),
    ("https://[::ffff:127.0.0.1]/", "URL cannot resolve to loopback addresses"),
    ("https://[::ffff:10.0.0.1]/", "URL cannot resolve to private network addresses"),
    ("https://172.31.255.255/", "URL cannot resolve to private network addresses"),
    ("https://[fdff::1]/", "URL cannot resolve to private network addresses"),
    ("https://169.254.169.254/latest/meta-data", "URL cannot resolve to link-local addresses"),
    ("https://[fe80::1%25lo]/", "URL cannot resolve to link-local addresses"),
    ("https://224.0.0.251/", "URL cannot resolve to link-local addresses"),
    ("https://[ff02::1]/", "URL cannot resolve to link-local addresses"),
    ("https://239.1.1.1/", "URL cannot resolve to multicast addresses"),
    ("https://[ff0e::1]/", "URL cannot resolve to multicast addresses"),
    ("https://[::ffff:0.0.0.0]/", "URL cannot resolve to unspecified addresses"),
    ("https://127.1/", "Unable to resolve hostname"),
    ("https://2130706433/", "Unable to resolve hostname"),
    ("https://0x7f000001/", "Unable to resolve hostname"),
    ("https://0177.0.0.1/", "Unable to resolve hostname"),
    ("https://nowhere.invalid/", "Unable to resolve hostname"),
])
def test_hostile_urls(server, url, words):
    refused(create(server, userinfo_url=url), words)
    refused(create_oidc(server, url), words)


@pytest.mark.parametrize("url", ["https://172.32.0.1/", "https://100.64.0.1/", "https://198.18.0.1/", "https://[64:ff9b::7f00:1]/", "https://192.0.0.1/"])
def test_urls_that_are_refused_only_when_connected_to(server, url):
    """The reference takes them."""
    assert create(server, userinfo_url=url).status_code == 201
    got = refused(create_oidc(server, url), None)
    assert got["msg"].startswith('OIDC discovery from "') and got["msg"].endswith("failed: 500: Failed to fetch URL")


def test_urls_of_a_change(server):
    name = create(server).json()["identifier"]
    for field in ("authorization_url", "token_url", "userinfo_url", "jwks_uri"):
        refused(change(server, name, **{field: "https://10.0.0.1/"}), "URL cannot resolve to private network addresses")
    assert change(server, name, issuer="https://10.0.0.1/", discovery_url="x").status_code == 200  # not of this kind


def test_private_networks_can_be_allowed(serve, server, op, house):
    refused(create_oidc(server, op.url), "URL cannot point to localhost or loopback addresses")
    made = create_oidc(house, op.url, scopes=["email"])
    assert made.status_code == 201, made.text
    assert made.json()["scopes"] == ["openid", "email"] and made.json()["discovery_document"]["jwks_uri"] == op.url + "/jwks"
    refused(create(house, token_url="https://10.0.0.1/"), "URL cannot resolve to private network addresses")
    refused(create(house, token_url=op.url.replace("https", "http")), "URL must use HTTPS")
    other = serve(POSTERN_HTTP_PRIVATE_NETWORKS="10.0.0.0/8")
    assert create(other, token_url="https://10.0.0.1/").status_code == 201
    refused(create(other, token_url="https://localhost/"), "URL cannot point to localhost or loopback addresses")


def test_split_names(serve, op, authority, peer_of):
    """A name that only CONNECT_TO can resolve is judged by where it leads."""
    peer = peer_of(authority.context("op.test"))
    op.document = {**op.document, "issuer": "https://op.test"}
    peer.answer = op.answer
    to = {"POSTERN_HTTP_CONNECT_TO": f"other.test:443:127.0.0.1:1,op.test:443:127.0.0.1:{peer.port}", "POSTERN_HTTP_CA_FILE": str(authority.file)}
    assert create_oidc(serve(**to, **LOCAL), "https://op.test").status_code == 201
    refused(create_oidc(serve(**to), "https://op.test"), "URL cannot resolve to loopback addresses")


# --- What an issuer says of itself ---


def test_discovery(house, op):
    made = create_oidc(house, op.url + "/", discovery_url=op.url + "/elsewhere")
    assert op.seen[-1].path == "/elsewhere" and op.seen[-1].headers["Accept"] == "application/json"
    assert made.json()["msg"].endswith(f'oidc: issuer mismatch, expected "{op.url}/" got "{op.url}"')
    op.document["issuer"] = op.url + "/"
    assert create_oidc(house, op.url + "/").json()["discovery_document"]["scopes_supported"] == ["openid", "email"]
    assert op.seen[-1].path == "/.well-known/openid-configuration"


@pytest.mark.parametrize("field", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_discovery_lacks_something(house, op, field):
    del op.document[field]
    refused(create_oidc(house, op.url), "OIDC discovery document is missing required fields: " + field)


def test_discovery_answers(house, op):
    def says(words):
        url = op.url + "/.well-known/openid-configuration"
        got = refused(create_oidc(house, op.url), None)["msg"]
        assert got.startswith(f'OIDC discovery from "{url}" failed: oidc: {words}'.replace(" URL ", f" {url} ")), got

    op.answer = lambda r: (404, {}, b"{}")
    says("discovery request to URL returned 404 Not Found")
    for body in (b"", b"<html>", b"[]", b'{"issuer":1}', b'{"scopes_supported":"x"}', b'{"scopes_supported":[1]}', b"{" + b" " * (1 << 20) + b"}"):
        op.answer = lambda r: (200, {}, body)
        says("failed to decode discovery document from " + op.url)
    op.answer = lambda r: (302, {"Location": "http://127.0.0.1:1/"}, b"")
    says("discovery request to URL failed: 500: Failed to fetch URL")
    op.answer = lambda r: None
    says("discovery request to URL failed: 500: Failed to fetch URL")


def test_discovery_follows_redirects_to_good_places(house, op):
    first = op.answer
    op.answer = lambda r: first(r) if r.path == "/there" else (302, {"Location": "/there"}, b"")
    assert create_oidc(house, op.url).status_code == 201
    op.answer = lambda r: (302, {"Location": "https://[::1]:1/"}, b"")
    assert "Failed to fetch URL" in create_oidc(house, op.url).json()["msg"]


def test_slow_issuer(serve, op, authority, only_workers):
    server = serve(**LOCAL, POSTERN_HTTP_CA_FILE=str(authority.file), POSTERN_TEST_WORKERS="1")
    op.answer = lambda r: time.sleep(12) or (200, {}, b"{}")
    start = time.monotonic()
    refused(create_oidc(server, op.url), None)
    assert 9 < time.monotonic() - start < 11.5
    assert server.get("/health").status_code == 200


def test_change_asks_the_issuer_again(house, op, sql):
    name = create_oidc(house, op.url).json()["identifier"]
    sql("insert into postern.oidc_cache (issuer, discovery_url, document) values (%s, 'x', '{}')", op.url)
    asked = len(op.seen)
    op.document["scopes_supported"] = ["openid", "groups"]
    assert "groups" not in change(house, name, name="New").text and len(op.seen) == asked
    assert not sql("select 1 from postern.oidc_cache where issuer = %s", op.url)
    got = change(house, name, issuer=op.url, scopes=["groups"])
    assert got.json()["discovery_document"]["scopes_supported"] == ["openid", "groups"] and got.json()["scopes"] == ["openid", "groups"]
    assert len(op.seen) == asked + 1
    assert "issuer mismatch" in refused(change(house, name, issuer=op.url + "/x", discovery_url=op.url), None)["msg"]
    sql("insert into postern.oidc_cache (issuer, discovery_url, document) values (%s, 'x', '{}')", op.url)
    assert house.request("DELETE", "/admin/custom-providers/" + name, SERVICE).status_code == 204
    assert not sql("select 1 from postern.oidc_cache where issuer = %s", op.url)


def test_check_command(database, authority):
    def check(**settings):
        env = {"PATH": os.environ["PATH"], **harness.SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://x", **settings}
        return subprocess.run([harness.BIN, "check"], env=env, capture_output=True, text=True)

    assert check(**LOCAL, POSTERN_HTTP_CA_FILE=str(authority.file)).returncode == 0
    got = check(POSTERN_HTTP_PRIVATE_NETWORKS="10.0.0.0/8,10.0.0.0/33,house")
    assert got.returncode == 1 and '"10.0.0.0/33" is not a network' in got.stdout and '"house" is not a network' in got.stdout
    assert "/nowhere.pem can't be read" in check(POSTERN_HTTP_CA_FILE="/nowhere.pem").stdout
    got = check(POSTERN_HTTP_CONNECT_TO="op.test:443:127.0.0.1:1")
    assert got.returncode == 0 and "warning: POSTERN_HTTP_CONNECT_TO is set" in got.stdout and "op.test:443:127.0.0.1:1" in got.stdout


# --- TLS ---


def unfetched(got):
    assert refused(got, None)["msg"].endswith("failed: 500: Failed to fetch URL"), got.text


def test_certificates(serve, house, op, peer_of, authority):
    assert create_oidc(house, op.url).status_code == 201
    seen = len(op.seen)
    unfetched(create_oidc(house, op.url.replace("127.0.0.1", "localhost")))  # wrong name
    unfetched(create_oidc(serve(**LOCAL), op.url))  # unknown authority
    old = peer_of(authority.context("127.0.0.1", days=-1))
    unfetched(create_oidc(house, old.url))
    plain = peer_of()
    unfetched(create_oidc(house, plain.url.replace("http:", "https:")))
    assert len(op.seen) == seen and not old.seen and not plain.seen


# --- Names that change their address ---


class Names:
    """What the resolver of a server says: nss_wrapper's file of hosts."""

    LIBRARY = "libnss_wrapper.so"

    def __init__(self, folder):
        self.file, self.age = folder / "hosts", 0
        self.settings = {"LD_PRELOAD": self.LIBRARY, "NSS_WRAPPER_HOSTS": str(self.file)}

    def say(self, address, name="rebind.test"):
        self.age += 10
        self.file.write_text(f"{address} {name}\n")
        os.utime(self.file, (time.time(), time.time() + self.age))  # it looks at whole seconds


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    if harness.CGI or harness.SANITIZED:
        pytest.skip("no place for LD_PRELOAD")
    return Names(tmp_path_factory.mktemp("names"))


@pytest.fixture
def inside(peer_of, authority):
    """A server that is nobody's business, with a certificate for the name."""
    return peer_of(authority.context("rebind.test"))


def come_back(server, name):
    """The end of a sign-in: the program has to ask the provider."""
    there = server.get("/authorize", params={"provider": name})
    assert there.status_code == 302, there.text
    state = parse_qs(urlsplit(there.headers["Location"]).query)["state"][0]
    return server.get("/callback", params={"code": "x", "state": state}).headers["Location"]


def test_rebinding(serve, sql, authority, names, inside):
    ca = {"POSTERN_HTTP_CA_FILE": str(authority.file)}
    server = serve(**names.settings, **ca)
    url = f"https://rebind.test:{inside.port}"
    names.say("127.0.0.1")
    refused(create(server, token_url=url + "/t"), "URL cannot resolve to loopback addresses")
    names.say("93.184.216.34")
    row = create(server, authorization_url=url + "/a", token_url=url + "/t", userinfo_url=url + "/u")
    assert row.status_code == 201, row.text
    name, issuer = row.json()["identifier"], identifier()
    sql("insert into auth.custom_oauth_providers (provider_type, identifier, name, client_id, client_secret, issuer) values ('oidc', %s, 'x', 'x', 'x', %s)",
        issuer, url)
    names.say("127.0.0.1")
    assert "Unable+to+exchange+external+code" in come_back(server, name)
    assert server.get("/authorize", params={"provider": issuer}).status_code == 400
    assert inside.connections == 0
    # The same where it is allowed: so it was the address that was refused, not something else.
    assert "Unable+to+exchange+external+code" in come_back(serve(**names.settings, **ca, **LOCAL), name)
    assert inside.connections > 0 and inside.seen[0].path == "/t"


def test_one_of_two_addresses_is_private(serve, authority, names):
    """Each address of a name is looked at."""
    server = serve(**names.settings, POSTERN_HTTP_CA_FILE=str(authority.file))
    names.say("93.184.216.34 rebind.test\n10.0.0.1")
    refused(create(server, token_url="https://rebind.test/t"), "URL cannot resolve to private network addresses")


# --- Signing in with one ---


def test_where_people_come_back_to(serve):
    server = serve(GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL="https://auth.example.com/v1//")
    name = create(server).json()["identifier"]
    there = server.get("/authorize", params={"provider": name, "scopes": " x\ty "}).headers["Location"]
    asked = parse_qs(urlsplit(there).query)
    assert asked["redirect_uri"] == ["https://auth.example.com/v1/callback"] and asked["scope"] == ["x y"]


def test_sealed_secret_is_sent_as_it_was(serve, op, authority):
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    sealing = {"GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT": "true", "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID": "k1",
               "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY": key, "GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS": "k1:" + key}
    server = serve(**LOCAL, POSTERN_HTTP_CA_FILE=str(authority.file), **sealing)
    row = create(server, client_secret="very-hush", authorization_url=op.url + "/a", token_url=op.url + "/t", userinfo_url=op.url + "/u").json()
    come_back(server, row["identifier"])
    assert op.seen[0].headers["Authorization"] == requests.auth._basic_auth_str("me", "very-hush")
    without = serve(**LOCAL, POSTERN_HTTP_CA_FILE=str(authority.file))
    is_error(without.get("/authorize", params={"provider": row["identifier"]}), 400, "validation_failed")


def test_certificates_while_signing_in(serve, house, authority, peer_of):
    for context in (authority.context("127.0.0.1", days=-1), authority.context("other.test")):
        peer = peer_of(context)
        row = create(house, authorization_url=peer.url + "/a", token_url=peer.url + "/t", userinfo_url=peer.url + "/u").json()
        assert "Unable+to+exchange+external+code" in come_back(house, row["identifier"])
        assert not peer.seen
