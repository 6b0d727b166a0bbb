# SPDX-License-Identifier: Apache-2.0
"""The sign-in providers of src/provider.def, as their documents describe them: one TLS server that answers to all their names."""

import base64
import hashlib
import hmac
import json
import re
import ssl
import time
import urllib.parse as up
import uuid

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from peer import Peer

CLIENT, SECRET = "client-1", "s3cret/+&="
REALM = "https://keycloak.test/realms/house"
TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
PICTURE = "https://pictures.test/p.png"


# What a provider knows of a person, as its own documents write it.
def person(sub="4711", email="pat@example.com", verified=True):
    return {
        "bitbucket": {
            "/2.0/user": {"uuid": "{%s}" % sub, "display_name": "Pat Peer", "avatar": {"href": PICTURE}},
            "/2.0/user/emails": {"values": [{"email": email, "is_primary": True, "is_confirmed": verified}]}
        },
        "discord": {
            "/api/users/@me": {
                "id": sub, "username": "pat", "discriminator": "1337", "avatar": "a_9f", "email": email, "verified": verified, "global_name": "Pat"
            }
        },
        "facebook": {"/me": {"id": sub, "email": email, "first_name": "Pat", "last_name": "Peer", "name": "Pat P.", "picture": {"data": {"url": PICTURE}}}},
        "figma": {"/v1/me": {"id": sub, "email": email, "handle": "Pat Peer", "img_url": PICTURE}},
        "fly": {
            "/oauth/token/info": {
                "resource_owner_id": "r1", "user_id": sub, "user_name": "Pat Peer", "email": email, "organizations": [{"id": "o1", "role": "admin"}],
                "scope": ["read"], "application": {"uid": "x"}, "expires_in": 7200, "created_at": 1700000000
            }
        },
        "github": {
            "/user": {"id": int(sub), "login": "pat", "name": "Pat Peer", "avatar_url": PICTURE, "email": None},
            "/user/emails": [{"email": "old@example.com", "primary": False, "verified": False}, {"email": email, "primary": True, "verified": verified}]
        },
        "gitlab": {
            "/api/v4/user": {
                "id": int(sub), "name": "Pat Peer", "avatar_url": PICTURE, "email": email, "confirmed_at": "2020-01-01T00:00:00Z" if verified else ""
            }, "/api/v4/user/emails": [{"id": 1, "email": "second@example.com"}]
        },
        "google": {"/userinfo/v2/me": {"id": sub, "name": "Pat Peer", "picture": PICTURE, "email": email, "verified_email": verified}},
        "kakao": {
            "/v2/user/me": {
                "id": int(sub), "kakao_account": {
                    "email": email, "is_email_valid": True, "is_email_verified": verified, "profile": {"nickname": "Pat Peer", "profile_image_url": PICTURE}
                }
            }
        },
        "keycloak": {
            "/realms/house/protocol/openid-connect/userinfo": {
                "sub": sub, "name": "Pat Peer", "email": email, "email_verified": verified, "groups": ["a", "b"]
            }
        },
        "linkedin": {
            "/v2/me": {
                "id": sub, "firstName": {"localized": {"en_US": "Pat"}, "preferredLocale": {"country": "US", "language": "en"}},
                "lastName": {"localized": {"en_US": "Peer"}, "preferredLocale": {"country": "US", "language": "en"}},
                "profilePicture": {"displayImage~": {"elements": [{"identifiers": [{"identifier": PICTURE}]}]}}
            }, "/v2/emailAddress": {"elements": [{"handle": "urn", "handle~": {"emailAddress": email}}]}
        },
        "notion": {"/v1/users/me": {"bot": {"owner": {"user": {"id": sub, "name": "Pat Peer", "avatar_url": PICTURE, "person": {"email": email}}}}}},
        "slack": {
            "/api/openid.connect.userInfo": {
                "https://slack.com/user_id": sub, "https://slack.com/team_id": "T1", "name": "Pat Peer", "picture": PICTURE, "email": email,
                "email_verified": verified
            }
        },
        "snapchat": {"/v1/me": {"data": {"me": {"externalId": sub, "displayName": "Pat Peer", "bitmoji": {"avatar": PICTURE, "id": "b"}, "email": email}}}},
        "spotify": {
            "/v1/me": {
                "id": sub, "display_name": "Pat Peer", "email": email, "images": [{"url": "https://pictures.test/small.png", "height": 64, "width": 64},
                                                                                  {"url": PICTURE, "height": 300, "width": 300}]
            }
        },
        "twitch": {
            "/helix/users": {
                "data": [{
                    "id": sub, "login": "pat", "display_name": "Pat Peer", "type": "", "broadcaster_type": "partner", "description": "d",
                    "profile_image_url": PICTURE, "offline_image_url": "", "view_count": 3, "email": email, "created_at": "2020-01-01T00:00:00Z"
                }]
            }
        },
        "twitter": {
            "/1.1/account/verify_credentials.json": {
                "id_str": sub, "name": "Pat Peer", "screen_name": "pat", "email": email, "profile_image_url_https": PICTURE
            }
        },
        "x": {
            "/2/users/me": {
                "data": {
                    "id": sub, "name": "Pat Peer", "username": "pat", "confirmed_email": email, "url": "https://pat.test", "profile_image_url": PICTURE,
                    "created_at": "2020-01-01T00:00:00.000Z"
                }
            }
        },
        "zoom": {
            "/v2/users/me": {
                "id": sub, "first_name": "Pat", "last_name": "Peer", "email": email, "verified": 1 if verified else 0, "login_type": "100", "pic_url": PICTURE
            }
        },
    }


