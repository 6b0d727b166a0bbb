# SPDX-License-Identifier: Apache-2.0
"""Headers that every answer has, and what browsers may send."""

import subprocess

import harness
from harness import BIN, PASSWORD, SERVICE, SETTINGS
from test_odd import cgi


def test_nothing_is_kept(mailing):
    server = mailing(GOTRUE_MAILER_AUTOCONFIRM="true")
    me = server.sign_up()
    answers = [server.sign_in(email=me.email, password=PASSWORD), server.sign_in(email=me.email, password="wrong"), me.get(), me.put(data={"a": 1}),
               server.get("/admin/users", SERVICE), server.get("/admin/audit", SERVICE), server.get("/admin/users/" + me.id, SERVICE),
               server.get("/verify?token=x&type=signup"), server.get("/authorize?provider=x"), server.get("/callback?state=x"), server.get("/nowhere"),
               server.refresh(server.sign_in(email=me.email, password=PASSWORD).json()["refresh_token"]), server.post("/logout", token=me.access),
               server.request("OPTIONS", "/user", headers={"Origin": "http://a", "Access-Control-Request-Method": "GET"}), server.get("/user")]
    for got in answers:
        what = (got.request.method, got.request.url)
        assert got.headers.get("Cache-Control") == "no-store", what
        assert got.headers.get("X-Content-Type-Options") == "nosniff", what
    for path in ("/.well-known/jwks.json", "/.well-known/openid-configuration"):
        got = server.get(path)
        assert got.headers["Cache-Control"] == "public, max-age=600" and got.headers["X-Content-Type-Options"] == "nosniff"


def test_apikey_by_default(database):
    env = {**harness.CLEAN, **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1"}
    assert "GOTRUE_CORS_ALLOWED_HEADERS=apikey\n" in subprocess.run([BIN, "check", "-v"], env=env, capture_output=True, text=True, timeout=60).stdout
    asked = dict(HTTP_ORIGIN="http://a.test",
                 HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
                 HTTP_ACCESS_CONTROL_REQUEST_HEADERS="apikey,authorization,content-type,x-client-info")
    assert cgi(database, "OPTIONS", "/signup", **asked)[1]["Access-Control-Allow-Headers"] == "apikey,authorization,content-type,x-client-info"
    assert "Access-Control-Allow-Headers" not in cgi(database, "OPTIONS", "/signup", GOTRUE_CORS_ALLOWED_HEADERS="none", **asked)[1]
    assert cgi(database, "GET", "/admin/users", HTTP_APIKEY=SERVICE)[0] == 401
