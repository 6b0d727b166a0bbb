# SPDX-License-Identifier: Apache-2.0
"""Links and codes come back: every kind by link, by hash and typed, and what it is good for."""

import pytest

from harness import PASSWORD, SERVICE, Session, address, claims_of, is_error, phone
from post import Landing, exchange, pkce

EXPIRED = "Token has expired or is invalid"


@pytest.fixture
def server(mailing):
    return mailing()


def unconfirmed(server, post, **body):
    """Somebody who has signed up, and their letter."""
    email = body.setdefault("email", address())
    got = server.post("/signup", {"password": PASSWORD, **body})
    assert got.status_code == 200, got.text
    return email, post.take(email)


def confirmed(server, email=None):
    email = email or address()
    made = server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, token=SERVICE)
    assert made.status_code == 200, made.text
    return email


def signed_in(server, email=None):
    email = confirmed(server, email)
    got = server.sign_in(email=email, password=PASSWORD)
    assert got.status_code == 200, got.text
    return Session(server, {"email": email, "password": PASSWORD}, got.json())


def row(sql, email):
    return sql("select * from auth.users where email = %s", email)[0]


def secrets_left(sql, email):
    return sql("select token_type::text from auth.one_time_tokens t join auth.users u on u.id = t.user_id where u.email = %s", email)


def sessions(sql, email):
    return sql("select count(*) as n from auth.sessions s join auth.users u on u.id = s.user_id where u.email = %s", email)[0]["n"]


def actions(sql, email):
    return [
        x["a"] for x in sql(
            "select payload->>'action' as a from auth.audit_log_entries where payload->>'actor_id' = (select id::text from auth.users where email = %s) "
            "order by created_at",
            email)
    ]


def generate(server, **body):
    got = server.post("/admin/generate_link", body, token=SERVICE)
    assert got.status_code == 200, got.text
    return got.json()


# How each kind of letter is asked for; gives the address it goes to and the letter.


def ask_signup(server, post, sql):
    return unconfirmed(server, post)


def ask_invite(server, post, sql):
    email = address()
    assert server.post("/invite", {"email": email}, token=SERVICE).status_code == 200
    return email, post.take(email)


def ask_recovery(server, post, sql):
    email = confirmed(server)
    assert server.post("/recover", {"email": email}).status_code == 200
    return email, post.take(email)


def ask_magiclink(server, post, sql):
    email = confirmed(server)
    assert server.post("/otp", {"email": email}).status_code == 200
    return email, post.take(email)


KINDS = {"signup": ask_signup, "invite": ask_invite, "recovery": ask_recovery, "magiclink": ask_magiclink}

WAYS = {
    "link": lambda server, email, letter, type: server.get(f"/verify?token={letter.hash}&type={type}"),
    "token_hash": lambda server, email, letter, type: server.post("/verify", {"type": type, "token_hash": letter.hash}),
    "code": lambda server, email, letter, type: server.post("/verify", {"type": type, "token": letter.code, "email": email.upper()}),
}


def is_in(got, way):
    if way == "link":
        landing = Landing(got)
        assert landing.signed_in, landing.fragment
        return landing.fragment["access_token"]
    assert got.status_code == 200, got.text
    return got.json()["access_token"]


def is_out(got, way):
    if way == "link":
        Landing(got).is_refused()
    else:
        is_error(got, 403, "otp_expired", "Email link is invalid or has expired" if way == "token_hash" else EXPIRED)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(server, post, sql, kind, way):
    email, letter = KINDS[kind](server, post, sql)
    assert letter.type == kind
    claims = claims_of(is_in(WAYS[way](server, email, letter, kind), way))
    assert claims["email"] == email and claims["amr"][0]["method"] == "otp" and claims["aal"] == "aal1"
    user = row(sql, email)
    assert user["email_confirmed_at"] and user["last_sign_in_at"]
    assert user["confirmation_token"] == user["recovery_token"] == "" and secrets_left(sql, email) == [] and sessions(sql, email) == 1
    # Once is all.
    for again in WAYS:
        is_out(WAYS[again](server, email, letter, kind), again)
    assert sessions(sql, email) == 1


