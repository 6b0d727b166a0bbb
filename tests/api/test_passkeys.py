# SPDX-License-Identifier: Apache-2.0
"""Passkeys: added, used, renamed and taken away; each challenge is good once, and what the reference began ends here."""

import json
import threading
import time
import uuid
from types import SimpleNamespace

import psycopg2
import pytest
from authenticator import ALGORITHMS, BE, BS, ORIGIN, RP, UP, Authenticator

from harness import TOP, address, b64, claims_of, is_error, many, mint, phone, unb64, wait_for
from test_command import command

SETTINGS = {**RP, "GOTRUE_PASSKEY_ENABLED": "true", "GOTRUE_WEBAUTHN_RP_ORIGINS": f"{ORIGIN},https://www.app.test"}
NOBODY = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
FAILED = (400, "webauthn_verification_failed", "Credential verification failed")
GONE = (400, "webauthn_challenge_not_found", "Challenge not found or already used")
GO = json.loads((TOP / "tests/data/go-webauthn.json").read_text())["passkey"]


@pytest.fixture(scope="module")
def house(serve):
    return lambda **more: serve(**SETTINGS, **more)


@pytest.fixture(scope="module")
def server(house):
    return house()


@pytest.fixture
def me(server):
    return server.sign_up()


def asked(server, access=None):
    """The challenge of a registration, or of a sign-in."""
    got = server.post(f"/passkeys/{'registration' if access else 'authentication'}/options", {}, access)
    assert got.status_code == 200, got.text
    return got.json()


def register(server, access, key, asking=None, **said):
    asking = asking or asked(server, access)
    body = {"challenge_id": asking["challenge_id"], "credential": key.create(asking["options"], **said)}
    return server.post("/passkeys/registration/verify", body, access)


def sign_in(server, key, asking=None, **said):
    asking = asking or asked(server)
    return server.post("/passkeys/authentication/verify", {"challenge_id": asking["challenge_id"], "credential": key.get(asking["options"], **said)})


@pytest.fixture
def key(server, me):
    """An authenticator with a passkey of mine."""
    key = Authenticator(ORIGIN)
    assert register(server, me.access, key).status_code == 200
    return key


def audited(sql, action, id):
    return sql("select payload, ip_address from auth.audit_log_entries where payload->>'action' = %s and payload->'traits'->>'passkey_id' = %s", action, id)


# --- From the first to the last ---


def test_a_life(server, sql, me):
    key, challenge = Authenticator(ORIGIN), asked(server, me.access)
    credential = key.create(challenge["options"])
    credential["response"]["transports"] = ["usb", "cable"]
    made = server.post("/passkeys/registration/verify", {"challenge_id": challenge["challenge_id"], "credential": credential}, me.access)
    assert made.status_code == 200 and set(made.json()) == {"id", "friendly_name", "created_at"} and made.json()["friendly_name"] == "Passkey"
    id = made.json()["id"]
    (row,) = sql("select * from auth.webauthn_credentials where user_id = %s", me.id)
    assert (bytes(row["credential_id"]), row["id"], row["sign_count"], row["transports"]) == (key.credentials[0].id, id, 1, ["usb", "hybrid"])
    assert (row["attestation_type"], row["aaguid"], row["backup_eligible"], row["backed_up"]) == ("none", str(uuid.UUID(int=0)), True, True)
    assert row["last_used_at"] is None and not sql("select from auth.webauthn_challenges where id = %s", challenge["challenge_id"])
    (said,) = audited(sql, "passkey_created", id)
    assert (said["payload"]["actor_id"], said["payload"]["log_type"], said["ip_address"]) == (me.id, "user", "127.0.0.1")

    got = sign_in(server, key)
    assert got.status_code == 200 and got.json()["user"]["id"] == me.id == got.headers["sb-auth-user-id"]
    claims = claims_of(got.json()["access_token"])
    assert (claims["aal"], [m["method"] for m in claims["amr"]]) == ("aal1", ["passkey"])
    (said,) = audited(sql, "login", id)
    assert (said["payload"]["log_type"], said["payload"]["traits"], said["ip_address"]) == ("account", {"passkey_id": id}, "127.0.0.1")
    (row,) = sql("select sign_count, last_used_at > created_at as used, updated_at > created_at as changed from auth.webauthn_credentials where id = %s", id)
    assert row == {"sign_count": 2, "used": True, "changed": True}
    assert claims_of(server.refresh(got.json()["refresh_token"]).json()["access_token"])["amr"][0]["method"] == "passkey"

    (listed,) = server.get("/passkeys", got.json()["access_token"]).json()
    assert set(listed) == {"id", "friendly_name", "created_at", "last_used_at"} and listed["id"] == id
    assert server.request("DELETE", f"/passkeys/{id}", me.access).status_code == 204
    is_error(sign_in(server, key), *FAILED)
    assert server.get("/passkeys", me.access).json() == [] and len(audited(sql, "passkey_deleted", id)) == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_that_is_offered(server, me, algorithm):
    key = Authenticator(ORIGIN, algorithm=algorithm)
    assert register(server, me.access, key).status_code == 200
    assert sign_in(server, key).status_code == 200


