# SPDX-License-Identifier: Apache-2.0
"""Signing in through others: every row of src/provider.def against a server that plays the provider, races, and what hostile people send."""

import base64
import hashlib
import json
import time
import urllib.parse as up
import uuid

import jwt
import pytest

from harness import SERVICE, address, claims_of, is_error, many
from post import MAIL
from providers import CLIENT, HOSTS, ISSUERS, PICTURE, PLACES, SECRET, TENANT, settings

PAGE = "http://app.test"


@pytest.fixture(autouse=True)
def fresh(providers):
    providers.reset()
    yield
    assert providers.problems == []


@pytest.fixture(scope="module")
def house(serve, providers):
    """All providers switched on, reached under their own names."""
    def start(**more):
        base = settings(providers.port, providers.authority_file, "http://auth.test/callback")
        return serve(**{**base, "GOTRUE_MAILER_AUTOCONFIRM": "false", "GOTRUE_SECURITY_MANUAL_LINKING_ENABLED": "true",
                        "GOTRUE_INTERNAL_HTTP_TIMEOUT": "3s", **more})

    return start


@pytest.fixture
def server(house):
    return house()


def authorize(server, provider, **query):
    got = server.get("/authorize", params={"provider": provider, **query})
    assert got.status_code == 302, got.text
    return got.headers["Location"]


def where(url):
    parts = up.urlsplit(url)
    return parts.netloc + parts.path, {k: v[0] for k, v in up.parse_qs(parts.query, keep_blank_values=True).items()}


def callback(server, params, method="GET", **kw):
    got = server.get("/callback", params=params, **kw) if method == "GET" else server.request("POST", "/callback", data=params, **kw)
    assert got.status_code in (302, 303), got.text
    return got


def end_of(response):
    """(query, fragment) of where a callback ends."""
    parts = up.urlsplit(response.headers["Location"])
    both = [{k: v[0] for k, v in up.parse_qs(text, keep_blank_values=True).items()} for text in (parts.query, parts.fragment)]
    return both[0], both[1]


def signed_in(response):
    fragment = end_of(response)[1]
    assert "access_token" in fragment, response.headers["Location"]
    return fragment


def walk(server, providers, provider, **query):
    """All the way, to the fragment with the tokens."""
    providers.asked = provider
    back = providers.sign_in(authorize(server, provider, **query))
    return signed_in(callback(server, back, "POST" if provider == "apple" else "GET"))


def refusal(response):
    query, fragment = end_of(response)
    assert "access_token" not in fragment and fragment["sb"] == ""
    return query.get("error_code"), query["error_description"]


def someone(providers, **kw):
    providers.be(str(uuid.uuid4().int)[:12], address(), **kw)
    return providers.email


# --- Every row ---

SCOPES = {
    "apple": "email name", "azure": "openid", "bitbucket": "account email", "discord": "email identify", "facebook": "email",
    "figma": "current_user:read", "fly": "read", "github": "user:email", "gitlab": "read_user", "google": "email profile",
    "kakao": "account_email profile_image profile_nickname", "keycloak": "profile email", "linkedin": "r_emailaddress r_liteprofile",
    "linkedin_oidc": "openid email profile", "notion": None, "slack": "profile email openid", "slack_oidc": "profile email openid",
    "snapchat": "https://auth.snapchat.com/oauth2/api/user.external_id https://auth.snapchat.com/oauth2/api/user.display_name "
                "https://auth.snapchat.com/oauth2/api/user.bitmoji.avatar",
    "spotify": "user-read-email", "twitch": "user:read:email", "vercel_marketplace": None, "workos": None,
    "x": "users.email tweet.read users.read offline.access", "zoom": None,
}
FIXED = ("apple", "bitbucket", "notion", "workos", "zoom")
PAT, BOTH = {"name": "Pat Peer", "full_name": "Pat Peer"}, {"picture": PICTURE, "avatar_url": PICTURE}

# What identity_data gets, besides sub, provider_id, email, email_verified and phone_verified.
DATA = {
    "apple": {"iss": ISSUERS["apple"], "name": "Pat Peer", "full_name": "Pat Peer"},
    "azure": {"iss": ISSUERS["azure"], "full_name": "Pat Peer", "custom_claims": {"email": "@", "email_verified": True}},
    "bitbucket": {"iss": "https://api.bitbucket.org/2.0", **PAT, **BOTH},
    "discord": {"iss": "https://discord.com/api", "name": "pat#1337", "full_name": "pat", "custom_claims": {"global_name": "Pat"},
                "picture": "https://cdn.discordapp.com/avatars/#/a_9f.gif", "avatar_url": "https://cdn.discordapp.com/avatars/#/a_9f.gif"},
    "facebook": {"iss": "https://graph.facebook.com/me?fields=email,first_name,last_name,name,picture", **PAT, **BOTH, "nickname": "Pat P.",
                 "slug": "Pat P."},
    "figma": {"iss": "https://api.figma.com", **PAT, "avatar_url": PICTURE},
    "fly": {"iss": "https://api.fly.io", "full_name": "Pat Peer",
            "custom_claims": {"resource_owner_id": "r1", "organizations": [{"id": "o1", "role": "admin"}], "application": {"uid": "x"},
                              "scope": ["read"], "created_at": 1700000000}},
    "github": {"iss": "https://api.github.com", **PAT, "avatar_url": PICTURE, "preferred_username": "pat", "user_name": "pat"},
    "gitlab": {"iss": "https://gitlab.com", **PAT, **BOTH},
    "google": {"iss": "https://accounts.google.com", **PAT},
    "kakao": {"iss": "https://kapi.kakao.com", **PAT, "preferred_username": "Pat Peer", "user_name": "Pat Peer", "avatar_url": PICTURE},
    "keycloak": {"iss": "https://keycloak.test/realms/house", **PAT, "custom_claims": {"groups": ["a", "b"]}},
    "linkedin": {"iss": "https://api.linkedin.com", **PAT, **BOTH},
    "linkedin_oidc": {"iss": ISSUERS["linkedin_oidc"], "name": "Pat Peer", "given_name": "Pat", "family_name": "Peer", "locale": "en_US",
                      "picture": PICTURE},
    "notion": {"iss": "https://api.notion.com", **PAT, **BOTH},
    "slack": {"iss": "https://slack.com/api", **PAT, **BOTH, "custom_claims": {"https://slack.com/team_id": "T1"}},
    "slack_oidc": {"iss": "https://slack.com/api", **PAT, **BOTH, "custom_claims": {"https://slack.com/team_id": "T1"}},
    "snapchat": {"iss": ISSUERS["snapchat"], **PAT, **BOTH, "slug": "Pat Peer"},
    "twitch": {"iss": "https://api.twitch.tv", "name": "pat", "full_name": "pat", "nickname": "Pat Peer", "slug": "Pat Peer", **BOTH,
               "custom_claims": {"broadcaster_type": "partner", "description": "d", "type": "", "offline_image_url": "", "view_count": 3}},
    "twitter": {"iss": "https://api.twitter.com/1.1/account/verify_credentials.json", **PAT, **BOTH, "preferred_username": "pat",
                "user_name": "pat"},
    "vercel_marketplace": {"iss": ISSUERS["vercel_marketplace"], "name": "Pat Peer", "picture": PICTURE},
    "workos": {"iss": "https://api.workos.com", **PAT, "custom_claims": {"connection_id": "c1", "organization_id": "o1"}},
    "x": {"iss": "https://api.x.com", **PAT, **BOTH, "preferred_username": "pat", "user_name": "pat", "website": "https://pat.test",
          "profile": "https://x.com/pat", "custom_claims": {"created_at": "2020-01-01T00:00:00.000Z"}},
    "zoom": {"iss": "https://api.zoom.us/v2", **PAT, **BOTH},
}


