# SPDX-License-Identifier: Apache-2.0
"""Every row of route.def, asked by everybody: what stands before it refuses those whom it is there to refuse."""

import re
import uuid

import pytest

from harness import TOP, is_error, mint

TEXT = (TOP / "src/route.def").read_text()
LIMITED = set(re.findall(r"LIMIT\((\w+)\)", TEXT))


def gates_of(words):
    return [x for x in re.findall(r"\w+(?:\([^)]*\))?", words) if x not in ("OPEN", "MOUNTED", "PLACE")]


MOUNTS = [(path, gates_of(gates)) for path, gates in re.findall(r'^MOUNT\("([^"]+)", (.*)\)$', TEXT, re.M)]
ROWS = re.findall(r'^ROUTE\("(\w+)",\s+"([^"]+)",\s+\w+,\s+(.*)\)$', TEXT, re.M)

# What the whole world may ask.
PUBLIC = {"/health", "/health/ready", "/settings", "/authorize", "/.well-known/jwks.json", "/.well-known/openid-configuration"}

# What makes a gate refuse everybody, and with what.
OFF = {
    "CAPTCHA": ({"GOTRUE_SECURITY_CAPTCHA_ENABLED": "true", "GOTRUE_SECURITY_CAPTCHA_SECRET": "x"}, 400, "captcha_failed"),
    "CUSTOM_PROVIDER": ({}, 404, "feature_disabled"),
    "EMAIL_PROVIDER": ({"GOTRUE_EXTERNAL_EMAIL_ENABLED": "false"}, 400, "email_provider_disabled"),
    "MANUAL_LINKING": ({}, 404, "manual_linking_disabled"),
    "OAUTH_SERVER": ({}, 404, "feature_disabled"),
    "PASSKEYS": ({}, 404, "passkey_disabled"),
    "LIMIT": ({"GOTRUE_RATE_LIMIT_HEADER": "X-Client", "GOTRUE_RATE_LIMIT_OTP": "0.001", "GOTRUE_RATE_LIMIT_VERIFY": "0.001",
               "GOTRUE_RATE_LIMIT_PASSKEY": "0.001", "GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY": "0.001"}, 429, "over_request_rate_limit"),
}
ON = {
    "CUSTOM_PROVIDER": "GOTRUE_CUSTOM_OAUTH_ENABLED",
    "MANUAL_LINKING": "GOTRUE_SECURITY_MANUAL_LINKING_ENABLED",
    "OAUTH_SERVER": "GOTRUE_OAUTH_SERVER_ENABLED",
    "PASSKEYS": "GOTRUE_PASSKEY_ENABLED",
}

# What rows that are not there for everybody are there by.
OFFERED = {"POSTERN_ACCOUNT_DELETE": "hard", "POSTERN_ACCOUNT_EXPORT": "true"}


def mount_of(path):
    return next((gates for at, gates in MOUNTS if re.match(re.sub(r"{\w+}", "[^/]+", at) + "(/|$)", path)), [])


def all_gates(path, words):
    return mount_of(path) + gates_of(words)


def test_rows():
    """What the compiler can't see."""
    assert len(ROWS) == TEXT.count("\nROUTE(") and len(MOUNTS) == TEXT.count("\nMOUNT(")
    assert {path for _, path, words in ROWS if not all_gates(path, words)} == PUBLIC
    for method, path, words in ROWS:
        below = bool(mount_of(path))
        assert words != ("OPEN" if below else "MOUNTED"), (method, path)
        assert len(set(all_gates(path, words))) == len(all_gates(path, words)), f"twice: {method} {path}"
    for i, (path, _) in enumerate(MOUNTS):
        assert not any(path.startswith(earlier + "/") for earlier, _ in MOUNTS[:i]), f"never reached: {path}"


def refusal(gate, who, off):
    """Status and code, or None for who passes."""
    if gate == "ADMIN" and who != "admin" or gate == "BEARER" and who == "nobody":
        return (401, "no_authorization") if who == "nobody" else (403, "not_admin")
    if gate == "BEARER" and who == "admin":
        return (403, "bad_jwt")  # it has no sub
    if gate == "CAPTCHA" and who == "admin":
        return None
    if gate in ("NOT_ANONYMOUS", "MEMBER") and who == "anonymous":
        return 403, "no_authorization"
    if gate == "MEMBER":
        return 403, "session_not_found"  # nobody here has one
    if gate == "MANAGED_USER":
        return (404, "user_not_found")
    if gate == "EXTERNAL_STATE":
        return (303, None)
    return OFF[off][1:] if off and gate.split("(")[0] == off else None


@pytest.fixture(scope="module", params=[None, *OFF], ids=lambda x: f"without {x}" if x else "all")
def house(request, serve, database):
    off = request.param
    server = serve(**{name: "false" if gate == off else "true" for gate, name in ON.items()}, **OFFERED, **(OFF[off][0] if off else {}))
    database.sql("delete from postern.limits")
    user, anonymous = str(uuid.uuid4()), str(uuid.uuid4())
    for name in LIMITED:
        for who in ("10.0.0.1", user, anonymous) if off == "LIMIT" else ("10.0.0.1",):
            database.sql("insert into postern.limits (key, tokens, refilled, allowed) values (%s, 0, now(), true)", f"{name} {who}")
    for id, is_anonymous in ((user, False), (anonymous, True)):
        database.sql("insert into auth.users (id, instance_id, aud, role, is_anonymous, encrypted_password)"
                     " values (%s, %s, 'authenticated', 'authenticated', %s, 'x')", id, str(uuid.UUID(int=0)), is_anonymous)
    claims = {"aud": "authenticated", "role": "authenticated"}
    tokens = {
        "nobody": None,
        "anonymous": mint({**claims, "sub": anonymous, "is_anonymous": True}),
        "user": mint({**claims, "sub": user}),
        "admin": mint({"role": "supabase_admin"}),
    }
    return server, off, tokens


@pytest.mark.parametrize("who", ["nobody", "anonymous", "user", "admin"])
@pytest.mark.parametrize("method,path,words", [row for row in ROWS if row[1] not in PUBLIC], ids=lambda x: x)
def test_row(house, method, path, words, who):
    server, off, tokens = house
    gates = all_gates(path, words)
    got = server.request(method, re.sub(r"{\w+}", str(uuid.uuid4()), path), tokens[who], json={} if method != "GET" else None, headers={"X-Client": "10.0.0.1"})
    wanted = next((x for x in (refusal(gate, who, off) for gate in gates) if x), None)
    if wanted is None:
        refusals = {(401, "no_authorization"), (403, "no_authorization"), (403, "not_admin"), (403, "bad_jwt"), *(x[1:] for x in OFF.values())}
        assert (got.status_code, got.headers.get("x-sb-error-code")) not in refusals, got.text
    elif wanted[1]:
        is_error(got, *wanted)
    else:
        assert got.status_code == 303 and "error=" in got.headers["location"]


def test_a_limit_of_a_mount_counts_once(serve, sql):
    server = serve(GOTRUE_RATE_LIMIT_HEADER="X-Client", GOTRUE_RATE_LIMIT_VERIFY="0.001")
    for method in ("GET", "POST", "PUT"):
        sql("delete from postern.limits")
        server.request(method, "/verify", headers={"X-Client": "10.0.0.2"})
        assert sql("select tokens::int from postern.limits where key = 'verify 10.0.0.2'") == [{"tokens": 29}], method
