# SPDX-License-Identifier: Apache-2.0
"""A code can be guessed only so often: after ten wrong ones it is refused as if it had expired; the link of the same letter goes on."""

import pytest

from harness import PASSWORD, SERVICE, Session, address, is_error, phone, typed
from post import Landing, pkce

EXPIRED = "Token has expired or is invalid"
LIMIT = 10


@pytest.fixture
def server(mailing):
    return mailing(GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION="true")


def generate(server, **body):
    got = server.post("/admin/generate_link", body, token=SERVICE)
    assert got.status_code == 200, got.text
    return got.json()


def verify(server, **body):
    return server.post("/verify", body)


def refused(got):
    is_error(got, 403, "otp_expired", EXPIRED)


def guess(server, times, **body):
    """Wrong codes of the right form; none of them can be right by chance."""
    for i in range(times):
        refused(verify(server, token=f"wrong{i}", **body))


def attempts(sql, where, code, prefix=""):
    found = sql("select attempts from postern.attempts where hash = %s", prefix + typed(where, code))
    return found[0]["attempts"] if found else 0


def somebody(server, kind):
    email = address()
    if kind in ("recovery", "magiclink"):
        generate(server, type="signup", email=email, password=PASSWORD)
    return email, generate(server, type=kind, email=email, password=PASSWORD)


@pytest.mark.parametrize("type", ["as it is", "email"])
@pytest.mark.parametrize("kind", ["signup", "invite", "recovery", "magiclink"])
def test_ten_wrong(server, sql, kind, type):
    asked = kind if type == "as it is" else "email"
    email, made = somebody(server, kind)
    guess(server, LIMIT, type=asked, email=email)
    assert attempts(sql, email, made["email_otp"]) == LIMIT
    refused(verify(server, type=asked, token=made["email_otp"], email=email))
    refused(verify(server, type="email", token=made["email_otp"], email=email))
    assert Landing(server.get(f"/verify?token={made['hashed_token']}&type={kind}")).signed_in


def test_nine_wrong(server, sql):
    email, made = somebody(server, "signup")
    guess(server, LIMIT - 1, type="signup", email=email)
    assert verify(server, type="signup", token=made["email_otp"], email=email).status_code == 200


def test_the_hash_goes_on(server):
    email, made = somebody(server, "signup")
    guess(server, LIMIT + 3, type="signup", email=email)
    refused(verify(server, type="signup", token=made["email_otp"], email=email))
    assert verify(server, type="signup", token_hash=made["hashed_token"]).status_code == 200


def test_a_new_letter_begins_anew(server):
    email, made = somebody(server, "signup")
    guess(server, LIMIT, type="signup", email=email)
    made = generate(server, type="signup", email=email, password=PASSWORD)
    assert verify(server, type="signup", token=made["email_otp"], email=email).status_code == 200


def test_counts_against_each_that_it_could_have_matched(server, sql):
    """type=email looks at two; the others at one."""
    email = address()
    codes = [generate(server, type=kind, email=email, password=PASSWORD)["email_otp"] for kind in ("signup", "recovery")]

    def both():
        return [attempts(sql, email, code) for code in codes]

    guess(server, 2, type="email", email=email)
    assert both() == [2, 2]
    guess(server, 1, type="invite", email=email)
    guess(server, 2, type="magiclink", email=email)
    assert both() == [3, 4]
    guess(server, 1, type="nonsense", email=email)
    guess(server, 1, type="email_change", email=email)
    assert both() == [3, 4]


def test_expired_ones_do_not_count(server, sql):
    email, made = somebody(server, "signup")
    sql("update auth.users set confirmation_sent_at = now() - interval '2 days' where email = %s", email)
    guess(server, 2, type="signup", email=email)
    assert attempts(sql, email, made["email_otp"]) == 0


def test_wrong_hashes_do_not_count(server, sql):
    email, made = somebody(server, "signup")
    for i in range(LIMIT + 2):
        is_error(verify(server, type="signup", token_hash=f"{i:056x}"), 403, "otp_expired", "Email link is invalid or has expired")
        Landing(server.get(f"/verify?type=signup&token={i:056x}")).is_refused()
        is_error(verify(server, type="recovery", token_hash=made["hashed_token"]), 403, "otp_expired")
    assert attempts(sql, email, made["email_otp"]) == 0
    assert verify(server, type="signup", token=made["email_otp"], email=email).status_code == 200


def test_somebody_unknown(server, sql):
    before = sql("select count(*) as n from postern.attempts")[0]["n"]
    guess(server, 3, type="signup", email=address())
    guess(server, 3, type="sms", phone=phone())
    guess(server, 3, type="email_change", email=address())
    assert sql("select count(*) as n from postern.attempts")[0]["n"] == before


def test_with_pkce(server, post, sql):
    """The hash that is stored has a prefix; what is typed has none."""
    email = address()
    server.post("/otp", {"email": email, **pkce()[1]})
    letter = post.take(email)
    guess(server, LIMIT, type="email", email=email)
    assert attempts(sql, email, letter.code, "pkce_") == LIMIT
    refused(verify(server, type="email", token=letter.code, email=email))
    assert "code" in Landing(server.get(letter.path)).query