def expected(provider, providers):
    sub = {"bitbucket": "{%s}" % providers.sub, "vercel_marketplace": "global_user_id:g1"}.get(provider, providers.sub)
    data = {"sub": sub, "provider_id": sub, "email": providers.email, "email_verified": True, "phone_verified": False, **DATA[provider]}
    fill = {"picture": data.get("picture", "").replace("#", sub), "avatar_url": data.get("avatar_url", "").replace("#", sub)}
    data |= {k: v for k, v in fill.items() if v}
    if provider == "azure":
        data["custom_claims"] = {**data["custom_claims"], "email": providers.email}
    return data


@pytest.mark.parametrize("provider", sorted(PLACES))
def test_authorize(server, providers, provider):
    if provider == "twitter":
        place, query = where(authorize(server, provider))
        assert place == PLACES[provider][0] and set(query) == {"oauth_token"}
        return
    place, query = where(authorize(server, provider.upper(), scopes="one,two", login_hint="pat", redirect_uri="https://evil.test", STATE="x"))
    own = SCOPES[provider] or ""
    wanted = own if provider in FIXED else f"{own} one two".strip()
    assert place == PLACES[provider][0]
    assert query.get("scope", "") == wanted
    assert query["client_id"] == CLIENT and query["redirect_uri"] == "http://auth.test/callback" and query["response_type"] == "code"
    assert ("login_hint" in query) == (provider != "apple")
    assert (query.get("response_mode") == "form_post") == (provider == "apple")
    assert (query.get("code_challenge_method") == "S256") == (provider == "x")
    assert "STATE" not in query and str(uuid.UUID(query["state"])) == query["state"]


@pytest.mark.parametrize("provider", sorted(set(PLACES) - {"spotify"}))
def test_sign_in(server, providers, sql, provider):
    email = someone(providers)
    providers.asked = provider
    back = providers.sign_in(authorize(server, provider))
    if provider == "apple":
        back["user"] = '{"name":{"firstName":"Pat","lastName":"Peer"},"email":"' + email + '"}'
    if provider == "vercel_marketplace":
        sql("delete from auth.users where id in (select user_id from auth.identities where provider_id = 'global_user_id:g1')")
    got = signed_in(callback(server, back, "POST" if provider == "apple" else "GET"))
    claims = claims_of(got["access_token"])
    assert claims["email"] == email and claims["app_metadata"] == {"provider": provider, "providers": [provider]}
    assert got["provider_token"].startswith(("at-", "tw-"))
    assert got.get("provider_refresh_token") == (None if provider == "twitter" else "rt-1")
    row = sql("select provider, identity_data from auth.identities where user_id = %s", claims["sub"])
    assert row == [{"provider": provider, "identity_data": expected(provider, providers)}]
    assert sql("select count(*) as n from auth.flow_state where id = %s", back["state"])[0]["n"] == 0


def test_spotify_asks_for_confirmation(server, providers, sql):
    email = someone(providers)
    got = callback(server, providers.sign_in(authorize(server, "spotify")))
    assert refusal(got) == ("provider_email_needs_verification",
                            "Unverified email with spotify. A confirmation email has been sent to your spotify email")
    row = sql("select identity_data from auth.identities where email = %s", email)[0]["identity_data"]
    assert row["picture"] == PICTURE and row["email_verified"] is False


def test_who_comes_again_unconfirmed_is_written_to_by_the_new_name(house, providers, post):
    server = house(**MAIL, GOTRUE_SMTP_PORT=str(post.port), GOTRUE_SMTP_MAX_FREQUENCY="1ns", GOTRUE_MAILER_SUBJECTS_CONFIRMATION="{{ .Data.full_name }}")
    email = someone(providers, verified=False)
    for name in ("Ann Old", "Ann New"):
        providers.user["gitlab"]["/api/v4/user"]["name"] = name
        assert refusal(callback(server, providers.sign_in(authorize(server, "gitlab"))))[0] == "provider_email_needs_verification"
        assert post.take(email).message["subject"] == name


def test_google_without_identity_token(server, providers, sql):
    email = someone(providers)
    providers.with_id_token = False
    walk(server, providers, "google")
    row = sql("select identity_data from auth.identities where email = %s", email)[0]["identity_data"]
    assert row["iss"] == "https://www.googleapis.com/userinfo/v2/me" and row["email_verified"] is True


@pytest.mark.parametrize("provider", ["apple", "linkedin_oidc", "azure", "vercel_marketplace"])
def test_no_identity_token(server, providers, provider):
    someone(providers)
    providers.with_id_token, providers.asked = False, provider
    words = "Error getting user email from external provider" if provider in ("apple", "linkedin_oidc") else \
        "Error getting user profile from external provider"
    back = providers.sign_in(authorize(server, provider))
    assert refusal(callback(server, back, "POST" if provider == "apple" else "GET")) == ("unexpected_failure", words)