@pytest.fixture
def strict(mailing):
    return mailing(GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD="true")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["recovery", "magiclink"])
def test_who_proves_an_address_needs_no_current_password(strict, post, sql, kind, way):
    email, letter = KINDS[kind](strict, post, sql)
    token = is_in(WAYS[way](strict, email, letter, kind), way)
    assert strict.put("/user", {"password": "a new one 8"}, token).status_code == 200
    again = strict.sign_in(email=email, password="a new one 8").json()["access_token"]
    is_error(strict.put("/user", {"password": "a newer one 9"}, again), 400, "current_password_required")


@pytest.mark.parametrize("kind", ["recover", "otp"])
def test_who_proves_an_address_by_pkce_needs_no_current_password(strict, post, kind):
    email = confirmed(strict)
    verifier, flow = pkce()
    assert strict.post(f"/{kind}", {"email": email, **flow}).status_code == 200
    landing = Landing(strict.get(post.take(email).path))
    token = exchange(strict, landing.query["code"], verifier).json()["access_token"]
    assert claims_of(token)["amr"][0]["method"] == ("recovery" if kind == "recover" else "magiclink")
    assert strict.put("/user", {"password": "a new one 8"}, token).status_code == 200


def test_who_proves_a_number_needs_no_current_password(strict, phones):
    number = phone()
    body = {"phone": number, "password": PASSWORD, "phone_confirm": True}
    assert strict.post("/admin/users", body, token=SERVICE).status_code == 200
    assert strict.post("/otp", {"phone": number}).status_code == 200
    token = strict.post("/verify", {"type": "sms", "phone": number, "token": phones.take(number)}).json()["access_token"]
    assert strict.put("/user", {"password": "a new one 8"}, token).status_code == 200


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_as_email(server, post, sql, kind, way):
    """type=email finds both sorts; the redirect says which it was."""
    email, letter = KINDS[kind](server, post, sql)
    got = WAYS[way](server, email, letter, "email")
    is_in(got, way)
    if way == "link":
        assert Landing(got).fragment["type"] == ("signup" if kind in ("signup", "invite") else "magiclink")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_of_another_type(server, post, sql, kind, way):
    email, letter = KINDS[kind](server, post, sql)
    siblings = ({"signup", "invite"} if kind in ("signup", "invite") else {"recovery", "magiclink"})
    for type in ("signup", "invite", "recovery", "magiclink", "email_change"):
        if type not in siblings:
            is_out(WAYS[way](server, email, letter, type), way)
    is_in(WAYS[way](server, email, letter, (siblings - {kind}).pop()), way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_expired(server, post, sql, kind, way):
    email, letter = KINDS[kind](server, post, sql)
    sql(
        "update auth.users set confirmation_sent_at = confirmation_sent_at - interval '86401 s', recovery_sent_at = recovery_sent_at - interval '86401 s' "
        "where email = %s",
        email)
    is_out(WAYS[way](server, email, letter, kind), way)
    assert len(secrets_left(sql, email)) == 1
    sql(
        "update auth.users set confirmation_sent_at = confirmation_sent_at + interval '30 s', recovery_sent_at = recovery_sent_at + interval '30 s' where "
        "email = %s",
        email)
    is_in(WAYS[way](server, email, letter, kind), way)


@pytest.mark.parametrize("way", WAYS)
def test_banned(server, post, sql, way):
    email, letter = unconfirmed(server, post)
    sql("update auth.users set banned_until = now() + interval '1 h' where email = %s", email)
    got = WAYS[way](server, email, letter, "signup")
    if way == "link":
        Landing(got).is_refused("user_banned", "User is banned")
    else:
        is_error(got, 403, "user_banned", "User is banned")
    sql("update auth.users set banned_until = null where email = %s", email)
    is_in(WAYS[way](server, email, letter, "signup"), way)


def test_only_the_newest_letter(server, post, sql):
    email, first = unconfirmed(server, post)
    assert server.post("/resend", {"type": "signup", "email": email}).status_code == 200
    second = post.take(email)
    for way in WAYS:
        is_out(WAYS[way](server, email, first, "signup"), way)
    is_in(WAYS["link"](server, email, second, "signup"), "link")


def test_signing_up_confirms(server, post, sql):
    email, letter = unconfirmed(server, post, data={"name": "Ada"})
    is_error(server.sign_in(email=email, password=PASSWORD), 400, "email_not_confirmed", "Email not confirmed")
    is_in(server.get(letter.path), "link")
    user = row(sql, email)
    assert user["raw_user_meta_data"]["email_verified"] is True
    identity = sql("select identity_data from auth.identities where user_id = %s", user["id"])[0]["identity_data"]
    assert identity["email_verified"] is True
    assert actions(sql, email) == ["user_confirmation_requested", "user_signedup"]
    assert server.sign_in(email=email, password=PASSWORD).status_code == 200


def test_an_invited_user_has_a_password_that_nobody_knows(server, post, sql):
    email, letter = ask_invite(server, post, sql)
    assert not row(sql, email)["encrypted_password"]
    token = is_in(WAYS["link"](server, email, letter, "invite"), "link")
    assert row(sql, email)["encrypted_password"]
    assert server.put("/user", {"password": "brand new words 1"}, token).status_code == 200
    assert server.sign_in(email=email, password="brand new words 1").status_code == 200


def test_recovery_confirms_who_was_not(server, post, sql):
    email, _ = unconfirmed(server, post)
    assert server.post("/recover", {"email": email}).status_code == 200
    is_in(WAYS["link"](server, email, post.take(email), "recovery"), "link")
    assert row(sql, email)["email_confirmed_at"] and actions(sql, email)[-1] == "user_signedup"


def test_a_code_belongs_to_its_address(server, post, sql):
    email, letter = unconfirmed(server, post)
    other, _ = unconfirmed(server, post)
    is_error(server.post("/verify", {"type": "signup", "token": letter.code, "email": other}), 403, "otp_expired", EXPIRED)
    is_error(server.post("/verify", {"type": "signup", "token": letter.code, "email": address()}), 403, "otp_expired", EXPIRED)
    is_error(server.post("/verify", {"type": "signup", "token": letter.hash, "email": email}), 403, "otp_expired", EXPIRED)
    is_error(server.post("/verify", {"type": "signup", "token_hash": letter.code}), 403, "otp_expired")


def test_a_link_with_garbage(server):
    for token in ("x", "0" * 56, "pkce_", "%00", "%FF", "a" * 5000, "%27%20or%20true--"):
        got = server.get(f"/verify?type=signup&token={token}")
        assert got.status_code in (303, 400), (token, got.status_code)
        if got.status_code == 303:
            assert "access_token" not in got.headers["Location"]


def test_the_button_for_scanners(mailing, post, sql):
    server = mailing(POSTERN_VERIFY_CONFIRM_PAGE="true")
    email, letter = unconfirmed(server, post)
    for _ in range(3):
        page = server.get(letter.path)
        assert page.status_code == 200 and "<form method=\"post\">" in page.text and "text/html" in page.headers["Content-Type"]
    assert row(sql, email)["email_confirmed_at"] is None
    got = server.request("POST", letter.path, data={"confirm": "yes"})
    is_in(got, "link")
    Landing(server.request("POST", letter.path, data={"confirm": "yes"})).is_refused()
    # Apps go on as before.
    email, letter = unconfirmed(server, post)
    is_in(WAYS["token_hash"](server, email, letter, "signup"), "token_hash")


# PKCE.


def flows(sql, email):
    return sql("select f.* from auth.flow_state f join auth.users u on u.id = f.user_id where u.email = %s", email)


PKCE = {
    "signup": lambda server, post, sql, more: unconfirmed(server, post, **more),
    "recovery": lambda server, post, sql, more: _asked(server, post, sql, "/recover", more),
    "magiclink": lambda server, post, sql, more: _asked(server, post, sql, "/otp", more),
}


def _asked(server, post, sql, path, more):
    email = confirmed(server)
    assert server.post(path, {"email": email, **more}).status_code == 200
    return email, post.take(email)


@pytest.mark.parametrize("method", ["s256", "plain", "S256"])
@pytest.mark.parametrize("kind", PKCE)
def test_pkce(server, post, sql, kind, method):
    verifier, more = pkce(method.lower())
    email, letter = PKCE[kind](server, post, sql, {**more, "code_challenge_method": method})
    assert letter.hash.startswith("pkce_") and letter.type == kind
    landing = Landing(server.get(letter.path))
    assert set(landing.query) == {"code"} and landing.fragment == {} and sessions(sql, email) == 0
    code = landing.query["code"]
    is_error(exchange(server, code, "x" * 43), 400, "bad_code_verifier", "code challenge does not match previously saved code verifier")
    got = exchange(server, code, verifier)
    assert got.status_code == 200, got.text
    method = {"signup": "email/signup"}.get(kind, kind)
    assert got.json()["user"]["email"] == email and claims_of(got.json()["access_token"])["amr"][0]["method"] == method
    is_error(exchange(server, code, verifier), 404, "flow_state_not_found", "invalid flow state, no valid flow state found")
    assert flows(sql, email) == [] and sessions(sql, email) == 1
    landing = Landing(server.get(letter.path))
    assert landing.is_refused()


def test_pkce_by_code_and_hash(server, post, sql):
    """An app that shows a field for the code gets its session at once, flow or not."""
    for way in ("code", "token_hash"):
        _, more = pkce()
        email, letter = unconfirmed(server, post, **more)
        is_in(WAYS[way](server, email, letter, "signup"), way)


def test_pkce_errors(server, post, sql):
    verifier, more = pkce()
    email, letter = unconfirmed(server, post, **more)
    sql("delete from auth.flow_state where user_id = (select id from auth.users where email = %s)", email)
    got = server.get(letter.path)
    assert Landing(got).query == {"error": "invalid_request", "error_code": "flow_state_not_found",
                                  "error_description": "No associated flow state found. 422: No valid flow state found for user."}
    assert "#error=invalid_request&error_code=flow_state_not_found&error_description=No+associated+flow+state+found.+422%253A+No" in got.headers["Location"]
    assert row(sql, email)["email_confirmed_at"] is None and len(secrets_left(sql, email)) == 1


def test_pkce_expires(mailing, post, sql):
    server = mailing()
    for kind in PKCE:
        verifier, more = pkce()
        email, letter = PKCE[kind](server, post, sql, more)
        code = Landing(server.get(letter.path)).query["code"]
        sql("update auth.flow_state set created_at = created_at - interval '6 min' where auth_code = %s", code)
        if kind == "magiclink":  # it counts from when the link was followed
            sql("update auth.flow_state set auth_code_issued_at = auth_code_issued_at - interval '6 min' where auth_code = %s", code)
        is_error(exchange(server, code, verifier), 422, "flow_state_expired", "invalid flow state, flow state has expired")


def test_pkce_of_the_newest_flow(server, post, sql):
    email = confirmed(server)
    (_, first), (verifier, second) = pkce(), pkce()
    for more in (first, second):
        assert server.post("/otp", {"email": email, **more}).status_code == 200
        letter = post.take(email)
    code = Landing(server.get(letter.path)).query["code"]
    assert exchange(server, code, verifier).status_code == 200


@pytest.mark.parametrize("more, message", [
    ({"code_challenge": "a" * 43}, "PKCE flow requires code_challenge_method and code_challenge"),
    ({"code_challenge_method": "s256"}, "PKCE flow requires code_challenge_method and code_challenge"),
    ({"code_challenge": "a" * 42, "code_challenge_method": "s256"}, "code challenge has to be between 43 and 128 characters"),
    ({"code_challenge": "a" * 129, "code_challenge_method": "s256"}, "code challenge has to be between 43 and 128 characters"),
    ({"code_challenge": "a" * 43 + "!", "code_challenge_method": "s256"
      }, "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes"),
])
def test_bad_challenges(server, more, message):
    for path, body in (("/otp", {}), ("/magiclink", {}), ("/recover", {}), ("/resend", {"type": "signup"}), ("/signup", {"password": PASSWORD})):
        is_error(server.post(path, {"email": address(), **body, **more}), 400, "validation_failed", message)


# A change of the e-mail address.


def change(server, sql, post, **more):
    me = signed_in(server)
    new = address("new")
    got = server.put("/user", {"email": new.upper(), **more}, me.access)
    assert got.status_code == 200, got.text
    assert got.json()["email"] == me.email and got.json()["new_email"] == new
    return me, new


HALF = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", ["old first", "new first"])
def test_double_change(server, post, sql, order, way):
    me, new = change(server, sql, post)
    pair = [(me.email, post.take(me.email)), (new, post.take(new))]
    if order == "new first":
        pair.reverse()
    (first, first_letter), (second, second_letter) = pair
    assert first_letter.type == second_letter.type == "email_change" and first_letter.code != second_letter.code
    got = WAYS[way](server, first, first_letter, "email_change")
    if way == "link":
        landing = Landing(got)
        assert landing.fragment == {"message": HALF, "sb": ""} and landing.query == {}
    else:
        assert got.status_code == 200 and got.json() == {"msg": HALF, "code": "200"}
    user = row(sql, me.email)
    assert user["email_change_confirm_status"] == 1 and sessions(sql, me.email) == 1
    # The half that was used is no good for the other.
    for again in WAYS:
        is_out(WAYS[again](server, first, first_letter, "email_change"), again)
    token = is_in(WAYS[way](server, second, second_letter, "email_change"), way)
    assert claims_of(token)["email"] == new
    user = row(sql, new)
    assert str(user["id"]) == me.id and user["email_change"] == "" and user["email_change_confirm_status"] == 0
    assert sql("select identity_data->>'email' as email from auth.identities where user_id = %s", me.id)[0]["email"] == new
    assert secrets_left(sql, new) == [] and sessions(sql, new) == 2
    for again in WAYS:
        is_out(WAYS[again](server, second, second_letter, "email_change"), again)


def test_double_change_with_pkce(server, post, sql):
    verifier, more = pkce()
    me, new = change(server, sql, post, **more)
    old, fresh = post.take(me.email), post.take(new)
    landing = Landing(server.get(old.path))
    assert landing.query == {"message": HALF} and landing.fragment == {"message": HALF, "sb": ""}
    got = exchange(server, Landing(server.get(fresh.path)).query["code"], verifier)
    assert got.status_code == 200 and got.json()["user"]["email"] == new
    # Typed, both halves need no flow.
    me, new = change(server, sql, post, **pkce()[1])
    old, fresh = post.take(me.email), post.take(new)
    assert WAYS["code"](server, me.email, old, "email_change").json()["msg"] == HALF
    is_in(WAYS["code"](server, new, fresh, "email_change"), "code")


def test_single_change(mailing, post, sql):
    server = mailing(GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED="false")
    me, new = change(server, sql, post)
    letter = post.take(new)
    assert not post.to(me.email)
    is_in(WAYS["link"](server, new, letter, "email_change"), "link")
    assert row(sql, new)


def test_change_expires(server, post, sql):
    me, new = change(server, sql, post)
    old, fresh = post.take(me.email), post.take(new)
    sql("update auth.users set email_change_sent_at = now() - interval '86401 s' where id = %s", me.id)
    for way in WAYS:
        is_out(WAYS[way](server, new, fresh, "email_change"), way)
        is_out(WAYS[way](server, me.email, old, "email_change"), way)


def test_change_to_an_address_taken_meanwhile(server, post, sql):
    me, new = change(server, sql, post)
    old, fresh = post.take(me.email), post.take(new)
    confirmed(server, new)
    assert server.get(old.path).status_code == 303
    assert Landing(server.get(fresh.path)).fragment["error_code"] == "email_exists"
    is_error(WAYS["code"](server, new, fresh, "email_change"), 422, "email_exists", "A user with this email address has already been registered")
    assert row(sql, me.email)["email_change"] == new


def test_change_again_renews_both(server, post, sql):
    me, new = change(server, sql, post)
    old, fresh = post.take(me.email), post.take(new)
    newer = address("newer")
    assert me.put(email=newer).status_code == 200
    for way in WAYS:
        is_out(WAYS[way](server, me.email, old, "email_change"), way)
        is_out(WAYS[way](server, new, fresh, "email_change"), way)
    assert server.get(post.take(me.email).path).status_code == 303
    is_in(WAYS["link"](server, newer, post.take(newer), "email_change"), "link")


def test_change_with_a_new_password(server, post, sql):
    """The password takes back what was sent before, not what is sent with it."""
    me = signed_in(server)
    new = address("new")
    assert me.put(email=new, password="another good one 5").status_code == 200
    assert Landing(server.get(post.take(me.email).path)).fragment["message"] == HALF
    is_in(WAYS["code"](server, new, post.take(new), "email_change"), "code")
    assert server.sign_in(email=new, password="another good one 5").status_code == 200


def test_a_new_password_ends_what_was_sent(server, post, sql):
    me, new = change(server, sql, post)
    old, fresh = post.take(me.email), post.take(new)
    assert me.put(password="another good one 5").status_code == 200
    for way in WAYS:
        is_out(WAYS[way](server, me.email, old, "email_change"), way)
        is_out(WAYS[way](server, new, fresh, "email_change"), way)


def test_somebody_anonymous_gets_an_address(server, post, sql):
    me = server.sign_up(email=None, password=None)
    new = address("new")
    got = me.put(email=new)
    assert got.status_code == 200 and got.json()["is_anonymous"] is True
    is_in(WAYS["link"](server, new, post.take(new), "email_change"), "link")
    user = row(sql, new)
    assert user["is_anonymous"] is False and user["email_confirmed_at"]
    assert user["raw_app_meta_data"]["providers"] == ["email"]


# Telephones.


def phone_row(sql, number):
    return sql("select * from auth.users where phone = %s", number)[0]


def test_sms(server, phones, sql):
    number = phone()
    got = server.post("/signup", {"phone": f"+{number}", "password": PASSWORD})
    assert got.status_code == 200 and "access_token" not in got.json(), got.text
    code = phones.take(number)
    is_error(server.sign_in(phone=number, password=PASSWORD), 400, "phone_not_confirmed", "Phone not confirmed")
    is_error(server.post("/verify", {"type": "sms", "token": code, "phone": phone()}), 403, "otp_expired", EXPIRED)
    got = server.post("/verify", {"type": "sms", "token": code, "phone": f"+{number[:1]} {number[1:]}"})
    assert got.status_code == 200, got.text
    assert got.json()["user"]["phone"] == number and got.json()["user"]["phone_confirmed_at"]
    is_error(server.post("/verify", {"type": "sms", "token": code, "phone": number}), 403, "otp_expired", EXPIRED)
    # Again, by a code alone.
    assert server.post("/otp", {"phone": number}).json() == {}
    assert phones.take(number) != code
    assert server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).status_code == 200
    is_error(
        server.get(f"/verify?type=sms&token={code}").status_code == 303 and server.post("/verify", {"type": "sms", "token_hash": "x"}), 400,
        "validation_failed", "Invalid email verification type")


