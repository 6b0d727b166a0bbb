# SPDX-License-Identifier: Apache-2.0
"""What strangers try to get into somebody's account: an address is proven, or it is nobody's."""

import json

import pytest

from harness import PASSWORD, SERVICE, Session, address, is_error, phone, typed
from post import Landing, exchange, pkce


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


# --- The address in an identity is proven or absent ---

@pytest.fixture
def quick(mailing):
    """Where the settings ask for no proof of anything."""
    return mailing(GOTRUE_MAILER_AUTOCONFIRM="true", GOTRUE_SMS_AUTOCONFIRM="true")


def identities(sql, id):
    return sql("select provider, email, identity_data as data from auth.identities where user_id = %s order by created_at", id)


def test_metadata_never_become_an_identity(quick, server, post, sql):
    victim, thief = address("victim"), phone()
    said = {"email": victim, "sub": "x", "iss": "https://idp.test", "email_verified": True, "phone_verified": True, "provider_id": "x", "color": "red"}
    got = quick.post("/signup", {"phone": thief, "password": PASSWORD, "data": said}).json()["user"]
    data = identities(sql, got["id"])[0]["data"]
    assert data == {"sub": got["id"], "email_verified": False, "phone_verified": False, "color": "red"}
    assert got["user_metadata"]["email"] == victim and got["email"] == ""
    # The victim is neither locked out nor led to the thief.
    assert server.post("/signup", {"email": victim, "password": "mine alone 1"}).json()["id"] != got["id"]
    assert Landing(server.get(post.take(victim).path)).signed_in
    assert sql("select u.id from auth.users u where email = %s", victim)[0]["id"] != got["id"]


@pytest.mark.parametrize("data", [{"email": "%"}, {"email": "%", "email_verified": True}], ids=["said", "said verified"])
def test_identities_of_phones_draw_nobody_in(quick, server, sql, data):
    """As older versions and the reference have written them."""
    victim = address("victim")
    thief = quick.post("/signup", {"phone": phone(), "password": PASSWORD}).json()["user"]
    data = {k: victim if v == "%" else v for k, v in data.items()}
    sql("update auth.identities set identity_data = identity_data || %s::jsonb where user_id = %s", json.dumps(data), thief["id"])
    got = quick.post("/signup", {"email": victim, "password": "mine alone 1"})
    assert got.status_code == 200 and got.json()["user"]["id"] != thief["id"]


# --- A sign-up goes on only with a user whose own address it is ---

def linked(sql, id, email, verified=True):
    """An identity of another address in somebody's account."""
    sql("insert into auth.identities (id, provider_id, user_id, identity_data, provider, created_at, updated_at) values (gen_random_uuid(), %s, %s, "
        "jsonb_build_object('sub', 'k', 'email', %s::text, 'email_verified', %s::bool), 'keycloak', now(), now())", str(id), id, email, verified)


def unconfirmed(server, post, sql, **body):
    email = address("slow")
    got = server.post("/signup", {"email": email, "password": PASSWORD, **body})
    assert got.status_code == 200
    post.take(email)
    return got.json()


@pytest.mark.parametrize("way", ["/signup", "/otp", "/magiclink"])
def test_an_address_of_somebodys_identity_is_taken(quick, server, post, sql, way):
    somebody, other = unconfirmed(server, post, sql), address("other")
    sql("update auth.users set phone = %s where id = %s", phone(), somebody["id"])
    linked(sql, somebody["id"], other)
    body = {"email": other, **({"password": "a stranger's 1"} if way == "/signup" else {})}
    is_error(quick.post(way, body), 422, "user_already_exists", "User already registered")
    got = server.post(way, body)
    assert got.status_code == 200 and "@" not in got.text.replace(other, "") and got.json().get("phone", "") == ""
    assert post.to(other) == [] and post.to("") == []
    assert sql("select confirmation_token, email_confirmed_at as at from auth.users where id = %s", somebody["id"])[0]["at"] is None


def test_nobody_confirms_for_somebody_who_is_proven_otherwise(quick, server, phones, sql):
    """Where no letters are asked for, a stranger's sign-up gives nothing of an account whose number is proven."""
    made = server.post("/admin/users", {"phone": phone(), "phone_confirm": True}, token=SERVICE).json()
    email = address()
    sql("update auth.users set email = %s where id = %s", email, made["id"])
    is_error(quick.post("/signup", {"email": email, "password": "a stranger's 1"}), 422, "user_already_exists")


# --- Who first proves the address of an unconfirmed account has it alone ---

THIEFS = "the thief's 1"