def test_discord_default_picture(server, providers, sql):
    email = someone(providers)
    providers.user["discord"]["/api/users/@me"] |= {"avatar": None, "discriminator": "1338"}
    walk(server, providers, "discord")
    row = sql("select identity_data from auth.identities where email = %s", email)[0]["identity_data"]
    assert row["picture"] == "https://cdn.discordapp.com/embed/avatars/3.png"


@pytest.mark.parametrize("login,verified,counts", [("100", 0, False), ("100", 1, True), ("1", 0, True)])
def test_zoom_verified(server, providers, login, verified, counts):
    someone(providers)
    providers.user["zoom"]["/v2/users/me"] |= {"login_type": login, "verified": verified}
    got = callback(server, providers.sign_in(authorize(server, "zoom")))
    assert ("access_token" in end_of(got)[1]) == counts


@pytest.mark.parametrize("path,value", [("id", "4711"), ("id", 1.5), ("name", 5), ("login", ["pat"])])
def test_user_data_of_a_wrong_type(server, providers, path, value):
    someone(providers)
    providers.user["github"]["/user"][path] = value
    got = callback(server, providers.sign_in(authorize(server, "github")))
    assert refusal(got)[1] == "Error getting user profile from external provider"


# --- Flows ---

def test_pkce(server, providers, sql):
    email = someone(providers)
    verifier = "v" * 50
    back = providers.sign_in(authorize(server, "gitlab", code_challenge=challenge_of(verifier), code_challenge_method="s256"))
    query, fragment = end_of(callback(server, back))
    assert fragment == {}
    got = server.post("/token?grant_type=pkce", {"auth_code": query["code"], "code_verifier": verifier}).json()
    assert got["user"]["email"] == email and got["provider_token"].startswith("at-") and got["provider_refresh_token"] == "rt-1"


def test_errors_do_not_use_a_state_up(server, providers):
    someone(providers)
    back = providers.sign_in(authorize(server, "gitlab"))
    denied = callback(server, {"state": back["state"], "error": "access_denied", "error_description": "no: 1%"})
    query, fragment = end_of(denied)
    assert query == {"error": "access_denied", "error_description": "no: 1%"}
    assert fragment == {"error": "access_denied", "error_description": "no%3A 1%25", "sb": ""}
    assert refusal(callback(server, {"state": back["state"], "code": "nonsense"})) == ("unexpected_failure", "Unable to exchange external code: nons")
    providers.problems.clear()
    signed_in(callback(server, back))
    got = callback(server, back)
    assert got.status_code == 303 and end_of(got)[0]["error_code"] == "bad_oauth_state"


def test_target_of_errors(house, providers):
    server = house(GOTRUE_EXTERNAL_REDIRECTURL="https://fixed.test/end?x=1")
    back = providers.sign_in(authorize(server, "gitlab", redirect_to=PAGE + "/there"))
    got = callback(server, {"state": back["state"]})
    assert got.headers["Location"].startswith("https://fixed.test/end?error=invalid_request&error_code=bad_oauth_callback")
    assert end_of(got)[0]["x"] == "1"


def bare_refusal(response):
    """One without an error_code."""
    query, fragment = end_of(response)
    assert fragment.pop("sb") == "" and set(query) == set(fragment) == {"error", "error_description"}, response.headers["Location"]
    return query["error"], query["error_description"]


@pytest.mark.parametrize("state, error", [("P0001", "server_error"), ("PT403", "access_denied"), ("PT418", "server_error")])
def test_what_a_trigger_says_of_a_known_user(server, providers, sql, state, error):
    """Of somebody new the words are ours, as in the reference."""
    email = someone(providers)
    signed_in(callback(server, providers.sign_in(authorize(server, "gitlab"))))
    back = providers.sign_in(authorize(server, "gitlab"))
    name = f"say_{state.lower()}"
    sql(f"create function public.{name}() returns trigger language plpgsql as $$begin raise 'not %', new.email using errcode = '{state}'; end$$")
    try:
        sql(f"create trigger {name} before update on auth.users for each row when (new.email = '{email}') execute function public.{name}()")
        assert bare_refusal(callback(server, back)) == (error, f"not {email}")
        newcomer = someone(providers)
        sql(f"create trigger {name}_new before insert on auth.users for each row when (new.email = '{newcomer}') execute function public.{name}()")
        refused = callback(server, providers.sign_in(authorize(server, "gitlab")))
        assert refusal(refused) == ("unexpected_failure", "Database error saving new user") and end_of(refused)[0]["error"] == "server_error"
    finally:
        sql(f"drop function public.{name}() cascade")
    assert "access_token" in end_of(callback(server, back))[1]


def test_a_session_that_is_refused(house, providers, sql):
    """By the token hook, or by the database: the status is among the words. A sign-in that ends in a code has no session yet."""
    sql("create or replace function public.no_token(event jsonb) returns jsonb language sql as "
        "$$select '{\"error\": {\"http_code\": 403, \"message\": \"no\"}}'::jsonb$$")
    server = house(GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED="true", GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_URI="pg-functions://postgres/public/no_token")
    someone(providers)
    back = providers.sign_in(authorize(server, "gitlab"))
    assert bare_refusal(callback(server, back)) == ("server_error", "403: no")
    sql("create or replace function public.no_token(event jsonb) returns jsonb language sql as $$select '5'::jsonb$$")
    assert bare_refusal(callback(server, back)) == ("server_error", "500: Error unmarshaling JSON output.")
    sql("create or replace function public.no_token(event jsonb) returns jsonb language sql as $$select event$$")
    signed_in(callback(server, back))


def test_a_profile_that_names_nobody(server, providers, sql):
    email = address()
    providers.break_ = {"keycloak.test/.*userinfo": (200, {}, json.dumps({"email": email, "email_verified": True}).encode())}
    back = providers.sign_in(authorize(server, "keycloak"))
    assert bare_refusal(callback(server, back)) == ("server_error", "error missing provider id")
    assert sql("select id from auth.users where email = %s", email) == []


