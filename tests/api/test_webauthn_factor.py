# SPDX-License-Identifier: Apache-2.0
"""/factors: security keys, and whatever else speaks Web Authentication, as second factors."""

import json
import uuid

import pytest
from authenticator import BE, ORIGIN, RP, UP, Authenticator
from test_factors import again

from factors import Factor
from harness import TOP, b64, claims_of, is_error, many, mint, unb64

SETTINGS = {**RP, "GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED": "true", "GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED": "true"}
FAILED = (422, "mfa_verification_failed", "WebAuthn verification failed")
MISFIT = (400, "validation_failed", "WebAuthn type does not fit the challenge")
GO = json.loads((TOP / "tests/data/go-webauthn.json").read_text())["factor"]


@pytest.fixture(scope="module")
def house(serve):
    return lambda **more: serve(**SETTINGS, **more)


@pytest.fixture(scope="module")
def server(house):
    return house()


@pytest.fixture
def me(server):
    return server.sign_up()


class Key(Factor):
    """A factor of a user, and the authenticator that shows it."""

    def __init__(self, me, token=None, device=None, **body):
        super().__init__(me, token, factor_type="webauthn", **body)
        self.device = device or Authenticator(ORIGIN, backup=0)

    def asked(self, token=None):
        got = self.server.post(f"{self.path}/challenge", {}, token or self.me.access)
        assert got.status_code == 200, got.text
        return got.json()

    def answer(self, asked, **said):
        """What the client sends: what the browser gave, and the type that was asked."""
        kind, options = asked["webauthn"]["type"], asked["webauthn"]["credential_options"]["publicKey"]
        credential = (self.device.create if kind == "create" else self.device.get)(options, **said)
        return {"challenge_id": asked["id"], "webauthn": {"type": kind, "credential_response": credential}}

    def send(self, body, token=None):
        return self.server.post(f"{self.path}/verify", body, token or self.me.access)

    def show(self, token=None, asked=None, **said):
        return self.send(self.answer(asked or self.asked(token), **said), token)


@pytest.fixture
def key(me):
    """A security key of mine, verified, in a session that has shown it."""
    key = Key(me, friendly_name="key")
    got = key.show()
    assert got.status_code == 200, got.text
    me.access = got.json()["access_token"]
    return key


def row(sql, key):
    return sql("select * from auth.mfa_factors where id = %s", key.id)[0]


def said_of(sql, key, action):
    return sql("select payload from auth.audit_log_entries where payload->'traits'->>'factor_id' = %s and payload->>'action' = %s", key.id, action)


# --- From the first to the last ---


def test_a_life(server, sql, me):
    key = Key(me, friendly_name="my key")
    assert key.reply == {"id": key.id, "type": "webauthn", "friendly_name": "my key"}
    asked = key.asked()
    assert set(asked) == {"id", "type", "expires_at", "webauthn"} and asked["type"] == "webauthn" and asked["webauthn"]["type"] == "create"
    options = asked["webauthn"]["credential_options"]["publicKey"]
    assert options["rp"] == {"id": "app.test", "name": "App"} and options["authenticatorSelection"] == {} and "attestation" not in options
    assert options["user"] == {"id": b64(me.id), "name": me.email, "displayName": me.email} and len(options["pubKeyCredParams"]) == 10
    assert not said_of(sql, key, "challenge_created"), "as in the reference"

    got = key.show(asked=asked)
    assert got.status_code == 200, got.text
    claims = claims_of(got.json()["access_token"])
    assert (claims["aal"], [m["method"] for m in claims["amr"]]) == ("aal2", ["mfa/webauthn", "password"])
    (said,) = said_of(sql, key, "verification_attempted")
    assert said["payload"]["traits"] == {"factor_id": key.id, "challenge_id": asked["id"], "factor_type": "webauthn"}
    assert row(sql, key)["status"] == "verified" and row(sql, key)["web_authn_aaguid"] == str(uuid.UUID(int=0))
    (shown,) = got.json()["user"]["factors"]
    last = shown["last_webauthn_challenge_data"]
    assert last["type"] == "create" and last["challenge"]["challenge_id"] == asked["id"] and last["challenge"]["factor_id"] == key.id
    assert last["credential_response"]["Raw"]["id"] == b64(key.device.credentials[0].id)

    later = again(me)
    asked = key.asked(later)
    assert asked["webauthn"]["type"] == "request"
    options = asked["webauthn"]["credential_options"]["publicKey"]
    assert options["allowCredentials"] == [{"type": "public-key", "id": b64(key.device.credentials[0].id), "transports": ["internal"]}]
    assert options["rpId"] == "app.test" and "userVerification" not in options
    got = key.show(later, asked)
    assert got.status_code == 200 and claims_of(got.json()["access_token"])["aal"] == "aal2"
    assert row(sql, key)["last_webauthn_challenge_data"]["type"] == "request"
    assert key.delete(got.json()["access_token"]).status_code == 200
    assert claims_of(server.refresh(got.json()["refresh_token"]).json()["access_token"])["aal"] == "aal1"


