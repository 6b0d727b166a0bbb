# SPDX-License-Identifier: Apache-2.0
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from harness import SECRET, b64, header_of, mint

MAKERS = {
    "RS256": (RSAAlgorithm, lambda: rsa.generate_private_key(65537, 2048)),
    "ES256": (ECAlgorithm, lambda: ec.generate_private_key(ec.SECP256R1())),
    "EdDSA": (OKPAlgorithm, ed25519.Ed25519PrivateKey.generate),
}


def make_key(alg, kid, ops=("sign", "verify")):
    of, make = MAKERS[alg]
    jwk = json.loads(of.to_jwk(make()))
    return {**jwk, "kid": kid, "alg": alg, "use": "sig", "key_ops": list(ops)}


KEYS = {alg: make_key(alg, f"key-{alg}") for alg in MAKERS}


def settings(*keys, **more):
    return {"GOTRUE_JWT_KEYS": json.dumps(list(keys)), **more}


@pytest.mark.parametrize("alg", KEYS)
def test_signs_and_publishes(serve, alg):
    server = serve(**settings(KEYS[alg]))
    me = server.sign_up()
    assert header_of(me.access) == {"alg": alg, "kid": f"key-{alg}", "typ": "JWT"}
    published = server.get("/.well-known/jwks.json")
    assert published.headers["Cache-Control"] == "public, max-age=600"
    (public,) = published.json()["keys"]
    assert public["kid"] == f"key-{alg}" and not set(public) & {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert jwt.decode(me.access, jwt.PyJWK(public, algorithm=alg).key, algorithms=[alg], audience="authenticated")["sub"] == me.id
    assert me.get().status_code == 200
    assert server.refresh(me.refresh_token).status_code == 200


def test_secret_publishes_nothing(server):
    assert server.get("/.well-known/jwks.json").json() == {"keys": []}
    assert header_of(server.sign_up().access)["alg"] == "HS256"


def test_symmetric_key_by_kid(serve):
    oct_key = {"kty": "oct", "k": b64(b"0123456789abcdef0123456789abcdef"), "kid": "h1", "alg": "HS256", "use": "sig", "key_ops": ["sign", "verify"]}
    server = serve(**settings(oct_key))
    me = server.sign_up()
    assert header_of(me.access)["kid"] == "h1"
    assert me.get().status_code == 200
    assert server.get("/.well-known/jwks.json").json() == {"keys": []}


def test_old_keys_still_verify(serve):
    old = serve(**settings(KEYS["ES256"]))
    me = old.sign_up()
    rolled = serve(**settings(KEYS["RS256"], {**KEYS["ES256"], "key_ops": ["verify"]}))
    assert rolled.get("/user", me.access).status_code == 200
    assert header_of(rolled.sign_up().access)["alg"] == "RS256"
    by_secret = mint({"sub": me.id, "aud": "authenticated", "role": "authenticated", "session_id": me.session_id})
    assert rolled.get("/user", by_secret).status_code == 403, "among asymmetric keys HS256 is no valid method"


def test_key_confusion(serve):
    """The public key is no HMAC secret."""
    import hashlib
    import hmac

    server = serve(**settings(KEYS["RS256"]))
    me = server.sign_up()
    public = jwt.PyJWK(KEYS["RS256"], algorithm="RS256").key.public_key()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    secrets = [
        public.public_bytes(e, f)
        for e, f in ((Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.SubjectPublicKeyInfo), (Encoding.PEM, PublicFormat.PKCS1))
    ]
    claims = {"sub": me.id, "aud": "authenticated", "role": "authenticated", "exp": 9999999999}
    for secret in (*secrets, b"", SECRET.encode()):
        for header in ({"alg": "HS256", "kid": "key-RS256"}, {"alg": "HS512", "kid": "key-RS256"}, {"alg": "RS256", "kid": "key-RS256"}):
            signed = b64(header) + "." + b64(claims)
            token = signed + "." + b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())
            assert server.get("/user", token).status_code == 403, header


@pytest.mark.parametrize("issuer, api, named", [(None, None, None), (None, "https://api.test/auth/v1/", "https://api.test/auth/v1/"),
                                                ("https://iss.test/x", "https://api.test/auth/v1", "https://iss.test/x")])
def test_the_document_is_complete_without_an_issuer(serve, issuer, api, named):
    """It names API_EXTERNAL_URL then; tokens name nobody, as in the reference."""
    server = serve(**{k: v for k, v in {"GOTRUE_JWT_ISSUER": issuer, "API_EXTERNAL_URL": api}.items() if v})
    named = named or server.url
    document = server.get("/.well-known/openid-configuration").json()
    assert document["issuer"] == named
    assert document["jwks_uri"] == named.rstrip("/") + "/.well-known/jwks.json"
    assert all(v.startswith(named) for k, v in document.items() if k.endswith("_endpoint"))
    assert jwt.decode(server.sign_up().access, options={"verify_signature": False}).get("iss") == issuer