def begun_by_a_thief(server, post, sql, email):
    """A sign-up with somebody's address, and all that a session could have put there."""
    got = server.post("/signup", {"email": email, "password": THIEFS, "data": {"name": "Thief"}})
    assert got.status_code == 200
    id = got.json()["id"]
    first = post.take(email)
    linked(sql, id, email, verified=False)
    sql("update auth.users set phone = %s, email_change = 'thief@example.com', phone_change = '15550000001' where id = %s", phone(), id)
    sql("insert into auth.sessions (id, user_id, created_at, updated_at) values (gen_random_uuid(), %s, now(), now())", id)
    sql(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values (gen_random_uuid(), %s, 'totp', 'verified', now(), "
        "now())",
        id)
    sql(
        "insert into auth.webauthn_credentials (user_id, credential_id, public_key, attestation_type, sign_count, transports, backup_eligible, backed_up) "
        "values (%s, gen_random_uuid()::text::bytea, '', 'none', 0, '[]', true, true)",
        id)
    sql(
        "insert into auth.flow_state (id, user_id, auth_code, code_challenge_method, code_challenge, provider_type, authentication_method, created_at, "
        "updated_at) "
        "values (gen_random_uuid(), %s, 'thief', 'plain', 'x', 'github', 'oauth', now(), now())", id)
    return id, first


def alone(server, sql, id, email, sessions=1):
    row = sql("select * from auth.users where id = %s", id)[0]
    assert row["email_confirmed_at"] and row["phone"] is None and (row["email_change"], row["phone_change"]) == ("", "")
    assert [x["provider"] for x in identities(sql, id)] == ["email"] and row["raw_app_meta_data"]["providers"] == ["email"]
    assert sql("select count(*) as n from auth.sessions where user_id = %s", id)[0]["n"] == sessions
    for table in ("mfa_factors", "webauthn_credentials", "flow_state"):
        assert sql(f"select count(*) as n from auth.{table} where user_id = %s", id)[0]["n"] == 0
    is_error(server.sign_in(email=email, password=THIEFS), 400, "invalid_credentials")


ASKS = {
    "otp": lambda server, email: server.post("/otp", {"email": email}),
    "magiclink": lambda server, email: server.post("/magiclink", {"email": email}),
    "recover": lambda server, email: server.post("/recover", {"email": email}),
    "invite": lambda server, email: server.post("/invite", {"email": email}, token=SERVICE),
    "signup": lambda server, email: server.post("/signup", {"email": email, "password": "mine alone 1"}),
}


@pytest.mark.parametrize("way", ["link", "typed"])
@pytest.mark.parametrize("ask", ASKS)
def test_alone(server, post, sql, ask, way):
    email = address("victim")
    id, _ = begun_by_a_thief(server, post, sql, email)
    assert ASKS[ask](server, email).status_code == 200
    letter = post.take(email)
    if way == "link":
        assert Landing(server.get(letter.path)).signed_in
    else:
        assert server.post("/verify", {"type": letter.type, "token": letter.code, "email": email}).status_code == 200
    alone(server, sql, id, email)
    if ask == "signup":
        assert server.sign_in(email=email, password="mine alone 1").status_code == 200
    else:
        assert not sql("select encrypted_password as p from auth.users where id = %s", id)[0]["p"] or ask == "invite"
    assert sql("select count(*) as n from postern.waiting where user_id = %s", id)[0]["n"] == 0


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_operator_sets_a_password(server, post, sql, confirmed):
    """What a stranger would sign in by goes with theirs, while nobody has proven the address; what an owner added stays."""
    email = address("victim")
    id, _ = begun_by_a_thief(server, post, sql, email)
    if confirmed:
        sql("update auth.users set email_confirmed_at = now() where id = %s", id)
    assert server.put(f"/admin/users/{id}", {"password": PASSWORD, "email_confirm": True}, token=SERVICE).status_code == 200
    for table in ("mfa_factors", "webauthn_credentials"):
        assert sql(f"select count(*) as n from auth.{table} where user_id = %s", id)[0]["n"] == confirmed, table
    assert server.sign_in(email=email, password=PASSWORD).status_code == 200


def test_the_password_is_that_of_the_letter(server, post, sql):
    """Each sign-up's letter leaves its own password; one that is sent again goes on with it."""
    email = address("victim")
    for password in (THIEFS, "mine alone 1"):
        server.post("/signup", {"email": email, "password": password})
        post.take(email)
    assert server.post("/resend", {"type": "signup", "email": email}).status_code == 200
    assert Landing(server.get(post.take(email).path)).signed_in
    is_error(server.sign_in(email=email, password=THIEFS), 400, "invalid_credentials")
    assert server.sign_in(email=email, password="mine alone 1").status_code == 200


def test_a_password_does_not_come_back(server, post, sql):
    """What a repeated sign-up wanted is lost with its letter, which was never followed and is tidied away: the first one's password is no better."""
    email = address("victim")
    for password in (THIEFS, "mine alone 1"):
        server.post("/signup", {"email": email, "password": password})
        post.take(email)  # a letter that is not out yet goes with its link
    sql("delete from auth.one_time_tokens where relates_to = %s", email)
    assert server.post("/resend", {"type": "signup", "email": email}).status_code == 200
    assert Landing(server.get(post.take(email).path)).signed_in
    is_error(server.sign_in(email=email, password=THIEFS), 400, "invalid_credentials")


def test_a_wish_stays_with_its_address(server, post, sql):
    """Who had the account's address before has no say in what its next one proves."""
    old, new = address("thief"), address("victim")
    id = server.post("/signup", {"email": old, "password": PASSWORD}).json()["id"]
    server.post("/signup", {"email": old, "password": THIEFS})
    assert server.put(f"/admin/users/{id}", {"email": new}, token=SERVICE).status_code == 200
    assert server.post("/resend", {"type": "signup", "email": new}).status_code == 200
    assert Landing(server.get(post.take(new).path)).signed_in
    is_error(server.sign_in(email=new, password=THIEFS), 400, "invalid_credentials")


def test_an_honest_sign_up_keeps_its_password(server, post):
    email = address()
    server.post("/signup", {"email": email, "password": PASSWORD})
    assert server.post("/resend", {"type": "signup", "email": email}).status_code == 200
    post.take(email)
    assert Landing(server.get(post.take(email).path)).signed_in
    assert server.sign_in(email=email, password=PASSWORD).status_code == 200


def test_alone_by_phone(server, phones, sql):
    number = phone()
    id = server.post("/signup", {"phone": number, "password": THIEFS}).json()["id"]
    sql("insert into auth.sessions (id, user_id, created_at, updated_at) values (gen_random_uuid(), %s, now(), now())", id)
    sql("update auth.users set email = %s where id = %s", address("thief"), id)
    assert server.post("/signup", {"phone": number, "password": "mine alone 1"}).status_code == 200
    assert server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).status_code == 200
    assert sql("select email from auth.users where id = %s", id)[0]["email"] is None
    assert sql("select count(*) as n from auth.sessions where user_id = %s", id)[0]["n"] == 1
    is_error(server.sign_in(phone=number, password=THIEFS), 400, "invalid_credentials")
    assert server.sign_in(phone=number, password="mine alone 1").status_code == 200