def test_client_state_is_gone_after_the_first_use(server, providers, sql):
    someone(providers)
    back = providers.sign_in(authorize(server, "x"))
    state = sql("select oauth_client_state_id as id from auth.flow_state where id = %s", back["state"])[0]["id"]
    assert sql("select provider_type, length(code_verifier) >= 43 as long from auth.oauth_client_states where id = %s", state) == [
        {"provider_type": "x", "long": True}]
    assert refusal(callback(server, {**back, "code": "wrong"}))[0] == "unexpected_failure"
    providers.problems.clear()
    assert sql("select id from auth.oauth_client_states where id = %s", state) == []
    assert refusal(callback(server, back)) == ("oauth_client_state_not_found", "OAuth state not found")


@pytest.mark.parametrize("how,words", [("sql", "OAuth state expired")])
def test_client_state_expires(server, providers, sql, how, words):
    back = providers.sign_in(authorize(server, "x"))
    sql(
        "update auth.oauth_client_states set created_at = created_at - interval '301 seconds' where id = (select oauth_client_state_id from auth.flow_state "
        "where id = %s)",
        back["state"])
    assert refusal(callback(server, back)) == ("oauth_client_state_expired", words)


# --- RFC 9207 and identity tokens of others ---

@pytest.mark.parametrize("provider,iss,good", [
    ("keycloak", "https://keycloak.test/realms/house", True), ("keycloak", "https://evil.test", False), ("google", "https://accounts.google.com", True),
    ("google", "accounts.google.com", True), ("google", "https://accounts.google.com/", False), ("apple", "https://account.apple.com", True),
    ("apple", "https://evil.test", False), ("github", "https://anything.test", True),
])
def test_issuer_of_the_callback(server, providers, provider, iss, good):
    someone(providers)
    method = "POST" if provider == "apple" else "GET"
    back = providers.sign_in(authorize(server, provider))
    asked = len(providers.log)
    got = callback(server, {**back, "iss": iss}, method)
    if good:
        signed_in(got)
        return
    assert refusal(got) == ("bad_oauth_callback", "OAuth callback with an issuer that is not the provider's")
    assert providers.log[asked:] == []
    signed_in(callback(server, back, method))


@pytest.mark.parametrize("iss", [
    "https://login.microsoftonline.com/evil.test/../x/v2.0", "https://login.microsoftonline.com@evil.test/t/v2.0", "https://evil.test/t/v2.0",
    "https://login.microsoftonline.com/a/b/v2.0", "https://evil.test/.ciamlogin.com/t/v2.0", "https://x.ciamlogin.com.evil.test/t/v2.0",
    "https://sts.windows.net/t/x/", "http://sts.windows.net/t/", "https://login.microsoftonline.com/t/v2.0?x", "", None,
])
def test_azure_issuers(server, providers, iss):
    someone(providers)
    providers.id_claims = {"iss": iss}
    back = providers.sign_in(authorize(server, "azure"))
    asked = len(providers.log)
    assert refusal(callback(server, back))[1] == "Error getting user profile from external provider"
    assert [where for _, where in providers.log[asked:]] == ["login.microsoftonline.com/common/oauth2/v2.0/token"] * 2


@pytest.mark.parametrize("iss", ["https://login.microsoftonline.com/house.example/v2.0", f"https://sts.windows.net/{TENANT}/",
                                 "https://house.ciamlogin.com/house-1/v2.0"])
def test_azure_issuers_that_are_good(server, providers, iss):
    email = someone(providers)
    providers.id_claims = {"iss": iss}
    assert claims_of(walk(server, providers, "azure")["access_token"])["email"] == email


def test_azure_of_one_tenant(house, providers):
    server = house(GOTRUE_EXTERNAL_AZURE_URL=f"https://login.microsoftonline.com/{TENANT}/")
    someone(providers)
    PLACES["azure"], old = tuple(p.replace("common", TENANT) for p in PLACES["azure"]), PLACES["azure"]
    try:
        walk(server, providers, "azure")
        providers.id_claims = {"iss": "https://login.microsoftonline.com/another/v2.0"}
        assert refusal(callback(server, providers.sign_in(authorize(server, "azure"))))[1] == "Error getting user profile from external provider"
    finally:
        PLACES["azure"] = old


BAD_TOKENS = {
    "issuer": {"iss": "https://evil.test"}, "audience": {"aud": "another"}, "expired": {"exp": 1}, "not yet": {"nbf": int(time.time()) + 1000},
    "at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "subject": {"sub": 5},
}


@pytest.mark.parametrize("what", sorted(BAD_TOKENS))
def test_bad_identity_tokens(server, providers, what):
    someone(providers)
    providers.id_claims = BAD_TOKENS[what]
    back = providers.sign_in(authorize(server, "google"))
    assert refusal(callback(server, back))[1] == "Error getting user profile from external provider"