def signed_in(server, **ways):
    email = address()
    made = generate(server, type="signup", email=email, password=PASSWORD)
    return Session(server, {"email": email, "password": PASSWORD}, verify(server, type="signup", token_hash=made["hashed_token"]).json())


def test_a_change_of_address(server, post, sql):
    me = signed_in(server)
    new = address("new")
    assert me.put(email=new).status_code == 200
    old, fresh = post.take(me.email), post.take(new)
    guess(server, LIMIT, type="email_change", email=me.email)
    assert (attempts(sql, me.email, old.code), attempts(sql, new, fresh.code)) == (LIMIT, 0)
    refused(verify(server, type="email_change", token=old.code, email=me.email))
    guess(server, LIMIT - 1, type="email_change", email=new)
    assert verify(server, type="email_change", token=fresh.code, email=new).status_code == 200
    assert Landing(server.get(old.path)).signed_in


def test_sms(server, phones, sql):
    number = phone()
    server.post("/otp", {"phone": number})
    guess(server, LIMIT, type="sms", phone=number)
    refused(verify(server, type="sms", token=phones.take(number), phone=number))
    server.post("/otp", {"phone": number})
    guess(server, LIMIT - 1, type="sms", phone=number)
    assert verify(server, type="sms", token=phones.take(number), phone=number).status_code == 200


def test_a_change_of_number(server, phones, sql):
    me = signed_in(server)
    number = phone()
    assert me.put(phone=number).status_code == 200
    guess(server, LIMIT, type="phone_change", phone=number)
    refused(verify(server, type="phone_change", token=phones.take(number), phone=number))


def test_fixed_codes(mailing, sql):
    number = phone()
    server = mailing(GOTRUE_SMS_TEST_OTP=f"{number}:123456")
    before = sql("select count(*) as n from postern.attempts")[0]["n"]
    for _ in range(2):
        assert server.post("/otp", {"phone": number}).status_code == 200
        guess(server, LIMIT + 1, type="sms", phone=number)
        assert verify(server, type="sms", token="123456", phone=number).status_code == 200
    assert sql("select count(*) as n from postern.attempts")[0]["n"] == before


def old_session(server, sql):
    me = signed_in(server)
    sql("update auth.sessions set created_at = created_at - interval '2 days' where user_id = %s", me.id)
    return me


def test_a_nonce(server, post, sql):
    me = old_session(server, sql)
    assert server.get("/reauthenticate", me.access).status_code == 200
    nonce = post.take(me.email).code
    is_error(me.put(password="entirely new 1"), 400, "reauthentication_needed")
    for i in range(LIMIT):
        is_error(me.put(password="entirely new 1", nonce=f"wrong{i}"), 422, "reauthentication_not_valid")
    is_error(me.put(password="entirely new 1", nonce=nonce), 422, "reauthentication_not_valid")
    assert server.get("/reauthenticate", me.access).status_code == 200
    assert me.put(password="entirely new 1", nonce=post.take(me.email).code).status_code == 200


def test_a_nonce_of_a_fixed_code(mailing, sql):
    number = phone()
    server = mailing(GOTRUE_SMS_TEST_OTP=f"{number}:123456", GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION="true")
    server.post("/otp", {"phone": number})
    me = Session(server, {"phone": number}, verify(server, type="sms", token="123456", phone=number).json())
    sql("update auth.sessions set created_at = created_at - interval '2 days' where user_id = %s", me.id)
    assert server.get("/reauthenticate", me.access).json() == {"message_id": "test-otp"}
    for i in range(LIMIT + 1):
        is_error(me.put(password="entirely new 1", nonce=f"wrong{i}"), 422, "reauthentication_not_valid")
    assert me.put(password="entirely new 1", nonce="123456").status_code == 200


def test_never(mailing, sql):
    server = mailing(POSTERN_OTP_MAX_ATTEMPTS="0")
    email, made = somebody(server, "signup")
    guess(server, LIMIT * 3, type="signup", email=email)
    assert verify(server, type="signup", token=made["email_otp"], email=email).status_code == 200


def test_of_another_number(mailing, sql):
    server = mailing(POSTERN_OTP_MAX_ATTEMPTS="2")
    email, made = somebody(server, "signup")
    guess(server, 2, type="signup", email=email)
    refused(verify(server, type="signup", token=made["email_otp"], email=email))


def test_old_counts_go(server, sql):
    sql("insert into postern.attempts (hash, attempts, first_at) select 'old' || i, 1, now() - interval '3 days' from generate_series(1, 150) i")
    email, made = somebody(server, "signup")
    guess(server, 2, type="signup", email=email)
    assert sql("select count(*) as n from postern.attempts where hash like 'old%'")[0]["n"] == 0
    assert attempts(sql, email, made["email_otp"]) == 2
