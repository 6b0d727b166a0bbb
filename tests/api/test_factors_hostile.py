# SPDX-License-Identifier: Apache-2.0
"""Second factors and somebody who means harm, or has half of what is needed."""

import time

import pytest

from factors import Factor
from harness import is_error, many, phone

TOO_SOON = (429, "over_sms_send_rate_limit")
ON = {"GOTRUE_MFA_PHONE_ENROLL_ENABLED": "true", "GOTRUE_MFA_PHONE_VERIFY_ENABLED": "true", "GOTRUE_MAILER_AUTOCONFIRM": "true"}


@pytest.fixture(scope="module")
def server(mailing):
    return mailing(**ON)


@pytest.fixture
def me(server, phones):
    phones.says = (200, {"Content-Type": "application/json"}, b"{}")
    return server.sign_up()


def ask(factor):
    return factor.server.post(factor.path + "/challenge", {}, factor.me.access)


# --- Messages, which cost money ---


def test_a_number_that_is_added_anew(server, me, phones):
    """Whether the factor gives way or is deleted, its number gets a message a minute."""
    number = phone()
    factor = Factor(me, phone=number)
    assert ask(factor).status_code == 200
    factor = Factor(me, phone=number)
    is_error(ask(factor), *TOO_SOON)
    assert factor.delete().status_code == 200
    is_error(ask(Factor(me, phone=f"+{number}")), *TOO_SOON)
    assert len(phones.to(number)) == 1
    assert ask(Factor(server.sign_up(), phone=number)).status_code == 200, "a stranger keeps nobody from it"


def test_one_number_after_another(server, me, phones):
    """As many as the factors that a user may have, and no more."""
    numbers, codes = [phone() for _ in range(14)], []
    for number in numbers:
        factor = Factor(me, phone=number)
        codes.append(ask(factor).status_code)
        factor.delete()
    assert codes == [200] * 10 + [429] * 4 and sum(len(phones.to(number)) for number in numbers) == 10


def test_many_at_once_while_it_is_slow(mailing, phones):
    server = mailing(**ON, GOTRUE_MFA_MAX_ENROLLED_FACTORS="2", POSTERN_TEST_WORKERS="12")
    number = phone()
    factor = Factor(server.sign_up(), phone=number)
    phones.peer.answer = lambda request: time.sleep(0.3) or phones.answer(request)
    got = many(24, lambda _: ask(factor).status_code)
    phones.peer.answer = phones.answer
    assert got.count(200) == 1 and len(phones.to(number)) <= 2, (got, phones.to(number))


def test_one_that_failed_is_asked_for_again(me, phones):
    factor = Factor(me, phone=phone())
    phones.says = (500, {}, b"")
    assert ask(factor).status_code == 500
    phones.says = (200, {"Content-Type": "application/json"}, b"{}")
    assert ask(factor).status_code == 200


def test_a_code_that_went_to_the_number_before(server, me, phones, key):
    number = phone()
    factor = Factor(me, phone=number)
    challenge = factor.challenge()
    change = lambda **body: server.put(f"/admin/users/{me.id}/factors/{factor.id}", body, key)
    assert change(friendly_name="other").status_code == change(phone=f"+{number}").status_code == 200
    is_error(factor.verify("0", challenge), 422, "mfa_verification_failed")
    assert change(phone=phone()).status_code == 200
    is_error(factor.verify(phones.take(number), challenge), 422, "mfa_factor_not_found")


# --- How many are verified ---


def test_those_of_other_types_count(mailing, phones):
    """Begun while there was room for them."""
    server = mailing(**ON, GOTRUE_MFA_MAX_VERIFIED_FACTORS="1")
    me, number = server.sign_up(), phone()
    app, mobile = Factor(me, friendly_name="app"), Factor(me, friendly_name="mobile", phone=number)
    challenge = mobile.challenge()
    assert app.verify().status_code == 200
    is_error(mobile.verify(phones.take(number), challenge), 422, "too_many_enrolled_mfa_factors")


@pytest.mark.parametrize("version", ["1", "2"])
def test_two_at_once(mailing, phones, sql, version):
    server = mailing(**ON, GOTRUE_MFA_MAX_VERIFIED_FACTORS="1", GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION=version)
    for _ in range(5):
        me, number = server.sign_up(), phone()
        app, mobile = Factor(me, friendly_name="app"), Factor(me, friendly_name="mobile", phone=number)
        challenges = app.challenge(), mobile.challenge()
        got = many(8, lambda i: mobile.verify(phones.take(number), challenges[1]) if i % 2 else app.verify(challenge=challenges[0]))
        assert [x.status_code for x in got].count(200) == 1 and {x.status_code for x in got} <= {200, 422}
        assert sql("select count(*) as n from auth.mfa_factors where user_id = %s and status = 'verified'", me.id)[0]["n"] == 1


# --- Sessions that are over ---


@pytest.mark.parametrize("setting, column", [("TIMEBOX", "created_at"), ("INACTIVITY_TIMEOUT", "refreshed_at"), (None, "not_after")])
def test_what_is_over_is_not_raised(serve, sql, setting, column):
    server = serve(**({f"GOTRUE_SESSIONS_{setting}": "1h"} if setting else {}))
    me = server.sign_up()
    factor = Factor(me)
    challenge = factor.challenge()
    sql(f"update auth.sessions set {column} = now() - interval '2 hours' where user_id = %s", me.id)
    is_error(factor.verify(challenge=challenge), 403, "session_expired")
    assert server.refresh(me.refresh_token).status_code == 400


def test_one_that_waits_for_a_factor_is_raised(serve, sql):
    """A refresh says that the user has to show one."""
    server = serve(GOTRUE_SESSIONS_ALLOW_LOW_AAL="15m")
    me = server.sign_up()
    factor = Factor(me)
    assert factor.verify().status_code == 200
    low = server.sign_in(email=me.email, password=me.password).json()
    sql("update auth.sessions set created_at = now() - interval '1 hour' where user_id = %s and aal = 'aal1'", me.id)
    sql("delete from postern.factor_use where factor_id = %s", factor.id)
    assert "User Needs MFA" in server.refresh(low["refresh_token"]).text
    assert factor.verify(token=low["access_token"]).status_code == 200


# --- What is no code ---


@pytest.mark.parametrize("text, status", [
    (b'{"code": 123456, "challenge_id": "%s"}', 400),
    (b'{"code": "123456", "challenge_id": 1}', 400),
    (b'{"code": "12345\\u0000", "challenge_id": "%s"}', 400),
    (b'{"code": "\xff\xfe", "challenge_id": "%s"}', 400),
    (b'{"code": "123456", "challenge_id": "' + b"a" * 100000 + b'"}', 400),
    (b'{"code": "' + b"9" * 900000 + b'", "challenge_id": "%s"}', 422),
    (b'{"code": "\\u0661\\u0662\\u0663\\u0664\\u0665\\u0666", "challenge_id": "%s"}', 422),
    (b'{"code": "-00001", "challenge_id": "%s"}', 422),
    (b'{"code": "1", "code": "000000", "challenge_id": "%s"}', 422),
])  # fmt: skip
def test_odd_answers(server, me, text, status):
    factor = Factor(me)
    body = text.replace(b"%s", factor.challenge().encode())
    got = server.request("POST", factor.path + "/verify", me.access, data=body, headers={"Content-Type": "application/json"})
    assert got.status_code == status, got.text