def raw_token(providers, header, **claims):
    """With a header of one's own; signed by a secret that everybody knows."""
    now = int(time.time())
    return jwt.encode({"iss": ISSUERS["google"], "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 60, "email": "a@example.com", **claims},
                      "k" * 32, algorithm="HS256", headers=header)


@pytest.mark.parametrize("how", ["none", "HS256", "other key", "other kid", "garbage", "four parts"])
def test_forged_identity_tokens(server, providers, how):
    providers.key_set()
    good = providers.id_token("google")
    if how == "none":
        header, body, _ = good.split(".")
        good = jwt.encode({}, None, algorithm="none").split(".")[0] + "." + body + "."
    elif how == "HS256":
        good = raw_token(providers, {"kid": providers.kid})
    elif how in ("other key", "other kid"):
        key, kid = providers.key, providers.kid
        providers.rotate()
        if how == "other key":
            providers.kid = kid
        good = providers.id_token("google")
        providers.key, providers.kid = key, kid
    elif how == "garbage":
        good = good[:-10] + "AAAAAAAAAA"
    else:
        good += ".x"
    got = server.post("/token?grant_type=id_token", {"provider": "google", "id_token": good})
    assert (got.status_code, got.json()) == (400, {"error": "invalid request", "error_description": "Bad ID token"})


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
@pytest.mark.parametrize("provider", ["apple", "google", "azure", "facebook", "keycloak", "kakao", "vercel_marketplace", "snapchat"])
def test_id_token_grant(server, providers, sql, provider, alg):
    email = someone(providers)
    providers.alg = alg
    sql("delete from auth.users where id in (select user_id from auth.identities where provider_id = 'global_user_id:g1')")
    sql("update postern.oidc_cache set keys_at = keys_at - interval '1 minute'")
    got = server.post("/token?grant_type=id_token", {"provider": provider, "id_token": providers.id_token(provider)})
    assert got.status_code == 200, got.text
    assert got.json()["user"]["email"] == email and got.json()["user"]["app_metadata"]["provider"] == provider


def test_keys_are_fetched_anew_but_not_for_every_token(server, providers, sql):
    someone(providers)
    walk(server, providers, "google")
    sql("update postern.oidc_cache set keys_at = now()")
    providers.rotate()
    providers.log.clear()
    someone(providers)
    bad = [server.post("/token?grant_type=id_token", {"provider": "google", "id_token": providers.id_token("google")}) for _ in range(5)]
    assert {b.status_code for b in bad} == {400} and ("GET", "accounts.google.com/keys") not in providers.log
    sql("update postern.oidc_cache set keys_at = keys_at - interval '1 minute'")
    assert server.post("/token?grant_type=id_token", {"provider": "google", "id_token": providers.id_token("google")}).status_code == 200
    assert providers.log.count(("GET", "accounts.google.com/keys")) == 1


def test_old_documents_serve_while_an_issuer_is_away(server, providers, sql):
    someone(providers)
    sql("update postern.oidc_cache set keys_at = keys_at - interval '1 minute'")
    walk(server, providers, "google")
    sql("update postern.oidc_cache set document_at = document_at - interval '2 hours', keys_at = keys_at - interval '2 hours'")
    providers.break_ = {"openid-configuration|/keys": (500, {}, b"away")}
    someone(providers)
    walk(server, providers, "google")


def test_one_worker_fetches(house, providers, sql):
    server = house(POSTERN_TEST_WORKERS="8")
    sql("delete from postern.oidc_cache")
    providers.break_ = {"openid-configuration": lambda request: (time.sleep(0.3), "go on")[1]}
    got = many(8, lambda i: server.get("/authorize", params={"provider": "google"}).status_code)
    assert got == [302] * 8
    assert providers.log.count(("GET", "accounts.google.com/.well-known/openid-configuration")) == 1


# --- Rows of the administrators ---

@pytest.fixture
def private(house):
    return house(POSTERN_HTTP_PRIVATE_NETWORKS="127.0.0.0/8")


def custom(server, **body):
    name = "custom:" + uuid.uuid4().hex[:10]
    body = {"identifier": name, "name": "House", "client_id": CLIENT, "client_secret": SECRET, **body}
    got = server.post("/admin/custom-providers", body, SERVICE)
    assert got.status_code == 201, got.text
    return name


def oauth2_row(server, **more):
    return custom(server, **{"provider_type": "oauth2", "authorization_url": "https://issuer.test/auth", "token_url": "https://issuer.test/token",
                             "userinfo_url": "https://issuer.test/userinfo", "scopes": ["a", "b"], **more})


def oidc_row(server, **more):
    return custom(server, **{"provider_type": "oidc", "issuer": "https://issuer.test", "scopes": ["email"], **more})


@pytest.fixture
def op(providers):
    """The provider of such rows: issuer.test; .claims is what it says of somebody, .token the identity token it gives (or None)."""
    class Op:
        claims, token, forms = {}, None, []

    def token_answer(request):
        form = {k: v[0] for k, v in up.parse_qs(request.body.decode()).items()}
        Op.forms.append(form)
        code = providers.codes.get(form.get("code"))
        if code is None or code["challenge"] not in (None, challenge_of(form.get("code_verifier", ""))):
            return providers.json({"error": "invalid_grant"}, 400)
        answer = {"access_token": "at-op", "token_type": "bearer"}
        return providers.json({**answer, "id_token": Op.token} if Op.token else answer)

    providers.break_ = {"^issuer.test/token$": token_answer, "^issuer.test/userinfo$": lambda request: providers.json(Op.claims)}
    return Op


def challenge_of(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def data_of(sql, provider):
    return sql("select identity_data from auth.identities where provider = %s", provider)[0]["identity_data"]


def test_custom_oauth2(private, providers, op, sql):
    email = address()
    op.claims = {"sub": "u1", "email": email.upper(), "email_verified": True, "display": "Pat", "nickname": "pp", "groups": ["x"], "secret": "no"}
    name = oauth2_row(private, attribute_mapping={"name": "nickname", "gender": "absent", "custom_claims": {"fixed": 1}, "locale": "nickname"},
                      custom_claims_allowlist=["groups", "missing"], authorization_params={"prompt": "login", "aud": "api"})
    place, query = where(url := authorize(private, name.upper(), prompt="none", scopes="c  d"))
    assert place == "issuer.test/auth" and query["prompt"] == "login" and query["aud"] == "api" and query["scope"] == "c d"
    assert query["redirect_uri"] == private.url + "/callback" and query["code_challenge_method"] == "S256"
    claims = claims_of(signed_in(callback(private, providers.sign_in(url)))["access_token"])
    assert claims["email"] == email and claims["app_metadata"]["provider"] == name
    data = data_of(sql, name)
    assert data == {"sub": "u1", "email": email, "email_verified": True, "phone_verified": False, "name": "pp", "nickname": "pp", "locale": "pp",
                    "custom_claims": {"fixed": 1}}


def test_custom_allowed_claims(private, providers, op, sql):
    op.claims = {"sub": "u2", "email": address(), "email_verified": True, "groups": ["x"], "n": 12345678901234567890, "secret": "no"}
    name = oauth2_row(private, custom_claims_allowlist=["groups", "n", "missing"], pkce_enabled=False)
    url = authorize(private, name)
    assert "code_challenge" not in where(url)[1]
    signed_in(callback(private, providers.sign_in(url)))
    assert data_of(sql, name)["custom_claims"] == {"groups": ["x"], "n": 12345678901234567890}


@pytest.mark.parametrize("said", [{"sub": 5}, {"sub": "u", "email": ["a"]}, {"sub": "u", "email_verified": "true"}, [], None, {}])
def test_custom_user_data_of_a_wrong_type(private, providers, op, said):
    op.claims = said
    got = callback(private, providers.sign_in(authorize(private, oauth2_row(private, email_optional=True))))
    assert refusal(got)[1] in ("Error getting user profile from external provider", "error missing provider id")


def test_custom_oidc(private, providers, op, sql):
    email = someone(providers)
    op.token = providers.id_token("custom", aud="other-app", department="ops")
    name = oidc_row(private, acceptable_client_ids=["other-app"], custom_claims_allowlist=["department"])
    place, query = where(url := authorize(private, name))
    assert place == "issuer.test/auth" and query["scope"] == "openid email"
    signed_in(callback(private, providers.sign_in(url)))
    data = data_of(sql, name)
    assert data["email"] == email and data["custom_claims"] == {"department": "ops"} and data["aud"] == ["other-app"]
    grant = private.post("/token?grant_type=id_token", {"provider": name, "id_token": op.token})
    assert grant.status_code == 200, grant.text


def test_custom_oidc_without_identity_token(private, providers, op, sql):
    op.claims = {"sub": "u3", "email": address(), "email_verified": True, "updated_at": 1700000000}
    name = oidc_row(private)
    signed_in(callback(private, providers.sign_in(authorize(private, name))))
    assert data_of(sql, name)["updated_at"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "https://evil.test"}, {"exp": 5}])