def test_sms_expires(server, phones, sql):
    number = phone()
    server.post("/otp", {"phone": number})
    sql("update auth.users set confirmation_sent_at = now() - interval '601 s' where phone = %s", number)
    is_error(server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}), 403, "otp_expired", EXPIRED)
    sql("update auth.users set confirmation_sent_at = now() - interval '590 s' where phone = %s", number)
    assert server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).status_code == 200


def test_phone_change(server, phones, post, sql):
    me = signed_in(server)
    number = phone()
    got = me.put(phone=f"+{number}")
    assert got.status_code == 200 and got.json()["new_phone"] == number and got.json()["phone"] == ""
    code = phones.take(number)
    is_error(server.post("/verify", {"type": "sms", "token": code, "phone": number}), 403, "otp_expired", EXPIRED)
    got = server.post("/verify", {"type": "phone_change", "token": code, "phone": number})
    assert got.status_code == 200, got.text
    user = got.json()["user"]
    assert user["phone"] == number and sorted(user["app_metadata"]["providers"]) == ["email", "phone"] and "new_phone" not in user
    identity = next(i for i in user["identities"] if i["provider"] == "phone")
    assert identity["identity_data"]["phone"] == number and identity["identity_data"]["phone_verified"] is True
    is_error(server.post("/verify", {"type": "phone_change", "token": code, "phone": number}), 403, "otp_expired", EXPIRED)
    # Once more: the identity follows.
    other = phone()
    assert me.put(phone=other).status_code == 200
    got = server.post("/verify", {"type": "phone_change", "token": phones.take(other), "phone": other})
    assert [i["identity_data"]["phone"] for i in got.json()["user"]["identities"] if i["provider"] == "phone"] == [other]


