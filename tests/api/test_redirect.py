# SPDX-License-Identifier: Apache-2.0
"""Where browsers may be sent: GOTRUE_SITE_URL, GOTRUE_URI_ALLOW_LIST, and those who would rather have them elsewhere."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from harness import PASSWORD, SERVICE, address
from post import Landing

SITE = "https://site.test:8443/base"
ALLOW = " , ".join((
    "https://*.ok.test/**", "http://star.test/*/end", "myapp://callback", "com.app.x://**", "https://q.test/a?b=*",
    "https://[a-c]x.test/", "https://one?.test/*", "https://*-team.vercel.app/**", "http://localhost:*/**", "my_app://auth", "exp://**",
    "http://192.168.1.20:3000/cb", "http://192.168.0.1/**")) + " ,"


@pytest.fixture
def server(mailing):
    return mailing(GOTRUE_SITE_URL=SITE, GOTRUE_URI_ALLOW_LIST=ALLOW, GOTRUE_MAILER_EXTERNAL_HOSTS="ext.test,localhost",
                   GOTRUE_EXTERNAL_GITHUB_ENABLED="true", GOTRUE_EXTERNAL_GITHUB_CLIENT_ID="x", GOTRUE_EXTERNAL_GITHUB_SECRET="x",
                   GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI="https://api.test/callback")


ALLOWED = [
    "https://site.test:8443", "https://site.test:8443/", "https://site.test:8443/any?where=1",
    "https://a.ok.test/", "https://a.ok.test/x/y?z=1", "http://star.test/x/end", "myapp://callback", "com.app.x://what/ever", "https://q.test/a?b=c",
    "https://bx.test/", "https://one1.test/x", "http://127.0.0.1:3000/x", "http://[::1]:3000/", "http://127.0.0.1/",
    "https://a-team.vercel.app/", "http://localhost:3000/x?y=1", "my_app://auth", "exp://192.168.1.5:8081/--/auth", "http://192.168.1.20:3000/cb",
]
REFUSED = [
    "https://evil.test/", "//evil.test/", "//site.test:8443/", "/path", "https:/a.ok.test/", "https:a.ok.test", "javascript:alert(1)", "data:text/html,x",
    "http://site.test:8443/", "https://site.test/", "https://site.test:8443.evil.test/", "https://site.test:8443@evil.test/", "https://evil.test\\.ok.test/",
    "https://evil.test/.ok.test/", "https://evil.test#.ok.test/", "https://evil.test?.ok.test/", "https://a.b.ok.test/", "https://ok.test/",
    "https://a.ok.test.evil.test/", "http://a.ok.test/", "https://a.ok.test:444@evil.test/", "https://a_b.ok.test/", "https://-a.ok.test/",
    "https://a%00.ok.test/", "https://a.ok.test\t/", "https://a.ok.test\r\nX: y/", "https://a.ok.test/%zz", "https://a.ok.test:port/", "https://evil。test/",
    "http://star.test/x/y/end", "http://star.test/x/end/", "myapp://callback/", "myapp://other", "https://q.test/a?b=c.d", "https://dx.test/",
    "https://one12.test/x", "http://10.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://[::ffff:1.2.3.4]/", "http://[fe80::1%25lo]/",
    "http://0177.0.0.1/", "", " ",
    "https://user:pw@site.test:8443/x", "https://@a.ok.test/", "https://a.ok.test/x\\y", "https://evil?.ok.test/", "https://0x01020304?-team.vercel.app/",
    "https://1.2.3.4#-team.vercel.app/", "https://a.ok.test/x/../y", "javascript://127.0.0.1/", "evilapp://127.0.0.1/", "ftp://127.0.0.1/",
    "http://localhost/x", "http://localhost:/x", "my_app://other", "http://192.168.1.20:3000/cb/", "http://192.168.0.1/x", "http://192.168.0.1/**",
]


def lands(server, to, **kw):
    got = server.get(f"/verify?type=signup&token=x&redirect_to={quote(to, safe='')}", **kw)
    landing = Landing(got)
    assert landing.fragment["error_code"] == "otp_expired"
    return got.headers["Location"].split("#")[0]


@pytest.mark.parametrize("to", ALLOWED)
def test_allowed(server, to):
    assert lands(server, to) == to
    assert lands(server, to + "#fragment") in (to, to + "#fragment")


@pytest.mark.parametrize("to", REFUSED)
def test_refused(server, to):
    assert lands(server, to) == SITE


def test_the_next_best(server):
    """redirect_to in the header, in the query, the Referer, the site: the first that is allowed."""
    good, other, third, evil = "https://a.ok.test/1", "https://a.ok.test/2", "https://a.ok.test/3", "https://evil.test/"
    assert lands(server, other, headers={"redirect_to": good, "Referer": third}) == good
    assert lands(server, other, headers={"Referer": third}) == other
    assert lands(server, evil, headers={"Referer": third}) == third
    assert lands(server, evil, headers={"Referer": evil}) == SITE
    assert lands(server, good, headers={"redirect_to": evil, "Referer": third}) == third
    assert lands(server, evil, headers={"redirect_to": good}) == good


@pytest.mark.parametrize("evil", ["https://0x01020304?-team.vercel.app/", "javascript://127.0.0.1/", "https://u:p@a.ok.test/"])
def test_wherever_a_client_says_where(server, sql, evil):
    """/verify with its redirect_to is above; a Referer, an admin's link, a letter's, a provider's way back."""
    assert lands(server, "", headers={"Referer": evil}) == SITE
    made = server.post("/admin/generate_link", {"type": "signup", "email": address(), "password": PASSWORD, "redirect_to": evil}, token=SERVICE)
    assert made.json()["redirect_to"] == SITE and f"redirect_to={SITE}" in made.json()["action_link"]
    got = server.get(f"/authorize?provider=github&redirect_to={quote(evil, safe='')}")
    state = parse_qs(urlsplit(got.headers["Location"]).query)["state"][0]
    assert sql("select referrer from auth.flow_state where id = %s", state)[0]["referrer"] == SITE