def test_custom_oidc_bad_token(private, providers, op, claims):
    someone(providers)
    op.token = providers.id_token("custom", **claims)
    got = callback(private, providers.sign_in(authorize(private, oidc_row(private))))
    assert refusal(got)[1] == "Error getting user profile from external provider"


def test_custom_oidc_that_names_itself(private, providers, op):
    """RFC 9207: who promises iss must send it."""
    someone(providers)
    providers.discovery = {"authorization_response_iss_parameter_supported": True}
    op.token = providers.id_token("custom")
    providers.break_["named/.well-known"] = lambda r: providers.json({**providers.document("issuer.test", "/.well-known/openid-configuration")})
    name = oidc_row(private, discovery_url="https://issuer.test/named/.well-known/openid-configuration")
    back = providers.sign_in(authorize(private, name))
    for iss in ({}, {"iss": ""}, {"iss": "https://evil.test"}, {"iss": "https://issuer.test/"}):
        assert refusal(callback(private, {**back, **iss}))[0] == "bad_oauth_callback"
    assert op.forms[-1:] == [] or op.forms[-1].get("code") != back["code"]
    signed_in(callback(private, {**back, "iss": "https://issuer.test"}))


@pytest.mark.parametrize("field,value", [("jwks_uri", "http://issuer.test/keys"), ("jwks_uri", "https://10.0.0.1/keys"),
                                         ("token_endpoint", "http://issuer.test/token"), ("token_endpoint", "https://10.0.0.1/token"),
                                         ("jwks_uri", "file:///etc/passwd")])
def test_custom_oidc_that_leads_elsewhere(private, providers, op, sql, field, value):
    """What a stranger's document names is a stranger's too; the document turns bad behind our back."""
    someone(providers)
    name = oidc_row(private)
    providers.discovery = {field: value}
    sql("delete from postern.oidc_cache")
    op.token = providers.id_token("custom")
    back = providers.sign_in(authorize(private, name))
    sql("update postern.oidc_cache set keys = null")
    assert refusal(callback(private, back))[0] == "unexpected_failure"


def test_custom_issuer_that_changes_its_name(private, providers, op, sql):
    name = oidc_row(private)
    providers.discovery = {"issuer": "https://evil.test"}
    sql("delete from postern.oidc_cache")
    got = private.get("/authorize", params={"provider": name})
    assert (got.status_code, got.json()["error_code"]) == (400, "validation_failed")
    assert "evil" not in got.text


def test_custom_provider_is_not_reached_without_leave(private, house, providers, op):
    """The row was made while private networks were allowed."""
    name = oauth2_row(private)
    got = callback(house(), providers.sign_in(authorize(house(), name)))
    assert refusal(got)[0] == "unexpected_failure" and op.forms == []


# --- Linking by hand ---

def test_anonymous_user_gets_the_address(server, providers):
    email = someone(providers)
    anonymous = server.sign_up(email=None, password=None)
    url = server.get("/user/identities/authorize", anonymous.access, params={"provider": "github", "skip_http_redirect": "true"}).json()["url"]
    claims = claims_of(signed_in(callback(server, providers.sign_in(url)))["access_token"])
    assert (claims["sub"], claims["email"], claims["is_anonymous"]) == (anonymous.id, email, False)


def test_audit_of_identities_names_the_client(house, providers, sql):
    """Whatever the setting says of the other rows."""
    server = house(POSTERN_AUDIT_ADDRESS="false", GOTRUE_MAILER_AUTOCONFIRM="true")
    someone(providers)
    me = server.sign_up()
    url = server.get("/user/identities/authorize", me.access, params={"provider": "github", "skip_http_redirect": "true"}).json()["url"]
    signed_in(callback(server, providers.sign_in(url)))
    added = sql("select id from auth.identities where user_id = %s and provider = 'github'", me.id)[0]["id"]
    assert server.request("DELETE", f"/user/identities/{added}", me.access).status_code == 200
    rows = sql("select payload->>'action' as action, ip_address from auth.audit_log_entries where payload->>'actor_id' = %s", me.id)
    assert {x["action"]: x["ip_address"] for x in rows} == {"user_signedup": "", "login": "", "identity_linked": "127.0.0.1", "identity_unlinked": "127.0.0.1"}


def test_unverified_identity_is_kept(server, providers, sql):
    email = someone(providers, verified=False)
    anonymous = server.sign_up(email=None, password=None)
    url = server.get("/user/identities/authorize", anonymous.access, params={"provider": "github", "skip_http_redirect": "true"}).json()["url"]
    got = callback(server, providers.sign_in(url))
    assert refusal(got) == ("email_not_confirmed", "Unverified email with github. A confirmation email has been sent to your github email")
    row = sql("select u.email, u.is_anonymous, u.email_confirmed_at, i.provider from auth.users u join auth.identities i on i.user_id = u.id where u.id = %s",
              anonymous.id)
    assert row == [{"email": email, "is_anonymous": True, "email_confirmed_at": None, "provider": "github"}]


# --- Races ---