def test_names(server, sql):
    """Whom the authenticator is told: metadata's name, else the address; those that are there already are not made again."""
    me, number = server.sign_up(data={"name": "Ada L."}), server.sign_up(email=None, phone=phone())
    user = asked(server, me.access)["options"]["user"]
    assert (unb64(user["id"]).decode(), user["name"], user["displayName"]) == (me.id, me.email, "Ada L.")
    user = asked(server, number.access)["options"]["user"]
    assert user["name"] == user["displayName"] == number.reply["user"]["phone"]
    server.put("/user", {"data": {"name": 7}}, me.access)
    options = asked(server, me.access)["options"]
    assert options["user"]["displayName"] == me.email and "excludeCredentials" not in options
    key = Authenticator(ORIGIN, aaguid=bytes.fromhex("ea9b8d664d011d213ce4b6b48cb575d4"))
    assert register(server, me.access, key).json()["friendly_name"] == "Google Password Manager"
    assert asked(server, me.access)["options"]["excludeCredentials"] == [{"type": "public-key", "id": b64(key.credentials[0].id)}]


def test_cost(server, me, key):
    sign_in(server, key)
    assert server.cost(lambda: server.post("/passkeys/authentication/options")) == (1, 1)
    assert server.cost(lambda: sign_in(server, key))[0] == 3
    assert server.cost(lambda: server.get("/passkeys", me.access))[0] == 2
    assert server.cost(lambda: server.post("/passkeys/registration/options", {}, me.access))[0] == 3


# --- What does not hold ---