def test_two_keys(server, me, key):
    """The second is not to be on the first one's authenticator; afterwards the user takes the one that is at hand."""
    other = Key(me, friendly_name="other")
    asked = other.asked()
    (excluded,) = asked["webauthn"]["credential_options"]["publicKey"]["excludeCredentials"]
    assert excluded == {"type": "public-key", "id": b64(key.device.credentials[0].id), "transports": ["usb", "nfc"]}
    before = key.asked()
    assert other.show(asked=asked).status_code == 200
    is_error(key.show(asked=before, credential=other.device.credentials[0]), *FAILED)
    later = again(me)
    asked = key.asked(later)
    assert len(asked["webauthn"]["credential_options"]["publicKey"]["allowCredentials"]) == 2
    key.device = other.device
    assert key.show(later, asked).status_code == 200


def test_a_key_takes_its_sessions_with_it(server, sql, me, key):
    """Whichever key was asked for, a session stands by the one that was shown: who has stolen that is out when it goes."""
    stolen = Key(me, friendly_name="stolen")
    assert stolen.show().status_code == 200
    sessions = []
    for asked, shown in ((key, stolen), (stolen, key)):
        later = again(me)
        body = asked.asked(later)
        got = asked.show(later, body, credential=shown.device.credentials[0])
        assert got.status_code == 200 and said_of(sql, asked, "verification_attempted")
        sessions.append(got.json())
    thief, mine = sessions
    assert stolen.delete(mine["access_token"]).status_code == 200
    aal = lambda session: claims_of(server.refresh(session["refresh_token"]).json()["access_token"])["aal"]
    assert (aal(thief), aal(mine)) == ("aal1", "aal2")
    assert key.delete(thief["access_token"]).status_code == 422


def test_the_type_is_that_of_the_challenge(sql, me, key):
    """A key that is verified is shown; nobody makes another one in its place, whatever was asked before."""
    later = again(me)
    asked = key.asked(later)
    options = {**asked["webauthn"]["credential_options"]["publicKey"], "rp": {"id": "app.test"}, "user": {"id": b64(me.id)}, "pubKeyCredParams": [{"alg": -7}]}
    forged = {"challenge_id": asked["id"], "webauthn": {"type": "create", "credential_response": Authenticator(ORIGIN).create(options)}}
    is_error(key.send(forged, later), *MISFIT)
    assert row(sql, key)["last_webauthn_challenge_data"]["type"] == "create"

    new = Key(me, friendly_name="new")
    first, second = new.answer(new.asked()), new.answer(new.asked())
    request = {**first, "webauthn": {**first["webauthn"], "type": "request"}}
    is_error(new.send(request), *MISFIT)
    assert new.send(first).status_code == 200
    is_error(new.send(second), *MISFIT)
    kept = row(sql, new)["web_authn_credential"]["id"]
    assert kept == first["webauthn"]["credential_response"]["id"].replace("-", "+").replace("_", "/") + "="


# --- What does not hold ---

