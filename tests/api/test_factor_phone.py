# SPDX-License-Identifier: Apache-2.0
"""/factors: telephones as second factors, their codes sent by the send_sms hook.  By gateways: test_sms.py."""

import json

import pytest

from factors import Factor
from harness import claims_of, is_error, many, open_transactions, phone

TOLD = (200, {"Content-Type": "application/json"}, b"{}")
TOO_SOON = (429, "over_sms_send_rate_limit")


@pytest.fixture(scope="module")
def server(mailing):
    return mailing(GOTRUE_MFA_PHONE_ENROLL_ENABLED="true", GOTRUE_MFA_PHONE_VERIFY_ENABLED="true", GOTRUE_MAILER_AUTOCONFIRM="true")


@pytest.fixture
def me(server, phones):
    phones.says = TOLD
    return server.sign_up()


def factors_of(sql, user):
    return sql("select id, phone, secret, status, last_challenged_at from auth.mfa_factors where user_id = %s order by created_at", user)


def rested(sql, factor):
    sql("update auth.mfa_factors set last_challenged_at = now() - interval '61 seconds' where id = %s", factor.id)


def test_the_whole_way(server, sql, me, phones):
    number = phone()
    factor = Factor(me, phone=f"+{number}", friendly_name="mobile")
    assert factor.reply == {"id": factor.id, "type": "phone", "friendly_name": "mobile", "phone": f"+{number}"}
    assert factors_of(sql, me.id) == [{"id": factor.id, "phone": number, "secret": "", "status": "unverified", "last_challenged_at": None}]
    challenge = factor.challenge()
    code = phones.take(number)
    assert len(code) == 6 and factors_of(sql, me.id)[0]["last_challenged_at"]
    wrong = f"{(int(code) + 1) % 1000000:06}"
    for guess in (wrong, code[:5], code + "0", f" {code}"):
        is_error(factor.verify(guess, challenge), 422, "mfa_verification_failed", "Invalid MFA Phone code entered")
    got = factor.verify(code, challenge)
    claims = claims_of(got.json()["access_token"])
    assert claims["aal"] == "aal2" and {m["method"] for m in claims["amr"]} == {"password", "mfa/phone"}
    is_error(factor.verify(code, challenge, got.json()["access_token"]), 422, "mfa_ip_address_mismatch")
    assert factor.delete(got.json()["access_token"]).status_code == 200
    now = claims_of(server.refresh(got.json()["refresh_token"]).json()["access_token"])
    assert now["aal"] == "aal1" and [m["method"] for m in now["amr"]] == ["password"]


def test_the_same_number(server, sql, me, phones):
    """An unverified one gives way, also to what is refused; a verified one does not."""
    number = phone()
    first, other = Factor(me, phone=number, friendly_name="one"), Factor(me, phone=phone(), friendly_name="two")
    is_error(server.post("/factors", {"factor_type": "phone", "phone": number, "friendly_name": "two"}, me.access), 422, "mfa_factor_name_conflict")
    assert [f["id"] for f in factors_of(sql, me.id)] == [other.id] != [first.id]
    again = Factor(me, phone=number, friendly_name="one")
    challenge = again.challenge()
    raised = again.verify(phones.take(number), challenge).json()["access_token"]
    assert [f["id"] for f in factors_of(sql, me.id)] == [again.id], "unverified ones of the type go"
    is_error(server.post("/factors", {"factor_type": "phone", "phone": f"+{number}", "friendly_name": "x"}, raised), 422, "mfa_verified_factor_exists",
             "A verified phone factor already exists, unenroll the existing factor to continue")
    assert Factor(server.sign_up(), phone=number).reply["phone"] == number


def test_of_many_of_one_number_one_stays(server, sql, me):
    number = phone()
    got = many(12, lambda i: server.post("/factors", {"factor_type": "phone", "phone": number, "friendly_name": str(i)}, me.access))
    assert {r.status_code for r in got} == {200} and len(factors_of(sql, me.id)) == 1


