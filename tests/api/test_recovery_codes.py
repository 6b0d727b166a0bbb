# SPDX-License-Identifier: Apache-2.0
"""/factors/recovery-codes: codes that are good once each in place of a second factor."""

import json
import re
import statistics
import time
import uuid

import psycopg2
import pytest

from factors import Factor
from harness import address, claims_of, is_error, many, mint, open_transactions, wait_for
from peer import Peer

PATH = "/factors/recovery-codes"
ON = {"GOTRUE_MFA_RECOVERY_CODES_ENROLL_ENABLED": "true", "GOTRUE_MFA_RECOVERY_CODES_VERIFY_ENABLED": "true"}
FEW = {**ON, "GOTRUE_MFA_RECOVERY_CODES_COUNT": "4", "GOTRUE_MFA_RECOVERY_CODES_MAX_VERIFY_ATTEMPTS": "3"}
WRONG = "a" * 16
FAILED = "Invalid recovery code entered"
LOCKED = "Too many failed verification attempts, try again later"
NONE = "The user has not enrolled recovery codes"

# Of the code abcdefgh12345678: by another program, with the reference's costs and with others.
FOREIGN = "$argon2id$v=19$m=19456,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$htb1uOkrH9w5QpuJyiekFOYVslGnIsU9PT3IvnJmlSA"


@pytest.fixture
def server(serve):
    return serve(**FEW)


class Codes:
    """Somebody with an authenticator application and recovery codes; `me` is their aal2 session."""

    def __init__(self, server, **body):
        self.server = server
        self.totp = Factor(server.sign_up(), friendly_name="app")
        self.me = self.totp.raised()
        got = server.post(PATH, body or None, self.me.access)
        assert got.status_code == 200, got.text
        self.reply = got.json()
        self.id, self.codes = self.reply["id"], self.reply["codes"]

    def low(self):
        """Another session, by the password alone."""
        got = self.server.sign_in(email=self.me.email, password=self.me.password)
        assert got.status_code == 200, got.text
        return got.json()["access_token"]

    def verify(self, code, token=None, **kw):
        return self.server.post(PATH + "/verify", {"code": code}, token or self.low(), **kw)

    def set(self, sql):
        return sql("select failed_verification_count as failed, verification_locked_until as until from auth.mfa_recovery_code_sets where mfa_factor_id = %s",
                   self.id)[0]

    def remaining(self):
        return self.server.get(PATH, self.me.access).json()["remaining"]


@pytest.fixture
def codes(server):
    return Codes(server)


def failed(got):
    is_error(got, 422, "mfa_verification_failed", FAILED)


def locked(got, rest=range(1, 901)):
    is_error(got, 429, "mfa_recovery_codes_locked", LOCKED)
    assert int(got.headers["Retry-After"]) in rest


def audited(sql, id, action):
    return sql("select payload, ip_address from auth.audit_log_entries where payload->'traits'->>'factor_id' = %s and payload->>'action' = %s", id, action)


# --- Having them made ---