def test_alone_by_a_code_that_is_not_ours(mailing, sql):
    number = phone()
    server = mailing(GOTRUE_SMS_TEST_OTP=f"{number}:123456")
    server.post("/signup", {"phone": number, "password": THIEFS})
    server.post("/otp", {"phone": number})
    assert server.post("/verify", {"type": "sms", "token": "123456", "phone": number}).status_code == 200
    is_error(server.sign_in(phone=number, password=THIEFS), 400, "invalid_credentials")


def test_alone_without_letters(quick, server, post, sql):
    email = address("victim")
    id, _ = begun_by_a_thief(server, post, sql, email)
    assert quick.post("/signup", {"email": email, "password": "mine alone 1"}).status_code == 200
    alone(quick, sql, id, email)
    assert quick.sign_in(email=email, password="mine alone 1").status_code == 200


# --- An address is one user's, in whichever audience they are ---

def elsewhere(server, path, **body):
    return server.post(path, body, headers={"X-JWT-AUD": "elsewhere"})


@pytest.mark.parametrize("path,body", [("/signup", {"password": THIEFS}), ("/otp", {}), ("/magiclink", {}), ("/recover", {})])
def test_another_audience_tells_nothing(server, post, path, body):
    me, nobody = confirmed(server), address()
    known, new = elsewhere(server, path, email=me.email, **body), elsewhere(server, path, email=nobody, **body)
    assert known.status_code == new.status_code == 200
    assert path == "/signup" or known.json() == new.json()
    if path != "/recover":
        post.take(nobody)
    assert post.to(me.email) == []


@pytest.mark.parametrize("ask", ["signup", "otp", "magiclink"])
def test_another_audience_spoils_no_sign_up(server, post, sql, ask):
    email = address("victim")
    assert elsewhere(server, "/signup", email=email, password=THIEFS).status_code == 200
    post.take(email)
    assert ASKS[ask](server, email).status_code == 200
    assert Landing(server.get(post.take(email).path)).signed_in
    assert sql("select aud from auth.users where email = %s", email) == [{"aud": "authenticated"}]
    is_error(server.sign_in(email=email, password=THIEFS), 400, "invalid_credentials")
    # Nor does it take away what is proven.
    assert elsewhere(server, "/signup", email=email, password=THIEFS).json()["identities"] == []
    assert sql("select aud from auth.users where email = %s", email) == [{"aud": "authenticated"}]