def test_a_code_is_not_asked_for_too_soon(server, sql, me, phones):
    factor = Factor(me, phone=phone())
    factor.challenge()
    is_error(server.post(factor.path + "/challenge", {}, me.access), *TOO_SOON)
    rested(sql, factor)
    got = many(8, lambda i: server.post(factor.path + "/challenge", {}, me.access))
    assert sorted(r.status_code for r in got) == [200] + [429] * 7
    assert sql("select count(*) as n from auth.mfa_challenges where factor_id = %s", factor.id)[0]["n"] == 2


def test_what_a_challenge_takes(server, sql, me, phones):
    factor = Factor(me, phone=phone())
    ask = lambda **kw: server.request("POST", factor.path + "/challenge", me.access, **kw)
    is_error(ask(), 400, "bad_json")
    is_error(ask(data=b"{"), 400, "bad_json")
    assert ask(json={"channel": "pigeon"}).status_code == 200, "the hook takes any"


def test_the_hook(server, sql, me, phones):
    """It is told what for; nothing is open meanwhile.  When it fails nothing is written, and its words are not ours."""
    number = phone()
    factor = Factor(me, phone=number)
    phones.peer.seen.clear()
    opened = []
    phones.peer.answer = lambda request: opened.append(open_transactions(sql)) or phones.answer(request)
    phones.says = (200, {"Content-Type": "application/json"}, b'{"error": {"http_code": 418, "message": "teapot"}}')
    is_error(server.post(factor.path + "/challenge", {}, me.access), 500, "unexpected_failure", "error invoking hook")
    assert factors_of(sql, me.id)[0]["last_challenged_at"] is None
    assert sql("select count(*) as n from auth.mfa_challenges where factor_id = %s", factor.id)[0]["n"] == 0
    phones.says = TOLD
    factor.challenge()
    told = json.loads(phones.peer.seen[-1].body)
    assert told["sms"] == {"otp": phones.take(number), "phone": number, "sms_type": "mfa"} and told["user"]["factors"][0]["id"] == factor.id
    phones.peer.answer = phones.answer
    assert opened == [set()] * 2


def test_how_long_a_code_is(mailing, phones):
    long = mailing(GOTRUE_MFA_PHONE_ENROLL_ENABLED="true", GOTRUE_MFA_PHONE_VERIFY_ENABLED="true", GOTRUE_MAILER_AUTOCONFIRM="true",
                   GOTRUE_MFA_PHONE_OTP_LENGTH="10", GOTRUE_RATE_LIMIT_SMS_SENT="0", GOTRUE_SMS_TEST_OTP="15550001111:123456")
    factor = Factor(long.sign_up(), phone="15550001111")
    challenge = factor.challenge()
    code = phones.take("15550001111")
    assert len(code) == 10 and factor.verify(code, challenge).status_code == 200


def test_guesses(server, sql, me, phones):
    number = phone()
    factor = Factor(me, phone=number)
    challenge = factor.challenge()
    wrong = f"{(int(phones.take(number)) + 1) % 1000000:06}"
    got = many(40, lambda i: factor.verify(wrong, challenge))
    assert sorted(r.status_code for r in got) == [422] * 10 + [429] * 30
    is_error(factor.verify(phones.take(number), challenge), 429, "over_request_rate_limit")
    sql("update postern.factor_use set rests_until = now() where factor_id = %s", factor.id)
    assert factor.verify(phones.take(number), challenge).status_code == 200


def test_begun_before_another_was_verified(server, sql, me, phones):
    """Whoever knows the password alone plants a telephone of theirs in vain."""
    number = phone()
    planted = Factor(me, phone=number, friendly_name="planted")
    challenge = planted.challenge()
    app = Factor(me, friendly_name="app")
    assert app.verify().status_code == 200
    low = server.sign_in(email=me.email, password=me.password).json()["access_token"]
    is_error(planted.verify(phones.take(number), challenge, low), 403, "insufficient_aal", "AAL2 required to enroll a new factor")
    assert [f["status"] for f in factors_of(sql, me.id)] == ["unverified", "verified"]