LIES = {
    "another origin": {"origin": "https://evil.test"},
    "another party": {"rp_id": "evil.test"},
    "another challenge": {"challenge": bytes(32)},
    "nobody was there": {"flags": UP},
    "another ceremony": {"type": "webauthn.other"},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_does_not_hold(sql, me, lie):
    key = Key(me)
    asked = key.asked()
    is_error(key.show(asked=asked, **LIES[lie]), *FAILED)
    assert row(sql, key)["status"] == "unverified"
    assert key.show(asked=asked).status_code == 200, "a failure uses up no challenge"
    later = again(me)
    asked = key.asked(later)
    is_error(key.show(later, asked, **LIES[lie]), *FAILED)
    assert claims_of(later)["aal"] == "aal1" and key.show(later, asked).status_code == 200


@pytest.mark.parametrize("lie", ["signature", "user", "backup", "key"])
def test_what_is_not_shown(server, me, key, lie):
    later = again(me)
    stranger = Authenticator(ORIGIN, backup=0)
    stranger.create({**GO["create"]["options"], "user": {"id": b64(me.id)}})
    said = {"signature": {"signature": lambda s: s[:-1] + bytes([s[-1] ^ 1])}, "user": {"user_handle": server.sign_up().id.encode()}, "backup": {"flags": BE},
            "key": {"credential": stranger.credentials[0]}}[lie]  # fmt: skip
    is_error(key.show(later, **said), *FAILED)


def test_anothers_key(server, me, key):
    """Who knows of a stranger's key and has it signed shows nothing of their own."""
    other = server.sign_up()
    theirs = Key(other)
    assert theirs.show().status_code == 200
    later = again(other)
    is_error(theirs.show(later, credential=key.device.credentials[0]), *FAILED)
    is_error(server.post(f"{key.path}/challenge", {}, later), 404, "mfa_factor_not_found")


def test_what_is_no_answer(server, me):
    key = Key(me)
    asked = key.asked()
    good = key.answer(asked)
    whole = good["webauthn"]

    def refused(webauthn, words):
        is_error(key.send({"challenge_id": asked["id"], **({} if webauthn is None else {"webauthn": webauthn})}), 400, "validation_failed", words)

    refused(None, "WebAuthn config required")
    refused({}, "WebAuthn type must be create or request")
    refused({**whole, "type": "show"}, "WebAuthn type must be create or request")
    refused({"type": "create"}, "credential_response required")
    for broken in ({}, {"id": "eA"}, "x", [], {**whole["credential_response"], "response": {}}, {**whole["credential_response"], "type": "password"}):
        refused({**whole, "credential_response": broken}, "Invalid credential_response")
    is_error(key.send({**good, "webauthn": "x"}), 400, "bad_json")
    is_error(key.send({**good, "challenge_id": str(uuid.uuid4())}), 422, "mfa_factor_not_found", "MFA factor with the provided challenge ID not found")
    is_error(server.request("POST", f"{key.path}/challenge", me.access, data=b""), 400, "bad_json")
    assert key.send(good).status_code == 200


def test_a_challenge_that_is_late(sql, me):
    key = Key(me)
    asked = key.asked()
    sql("update auth.mfa_challenges set created_at = now() - interval '301 seconds' where id = %s", asked["id"])
    is_error(key.show(asked=asked), 422, "mfa_challenge_expired")
    is_error(key.show(asked=asked), 422, "mfa_factor_not_found")


def test_one_of_64_raises_a_session(sql, me, key):
    later = [again(me) for _ in range(4)]
    body = key.answer(key.asked(later[0]))
    got = many(64, lambda i: key.send(body, later[0]))
    assert [x.status_code for x in got].count(200) == 1
    is_error(next(x for x in got if x.status_code == 422), 422, "mfa_ip_address_mismatch")
    assert len(said_of(sql, key, "verification_attempted")) == 2


def test_many_at_once_of_one_session(me, key):
    """Each answers a challenge of its own: none fails because another has raised the session meanwhile."""
    low = again(me)
    bodies = [key.answer(key.asked(low)) for _ in range(24)]
    assert [x.status_code for x in many(24, lambda i: key.send(bodies[i], low))] == [200] * 24


def test_one_of_two_makes_the_key(sql, me):
    """Two that answer challenges of their own at once: the factor is of one of them."""
    key = Key(me)
    bodies = [key.answer(key.asked()) for _ in range(8)]
    got = many(8, lambda i: key.send(bodies[i]))
    (winner,) = [i for i, x in enumerate(got) if x.status_code == 200]
    kept = row(sql, key)["web_authn_credential"]["id"]
    assert kept.rstrip("=").replace("+", "-").replace("/", "_") == bodies[winner]["webauthn"]["credential_response"]["id"]


def test_switched_off(serve, me, key):
    off = serve(**{**SETTINGS, "GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED": "false", "GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED": "false"})
    is_error(off.post("/factors", {"factor_type": "webauthn"}, me.access), 422, "mfa_webauthn_enroll_not_enabled", "MFA enroll is disabled for WebAuthn")
    is_error(off.post(f"{key.path}/challenge", {}, me.access), 422, "mfa_webauthn_verify_not_enabled", "MFA verification is disabled for WebAuthn")
    is_error(off.post(f"{key.path}/verify", {}, me.access), 422, "mfa_webauthn_enroll_not_enabled", "MFA verification is disabled for WebAuthn")


def test_what_is_not_said(serve, me):
    mute = serve(**{**SETTINGS, "GOTRUE_WEBAUTHN_RP_ORIGINS": ""})
    is_error(mute.post(f"{Key(me).path}/challenge", {}, me.access), 500, "unexpected_failure", "Failed to initialize WebAuthn")


# --- What go-webauthn has written ---


@pytest.fixture
def theirs(server, sql):
    """A factor of the user of the recorded answers: its path, and a token of theirs."""
    id, session, factor = GO["user_id"], str(uuid.uuid4()), str(uuid.uuid4())
    sql("delete from auth.users where id = %s", id)
    sql("insert into auth.users (id, instance_id, aud, role, email, email_confirmed_at) values (%s, %s, 'authenticated', 'authenticated', %s, now())", id,
        str(uuid.UUID(int=0)), "factor@example.com")
    sql("insert into auth.sessions (id, user_id, created_at, updated_at, aal, refresh_token_hmac_key, refresh_token_counter)"
        " values (%s, %s, now(), now(), 'aal1', %s, 0)", session, id, b64(bytes(32)))
    sql("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values (%s, %s, 'webauthn', 'unverified', now(), now())",
        factor, id)
    return factor, mint({"sub": id, "role": "authenticated", "aud": "authenticated", "session_id": session})


def begun(sql, step, factor):
    return sql("insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, web_authn_session_data)"
               " values (gen_random_uuid(), %s, now(), '127.0.0.1', %s) returning id", factor, json.dumps(GO[step]["session"]))[0]["id"]


def answered(server, sql, step, theirs):
    factor, token = theirs
    body = {"challenge_id": begun(sql, step, factor), "webauthn": {"type": step, "credential_response": GO[step]["response"]}}
    got = server.post(f"/factors/{factor}/verify", body, token)
    assert got.status_code == 200, got.text


def test_what_the_reference_began(server, sql, theirs):
    """It ends here, and the credential is kept as it would have been."""
    answered(server, sql, "create", theirs)
    kept = sql("select web_authn_credential c from auth.mfa_factors where id = %s", theirs[0])[0]["c"]
    wanted = json.loads(json.dumps(GO["credential"]))
    assert kept["attestation"].pop("authenticatorData") and kept["attestation"].pop("publicKeyAlgorithm") == -7
    for name in ("authenticatorData", "publicKeyAlgorithm"):  # its client did not say them
        wanted["attestation"].pop(name)
    assert kept == wanted
    answered(server, sql, "request", theirs)


def test_what_the_reference_keeps(server, sql, theirs):
    sql("update auth.mfa_factors set status = 'verified', web_authn_credential = %s where id = %s", json.dumps(GO["credential"]), theirs[0])
    answered(server, sql, "request", theirs)


def test_what_is_kept_for_the_reference(sql, me):
    key = Key(me)
    for step in ("create", "request"):
        asked = key.asked()
        ours = sql("select web_authn_session_data d from auth.mfa_challenges where id = %s", asked["id"])[0]["d"]
        options = asked["webauthn"]["credential_options"]["publicKey"]
        assert unb64(ours["user_id"].rstrip("=")).decode() == me.id
        its_own = {"challenge": options["challenge"], "user_id": ours["user_id"], "allowed_credentials": ours.get("allowed_credentials")}
        assert {**ours, **its_own} == {**GO[step]["session"], **its_own}
        assert set(options) == set(GO[step]["options"])
        assert key.show(asked=asked).status_code == 200
