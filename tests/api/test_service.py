# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import PASSWORD, address, is_error


def test_health(server):
    got = server.get("/health")
    assert got.status_code == 200
    assert set(got.json()) == {"version", "name", "description"} and got.json()["name"] == "GoTrue"


def test_ready(server):
    assert server.get("/health/ready").status_code == 200


def test_settings(serve):
    got = serve().get("/settings").json()
    assert got["external"]["email"] is True and got["external"]["anonymous_users"] is True and got["external"]["github"] is False
    assert got["disable_signup"] is False and got["mailer_autoconfirm"] is True and got["saml_enabled"] is False
    assert "x" not in got["external"] and len(got["external"]) == 26
    assert serve(GOTRUE_DISABLE_SIGNUP="true").get("/settings").json()["disable_signup"] is True


def test_unknown_paths(server):
    for path in ("/", "/nothing", "/health/x", "/tokens", "/user%00"):
        assert server.get(path).status_code == 404, path


def test_wrong_methods(server):
    for method, path in (("DELETE", "/token"), ("PUT", "/signup"), ("POST", "/health"), ("PATCH", "/settings"), ("GET", "/token")):
        assert server.request(method, path).status_code == 405, (method, path)


def test_works_below_a_prefix(serve):
    server = serve(POSTERN_TEST_PREFIX="/auth/v1")
    me = server.sign_up()
    assert me.get().json()["id"] == me.id
    assert server.http.get(server.url + "/user").status_code == 404


def test_body_of_a_megabyte(server):
    for size, status in ((1 << 20, 400), ((1 << 20) + 1, 413)):
        body = '{"password":"' + "x" * (size - 15) + '"}'
        assert len(body) == size
        got = server.request("POST", "/token?grant_type=password", data=body)
        assert got.status_code == status, got.text[:200]
    is_error(got, 413, "request_entity_too_large", "Request body too large (max 1048576 bytes)")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}x",
        b"[]",
        b"{'email':1}",
        b'{"email":"\xc0\xaf"}',  # overlong
        b'{"email":"\xed\xa0\x80"}',  # surrogate
        b'{"email":"\xff"}',
        b'{"email":"a\x01"}',
        b'{"email":"a\nb"}',
        b'{"email":NaN}',
        b'{"email":01}',
        b'{"email":"x",}',
        b'{"email":"x" "phone":"y"}',
        b'\xef\xbb\xbf{}',
        b'{"data":' + b"[" * 20000 + b"]" * 20000 + b"}",
        b'{"email":7}',
        b'{"email":{}}',
    ],
)
def test_bodies_that_are_not_json(server, body):
    got = server.request("POST", "/signup", data=body)
    assert got.status_code == 400, got.text[:200]
    assert got.json()["error_code"] in ("bad_json", "validation_failed")


def test_nul_is_refused(server):
    for body in ('{"email":"a\\u0000@example.com","password":"secret 12"}', '{"email":"%s","password":"secret 12","data":{"a":"\\u0000"}}' % address()):
        assert 400 <= server.request("POST", "/signup", data=body).status_code < 500


def test_api_version(server):
    old = server.sign_in(email="a@b.c", password="x").json()
    assert set(old) == {"code", "error_code", "msg"} and old["code"] == 400
    got = server.post("/token?grant_type=password", {"email": "a@b.c", "password": "x"}, headers={"X-Supabase-Api-Version": "2024-01-01"})
    assert got.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
    assert got.headers["X-Supabase-Api-Version"] == "2024-01-01"
    assert got.headers["x-sb-error-code"] == "invalid_credentials"


def test_request_id_in_log(server):
    got = server.get("/settings")
    line = server.log_of(got)
    assert line["request_id"] == got.request.headers["X-Request-Id"] and line["path"] == "/settings" and line["status"] == 200


def test_proxy_header_is_nobodys_business(server):
    assert server.get("/health", headers={"Proxy": "http://127.0.0.1:1"}).status_code == 200


@pytest.mark.parametrize("path", ["/signup", "/token?grant_type=password", "/user", "/health"])
def test_cors_preflight(server, path):
    got = server.request(
        "OPTIONS",
        path,
        headers={"Origin": "http://app.test", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"})
    assert got.status_code == 204 and got.content == b""
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert got.headers["Access-Control-Allow-Credentials"] == "true"
    assert "authorization" in got.headers["Access-Control-Allow-Headers"].lower()


def test_cors(serve):
    got = serve().get("/settings", headers={"Origin": "http://app.test"})
    assert got.headers["Access-Control-Allow-Origin"] == "*" and got.headers["Vary"] == "Origin"
    assert "X-Total-Count" in got.headers["Access-Control-Expose-Headers"]
    refused = serve().request("OPTIONS",
                              "/user",
                              headers={"Origin": "http://a", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-own"})
    assert "Access-Control-Allow-Origin" not in refused.headers
    allowed = serve(GOTRUE_CORS_ALLOWED_HEADERS="X-Own").request(
        "OPTIONS", "/user", headers={"Origin": "http://a", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-own"}
    )
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"


def test_form_for_refresh_is_not_read(server):
    me = server.sign_up(password=PASSWORD)
    got = server.request("POST", "/token?grant_type=refresh_token", data={"refresh_token": me.refresh_token})
    is_error(got, 400, "bad_json")