def test_the_log_says_what_was_refused(server):
    """Once a request, and nothing that could be a secret."""
    def refused(to, **kw):
        got = server.get(f"/verify?type=signup&token=x&redirect_to={quote(to, safe='')}", **kw)
        number = server.log_of(got)["request_id"]
        return [x["redirect_to"] for x in server.log() if x.get("request_id") == number and "redirect_to" in x]

    assert refused("https://evil.test/cb?code=secret#token=secret") == ["https://evil.test/cb"]
    assert refused("https://user:secret@evil.test/@x?y") == ["https://evil.test/@x"]
    assert refused("evil\r\n\"x") == ["evil\r\n\"x"]
    assert len(refused("https://evil.test/" + "x" * 2000)[0]) == 200
    assert refused("https://a.ok.test/") == refused("") == []
    assert refused("", headers={"Referer": "https://elsewhere.test/"}) == []
    letter = server.post(f"/otp?redirect_to={quote('https://evil.test/?x', safe='')}", {"email": address()})
    number = server.log_of(letter)["request_id"]
    assert [x["redirect_to"] for x in server.log() if x.get("request_id") == number and "redirect_to" in x] == ["https://evil.test/"]


def test_the_scheme_in_capitals(server):
    assert lands(server, "HTTPS://site.test:8443/x") == "https://site.test:8443/x"


def test_what_the_url_has_stays(server):
    to = "https://a.ok.test/x?z=1&y=%20&y=2"
    assert lands(server, to) == to
    # With a flow, the error is in the query too, which is sorted then; what was there by the same name is replaced.
    got = server.get(f"/verify?type=signup&token=pkce_x&redirect_to={quote('https://a.ok.test/x?z=1&error=mine#old', safe='')}")
    assert got.headers["Location"] == (
        "https://a.ok.test/x?error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired&z=1"
        "#error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired&sb=")


def test_nothing_gets_into_the_header(server):
    for to in ("https://a.ok.test/\r\nSet-Cookie: a=b", "https://a.ok.test/%0d%0aSet-Cookie:%20a=b", "https://a.ok.test/\u00e4\n"):
        got = server.get(f"/verify?type=signup&token=x&redirect_to={quote(to, safe='')}")
        assert got.status_code == 303 and "Set-Cookie" not in got.headers and "\n" not in got.headers["Location"]
    got = server.get(f"/verify?type=signup&token=x&redirect_to={quote('https://a.ok.test/ä?ö', safe='')}")
    assert got.headers["Location"].startswith("https://a.ok.test/%C3%A4?%c3%b6#")


def test_in_the_letter(server, post):
    for to, wanted in (("https://a.ok.test/x?y=1&z=%20", "https://a.ok.test/x?y=1&z=%20"), ("https://evil.test/", SITE), ("myapp://callback",
                                                                                                                          "myapp://callback")):
        email = address()
        assert server.post(f"/otp?redirect_to={quote(to, safe='')}", {"email": email}).status_code == 200
        letter = post.take(email)
        assert letter.to == wanted
        assert server.get(letter.path).headers["Location"].startswith(wanted + "#access_token=")


def test_the_slash_of_path_settings(mailing, post):
    """Links are resolved against the server's own URL as a browser does."""
    for api, path, wanted in (
            ("https://api.test/auth/v1", "/verify", "https://api.test/verify?token="),
            ("https://api.test/auth/v1", "/auth/v1/verify", "https://api.test/auth/v1/verify?token="),
            ("https://api.test/auth/v1/", "verify", "https://api.test/auth/v1/verify?token="),
            ("https://api.test", "https://front.test/confirm", "https://front.test/confirm?token=")):
        server = mailing(API_EXTERNAL_URL=api, GOTRUE_MAILER_URLPATHS_CONFIRMATION=path)
        email = address()
        server.post("/otp", {"email": email})
        assert post.take(email).link.startswith(wanted)


# GOTRUE_MAILER_EXTERNAL_HOSTS.


def link_base(server, **headers):
    got = server.post("/admin/generate_link", {"type": "signup", "email": address(), "password": "good enough 1"}, token=SERVICE,
                      headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert got.status_code == 200, got.text
    return got.json()["action_link"].split("/verify")[0]


@pytest.mark.parametrize("headers, wanted", [
    ({"X_Forwarded_Host": "ext.test"}, "https://ext.test"),
    ({"X_Forwarded_Host": "ext.test", "X_Forwarded_Proto": "http"}, "https://ext.test"),
    ({"X_Forwarded_Host": "localhost", "X_Forwarded_Proto": "http"}, "http://localhost"),
    ({"X_Forwarded_Host": "localhost"}, "https://localhost"),
    ({"X_Forwarded_Host": "localhost:3000"}, None),
    ({"X_Forwarded_Host": "EXT.test"}, None),
    ({"X_Forwarded_Host": "ext.test:443"}, None),
    ({"X_Forwarded_Host": "ext.test, evil.test"}, None),
    ({"X_Forwarded_Host": "evil.test"}, None),
    ({"X_Forwarded_Host": "ext.test."}, None),
    ({"X_Forwarded_Host": ""}, None),
    ({"Host": "ext.test"}, None),
    ({"Forwarded": "host=ext.test"}, None),
])
def test_external_hosts(server, headers, wanted):
    assert link_base(server, **headers) == (wanted or server.url)