def test_generate(serve, sql):
    codes = Codes(serve(**ON), friendly_name="My codes")
    assert codes.reply == {"id": codes.id, "type": "recovery_code", "friendly_name": "My codes", "total": 10, "codes": codes.codes}
    assert len(set(codes.codes)) == 10 and all(re.fullmatch("[a-z2-7]{16}", code) for code in codes.codes)
    factor = sql("select * from auth.mfa_factors where id = %s", codes.id)[0]
    assert (factor["user_id"], factor["factor_type"], factor["status"], factor["secret"]) == (codes.me.id, "recovery_code", "verified", "")
    stored = sql("select c.*, s.user_id from auth.mfa_recovery_codes c join auth.mfa_recovery_code_sets s on s.id = mfa_recovery_code_set_id"
                 " where mfa_factor_id = %s", codes.id)  # fmt: skip
    assert len(stored) == 10 and all(row["consumed_at"] is None and row["user_id"] == codes.me.id for row in stored)
    assert all(re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", row["code_hash"]) for row in stored)
    assert len({row["code_hash"].split("$")[4] for row in stored}) == 10
    (said,) = audited(sql, codes.id, "recovery_codes_generated")
    assert said["payload"]["traits"] == {"factor_id": codes.id, "count": 10} and said["payload"]["log_type"] == "factor" and said["ip_address"] == "127.0.0.1"
    assert codes.server.get(PATH, codes.low()).json() == {"id": codes.id, "type": "recovery_code", "total": 10, "remaining": 10}


@pytest.mark.parametrize("body, name", [(None, "Recovery codes"), (b"{}", "Recovery codes"), (b'{"friendly_name": " \\u00a0 "}', "Recovery codes"),
                                        (b'{"friendly_name": " mine "}', " mine ")])  # fmt: skip
def test_names(server, body, name):
    me = Factor(server.sign_up(), friendly_name="app").raised()
    got = server.request("POST", PATH, me.access, data=body)
    assert (got.status_code, got.json()["friendly_name"]) == (200, name)
    assert [f["friendly_name"] for f in server.get("/user", me.access).json()["factors"]] == ["app", name]


def test_as_they_are_listed(server, key, codes):
    (listed,) = [f for f in server.get(f"/admin/users/{codes.me.id}/factors", key).json() if f["id"] == codes.id]
    assert set(listed) == {"id", "created_at", "updated_at", "status", "factor_type", "friendly_name", "phone", "last_challenged_at"}
    assert (listed["factor_type"], listed["status"]) == ("recovery_code", "verified")


@pytest.mark.parametrize("length", [13, 32])
def test_lengths(serve, length):
    codes = Codes(serve(**{**FEW, "GOTRUE_MFA_RECOVERY_CODES_CODE_LENGTH": str(length)}))
    assert all(re.fullmatch("[a-z2-7]{%d}" % length, code) for code in codes.codes)
    assert codes.verify(codes.codes[3]).status_code == 200


def test_who_may_not(server, codes):
    anonymous = server.post("/signup", {}).json()["access_token"]
    loose = mint({"sub": codes.me.id, "role": "authenticated", "aud": "authenticated"})
    for method, end in (("GET", ""), ("POST", ""), ("DELETE", ""), ("POST", "/regenerate"), ("POST", "/verify")):
        is_error(server.request(method, PATH + end, anonymous), 403, "no_authorization", "Anonymous user not allowed to perform these actions")
        is_error(server.request(method, PATH + end, loose), 403, "session_not_found")
        is_error(server.request(method, PATH + end), 401, "no_authorization")


def test_aal2_is_asked_for(server, codes):
    """Also of who has no factor at all."""
    for token in (codes.low(), server.sign_up().access):
        is_error(server.post(PATH, None, token), 403, "insufficient_aal", "AAL2 required to generate recovery codes")
        is_error(server.post(PATH + "/regenerate", None, token), 403, "insufficient_aal", "AAL2 required to regenerate recovery codes")
        is_error(server.request("DELETE", PATH, token), 403, "insufficient_aal", "AAL2 required to delete recovery codes")
    assert codes.remaining() == 4


def test_who_has_none(server):
    me = Factor(server.sign_up()).raised()
    for got in (server.get(PATH, me.access), server.post(PATH + "/regenerate", None, me.access), server.request("DELETE", PATH, me.access)):
        is_error(got, 404, "mfa_factor_not_found", NONE)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"friendly_name": 5}'])
def test_what_is_no_wish(server, codes, body):
    is_error(server.request("POST", PATH, codes.low(), data=body), 400, "bad_json")


def test_one_set_each(server, codes):
    is_error(server.post(PATH, {"friendly_name": "second"}, codes.me.access), 422, "mfa_verified_factor_exists",
             "Recovery codes are already enrolled for this user, use regenerate to rotate them")


def test_the_limits_of_factors(serve, server, sql):
    me = Factor(server.sign_up(), friendly_name="Recovery codes").raised()
    taken = 'A factor with the friendly name "Recovery codes" for this user already exists'
    is_error(server.post(PATH, None, me.access), 422, "mfa_factor_name_conflict", taken)
    is_error(server.post(PATH, {"friendly_name": "x" * 3000}, me.access), 400, "validation_failed", "friendly_name is too long")
    for setting in ("ENROLLED", "VERIFIED"):
        full = serve(**{**FEW, f"GOTRUE_MFA_MAX_{setting}_FACTORS": "1"})
        is_error(full.post(PATH, {"friendly_name": "mine"}, me.access), 422, "too_many_enrolled_mfa_factors")
    two = serve(**{**FEW, "GOTRUE_MFA_MAX_ENROLLED_FACTORS": "2"})
    is_error(two.post("/factors", {"factor_type": "totp"}, Codes(two).me.access), 422, "too_many_enrolled_mfa_factors")
    assert sql("select count(*) as n from auth.mfa_factors where user_id = %s", me.id)[0]["n"] == 1


def test_never_the_only_factor(serve, server, sql):
    totp = Factor(server.sign_up())
    me = totp.raised()
    words = "At least one other verified factor is required to generate recovery codes"
    off = serve(**FEW, GOTRUE_MFA_TOTP_VERIFY_ENABLED="false")
    is_error(off.post(PATH, None, me.access), 422, "mfa_recovery_codes_sole_factor", words)
    sql("update auth.mfa_factors set status = 'unverified' where id = %s", totp.id)
    is_error(server.post(PATH, None, me.access), 422, "mfa_recovery_codes_sole_factor", words)