# Host of the API with the user data, by provider, where it is not the one of person()'s name.
HOSTS = {
    "apple": ("appleid.apple.com",), "azure": ("login.microsoftonline.com",), "bitbucket": ("bitbucket.org", "api.bitbucket.org"),
    "discord": ("discord.com",), "facebook": ("www.facebook.com", "graph.facebook.com"), "figma": ("www.figma.com", "api.figma.com"),
    "fly": ("api.fly.io",), "github": ("github.com", "api.github.com"), "gitlab": ("gitlab.com",),
    "google": ("accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"), "kakao": ("kauth.kakao.com", "kapi.kakao.com"),
    "keycloak": ("keycloak.test",), "linkedin": ("api.linkedin.com",), "linkedin_oidc": ("api.linkedin.com", "www.linkedin.com"),
    "notion": ("api.notion.com",), "slack": ("slack.com",), "slack_oidc": ("slack.com",),
    "snapchat": ("accounts.snapchat.com", "kit.snapchat.com"), "spotify": ("accounts.spotify.com", "api.spotify.com"),
    "twitch": ("id.twitch.tv", "api.twitch.tv"), "twitter": ("api.twitter.com",),
    "vercel_marketplace": ("api.vercel.com", "marketplace.vercel.com"), "workos": ("api.workos.com",), "x": ("x.com", "api.x.com"),
    "zoom": ("zoom.us", "api.zoom.us"),
}
MORE_HOSTS = ("sts.windows.net", "house.ciamlogin.com", "account.apple.com", "issuer.test", "evil.test")

# Where people sign in and where codes are changed; the secret in the header or the body.
PLACES = {
    "apple": ("appleid.apple.com/auth/authorize", "appleid.apple.com/auth/token", "body"),
    "azure": ("login.microsoftonline.com/common/oauth2/v2.0/authorize", "login.microsoftonline.com/common/oauth2/v2.0/token", "body"),
    "bitbucket": ("bitbucket.org/site/oauth2/authorize", "bitbucket.org/site/oauth2/access_token", "header"),
    "discord": ("discord.com/api/oauth2/authorize", "discord.com/api/oauth2/token", "either"),
    "facebook": ("www.facebook.com/dialog/oauth", "graph.facebook.com/oauth/access_token", "body"),
    "figma": ("www.figma.com/oauth", "api.figma.com/v1/oauth/token", "header"),
    "fly": ("api.fly.io/oauth/authorize", "api.fly.io/oauth/token", "body"),
    "github": ("github.com/login/oauth/authorize", "github.com/login/oauth/access_token", "body"),
    "gitlab": ("gitlab.com/oauth/authorize", "gitlab.com/oauth/token", "either"),
    "google": ("accounts.google.com/o/oauth2/v2/auth", "oauth2.googleapis.com/token", "either"),
    "kakao": ("kauth.kakao.com/oauth/authorize", "kauth.kakao.com/oauth/token", "only body"),
    "keycloak": ("keycloak.test/realms/house/protocol/openid-connect/auth", "keycloak.test/realms/house/protocol/openid-connect/token", "either"),
    "linkedin": ("api.linkedin.com/oauth/v2/authorization", "api.linkedin.com/oauth/v2/accessToken", "body"),
    "linkedin_oidc": ("api.linkedin.com/oauth/v2/authorization", "api.linkedin.com/oauth/v2/accessToken", "body"),
    "notion": ("api.notion.com/v1/oauth/authorize", "api.notion.com/v1/oauth/token", "header"),
    "slack": ("slack.com/oauth/authorize", "slack.com/api/oauth.access", "either"),
    "slack_oidc": ("slack.com/openid/connect/authorize", "slack.com/api/openid.connect.token", "either"),
    "snapchat": ("accounts.snapchat.com/accounts/oauth2/auth", "accounts.snapchat.com/accounts/oauth2/token", "header"),
    "spotify": ("accounts.spotify.com/authorize", "accounts.spotify.com/api/token", "header"),
    "twitch": ("id.twitch.tv/oauth2/authorize", "id.twitch.tv/oauth2/token", "body"),
    "twitter": ("api.twitter.com/oauth/authenticate", "api.twitter.com/oauth/access_token", "signature"),
    "vercel_marketplace": ("api.vercel.com/oauth/v2/authorization", "api.vercel.com/oauth/v2/accessToken", "body"),
    "workos": ("api.workos.com/sso/authorize", "api.workos.com/sso/token", "body"),
    "x": ("x.com/i/oauth2/authorize", "api.x.com/2/oauth2/token", "header"),
    "zoom": ("zoom.us/oauth/authorize", "zoom.us/oauth/token", "header"),
}