LIES = {
    "another origin": {"origin": "https://evil.test"},
    "another party": {"rp_id": "evil.test"},
    "another challenge": {"challenge": bytes(32)},
    "nobody was there": {"flags": UP},
    "a backup of what can have none": {"flags": BE},
    "another ceremony": {"type": "webauthn.other"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_registration_that_does_not_hold(server, sql, me, lie):
    challenge = asked(server, me.access)
    is_error(register(server, me.access, Authenticator(ORIGIN), challenge, **LIES[lie]), *FAILED)
    is_error(register(server, me.access, Authenticator(ORIGIN), challenge), *GONE)
    assert server.get("/passkeys", me.access).json() == []


@pytest.mark.parametrize("lie", [*LIES, "another signature", "a user who is none", "no user", "a user and more", "another user", "no backup any more"])
def test_a_sign_in_that_does_not_hold(server, sql, me, key, lie):
    said = {
        "another signature": {"signature": lambda s: s[:-1] + bytes([s[-1] ^ 1])},
        "a user who is none": {"user_handle": NOBODY.encode()},
        "no user": {"user_handle": b""},
        "a user and more": {"user_handle": me.id.encode() + b"\0x"},
        "another user": {"user_handle": server.sign_up().id.encode()},
        "no backup any more": {"flags": BE | BS},
        **LIES,
    }[lie]
    challenge, before = asked(server), sql("select count(*) n from auth.sessions")
    is_error(sign_in(server, key, challenge, **said), *FAILED)
    is_error(sign_in(server, key, challenge), *GONE)
    assert sql("select count(*) n from auth.sessions") == before


BROKEN = [{}, {"id": "eA"}, {"id": "eA", "rawId": "eA", "type": "public-key"}, {"id": "eA", "rawId": "eA", "type": "public-key", "response": []}, {"id": 7}]


@pytest.mark.parametrize("credential", [*BROKEN, *(("spoilt", x) for x in ("id", "rawId", "type", "clientDataJSON", "attestationObject", "transports"))],
                         ids=lambda x: str(x)[:40])  # fmt: skip
def test_what_is_no_credential(server, me, credential):
    challenge = asked(server, me.access)
    if isinstance(credential, tuple):
        spoilt, credential = credential[1], Authenticator(ORIGIN).create(challenge["options"])
        (credential if spoilt in credential else credential["response"])[spoilt] = "!"
    body = {"challenge_id": challenge["challenge_id"], "credential": credential}
    is_error(server.post("/passkeys/registration/verify", body, me.access), 400, "webauthn_verification_failed", "Invalid credential response")
    is_error(server.post("/passkeys/registration/verify", body, me.access), *GONE)


def test_what_is_no_assertion(server, key):
    for spoilt in ("rawId", "type", "clientDataJSON", "authenticatorData", "signature", "userHandle"):
        challenge = asked(server)
        credential = key.get(challenge["options"])
        (credential if spoilt in credential else credential["response"])[spoilt] = "!"
        body = {"challenge_id": challenge["challenge_id"], "credential": credential}
        is_error(server.post("/passkeys/authentication/verify", body), 400, "webauthn_verification_failed", "Invalid credential response")


def test_the_counter_refuses_nobody(server, sql, me, key):
    for count, kept in ((9, 9), (9, 9), (3, 9), (10, 10), (0, 10)):
        assert sign_in(server, key, sign_count=count).status_code == 200
        assert sql("select sign_count from auth.webauthn_credentials where user_id = %s", me.id) == [{"sign_count": kept}]


def test_a_credential_that_is_there(server, me, monkeypatch):
    monkeypatch.setattr("authenticator.os", SimpleNamespace(urandom=bytes))
    assert register(server, me.access, Authenticator(ORIGIN)).status_code == 200
    for who in (me, server.sign_up()):
        is_error(register(server, who.access, Authenticator(ORIGIN)), 422, "webauthn_credential_exists", "This credential is already registered")


# --- Challenges ---


def test_whose_challenge(server, me, key):
    """One for a registration is the user's; one for a sign-in signs nobody up."""
    mine, open_ = asked(server, me.access), asked(server)
    other = server.sign_up()
    is_error(register(server, other.access, Authenticator(ORIGIN), mine), *GONE)
    is_error(sign_in(server, key, {**mine, "options": open_["options"]}), *GONE)
    is_error(register(server, me.access, Authenticator(ORIGIN), {**mine, "challenge_id": open_["challenge_id"]}), *GONE)
    assert register(server, me.access, Authenticator(ORIGIN), mine).status_code == 200 and sign_in(server, key, open_).status_code == 200


def test_a_challenge_that_is_late(server, sql, me, key):
    late = (400, "webauthn_challenge_expired", "Challenge has expired")
    first, second = asked(server), asked(server, me.access)
    assert abs(first["expires_at"] - time.time() - 300) < 5
    sql("update auth.webauthn_challenges set expires_at = now() - interval '1 second' where id in (%s, %s)", first["challenge_id"], second["challenge_id"])
    is_error(sign_in(server, key, first), *late)
    is_error(register(server, me.access, Authenticator(ORIGIN), second), *late)
    is_error(sign_in(server, key, first), *GONE)


def test_challenges_are_not_hoarded(server, sql, me):
    """Of those that a user asks for the newest are kept; others' stay."""
    other = server.sign_up()
    kept = asked(server, other.access), asked(server)
    many(8, lambda i: [asked(server, me.access) for _ in range(8)])
    last = asked(server, me.access)
    assert sql("select count(*) n from auth.webauthn_challenges where user_id = %s", me.id)[0]["n"] <= 32
    assert sql("select from auth.webauthn_challenges where id in (%s, %s)", *(x["challenge_id"] for x in kept)) == 2
    assert register(server, me.access, Authenticator(ORIGIN), last).status_code == 200


def test_who_goes_as_they_ask(server, sql, database, me):
    """The user before their challenges, which go with them: neither waits for the other."""
    for _ in range(32):
        asked(server, me.access)
    connection, got = psycopg2.connect(database.dsn), []
    with connection.cursor() as cursor:
        cursor.execute("select from auth.users where id = %s for update", (me.id,))
        waiting = threading.Thread(target=lambda: got.append(server.post("/passkeys/registration/options", {}, me.access)))
        waiting.start()
        wait_for(lambda: sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"), what="the options")
        cursor.execute("delete from auth.users where id = %s", (me.id,))
    connection.commit()
    connection.close()
    waiting.join()
    is_error(got[0], 403, "user_not_found")


def test_one_of_64_signs_in(server, sql, me, key):
    challenge = asked(server)
    body = {"challenge_id": challenge["challenge_id"], "credential": key.get(challenge["options"])}
    before = sql("select count(*) n from auth.sessions where user_id = %s", me.id)[0]["n"]
    got = many(64, lambda i: server.post("/passkeys/authentication/verify", body).status_code)
    assert (got.count(200), got.count(400)) == (1, 63)
    assert sql("select count(*) n from auth.sessions where user_id = %s", me.id)[0]["n"] == before + 1


def test_as_many_as_one_may_have(house, sql):
    server = house(GOTRUE_PASSKEY_MAX_PASSKEYS_PER_USER="3")
    me = server.sign_up()
    waiting = [asked(server, me.access) for _ in range(12)]
    got = many(12, lambda i: register(server, me.access, Authenticator(ORIGIN), waiting[i]))
    assert sorted(x.status_code for x in got) == [200] * 3 + [422] * 9
    refused = (422, "too_many_passkeys", "Maximum number of passkeys reached")
    is_error(next(x for x in got if x.status_code != 200), *refused)
    is_error(server.post("/passkeys/registration/options", {}, me.access), *refused)
    assert len(server.get("/passkeys", me.access).json()) == 3
    assert sql("select count(*) n from auth.audit_log_entries where payload->>'action' = 'passkey_created' and payload->>'actor_id' = %s", me.id) == [{"n": 3}]


# --- Who may ---


def test_who_signs_in(server, sql, me, key):
    def refused(change, back, *error):
        sql(f"update auth.users set {change} where id = %s", me.id)
        is_error(sign_in(server, key), *error)
        sql(f"update auth.users set {back} where id = %s", me.id)

    refused("email_confirmed_at = null", "email_confirmed_at = now()", 403, "email_not_confirmed", "Email not confirmed")
    refused("phone = '15550123'", "phone = null", 403, "phone_not_confirmed", "Phone not confirmed")
    refused("banned_until = now() + interval '1 hour'", "banned_until = null", 403, "user_banned", "User is banned")
    assert sign_in(server, key).status_code == 200


def test_who_is_deleted_signs_in_no_more(server, sql, me, key):
    """The reference leaves the passkeys to whom it hides, who are confirmed as before."""
    sql("update auth.users set deleted_at = now(), encrypted_password = null where id = %s", me.id)
    is_error(sign_in(server, key), *FAILED)


BETWEEN = {
    "a ban": ("update auth.users set banned_until = now() + interval '1 hour' where id = %s", (403, "user_banned")),
    "the passkey goes": ("delete from auth.webauthn_credentials where user_id = %s", FAILED),
    "the user goes": ("delete from auth.users where id = %s", FAILED),
}


@pytest.mark.parametrize("what", BETWEEN)
def test_what_comes_between(server, sql, database, me, key, what):
    """What was decided is asked again where it is written: here the sign-in waits for the user's row."""
    statement, error = BETWEEN[what]
    connection = psycopg2.connect(database.dsn)
    with connection.cursor() as cursor:
        cursor.execute("select from auth.users where id = %s for update", (me.id,))
        cursor.execute(statement, (me.id,))
    got = []
    waiting = threading.Thread(target=lambda: got.append(sign_in(server, key)))
    waiting.start()
    wait_for(lambda: sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"), what="the sign-in")
    connection.commit()
    connection.close()
    waiting.join()
    is_error(got[0], *error)


def test_who_is_signed_out_registers_nothing(server, sql, database, me):
    connection = psycopg2.connect(database.dsn)
    challenge = asked(server, me.access)
    with connection.cursor() as cursor:
        cursor.execute("select from auth.users where id = %s for update", (me.id,))
        cursor.execute("delete from auth.sessions where user_id = %s", (me.id,))
    got = []
    waiting = threading.Thread(target=lambda: got.append(register(server, me.access, Authenticator(ORIGIN), challenge)))
    waiting.start()
    wait_for(lambda: sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"), what="the registration")
    connection.commit()
    connection.close()
    waiting.join()
    is_error(got[0], 403, "session_not_found")
    assert not sql("select from auth.webauthn_credentials where user_id = %s", me.id)


def test_a_second_factor(server, sql, me, key):
    """With one, what adds and takes away wants a session that has shown it; what only names does not."""
    refused = (403, "insufficient_aal", "AAL2 session is required to manage passkeys when MFA is enabled")
    waiting = asked(server, me.access)
    (mine,) = server.get("/passkeys", me.access).json()
    sql("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
        " values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())", me.id)
    is_error(server.post("/passkeys/registration/options", {}, me.access), *refused)
    is_error(register(server, me.access, Authenticator(ORIGIN), waiting), *refused)
    is_error(server.request("DELETE", f"/passkeys/{mine['id']}", me.access), *refused)
    assert server.request("PATCH", f"/passkeys/{mine['id']}", me.access, json={"friendly_name": "x"}).status_code == 200
    assert sign_in(server, key).status_code == 200
    sql("update auth.sessions set aal = 'aal2' where id = %s", me.session_id)
    assert register(server, me.access, Authenticator(ORIGIN), waiting).status_code == 200
    assert server.request("DELETE", f"/passkeys/{mine['id']}", me.access).status_code == 204


def test_who_registers(server, sql, me):
    anonymous = server.post("/signup", {}).json()["access_token"]
    is_error(server.post("/passkeys/registration/options", {}, anonymous), 403, "no_authorization", "Anonymous user not allowed to perform these actions")
    assert server.get("/passkeys", anonymous).json() == []
    sql("update auth.users set is_sso_user = true where id = %s", me.id)
    for step in ("options", "verify"):
        is_error(server.post(f"/passkeys/registration/{step}", {}, me.access), 422, "validation_failed", "SSO users cannot register passkeys")


# --- Names, lists, operators ---


def path_of(server, me):
    return f"/passkeys/{server.get('/passkeys', me.access).json()[0]['id']}"


def test_rename(server, sql, me, key):
    path = path_of(server, me)
    change = lambda body, token=me.access: server.request("PATCH", path, token, **({"data": body} if isinstance(body, bytes) else {"json": body}))
    got = change({"friendly_name": "é" * 60})
    assert got.status_code == 200 and got.json()["friendly_name"] == "é" * 60 and set(got.json()) == {"id", "friendly_name", "created_at"}
    assert [got.json()] == server.get("/passkeys", me.access).json()
    is_error(change({"friendly_name": "é" * 60 + "x"}), 400, "validation_failed", "friendly_name must be 120 characters or less")
    is_error(change({"friendly_name": ""}), 400, "validation_failed", "friendly_name is required")
    is_error(change(b"{"), 400, "bad_json")
    is_error(change({"friendly_name": "x"}, server.sign_up().access), 404, "validation_failed", "Passkey not found")
    (said,) = audited(sql, "passkey_updated", path.rsplit("/", 1)[1])
    assert said["payload"]["traits"] == {"passkey_id": path.rsplit("/", 1)[1]} and said["ip_address"] == "127.0.0.1"


def test_taking_away(server, sql, me, key):
    path, stranger = path_of(server, me), server.sign_up()
    is_error(server.request("DELETE", path, stranger.access), 404, "validation_failed", "Passkey not found")
    is_error(server.request("DELETE", "/passkeys/nope", me.access), 404, "validation_failed", "Passkey not found")
    got = many(8, lambda i: server.request("DELETE", path, me.access).status_code)
    assert sorted(got) == [204] + [404] * 7 and len(audited(sql, "passkey_deleted", path.rsplit("/", 1)[1])) == 1


def test_operators(serve, server, sql, key, me, request):
    """Also where passkeys are switched off."""
    service, plain = mint({"role": "service_role"}), serve()
    is_error(plain.get("/passkeys", me.access), 404, "passkey_disabled", "Passkeys are disabled")
    is_error(plain.request("PUT", "/passkeys/x/y", me.access), 404, "passkey_disabled", "Passkeys are disabled")
    path = f"/admin/users/{me.id}/passkeys"
    assert plain.get(path, service).json() == server.get("/passkeys", me.access).json() and len(plain.get(path, service).json()) == 1
    id = plain.get(path, service).json()[0]["id"]
    is_error(plain.request("DELETE", f"/admin/users/{server.sign_up().id}/passkeys/{id}", service), 404, "validation_failed", "Passkey not found")
    assert plain.request("DELETE", f"{path}/{id}", service).status_code == 204 and plain.get(path, service).json() == []
    (said,) = audited(sql, "passkey_deleted", id)
    assert said["payload"]["traits"] == {"user_id": me.id, "passkey_id": id} and said["payload"]["actor_username"] == "service_role"
    is_error(sign_in(server, key), *FAILED)


# --- Settings ---


@pytest.mark.parametrize("name", ["GOTRUE_WEBAUTHN_RP_ID", "GOTRUE_WEBAUTHN_RP_DISPLAY_NAME", "GOTRUE_WEBAUTHN_RP_ORIGINS"])
def test_what_is_not_said(serve, database, name):
    settings = {**SETTINGS, name: ""}
    is_error(serve(**settings).post("/passkeys/authentication/options"), 500, "unexpected_failure", "Failed to initialize WebAuthn")
    said = command(database, "check", **settings)
    assert f"{name} must be set while GOTRUE_PASSKEY_ENABLED is true: " in said.stdout + said.stderr


def test_what_is_said_wrongly(database):
    said = command(database, "check", **{**SETTINGS, "GOTRUE_WEBAUTHN_RP_ID": ORIGIN, "GOTRUE_WEBAUTHN_RP_ORIGINS": "app.test"})
    text = said.stdout + said.stderr
    assert 'GOTRUE_WEBAUTHN_RP_ID must be a domain such as example.com, not "https://app.test".' in text
    assert 'GOTRUE_WEBAUTHN_RP_ORIGINS must be URLs such as https://app.example.com, not "app.test".' in text
    origins = "https://app.test/,https://www.app.test:8443,android:apk-key-hash:x,https://notapp.test,https://a.test https://app.test"
    text = command(database, "check", **{**SETTINGS, "GOTRUE_WEBAUTHN_RP_ORIGINS": origins}).stdout
    wrong = [line.split('"')[1] for line in text.splitlines() if "is not at or below GOTRUE_WEBAUTHN_RP_ID" in line]
    assert wrong == ["https://notapp.test", "https://a.test https://app.test"] and "2 warnings" in text


# --- What go-webauthn has written ---


@pytest.fixture
def theirs(server, sql):
    """The user of the recorded answers, and a session of theirs."""
    id, session = GO["user_id"], str(uuid.uuid4())
    sql("delete from auth.users where id = %s", id)
    sql("insert into auth.users (id, instance_id, aud, role, email, email_confirmed_at) values (%s, %s, 'authenticated', 'authenticated', %s, now())", id,
        str(uuid.UUID(int=0)), address())
    sql("insert into auth.sessions (id, user_id, created_at, updated_at, aal) values (%s, %s, now(), now(), 'aal1')", session, id)
    return mint({"sub": id, "role": "authenticated", "aud": "authenticated", "session_id": session})


def begun(sql, step, kind, user_id):
    return sql("insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, expires_at)"
               " values (gen_random_uuid(), %s, %s, %s, now() + interval '5 minutes') returning id", user_id, kind, json.dumps(GO[step]["session"]))[0]["id"]


def test_what_the_reference_began(server, sql, theirs):
    id = GO["user_id"]
    body = {"challenge_id": begun(sql, "create", "registration", id), "credential": GO["create"]["response"]}
    assert server.post("/passkeys/registration/verify", body, theirs).status_code == 200
    body = {"challenge_id": begun(sql, "request", "authentication", None), "credential": GO["request"]["response"]}
    assert server.post("/passkeys/authentication/verify", body).json()["user"]["id"] == id


def test_what_the_reference_keeps(server, sql, theirs):
    """The row that it writes is the one that is written here, and signs in."""
    id, kept = GO["user_id"], GO["credential"]
    body = {"challenge_id": begun(sql, "create", "registration", id), "credential": GO["create"]["response"]}
    assert server.post("/passkeys/registration/verify", body, theirs).status_code == 200
    columns = "credential_id::text id, public_key::text key, attestation_type, aaguid, sign_count, transports, backup_eligible, backed_up"
    ours = sql(f"select {columns} from auth.webauthn_credentials where user_id = %s", id)
    sql("delete from auth.webauthn_credentials where user_id = %s", id)
    sql("insert into auth.webauthn_credentials (user_id, credential_id, public_key, attestation_type, aaguid, sign_count, transports,"
        " backup_eligible, backed_up) values (%s, decode(%s, 'base64'), decode(%s, 'base64'), %s, encode(decode(%s, 'base64'), 'hex')::uuid, %s, %s,"
        " %s, %s)", id, kept["id"], kept["publicKey"], kept["attestationType"], kept["authenticator"]["AAGUID"],
        kept["authenticator"]["signCount"], json.dumps(kept["transport"]), kept["flags"]["backupEligible"], kept["flags"]["backupState"])
    assert ours == sql(f"select {columns} from auth.webauthn_credentials where user_id = %s", id)
    body = {"challenge_id": begun(sql, "request", "authentication", None), "credential": GO["request"]["response"]}
    assert server.post("/passkeys/authentication/verify", body).status_code == 200


def test_what_is_kept_for_the_reference(server, sql, me):
    """session_data has its members, and the options are those that it would have sent."""
    for step, access in (("create", me.access), ("request", None)):
        challenge = asked(server, access)
        ours = sql("select session_data d from auth.webauthn_challenges where id = %s", challenge["challenge_id"])[0]["d"]
        wanted = {**GO[step]["session"], "challenge": challenge["options"]["challenge"]}
        if access:
            wanted["user_id"] = ours["user_id"]
        assert ours == wanted
        changed = {"challenge", "user"}
        assert {**challenge["options"], **dict.fromkeys(changed)} == {**GO[step]["options"], **dict.fromkeys(changed)}