def test_of_many_at_once_one_has_them(server, sql):
    """Whatever names they want, the others are told that there are codes."""
    me = Factor(server.sign_up(), friendly_name="app").raised()
    got = many(6, lambda i: server.post(PATH, {"friendly_name": str(i // 2)}, me.access))
    assert sorted(r.status_code for r in got) == [200] + [422] * 5
    assert {r.json()["error_code"] for r in got if r.status_code == 422} == {"mfa_verified_factor_exists"}
    assert sql("select count(*) as n from auth.mfa_recovery_code_sets where user_id = %s", me.id)[0]["n"] == 1
    (made,) = [r.json()["codes"] for r in got if r.status_code == 200]
    low = server.sign_in(email=me.email, password=me.password).json()["access_token"]
    assert server.post(PATH + "/verify", {"code": made[0]}, low).status_code == 200


def test_turned_off(serve, codes):
    """What there is can be seen and taken away."""
    off = serve()
    is_error(off.request("POST", PATH, codes.low(), data=b"{"), 422, "mfa_recovery_codes_enroll_not_enabled", "MFA enroll is disabled for recovery codes")
    is_error(off.post(PATH + "/regenerate", None, codes.low()), 422, "mfa_recovery_codes_enroll_not_enabled")
    is_error(off.post(PATH + "/verify", None, codes.low()), 422, "mfa_recovery_codes_verify_not_enabled", "MFA verification is disabled for recovery codes")
    assert off.get(PATH, codes.low()).json()["total"] == 4
    assert off.request("DELETE", PATH, codes.me.access).status_code == 200


# --- Their use ---


def test_verify(server, sql, codes):
    low, other = codes.low(), codes.low()
    failed(codes.verify(WRONG, low))
    assert codes.set(sql) == {"failed": 1, "until": None}
    got = codes.verify(codes.codes[2], low)
    assert got.status_code == 200 and not [name for name in got.headers if name.lower().startswith("sb-auth-")]
    claims = claims_of(got.json()["access_token"])
    assert claims["aal"] == "aal2" and [m["method"] for m in claims["amr"]] == ["mfa/recovery_code", "password"]
    assert codes.set(sql) == {"failed": 0, "until": None} and codes.remaining() == 3
    raised = sql("select aal, factor_id from auth.sessions where id = %s", claims["session_id"])
    assert raised == [{"aal": "aal2", "factor_id": codes.id}]
    is_error(server.get("/user", other), 403, "session_not_found")
    assert server.get("/user", codes.me.access).status_code == 200
    (said,) = audited(sql, codes.id, "recovery_codes_verified")
    assert said["payload"]["traits"] == {"factor_id": codes.id, "remaining": 3} and said["payload"]["log_type"] == "factor"
    assert said["ip_address"] == "127.0.0.1" and not audited(sql, codes.id, "verification_attempted")
    now = claims_of(server.refresh(got.json()["refresh_token"]).json()["access_token"])
    assert now["aal"] == "aal2" and "mfa/recovery_code" in [m["method"] for m in now["amr"]]


def test_v2_tokens(serve):
    codes = Codes(serve(**FEW, GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION="2"))
    got = codes.verify(codes.codes[0]).json()
    assert claims_of(codes.server.refresh(got["refresh_token"]).json()["access_token"])["aal"] == "aal2"


@pytest.mark.parametrize("write", [
    lambda c: "-".join((c[:4], c[4:8], c[8:12], c[12:])), lambda c: f" {c[:8]}\u00a0{c[8:]}\n", str.upper, lambda c: f"\u3000{c[:5]}\t-{c[5:].upper()}"
])  # fmt: skip
def test_as_people_type_them(codes, write):
    assert codes.verify(write(codes.codes[0])).status_code == 200


@pytest.mark.parametrize("body, code", [(None, "bad_json"), (b"{", "bad_json"), (b'{"code": 5}', "bad_json"), (b"{}", "validation_failed"),
                                        (b'{"code": ""}', "validation_failed"), (b'{"code": " -- -\\u2003"}', "validation_failed")])  # fmt: skip
def test_what_is_no_code(server, sql, codes, body, code):
    is_error(server.request("POST", PATH + "/verify", codes.low(), data=body), 400, code)
    assert codes.set(sql)["failed"] == 0


@pytest.mark.parametrize("code", ["", "x" * 500000, "K\u212ak", "a\u0000b", "'; drop table", "aaaaaaaaaaaaaaaa\u00df", "2" * 17])
def test_codes_that_are_none(codes, code):
    got = codes.verify(code)
    assert (got.status_code, got.json()["error_code"]) in ((422, "mfa_verification_failed"), (400, "validation_failed"), (400, "bad_json")), got.text


def test_the_same_answer_whatever_is_wrong(server, sql, codes):
    """To who has none, to a wrong code, to one of somebody else's and to a used one."""
    used, theirs = codes.codes[0], Codes(server)
    low = codes.verify(used).json()["access_token"]
    got = [server.post(PATH + "/verify", {"code": WRONG}, server.sign_up().access)]
    got += [codes.verify(code, low) for code in (WRONG, used)] + [codes.verify(theirs.codes[0])]
    for one in got:
        failed(one)
    assert len({one.content for one in got}) == 1 and len({tuple(sorted(one.headers)) for one in got}) == 1
    assert codes.set(sql)["failed"] == 3 and theirs.set(sql)["failed"] == 0 and theirs.remaining() == 4
    assert len(audited(sql, codes.id, "recovery_codes_verified")) == 1


@pytest.mark.plain
def test_the_same_time_whatever_is_wrong(serve, sql):
    """How long it takes: to who has none, with all codes left, with one left."""
    server = serve(**{**ON, "GOTRUE_MFA_RECOVERY_CODES_COUNT": "8"})
    nobody, full, spent = server.sign_up().access, Codes(server), Codes(server)
    sql("update auth.mfa_recovery_codes set consumed_at = now() where id in (select c.id from auth.mfa_recovery_codes c"
        " join auth.mfa_recovery_code_sets s on s.id = c.mfa_recovery_code_set_id where s.mfa_factor_id = %s limit 7)", spent.id)  # fmt: skip
    who = {"nobody": nobody, "full": full.low(), "spent": spent.low()}
    took = {name: [] for name in who}
    for _ in range(9):
        sql("update auth.mfa_recovery_code_sets set failed_verification_count = 0")
        for name, token in who.items():
            start = time.perf_counter()
            failed(server.post(PATH + "/verify", {"code": WRONG}, token))
            took[name].append(time.perf_counter() - start)
    best = {name: min(times) for name, times in took.items()}
    assert max(best.values()) < 1.3 * min(best.values()), {name: statistics.quantiles(times) for name, times in took.items()}


def test_a_used_one_is_wrong(sql, codes):
    assert codes.verify(codes.codes[0]).status_code == 200
    failed(codes.verify(codes.codes[0]))
    assert codes.set(sql)["failed"] == 1 and codes.remaining() == 3


def test_all_of_them(sql, codes):
    for left, code in zip((3, 2, 1, 0), codes.codes):
        assert codes.verify(code).status_code == 200
        assert codes.remaining() == left
    failed(codes.verify(codes.codes[0]))


def test_codes_that_the_reference_has_stored(server, sql):
    """Whatever their costs; one that can't be read is none, and keeps the others from nothing."""
    me = Factor(server.sign_up(), friendly_name="app").raised()
    factor, set = str(uuid.uuid4()), str(uuid.uuid4())
    sql("insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)"
        " values (%s, %s, 'theirs', 'recovery_code', 'verified', now(), now(), '')", factor, me.id)  # fmt: skip
    sql("insert into auth.mfa_recovery_code_sets (id, user_id, mfa_factor_id) values (%s, %s, %s)", set, me.id, factor)
    for hash in ("", "nonsense", "$argon2id$v=19$m=9999999,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYWE", FOREIGN):
        sql("insert into auth.mfa_recovery_codes (id, mfa_recovery_code_set_id, code_hash) values (gen_random_uuid(), %s, %s)", set, hash)
    low = server.sign_in(email=me.email, password=me.password).json()["access_token"]
    failed(server.post(PATH + "/verify", {"code": ""} | {"code": "nonsense"}, low))
    assert server.post(PATH + "/verify", {"code": "ABCD-EFGH-1234-5678"}, low).status_code == 200
    assert server.get(PATH, me.access).json() == {"id": factor, "type": "recovery_code", "total": 4, "remaining": 3}


def test_of_64_uses_one_counts(serve, sql):
    """The others are wrong ones: as many as lock the set are told so, then it is locked."""
    server = serve(**FEW, POSTERN_SLOW_REQUESTS="64")
    codes = Codes(server)
    sessions = [codes.low() for _ in range(8)]
    got = many(64, lambda i: codes.verify(codes.codes[0], sessions[i % 8]))
    statuses = [r.status_code for r in got]
    assert statuses.count(200) == 1 and set(statuses) <= {200, 403, 422, 429, 503}, statuses
    assert len(audited(sql, codes.id, "recovery_codes_verified")) == 1
    used = sql("select count(*) as n from auth.mfa_recovery_codes c join auth.mfa_recovery_code_sets s on s.id = c.mfa_recovery_code_set_id"
               " where s.mfa_factor_id = %s and consumed_at is not null", codes.id)  # fmt: skip
    assert used == [{"n": 1}]
    (winner,) = [r for r in got if r.status_code == 200]
    assert claims_of(server.refresh(winner.json()["refresh_token"]).json()["access_token"])["aal"] == "aal2"


def test_nothing_is_open_while_it_is_compared(serve, sql):
    server = serve(**{**ON, "GOTRUE_MFA_RECOVERY_CODES_COUNT": "16"})
    codes = Codes(server)
    low = codes.low()
    seen = []

    def watch(i):
        if i == 0:
            failed(codes.verify(WRONG, low))
            seen.append("over")
        while not seen:
            seen.extend(open_transactions(sql))

    many(2, watch)
    assert seen == ["over"], seen
    assert server.cost(lambda: codes.verify(WRONG, low), 3)[0] <= 4


# --- The lock ---


def test_the_lock(server, sql, codes):
    low = codes.low()
    for i in range(3):
        assert codes.set(sql)["until"] is None
        failed(codes.verify(WRONG, low))
    was = codes.set(sql)
    assert was["failed"] == 3
    left = sql("select extract(epoch from verification_locked_until - now())::int as left from auth.mfa_recovery_code_sets where mfa_factor_id = %s", codes.id)
    assert 890 < left[0]["left"] <= 900
    for code in (codes.codes[0], WRONG, codes.codes[0]):
        locked(codes.verify(code, low))
    assert codes.set(sql) == was and codes.remaining() == 4
    theirs = Codes(server)
    assert theirs.verify(theirs.codes[0]).status_code == 200


def test_when_the_lock_is_over(sql, codes):
    """It is counted anew."""
    low = codes.low()
    for _ in range(3):
        failed(codes.verify(WRONG, low))
    past = "update auth.mfa_recovery_code_sets set verification_locked_until = now() + %s::interval where mfa_factor_id = %s"
    sql(past, "20 seconds", codes.id)
    locked(codes.verify(codes.codes[0], low), range(1, 21))
    sql(past, "-1 millisecond", codes.id)
    failed(codes.verify(WRONG, low))
    assert codes.set(sql) == {"failed": 1, "until": None}
    failed(codes.verify(WRONG, low))
    assert codes.verify(codes.codes[0], low).status_code == 200
    assert codes.set(sql) == {"failed": 0, "until": None}


def test_a_right_one_as_the_lock_is_over(sql, codes):
    low = codes.low()
    for _ in range(3):
        failed(codes.verify(WRONG, low))
    sql("update auth.mfa_recovery_code_sets set verification_locked_until = now() where mfa_factor_id = %s", codes.id)
    assert codes.verify(codes.codes[0], low).status_code == 200
    assert codes.set(sql) == {"failed": 0, "until": None}


def test_wrong_ones_at_once_count_each(serve, sql):
    server = serve(**{**FEW, "GOTRUE_MFA_RECOVERY_CODES_MAX_VERIFY_ATTEMPTS": "15"}, POSTERN_SLOW_REQUESTS="64")
    codes = Codes(server)
    low = codes.low()
    got = many(9, lambda i: codes.verify(WRONG, low))
    for one in got:
        failed(one)
    assert codes.set(sql) == {"failed": 9, "until": None}
    got = many(9, lambda i: codes.verify(WRONG, low))
    assert sorted(r.status_code for r in got) == [422] * 6 + [429] * 3
    assert codes.set(sql)["failed"] == 15


def test_a_right_one_among_wrong_ones(serve, sql):
    """Whichever comes first: no more than the limit is compared, and what is right counts only before."""
    server = serve(**FEW, POSTERN_SLOW_REQUESTS="64")
    codes = Codes(server)
    low = codes.low()
    got = many(10, lambda i: codes.verify(codes.codes[0] if i == 9 else WRONG, low))
    wrong, right = [r.status_code for r in got[:9]], got[9].status_code
    assert (right, codes.remaining()) in ((200, 3), (429, 4)) and set(wrong) <= {422, 429, 403}
    assert wrong.count(422) <= (3 if right == 429 else 5)


def test_a_lock_that_comes_while_it_is_compared(hooked, hook, sql):
    """What was read before the hook is asked again behind it."""
    codes = Codes(hooked)
    low = codes.low()
    hook.meanwhile = lambda: sql("update auth.mfa_recovery_code_sets set verification_locked_until = now() + interval '1 hour' where mfa_factor_id = %s",
                                 codes.id)  # fmt: skip
    locked(codes.verify(codes.codes[0], low), range(3590, 3601))
    assert codes.remaining() == 4


@pytest.mark.parametrize("what, status, code", [
    ("update auth.mfa_recovery_codes set consumed_at = now()", 422, "mfa_verification_failed"),
    ("delete from auth.mfa_factors where factor_type = 'recovery_code'", 422, "mfa_verification_failed"),
    ("delete from auth.sessions where aal = 'aal1'", 403, "session_not_found"),
    ("update auth.users set banned_until = now() + interval '1 hour'", 403, "user_banned"),
])  # fmt: skip
def test_what_changes_while_it_is_compared(hooked, hook, sql, what, status, code):
    codes = Codes(hooked)
    low = codes.low()
    hook.meanwhile = lambda: sql(what)
    is_error(codes.verify(codes.codes[0], low), status, code)
    assert not audited(sql, codes.id, "recovery_codes_verified")


def test_the_limit(serve):
    server = serve(**FEW, GOTRUE_RATE_LIMIT_HEADER="X-Client", GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY="1")
    codes = Codes(server)
    low, who = codes.low(), {"X-Client": address()}
    got = [codes.verify("", low, headers=who).status_code for _ in range(32)]
    assert got == [400] * 30 + [429] * 2
    is_error(codes.verify("", low, headers=who), 429, "over_request_rate_limit")
    is_error(server.post(codes.totp.path + "/verify", {}, low, headers=who), 429, "over_request_rate_limit")


def test_new_ones_are_limited(serve):
    """Each takes as long as an attempt, and nobody needs many."""
    server = serve(**FEW, GOTRUE_RATE_LIMIT_HEADER="X-Client", GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY="1")
    codes, who = Codes(server), {"X-Client": address()}
    got = [server.post(PATH + "/regenerate" * (i % 2), None, codes.me.access, headers=who).status_code for i in range(32)]
    assert got == [422, 200] * 15 + [429] * 2


# --- New ones ---


def test_regenerate(server, sql, codes):
    assert codes.verify(codes.codes[0]).status_code == 200
    got = server.post(PATH + "/regenerate", None, codes.me.access)
    assert got.status_code == 200
    assert got.json() == {"id": codes.id, "type": "recovery_code", "friendly_name": "Recovery codes", "total": 4, "codes": got.json()["codes"]}
    fresh = got.json()["codes"]
    assert len(set(fresh) | set(codes.codes)) == 8 and codes.remaining() == 4
    low = codes.low()
    failed(codes.verify(codes.codes[1], low))
    assert codes.verify(fresh[1], low).status_code == 200
    (said,) = audited(sql, codes.id, "recovery_codes_regenerated")
    assert said["payload"]["traits"] == {"factor_id": codes.id, "count": 4} and said["ip_address"] == "127.0.0.1"


def test_new_ones_are_not_locked(server, sql, codes):
    low = codes.low()
    for _ in range(3):
        failed(codes.verify(WRONG, low))
    fresh = server.post(PATH + "/regenerate", None, codes.me.access).json()["codes"]
    assert codes.set(sql) == {"failed": 0, "until": None}
    assert codes.verify(fresh[0], low).status_code == 200


def test_another_number_of_new_ones(serve, codes):
    more = serve(**{**FEW, "GOTRUE_MFA_RECOVERY_CODES_COUNT": "5"})
    assert more.post(PATH + "/regenerate", None, codes.me.access).json()["total"] == 5
    assert codes.server.get(PATH, codes.me.access).json()["total"] == 5


def test_new_ones_at_once(server, sql, codes):
    """The last ones are good, and no others."""
    got = many(5, lambda i: server.post(PATH + "/regenerate", None, codes.me.access))
    assert [r.status_code for r in got] == [200] * 5
    assert server.get(PATH, codes.me.access).json() == {"id": codes.id, "type": "recovery_code", "total": 4, "remaining": 4}
    low, works = codes.low(), []
    for one in got:
        sql("update auth.mfa_recovery_code_sets set failed_verification_count = 0 where mfa_factor_id = %s", codes.id)
        works.append(codes.verify(one.json()["codes"][0], low).status_code)
    assert sorted(works) == [200] + [422] * 4


def test_new_ones_and_old_ones_at_once(server, sql, codes):
    """Whoever comes first; an old code counts before, or is wrong."""
    low = codes.low()
    used, made = many(2, lambda i: server.post(PATH + "/regenerate", None, codes.me.access) if i else codes.verify(codes.codes[0], low))
    assert made.status_code == 200 and used.status_code in (200, 422)
    assert codes.remaining() == 4 and codes.set(sql)["failed"] <= 1


# --- Their end ---


def test_delete(server, sql, codes):
    raised = codes.verify(codes.codes[0]).json()
    got = server.request("DELETE", PATH, codes.me.access)
    assert (got.status_code, got.json()) == (200, {"id": codes.id})
    assert sql("select count(*) as n from auth.mfa_recovery_code_sets where user_id = %s", codes.me.id)[0]["n"] == 0
    is_error(server.get(PATH, codes.me.access), 404, "mfa_factor_not_found", NONE)
    now = claims_of(server.refresh(raised["refresh_token"]).json()["access_token"])
    assert now["aal"] == "aal1" and [m["method"] for m in now["amr"]] == ["password"]
    assert claims_of(server.refresh(codes.me.refresh_token).json()["access_token"])["aal"] == "aal2"
    (said,) = audited(sql, codes.id, "recovery_codes_deleted")
    assert said["payload"]["traits"] == {"factor_id": codes.id} and said["ip_address"] == "127.0.0.1"
    assert server.post(PATH, None, codes.me.access).status_code == 200


def test_delete_by_a_session_that_a_code_has_raised(server, codes):
    raised = codes.verify(codes.codes[0]).json()["access_token"]
    assert server.request("DELETE", PATH, raised).status_code == 200


def test_of_many_one_takes_them_away(server, sql, codes):
    got = many(12, lambda i: server.request("DELETE", PATH, codes.me.access))
    assert sorted(r.status_code for r in got) == [200] + [404] * 11
    assert len(audited(sql, codes.id, "recovery_codes_deleted")) == 1


def test_an_operator_takes_them_away(server, key, sql, codes):
    raised = codes.verify(codes.codes[0]).json()
    assert server.request("DELETE", f"/admin/users/{codes.me.id}/factors/{codes.id}", key).status_code == 200
    assert sql("select count(*) as n from auth.mfa_recovery_code_sets where user_id = %s", codes.me.id)[0]["n"] == 0
    now = claims_of(server.refresh(raised["refresh_token"]).json()["access_token"])
    assert now["aal"] == "aal1" and [m["method"] for m in now["amr"]] == ["password"]


def test_everything_at_once(server, key, codes):
    """Nobody waits for each other in a circle, and nothing is told that is not so."""
    raised = codes.verify(codes.codes[0]).json()["access_token"]
    low = [codes.low() for _ in range(3)]
    ways = [
        lambda i: codes.verify(codes.codes[i % 3], low[i % 3]),
        lambda i: server.post(PATH + "/regenerate", None, codes.me.access),
        lambda i: server.request("DELETE", PATH, raised),
        lambda i: server.post(PATH, None, codes.me.access),
        lambda i: codes.totp.delete(raised),
        lambda i: server.request("DELETE", f"/admin/users/{codes.me.id}/factors/{codes.id}", key),
        lambda i: server.put("/user", {"password": f"another good one {i}"}, codes.me.access),
        lambda i: server.post("/logout?scope=others", None, low[i % 3]),
    ]
    got = many(24, lambda i: ways[i % 8](i))
    assert {r.status_code for r in got} <= {200, 204, 400, 401, 403, 404, 422, 429, 503}, [r.text for r in got if r.status_code >= 500]


# --- The other routes of factors ---


def test_the_general_routes_refuse_them(server, codes):
    types, path = "factor_type needs to be totp, phone, or webauthn", f"/factors/{codes.id}"
    is_error(server.post("/factors", {"factor_type": "recovery_code", "friendly_name": "x"}, codes.me.access), 400, "validation_failed", types)
    is_error(server.post(path + "/challenge", {}, codes.me.access), 400, "validation_failed", types)
    is_error(server.post(path + "/verify", {"code": codes.codes[0]}, codes.low()), 400, "validation_failed", types)
    is_error(server.request("DELETE", path, codes.me.access), 422, "validation_failed",
             "Recovery codes cannot be unenrolled with this endpoint, use DELETE /factors/recovery-codes")
    assert codes.remaining() == 4


@pytest.mark.parametrize("method, end", [("POST", "/challenge"), ("GET", "/verify/x"), ("POST", "/x"), ("GET", "/x/y")])
def test_paths_that_are_none(server, codes, method, end):
    got = server.request(method, PATH + end, codes.low())
    assert (got.status_code, got.text) == (404, "404 page not found\n")


def test_methods_that_are_none(server, codes):
    for method, end, allow in (("PATCH", "", "DELETE, GET, POST"), ("GET", "/verify", "POST"), ("DELETE", "/regenerate/", "POST")):
        got = server.request(method, PATH + end, codes.low())
        assert (got.status_code, got.headers["Allow"]) == (405, allow)
        is_error(server.request(method, PATH + end), 401, "no_authorization")


SOLE = ("Recovery codes cannot be the only verified factor. Please enroll another factor before unenrolling this one or delete your recovery "
        "codes.")  # fmt: skip


def another(sql, codes, type="totp", status="verified"):
    id = str(uuid.uuid4())
    sql("insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)"
        " values (%s, %s, %s, %s, %s, now(), now(), '')", id, codes.me.id, address(), type, status)  # fmt: skip
    return f"/factors/{id}"


def test_the_last_other_factor_stays(server, sql, codes):
    is_error(codes.totp.delete(codes.me.access), 422, "mfa_recovery_codes_sole_factor", SOLE)
    unverified, unusable = another(sql, codes, status="unverified"), another(sql, codes, "phone")
    is_error(codes.totp.delete(codes.me.access), 422, "mfa_recovery_codes_sole_factor", SOLE)
    for path in (unverified, unusable, another(sql, codes)):
        assert server.request("DELETE", path, codes.me.access).status_code == 200, path
    is_error(codes.totp.delete(codes.me.access), 422, "mfa_recovery_codes_sole_factor", SOLE)
    assert not audited(sql, codes.totp.id, "factor_unenrolled")
    assert server.request("DELETE", PATH, codes.me.access).status_code == 200
    assert codes.totp.delete(codes.me.access).status_code == 200


def together(database, user, *calls):
    """Calls that have all read what there is before any of them writes, in this order: the user is held until they wait."""
    waiting = "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    holder = psycopg2.connect(database.dsn)
    holder.cursor().execute("select from auth.users where id = %s for update", (user,))

    def one(i):
        wait_for(lambda: database.sql(waiting)[0]["n"] == i, what="those before to wait")
        return calls[i]() if i < len(calls) else holder.close()

    return many(len(calls) + 1, one)[:-1]


def test_of_the_last_two_one_stays(server, database, sql, codes):
    """Nor do the sessions fall with it: they were raised by another one."""
    other = another(sql, codes)
    sql("update auth.sessions set factor_id = null where user_id = %s", codes.me.id)
    got = together(database, codes.me.id, lambda: codes.totp.delete(codes.me.access), lambda: server.request("DELETE", other, codes.me.access))
    assert [r.status_code for r in got].count(200) == 1, [r.text for r in got]
    left = sql("select factor_type::text as type from auth.mfa_factors where user_id = %s order by 1", codes.me.id)
    assert [f["type"] for f in left] == ["recovery_code", "totp"]


def test_the_last_one_goes_as_codes_come(server, database, sql):
    """Either there are codes and the factor, or neither."""
    for first in (0, 1):
        totp = Factor(server.sign_up(), friendly_name="app")
        me = totp.raised()
        sql("update auth.sessions set factor_id = null where user_id = %s", me.id)
        calls = [lambda: server.post(PATH, None, me.access), lambda: totp.delete(me.access)]
        got = together(database, me.id, calls[first], calls[1 - first])
        left = sorted(f["type"] for f in sql("select factor_type::text as type from auth.mfa_factors where user_id = %s", me.id))
        assert left == ([] if first else ["recovery_code", "totp"]), [r.text for r in got]


# --- Hook and letters ---


@pytest.fixture(scope="module")
def hook():
    peer = Peer()

    def answer(request):
        peer.meanwhile()
        return (200, {"Content-Type": "application/json"}, peer.says)

    peer.answer = answer
    yield peer
    peer.stop()


@pytest.fixture
def hooked(serve, hook):
    hook.says, hook.meanwhile = b"{}", lambda: None
    hook.seen.clear()
    return serve(**FEW, GOTRUE_HOOK_MFA_VERIFICATION_ATTEMPT_ENABLED="true", GOTRUE_HOOK_MFA_VERIFICATION_ATTEMPT_URI=hook.url,
                 GOTRUE_HOOK_MFA_VERIFICATION_ATTEMPT_SECRETS="v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")


def test_the_hook_is_told(hooked, hook):
    codes = Codes(hooked)
    hook.seen.clear()
    low = codes.low()
    failed(codes.verify(WRONG, low))
    assert codes.verify(codes.codes[0], low).status_code == 200
    told = [json.loads(request.body) for request in hook.seen]
    assert [payload.pop("metadata")["name"] for payload in told] == ["mfa-verification"] * 2
    assert told == [{"user_id": codes.me.id, "factor_id": codes.id, "factor_type": "recovery_code", "valid": valid} for valid in (False, True)]


def test_the_hook_refuses(hooked, hook, sql):
    codes = Codes(hooked)
    hook.says = b'{"decision": "reject", "message": "go away"}'
    is_error(codes.verify(codes.codes[0]), 403, "mfa_verification_rejected", "go away")
    assert sql("select count(*) as n from auth.sessions where user_id = %s", codes.me.id)[0]["n"] == 0
    assert codes.set(sql) == {"failed": 0, "until": None}
    hook.says = b"{}"
    assert codes.verify(codes.codes[0]).status_code == 200


def test_the_hook_fails(hooked, hook, sql):
    codes = Codes(hooked)
    low = codes.low()
    hook.says = b'{"error": {"http_code": 418, "message": "teapot"}}'
    for code in (codes.codes[0], WRONG):
        assert (codes.verify(code, low).status_code) == 418
    assert codes.set(sql) == {"failed": 0, "until": None}
    hook.says = b"{}"
    assert codes.verify(codes.codes[0], low).status_code == 200


def test_the_hook_is_not_asked_without_codes(hooked, hook):
    """Nor while they are locked."""
    codes, nobody = Codes(hooked), hooked.sign_up()
    low = codes.low()
    for _ in range(3):
        failed(codes.verify(WRONG, low))
    hook.seen.clear()
    hook.says = b'{"decision": "reject"}'
    failed(hooked.post(PATH + "/verify", {"code": WRONG}, nobody.access))
    locked(codes.verify(codes.codes[0], low))
    assert not hook.seen and hooked.get("/user", nobody.access).status_code == 200


def test_letters(mailing, post):
    notices = {f"GOTRUE_MAILER_NOTIFICATIONS_MFA_FACTOR_{what}_ENABLED": "true" for what in ("ENROLLED", "UNENROLLED")}
    codes = Codes(mailing(**FEW, **notices, GOTRUE_MAILER_AUTOCONFIRM="true"))
    to = codes.me.email
    letters = [wait_for(lambda: post.take(to).text) for _ in range(2)]
    assert "totp" in letters[0] and "recovery_code" in letters[1] and "factor was added" in letters[1]
    assert codes.server.post(PATH + "/regenerate", None, codes.me.access).status_code == 200
    assert codes.verify(codes.codes[0]).status_code == 422
    assert codes.server.request("DELETE", PATH, codes.me.access).status_code == 200
    letter = post.take(to).text
    assert "recovery_code" in letter and "removed" in letter and not any(code in letter for code in codes.codes)
    assert not post.to(to)


def test_no_code_stands_in_the_log(server, sql, codes):
    assert codes.verify(codes.codes[0]).status_code == 200
    log = codes.server.log_path.read_text(errors="replace")
    entries = json.dumps([row["payload"] for row in sql("select payload from auth.audit_log_entries")])
    assert not any(code in log + entries for code in codes.codes)