ISSUERS = {
    "apple": "https://appleid.apple.com", "google": "https://accounts.google.com", "linkedin_oidc": "https://www.linkedin.com/oauth",
    "vercel_marketplace": "https://marketplace.vercel.com", "azure": f"https://login.microsoftonline.com/{TENANT}/v2.0",
    "kakao": "https://kauth.kakao.com", "facebook": "https://www.facebook.com", "keycloak": REALM,
    "snapchat": "https://accounts.snapchat.com/accounts/oauth2/token",
}


def settings(port, authority_file, callback):
    """All of them switched on, reached at this port under their own names."""
    found = {"POSTERN_HTTP_CA_FILE": str(authority_file), "GOTRUE_EXTERNAL_KEYCLOAK_URL": REALM}
    hosts = sorted({h for hosts in HOSTS.values() for h in hosts} | set(MORE_HOSTS))
    found["POSTERN_HTTP_CONNECT_TO"] = ",".join(f"{h}:443:127.0.0.1:{port}" for h in hosts)
    for name in PLACES:
        prefix = f"GOTRUE_EXTERNAL_{name.upper()}_"
        found |= {prefix + "ENABLED": "true", prefix + "CLIENT_ID": CLIENT, prefix + "SECRET": SECRET, prefix + "REDIRECT_URI": callback}
    return found


def percent(text):
    return up.quote(text, safe="~")