def test_one_state_gives_one_session(house, providers, sql):
    server = house(POSTERN_TEST_WORKERS="16")
    email = someone(providers)
    back = providers.sign_in(authorize(server, "gitlab"))
    got = many(64, lambda i: callback(server, back))
    ends = [end_of(g) for g in got]
    assert sum("access_token" in f for _, f in ends) == 1
    assert {q["error_code"] for q, f in ends if "access_token" not in f} == {"bad_oauth_state"}
    assert sql("select count(*) as n from auth.sessions s join auth.users u on u.id = s.user_id where u.email = %s", email)[0]["n"] == 1


def test_one_pkce_state_gives_one_code(house, providers, sql):
    server = house(POSTERN_TEST_WORKERS="16")
    someone(providers)
    back = providers.sign_in(authorize(server, "gitlab", code_challenge="c" * 43, code_challenge_method="plain"))
    ends = [end_of(g)[0] for g in many(64, lambda i: callback(server, back))]
    assert sum("code" in q for q in ends) == 1
    assert {q["error_code"] for q in ends if "code" not in q} == {"flow_state_already_used"}


@pytest.mark.parametrize("pair", [("gitlab", "gitlab"), ("gitlab", "github")])
def test_many_states_of_one_person_give_one_user(house, providers, sql, pair):
    server = house(POSTERN_TEST_WORKERS="16")
    email = someone(providers)
    backs = [providers.sign_in(authorize(server, pair[i % 2])) for i in range(64)]
    subs = {claims_of(signed_in(g)["access_token"])["sub"] for g in many(64, lambda i: callback(server, backs[i]))}
    assert len(subs) == 1
    assert sql("select count(*) as n from auth.users where email = %s", email)[0]["n"] == 1
    assert sql("select count(*) as n from auth.sessions where user_id = %s", subs.pop())[0]["n"] == 64


def test_the_last_identity_stays(house, providers, sql):
    server = house(POSTERN_TEST_WORKERS="16")
    email = someone(providers)
    got = [walk(server, providers, provider) for provider in ("gitlab", "github", "figma", "notion", "slack", "bitbucket")]
    user = claims_of(got[0]["access_token"])["sub"]
    ids = [row["id"] for row in sql("select id from auth.identities where user_id = %s", user)]
    assert len(ids) == 6
    ends = many(60, lambda i: server.request("DELETE", f"/user/identities/{ids[i % 6]}", got[0]["access_token"]))
    assert sorted({e.status_code for e in ends}) == [200, 422]
    assert sql("select count(*) as n from auth.identities where user_id = %s", user)[0]["n"] == 1
    assert sum(e.status_code == 200 for e in ends) == 5
    assert sql("select email from auth.users where id = %s", user) == [{"email": email}]


# --- Hostile providers ---

@pytest.mark.parametrize("where,how", [
    ("gitlab.com/oauth/token", (200, {"Content-Type": "application/json"}, b'{"access_token":"' + b"x" * 2_000_000 + b'"}')),
    ("gitlab.com/oauth/token", (200, {"Content-Type": "application/json"}, b"[]")),
    ("gitlab.com/oauth/token", (200, {"Content-Type": "application/json"}, b'{"access_token":""}')),
    ("gitlab.com/oauth/token", (302, {"Location": "https://evil.test/"}, b"")),
    ("gitlab.com/oauth/token", None),
    ("gitlab.com/api/v4/user$", (200, {"Content-Type": "application/json"}, b"[" * 100000)),
    ("gitlab.com/api/v4/user$", (200, {}, b'{"id":1' + b" " * 2_000_000 + b"}")),
    ("gitlab.com/api/v4/user$", (302, {"Location": "https://evil.test/"}, b"")),
    ("gitlab.com/api/v4/user/emails", (500, {}, b"")),
    ("gitlab.com/api/v4/user/emails", (200, {}, b'{"email":"a@b"}')),
    ("gitlab.com/api/v4/user$", (200, {}, b"null")),
])
def test_hostile_answers(server, providers, sql, where, how):
    email = someone(providers)
    providers.break_ = {where: how}
    back = providers.sign_in(authorize(server, "gitlab"))
    code, words = refusal(callback(server, back))
    assert code == "unexpected_failure"
    assert words in (f"Unable to exchange external code: {back['code'][:4]}", "Error getting user profile from external provider")
    assert sql("select id from auth.users where email = %s", email) == []
    providers.break_ = {}
    signed_in(callback(server, back))


@pytest.mark.parametrize("where", ["gitlab.com/oauth/token", "gitlab.com/api/v4/user$"])
def test_slow_provider(server, providers, where):
    someone(providers)
    providers.break_ = {where: lambda request: (time.sleep(8), (200, {}, b"{}"))[1]}
    back = providers.sign_in(authorize(server, "gitlab"))
    begun = time.monotonic()
    refusal(callback(server, back))
    assert time.monotonic() - begun < 4.5
    assert server.get("/health").status_code == 200


def test_swapped_states(server, providers):
    """A code of one provider with the state of another."""
    someone(providers)
    github, gitlab = providers.sign_in(authorize(server, "github")), providers.sign_in(authorize(server, "gitlab"))
    providers.codes[github["code"]]["redirect_uri"] = "https://github.only/"
    assert refusal(callback(server, {"state": gitlab["state"], "code": github["code"]}))[0] == "unexpected_failure"
    providers.problems.clear()


@pytest.mark.parametrize("state", ["", "x", "00000000-0000-4000-8000-000000000000", "a" * 5000, "'; drop table auth.users; --"])
def test_states_that_are_none(server, state):
    got = callback(server, {"state": state, "code": "x"})
    assert got.status_code == 303 and got.headers["Location"].startswith(PAGE + "?error=invalid_request")
    assert "#" not in got.headers["Location"]


def test_wrong_name(house, providers):
    """Whoever answers for a provider must have its name."""
    server = house(POSTERN_HTTP_CONNECT_TO=f"::127.0.0.1:{providers.port}", GOTRUE_EXTERNAL_GITLAB_URL="https://not.gitlab.test")
    url = authorize(server, "gitlab")
    assert where(url)[0] == "not.gitlab.test/oauth/authorize"
    assert refusal(callback(server, providers.sign_in(url)))[1].startswith("Unable to exchange external code")


