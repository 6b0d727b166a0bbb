# SPDX-License-Identifier: Apache-2.0
"""What strangers try to get into somebody's account: an address is proven, or it is nobody's."""

import pytest

from harness import PASSWORD, Session, address, is_error, mint, phone, typed
from post import Landing, pkce

SERVICE = mint({"role": "service_role"})


@pytest.fixture
def server(mailing):
    return mailing(GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION="true")


def confirmed(server, **body):
    body = {"email": address(), "password": PASSWORD, **body}
    made = server.post("/admin/users", {**body, "email_confirm": True}, token=SERVICE)
    assert made.status_code == 200, made.text
    return Session(server, body, server.sign_in(email=body["email"], password=body["password"]).json())


# --- What stands in a link can't be computed from what is typed ---

def opens(server, secret, *types):
    """Whether a link with this opens anything."""
    for type in types:
        posted = server.post("/verify", {"type": type, "token_hash": secret})
        followed = Landing(server.get(f"/verify?type={type}&token={secret}"))
        if posted.status_code != 403 or followed.signed_in or "message" in followed.fragment:
            return True
    return False


LINKS = ("signup", "invite", "recovery", "magiclink", "email", "email_change")


@pytest.mark.parametrize("flow", [{}, pkce()[1]], ids=["plain", "pkce"])
def test_a_link_is_no_code(server, post, sql, flow):
    me = confirmed(server)
    for ask in (lambda: server.post("/recover", {"email": me.email, **flow}), lambda: server.post("/otp", {"email": me.email, **flow})):
        assert ask().status_code == 200
        letter = post.take(me.email)
        assert not opens(server, typed(me.email, letter.code), *LINKS)
        assert not opens(server, "pkce_" + typed(me.email, letter.code), *LINKS)
        assert Landing(server.get(letter.path)).fragment or flow


def test_a_half_of_a_change_is_no_code(server, post):
    me, new = confirmed(server), address("new")
    assert me.put(email=new).status_code == 200
    for where in (me.email, new):
        letter = post.take(where)
        assert not opens(server, typed(where, letter.code), *LINKS)
        assert server.post("/verify", {"type": "email_change", "token": letter.code, "email": where}).status_code == 200


def test_what_an_operator_is_given(server, sql):
    made = server.post("/admin/generate_link", {"type": "signup", "email": address(), "password": PASSWORD}, token=SERVICE).json()
    assert not opens(server, typed(made["email"], made["email_otp"]), *LINKS)
    assert Landing(server.get(f"/verify?type=signup&token={made['hashed_token']}")).signed_in


def test_a_code_for_a_phone_opens_no_link(server, phones, sql):
    """It lives a minute, not the day of a letter, and is typed with its number."""
    number = phone()
    assert server.post("/otp", {"phone": number}).status_code == 200
    code = phones.take(number)
    stored = sql("select token_hash from auth.one_time_tokens where relates_to = %s", number)[0]["token_hash"]
    for secret in (typed(number, code), stored):
        assert not opens(server, secret, *LINKS)
    for type in LINKS:
        is_error(server.post("/verify", {"type": type, "token": code, "phone": number}), 403, "otp_expired")
    assert server.post("/verify", {"type": "sms", "token": code, "phone": number}).status_code == 200


@pytest.mark.parametrize("way", ["link", "typed"])
def test_letters_of_the_reference_are_good_both_ways(server, sql, way):
    """It writes one digest into both places."""
    me = confirmed(server)
    digest = typed(me.email, "123456")
    sql("update auth.users set recovery_token = %s, recovery_sent_at = now() where id = %s", digest, me.id)
    sql("insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to) values (gen_random_uuid(), %s, 'recovery_token', %s, %s)",
        me.id, digest, me.email)
    if way == "link":
        assert Landing(server.get(f"/verify?type=recovery&token={digest}")).signed_in
    else:
        assert server.post("/verify", {"type": "recovery", "token": "123456", "email": me.email}).status_code == 200


def test_a_code_of_the_reference_for_a_phone_opens_no_link(server, sql):
    number, digest = phone(), None
    made = server.post("/admin/users", {"phone": number}, token=SERVICE).json()
    digest = typed(number, "123456")
    sql("update auth.users set confirmation_token = %s, confirmation_sent_at = now() where id = %s", digest, made["id"])
    sql("insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to) values (gen_random_uuid(), %s, 'confirmation_token', %s, %s)",
        made["id"], digest, number)
    assert not opens(server, digest, *LINKS)
    assert server.post("/verify", {"type": "sms", "token": "123456", "phone": number}).status_code == 200