class Providers:
    """The server.  .user is who signs in, .id_claims what identity tokens say besides; .break_ what goes wrong where, by path."""

    def __init__(self, authority):
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = sorted({h for hosts in HOSTS.values() for h in hosts} | set(MORE_HOSTS))
        cert = authority.sign(x509.Name([]), key.public_key(), 1, x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]))
        file = authority.folder / "providers.pem"
        file.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self.authority_file = authority.file
        self.peer = Peer(context)
        self.peer.answer = self.answer
        self.port = self.peer.port
        self.rotate()
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.reset()

    def rotate(self):
        """Another key to sign identity tokens with, under another name."""
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), uuid.uuid4().hex

    def reset(self):
        self.alg = "ES256"
        self.user, self.id_claims, self.break_, self.codes, self.tokens = person(), {}, {}, {}, {}
        self.with_id_token, self.problems, self.log = True, [], []
        self.sub, self.email, self.verified = "4711", "pat@example.com", True
        self.discovery, self.asked = {}, None  # asked: which of two that have one place (LinkedIn's)

    def be(self, sub, email, verified=True):
        self.sub, self.email, self.verified, self.user = sub, email, verified, person(sub, email, verified)

    # What a browser does there: people sign in, and come back with a code.

    def sign_in(self, url, code=None):
        """The callback's parameters for a URL of /authorize."""
        parts = up.urlsplit(url)
        query = {k: v[0] for k, v in up.parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.netloc + parts.path == PLACES["twitter"][0]:
            request = self.tokens[query["oauth_token"]]
            state = up.parse_qs(up.urlsplit(request["callback"]).query)["state"][0]
            return {"state": state, "oauth_token": query["oauth_token"], "oauth_verifier": request["verifier"]}
        code = code or uuid.uuid4().hex
        self.codes[code] = {"redirect_uri": query["redirect_uri"], "challenge": query.get("code_challenge"), "user": self.user,
                            "sub": self.sub, "email": self.email, "verified": self.verified}
        return {"state": query["state"], "code": code}

    # Identity tokens.

    def id_token(self, provider, access=None, **claims):
        now = int(time.time())
        texts = {"linkedin_oidc": {"email_verified": "true" if self.verified else "false", "given_name": "Pat", "family_name": "Peer",
                                   "picture": PICTURE, "locale": "en_US"},
                 "vercel_marketplace": {"user_email": self.email, "user_name": "Pat Peer", "user_avatar_url": PICTURE, "global_user_id": "g1"},
                 "kakao": {"nickname": "Pat Peer"}}
        full = {"iss": ISSUERS.get(provider, "https://issuer.test"), "sub": self.sub, "aud": CLIENT, "iat": now, "exp": now + 600, "name": "Pat Peer",
                "email": self.email, "email_verified": self.verified, **texts.get(provider, {}), **self.id_claims, **claims}
        if access is not None and "at_hash" not in full:
            digest = hashlib.sha256(access.encode()).digest()
            full["at_hash"] = base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
        key = self.key if self.alg == "ES256" else self.rsa if self.alg.startswith(("RS", "PS")) else claims.get("key", "k" * 32)
        return jwt.encode({k: v for k, v in full.items() if v is not None}, key, algorithm=self.alg, headers={"kid": self.kid})

    def key_set(self):
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        other = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.rsa.public_key()))
        return {"keys": [{"kty": "OKP", "crv": "X448", "kid": "odd", "x": "AA"}, {**other, "kid": self.kid, "use": "sig"},
                         {**public, "kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def document(self, host, path):
        root = f"https://{host}" + path.removesuffix("/.well-known/openid-configuration")
        issuer = root + "/" if host == "sts.windows.net" else root
        places = {"appleid.apple.com": ("https://appleid.apple.com/auth/authorize", "https://appleid.apple.com/auth/token"),
                  "accounts.google.com": ("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token")}
        authorize, token = places.get(host, (root + "/auth", root + "/token"))
        return {"issuer": issuer, "authorization_endpoint": authorize, "token_endpoint": token, "userinfo_endpoint": root + "/userinfo",
                "jwks_uri": f"https://{host}/keys", "id_token_signing_alg_values_supported": ["ES256", "RS256", "none", "HS256"], **self.discovery}

    # The server's side.

    def answer(self, request):
        host, url = request.headers["Host"].split(":")[0], up.urlsplit(request.path)
        query = {k: v[0] for k, v in up.parse_qs(url.query).items()}
        self.log.append((request.command, host + url.path))
        for pattern, how in self.break_.items():
            if re.search(pattern, host + url.path):
                got = how(request) if callable(how) else how
                if got != "go on":
                    return got
        if url.path.endswith("/.well-known/openid-configuration"):
            return self.json(self.document(host, url.path))
        if url.path == "/keys":
            return self.json(self.key_set())
        at = [name for name, (_, token, how) in PLACES.items() if host + url.path == token and how != "signature"]
        if at:
            name = self.asked if self.asked in at else at[0]
            return self.exchange(name, PLACES[name][2], request)
        if host == "api.twitter.com":
            return self.oauth1(request, url, query)
        return self.user_data(host, url.path, request, query)

    def json(self, value, status=200):
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    def wrong(self, what, status=400):
        self.problems.append(what)
        return self.json({"error": "invalid_request", "error_description": what}, status)

    def client_of(self, request, form):
        got = request.headers.get("Authorization", "")
        if got.startswith("Basic "):
            user, _, password = base64.b64decode(got[6:]).decode().partition(":")
            return "header", up.unquote_plus(user), up.unquote_plus(password)
        return "body", form.get("client_id"), form.get("client_secret")

    def exchange(self, name, how, request):
        form = {k: v[0] for k, v in up.parse_qs(request.body.decode(), keep_blank_values=True).items()}
        style, client, secret = self.client_of(request, form)
        if how == "only body" and style != "body":
            return self.wrong(f"{name}: the secret was in the header")
        if how in ("header", "body") and style != how:
            return self.json({"error": "invalid_client"}, 401)
        if (client, secret) != (CLIENT, SECRET):
            return self.wrong(f"{name}: client {client} {secret}", 401)
        code = self.codes.get(form.get("code"))
        if form.get("grant_type") != "authorization_code" or code is None or form.get("redirect_uri") != code["redirect_uri"]:
            return self.wrong(f"{name}: {form}")
        if code["challenge"] is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code["challenge"]:
                return self.wrong(f"{name}: verifier")
        if name == "x" and code["challenge"] is None:
            return self.wrong("x: no challenge")
        if name == "apple" and (form.get("secret"), form.get("client_id")) != (SECRET, CLIENT):
            return self.wrong("apple: secret and client_id are not in the body")
        return self.token_answer(name, code)

    def token_answer(self, name, code):
        access = "at-" + uuid.uuid4().hex
        self.tokens[access] = code
        got = {"access_token": access, "token_type": "bearer", "refresh_token": "rt-1", "expires_in": 3600, "scope": "a b"}
        if name == "twitch":
            got["scope"] = ["user:read:email"]
        if name == "workos":
            got["profile"] = {"id": code["sub"], "connection_id": "c1", "organization_id": "o1", "email": code["email"], "first_name": "Pat",
                              "last_name": "Peer"}
        if self.with_id_token and name in ("apple", "azure", "google", "linkedin_oidc", "vercel_marketplace"):
            self.sub, self.email, self.verified = code["sub"], code["email"], code["verified"]
            got["id_token"] = self.id_token(name, access)
        if name == "github":  # its answer is a form, unless asked otherwise; the question is not answered here
            return 200, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, up.urlencode(got).encode()
        return self.json(got)

    def user_data(self, host, path, request, query):
        got = request.headers.get("Authorization", "")
        code = self.tokens.get(got.removeprefix("Bearer "))
        if not got.startswith("Bearer ") or code is None:
            return self.wrong(f"{host}{path}: token {got}", 401)
        if host == "graph.facebook.com":
            proof = hmac.new(SECRET.encode(), got.removeprefix("Bearer ").encode(), hashlib.sha256).hexdigest()
            if query.get("appsecret_proof") != proof or query.get("fields") != "email,first_name,last_name,name,picture":
                return self.wrong(f"facebook: {query}")
        if host == "api.notion.com" and request.headers.get("Notion-Version") != "2021-08-16":
            return self.wrong("notion: version")
        if host == "api.twitch.tv" and request.headers.get("Client-Id") != CLIENT:
            return self.wrong("twitch: Client-Id")
        if host == "kit.snapchat.com" and query.get("query") != "{me { externalId displayName bitmoji { avatar id } email } }":
            return self.wrong(f"snapchat: {query}")
        for name, answers in code["user"].items():
            if host in HOSTS[name] and path in answers:
                return self.json(answers[path])
        return self.wrong(f"{host}{path} is nothing", 404)

    # OAuth 1.0a, RFC 5849.

    def signed(self, request, url, query, token_secret):
        got = request.headers.get("Authorization", "")
        oauth = {k: up.unquote(v) for k, v in re.findall(r'(oauth_\w+)="([^"]*)"', got)}
        signature = oauth.pop("oauth_signature", "")
        pairs = sorted((percent(k), percent(v)) for k, v in [*oauth.items(), *query.items()])
        base = "&".join(percent(p) for p in (request.command, f"https://api.twitter.com{url.path}", "&".join(f"{k}={v}" for k, v in pairs)))
        key = f"{percent(SECRET)}&{percent(token_secret)}".encode()
        wanted = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        fresh = abs(time.time() - int(oauth.get("oauth_timestamp", 0))) < 60
        if not got.startswith("OAuth ") or signature != wanted or oauth.get("oauth_consumer_key") != CLIENT or not fresh:
            return None
        return oauth

    def oauth1(self, request, url, query):
        access = re.search(r'oauth_token="([^"]*)"', request.headers.get("Authorization", ""))
        held = self.tokens.get(access[1]) if access else None
        secret = held["secret"] if held and url.path.startswith("/1.1/") else ""
        oauth = self.signed(request, url, query, secret)
        if oauth is None:
            return self.wrong(f"twitter: signature of {url.path}", 401)
        token = uuid.uuid4().hex
        if url.path == "/oauth/request_token":
            self.tokens[token] = {"callback": oauth["oauth_callback"], "verifier": "v-" + token, "secret": "rs", "user": self.user}
            return 200, {"Content-Type": "text/html"}, f"oauth_token={token}&oauth_token_secret=rs&oauth_callback_confirmed=true".encode()
        if held is None:
            return self.wrong("twitter: token", 401)
        if url.path == "/oauth/access_token":
            if oauth.get("oauth_verifier") != held["verifier"]:
                return self.wrong("twitter: verifier", 401)
            self.tokens["tw-" + token] = {"secret": "as&1", "user": held["user"]}
            return 200, {"Content-Type": "text/html"}, up.urlencode({"oauth_token": "tw-" + token, "oauth_token_secret": "as&1", "user_id": "1"}).encode()
        if query != {"include_email": "true", "include_entities": "false", "skip_status": "true"}:
            return self.wrong(f"twitter: {query}")
        return self.json(held["user"]["twitter"][url.path])