def test_authorize_errors_are_json(server):
    is_error(server.get("/authorize", params={"provider": "nobody"}), 400, "validation_failed", "Unsupported provider: Provider nobody could not be found")


def test_cost(server, providers):
    """Round trips to the database: authorize one; a callback four."""
    someone(providers)
    assert server.cost(lambda: server.get("/authorize", params={"provider": "gitlab"}))[0] <= 1
    assert server.cost(lambda: callback(server, providers.sign_in(authorize(server, "gitlab"))))[0] <= 4


def test_hosts_are_all_known():
    assert set(HOSTS) == set(PLACES) and SECRET


# --- Two addresses that Unicode makes one are two ---

KELVIN, DOTTED = "\u212a", "\u0130"  # their small letters are k and i


@pytest.fixture
def alike(server, sql):
    """alike("k"): a confirmed user whose address begins with that, and the rest of the address."""
    def make(letter):
        rest = address()[1:]
        got = server.post("/admin/users", {"email": letter + rest, "email_confirm": True}, token=SERVICE)
        assert got.status_code == 200, got.text
        return got.json()["id"], rest

    return make


@pytest.mark.parametrize("letter,other", [("k", KELVIN), ("i", DOTTED)])
def test_an_address_in_unicode_joins_nobody(server, providers, sql, alike, letter, other):
    victim, rest = alike(letter)
    someone(providers)
    providers.be(providers.sub, other + rest)
    claims = claims_of(walk(server, providers, "gitlab")["access_token"])
    assert claims["sub"] != victim and claims["email"] == other + rest
    assert sql("select count(*) as n from auth.identities where user_id = %s and provider = 'gitlab'", victim)[0]["n"] == 0
    assert claims_of(walk(server, providers, "gitlab")["access_token"])["sub"] == claims["sub"]  # and is theirs the next time
    assert server.get("/admin/users", params={"email": letter + rest}, token=SERVICE).json()["users"][0]["id"] == victim
    # From the other side: who has the plain address is not joined to the one who came with the other.
    someone(providers)
    providers.be(providers.sub, letter.upper() + rest)
    assert claims_of(walk(server, providers, "github")["access_token"])["sub"] == victim


@pytest.mark.parametrize("letter,other", [("k", KELVIN), ("i", DOTTED)])
def test_an_address_in_unicode_takes_nobody_elses(server, providers, sql, letter, other):
    rest = address()[1:]
    someone(providers)
    providers.be(providers.sub, other + rest)
    first = claims_of(walk(server, providers, "gitlab")["access_token"])["sub"]
    got = server.post("/signup", {"email": letter + rest, "password": "correct horse"})
    assert got.status_code == 200 and got.json()["id"] != first and got.json()["email"] == letter + rest
    providers.be(providers.sub + "1", letter + rest)
    assert claims_of(walk(server, providers, "github")["access_token"])["sub"] not in (first, None)
    rows = sql("select provider from auth.identities where user_id = %s", first)
    assert rows == [{"provider": "gitlab"}]


def test_a_second_provider_with_an_address_in_unicode(server, providers, sql):
    email = "j\u00f6rg" + address()
    someone(providers)
    providers.be(providers.sub, email)
    first = claims_of(walk(server, providers, "gitlab")["access_token"])
    assert first["email"] == email
    someone(providers)
    providers.be(providers.sub, email)
    got = callback(server, providers.sign_in(authorize(server, "github")))
    assert refusal(got) == ("provider_email_needs_verification",
                            "Unverified email with github. Verify the email with github in order to sign in")
    assert sql("select provider from auth.identities where user_id = %s", first["sub"]) == [{"provider": "gitlab"}]
    rows = sql("select u.email, u.email_confirmed_at from auth.users u join auth.identities i on i.user_id = u.id where i.provider_id = %s", providers.sub)
    assert rows == [{"email": None, "email_confirmed_at": None}]


def test_names_in_unicode(house, server, providers):
    got = server.get("/authorize", params={"provider": KELVIN + "eycloak"})
    assert got.status_code == 400 and got.json()["msg"] == f"Unsupported provider: Provider {KELVIN}eycloak could not be found"
    who = address()
    listed = house(GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES=f"{KELVIN}{who},x{who}")
    is_error(listed.post("/otp", {"email": "k" + who}), 400, "email_address_not_authorized")
    assert listed.post("/otp", {"email": "X" + who}).status_code == 200
    is_error(server.post("/signup", {"email": KELVIN + who, "password": "correct horse"}), 400, "validation_failed")
    is_error(server.post("/signup", {"email": who, "pa\u017f\u017fword": "correct horse"}), 400, "validation_failed")


# --- How much a provider may say ---

@pytest.mark.parametrize("claim", ["sub", "email"])
def test_a_profile_that_no_column_takes(private, providers, op, sql, claim):
    long = "".join(uuid.uuid4().hex for _ in range(100))  # what no index can press together
    op.claims = {"sub": uuid.uuid4().hex, "email": address(), "email_verified": True, claim: long + "@example.com"}
    got = callback(private, providers.sign_in(authorize(private, oauth2_row(private))))
    assert refusal(got) == ("validation_failed", "The profile from the external provider is too large")


@pytest.mark.parametrize("claim,fits", [({"k": "x" * 2000}, True), ({"k": "x" * 65_536}, False), ([1e308] * 500, False), ("1e400", False), ("1e-16383", True)])
def test_a_profile_has_limits(private, providers, op, sql, claim, fits):
    claims = {"sub": uuid.uuid4().hex, "email": address(), "email_verified": True, "groups": claim}
    text = __import__("json").dumps(claims)
    if isinstance(claim, str):
        text = text.replace(f'"{claim}"', claim)
    providers.break_["^issuer.test/userinfo$"] = lambda request: (200, {"Content-Type": "application/json"}, text.encode())
    name = oauth2_row(private, custom_claims_allowlist=["groups"])
    got = callback(private, providers.sign_in(authorize(private, name)))
    if not fits:
        assert refusal(got) == ("validation_failed", "The profile from the external provider is too large")
        assert sql("select count(*) as n from auth.users where email = %s", claims["email"])[0]["n"] == 0
        return
    signed_in(got)
    assert data_of(sql, name)["custom_claims"] == {"groups": 0 if claim == "1e-16383" else claim}