def test_phone_change_to_a_number_taken_meanwhile(server, phones, sql):
    me = signed_in(server)
    number = phone()
    me.put(phone=number)
    code = phones.take(number)
    server.post("/signup", {"phone": number, "password": PASSWORD})
    got = server.post("/verify", {"type": "phone_change", "token": code, "phone": number})
    is_error(got, 422, "phone_exists", "A user with this phone number has already been registered")


def test_fixed_codes(mailing, phones, sql):
    number, other = phone(), phone()
    server = mailing(GOTRUE_SMS_TEST_OTP=f"{number}:123456,+{other}:654321")
    for to, code in ((number, "123456"), (other, "654321")):
        got = server.post("/otp", {"phone": to})
        assert got.status_code == 200 and phones.to(to) == [], got.text
        for _ in range(2):  # they are good for ever
            assert server.post("/verify", {"type": "sms", "token": code, "phone": to}).status_code == 200
        is_error(server.post("/verify", {"type": "sms", "token": "000000", "phone": to}), 403, "otp_expired", EXPIRED)
    assert server.post("/otp", {"phone": number}).json() == {"message_id": "test-otp"}


def test_fixed_codes_end(mailing, phones, sql):
    number = phone()
    server = mailing(GOTRUE_SMS_TEST_OTP=f"{number}:123456", GOTRUE_SMS_TEST_OTP_VALID_UNTIL="2020-01-01T00:00:00Z")
    assert server.post("/otp", {"phone": number}).status_code == 200
    assert len(phones.to(number)) == 1
    is_error(server.post("/verify", {"type": "sms", "token": "123456", "phone": number}), 403, "otp_expired", EXPIRED)


# The reference's tables alone are enough.


def test_a_database_that_the_reference_wrote(server, post, sql):
    """Only what the reference writes is needed: a code in the user's row, a hash in one_time_tokens."""
    email = confirmed(server)
    made = generate(server, type="recovery", email=email)
    sql("delete from auth.one_time_tokens where token_hash = %s", made["hashed_token"])
    is_out(server.post("/verify", {"type": "recovery", "token_hash": made["hashed_token"]}), "token_hash")
    assert server.post("/verify", {"type": "recovery", "token": made["email_otp"], "email": email}).status_code == 200