def test_another_audience_spoils_no_number(server, phones, sql):
    number = phone()
    assert elsewhere(server, "/signup", phone=number, password=THIEFS).status_code == 200
    assert server.post("/signup", {"phone": number, "password": "mine alone 1"}).status_code == 200
    assert server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number}).json()["user"]["aud"] == "authenticated"
    assert elsewhere(server, "/signup", phone=number, password=THIEFS).json()["identities"] == []


@pytest.mark.parametrize("ask", [
    lambda server, email: server.post("/invite", {"email": email}, token=SERVICE),
    lambda server, email: server.post("/admin/generate_link", {"type": "magiclink", "email": email}, token=SERVICE),
    lambda server, email: server.post("/admin/generate_link", {"type": "signup", "email": email, "password": PASSWORD}, token=SERVICE)
],
                         ids=["invite", "magiclink", "signup"])
def test_another_audience_spoils_no_invitation(server, post, sql, ask):
    email = address("guest")
    assert elsewhere(server, "/signup", email=email, password=THIEFS).status_code == 200
    assert ask(server, email).status_code == 200


# --- A number that several want ---

@pytest.mark.parametrize("mine", [0, 1])
def test_a_code_is_its_askers(server, phones, mine):
    number, both = phone(), [confirmed(server), confirmed(server)]
    for one in both:
        assert one.put(phone=number).status_code == 200
    got = server.post("/verify", {"type": "phone_change", "token": phones.to(number)[mine], "phone": number})
    assert got.status_code == 200 and got.json()["user"]["id"] == both[mine].id


# --- Somebody hidden does not come back ---

def test_hiding_ends_flows(server, post, sql):
    me, (verifier, flow) = confirmed(server), pkce()
    assert server.post("/otp", {"email": me.email, **flow}).status_code == 200
    code = Landing(server.get(post.take(me.email).path)).query["code"]
    sql(
        "insert into auth.flow_state (id, linking_target_id, provider_type, authentication_method, created_at, updated_at) values (gen_random_uuid(), %s, "
        "'github', 'oauth', now(), now())",
        me.id)
    assert server.request("DELETE", f"/admin/users/{me.id}", SERVICE, json={"should_soft_delete": True}).status_code == 200
    is_error(exchange(server, code, verifier), 404, "flow_state_not_found")
    assert sql("select count(*) as n from auth.flow_state where linking_target_id = %s", me.id)[0]["n"] == 0


# --- A new password undoes what a thief has begun ---

def begin_changes(me, post, sql):
    new, number = address("thief"), phone()
    assert me.put(email=new).status_code == 200 and me.put(phone=number).status_code == 200
    sql(
        "insert into auth.flow_state (id, user_id, linking_target_id, auth_code, code_challenge_method, code_challenge, provider_type, "
        "authentication_method, created_at, updated_at) "
        "values (gen_random_uuid(), %s, null, 'a', 'plain', 'x', 'github', 'oauth', now(), now()), (gen_random_uuid(), null, %s, null, null, null, "
        "'github', 'oauth', now(), now())",
        me.id, me.id)
    post.take(new)
    return new, number


UNDOES = {
    "password": lambda server, me, post: me.put(password="entirely new 1"),
    "operator's password": lambda server, me, post: server.put(f"/admin/users/{me.id}", {"password": "entirely new 1"}, token=SERVICE),
    "ban": lambda server, me, post: server.put(f"/admin/users/{me.id}", {"ban_duration": "1h"}, token=SERVICE),
    "logout": lambda server, me, post: server.post("/logout?scope=global", token=me.access),
}


@pytest.mark.parametrize("how", [*UNDOES, "recovery"])
def test_undone(server, post, phones, sql, how):
    me = confirmed(server)
    new, number = begin_changes(me, post, sql)
    post.take(me.email)
    if how == "recovery":
        server.post("/recover", {"email": me.email})
        assert Landing(server.get(post.take(me.email).path)).signed_in
    else:
        assert UNDOES[how](server, me, post).status_code in (200, 204)
    row = sql("select email_change, phone_change, email_change_confirm_status as status from auth.users where id = %s", me.id)[0]
    assert row == {"email_change": "", "phone_change": "", "status": 0}
    assert sql("select count(*) as n from auth.flow_state where user_id = %s or linking_target_id = %s", me.id, me.id)[0]["n"] == 0
    # What anybody may ask for makes nothing new of it.
    before = len(phones.got)
    assert server.post("/resend", {"type": "email_change", "email": me.email}).json() == {}
    server.post("/resend", {"type": "phone_change", "phone": number})
    assert post.to(new) == [] and post.to(me.email) == [] and len(phones.got) == before
