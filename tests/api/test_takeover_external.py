# SPDX-License-Identifier: Apache-2.0
"""Sign-ins through providers that say an address is somebody's: whose account that is."""

import uuid

import pytest

from harness import PASSWORD, SERVICE, Session, address, claims_of, is_error, phone
from post import Landing
from providers import settings
from test_external import authorize, callback, end_of, refusal, signed_in


@pytest.fixture
def house(mailing, providers):
    providers.reset()
    base = settings(providers.port, providers.authority_file, "http://auth.test/callback")
    return lambda **more: mailing(**{**base, "GOTRUE_SECURITY_MANUAL_LINKING_ENABLED": "true", **more})


@pytest.fixture
def server(house):
    return house()


def visit(server, providers, provider, sub, email, verified):
    """Somebody comes back from a provider."""
    providers.be(sub, email, verified=verified)
    providers.asked = provider
    return callback(server, providers.sign_in(authorize(server, provider)))


def sub():
    return str(uuid.uuid4().int)[:12]


def rows(sql, email):
    return sql("select u.id, u.email_confirmed_at as at, u.raw_user_meta_data as data, u.raw_app_meta_data -> 'providers' as providers, "
               "(select array_agg(i.provider) from auth.identities i where i.user_id = u.id) as identities from auth.users u where u.email = %s", email)


NEEDS = "provider_email_needs_verification"
OWN = {
    "/signup": lambda server, email: server.post("/signup", {"email": email, "password": "mine alone 1", "data": {"name": "Nora"}}),
    "/otp": lambda server, email: server.post("/otp", {"email": email, "data": {"name": "Nora"}}),
    "/magiclink": lambda server, email: server.post("/magiclink", {"email": email, "data": {"name": "Nora"}}),
}


@pytest.mark.parametrize("way", OWN)
def test_who_proves_an_address_that_a_provider_only_said(server, providers, post, sql, way):
    email, k1 = address("nora"), sub()
    assert refusal(visit(server, providers, "keycloak", k1, email, False))[0] == NEEDS
    post.take(email)
    assert OWN[way](server, email).status_code == 200
    assert Landing(server.get(post.take(email).path)).signed_in
    assert refusal(visit(server, providers, "keycloak", k1, email, False))[0] == NEEDS
    found = rows(sql, email)
    assert len(found) == 1 and found[0]["at"] and found[0]["identities"] == ["email"] and found[0]["providers"] == ["email"]
    assert found[0]["data"]["name"] == "Nora" and found[0]["data"]["sub"] == found[0]["id"]
    assert sql("select count(*) as n from auth.sessions where user_id = %s", found[0]["id"])[0]["n"] == 1
    # Who has the address proven by another provider is the same person.
    assert claims_of(signed_in(visit(server, providers, "github", sub(), email, True))["access_token"])["sub"] == found[0]["id"]


def test_recovery_of_an_address_that_a_provider_only_said(server, providers, post, sql):
    email, k1 = address("nora"), sub()
    visit(server, providers, "keycloak", k1, email, False)
    post.take(email)
    assert server.post("/recover", {"email": email}).status_code == 200
    assert Landing(server.get(post.take(email).path)).signed_in
    assert [(x["identities"], x["providers"]) for x in rows(sql, email)] == [(["email"], ["email"])]
    assert refusal(visit(server, providers, "keycloak", k1, email, False))[0] == NEEDS


def test_the_letter_of_a_provider_keeps_the_provider(server, providers, post, sql):
    email, k1 = address(), sub()
    visit(server, providers, "keycloak", k1, email, False)
    assert Landing(server.get(post.take(email).path)).signed_in
    assert [x["identities"] for x in rows(sql, email)] == [["keycloak"]]
    assert signed_in(visit(server, providers, "keycloak", k1, email, False))


def test_without_letters_an_unverified_address_counts(house, providers, sql):
    quick = house(GOTRUE_MAILER_AUTOCONFIRM="true")
    email, k1 = address(), sub()
    first = claims_of(signed_in(visit(quick, providers, "keycloak", k1, email, False))["access_token"])["sub"]
    assert claims_of(signed_in(visit(quick, providers, "keycloak", k1, email, False))["access_token"])["sub"] == first


def link(server, providers, who, provider, id, email, verified):
    providers.be(id, email, verified=verified)
    providers.asked = provider
    url = server.get("/user/identities/authorize", who.access, params={"provider": provider, "skip_http_redirect": "true"}).json()["url"]
    return callback(server, providers.sign_in(url))


def confirmed(server, **body):
    made = server.post("/admin/users", {"password": PASSWORD, "email_confirm": "email" in body, "phone_confirm": "phone" in body, **body}, token=SERVICE)
    assert made.status_code == 200, made.text
    return Session(server, {**body, "password": PASSWORD}, server.sign_in(password=PASSWORD, **body).json())


def test_an_unverified_identity_draws_nobody_in(server, providers, post, sql):
    """Linked by hand to a thief's account, it neither leads the victim there nor keeps them out."""
    victim, thief = address("victim"), confirmed(server, email=address("thief"))
    assert "access_token" in end_of(link(server, providers, thief, "keycloak", sub(), victim, False))[1]
    assert claims_of(signed_in(visit(server, providers, "github", sub(), victim, True))["access_token"])["sub"] != thief.id
    other = address("other")
    link(server, providers, thief, "keycloak", sub(), other, False)
    assert server.post("/signup", {"email": other, "password": "mine alone 1"}).json()["id"] != thief.id
    assert Landing(server.get(post.take(other).path)).signed_in


def test_an_unverified_address_is_not_that_of_a_number(server, providers, post, sql):
    """An account whose number is proven has a linked address when that is proven, too: the victim's sign-in would end in it."""
    victim, thief = address("victim"), confirmed(server, phone=phone())
    assert refusal(link(server, providers, thief, "keycloak", sub(), victim, False))[0] == "email_not_confirmed"
    assert sql("select email, email_change from auth.users where id = %s", thief.id) == [{"email": None, "email_change": victim}]
    assert claims_of(signed_in(visit(server, providers, "github", sub(), victim, True))["access_token"])["sub"] != thief.id
    # Nor where the reference has written it.
    second = address("second")
    sql("update auth.users set email = %s where id = %s", second, thief.id)
    sql("update auth.identities set identity_data = identity_data || jsonb_build_object('email', %s::text) where user_id = %s and provider = 'keycloak'",
        second, thief.id)
    got = claims_of(signed_in(visit(server, providers, "github", sub(), second, True))["access_token"])
    assert got["sub"] != thief.id and got["email"] == second
    assert sql("select email, phone is not null as phone from auth.users where id = %s", thief.id) == [{"email": None, "phone": True}]


def test_an_honest_number_gets_its_address(server, providers, post):
    mine, me = address(), confirmed(server, phone=phone())
    link(server, providers, me, "keycloak", sub(), mine, False)
    assert Landing(server.get(post.take(mine).path)).signed_in
    assert me.get().json()["email"] == mine


def test_another_address_is_no_proof(server, providers, post, sql):
    """The thief says the victim's address, unverified, and then their own, verified, with the same identity or another one."""
    victim, k1 = address("victim"), sub()
    assert refusal(visit(server, providers, "keycloak", k1, victim, False))[0] == NEEDS
    assert refusal(visit(server, providers, "keycloak", k1, address("thief"), True))[0] == NEEDS
    assert [x["at"] for x in rows(sql, victim)] == [None]
    # The victim is not kept out.
    assert signed_in(visit(server, providers, "github", sub(), victim, True))


def test_another_identitys_address_is_no_proof(server, providers, post, sql):
    victim, mine = address("victim"), address("thief")
    id = claims_of(signed_in(visit(server, providers, "github", sub(), mine, True))["access_token"])["sub"]
    sql("update auth.users set email = %s, email_confirmed_at = null where id = %s", victim, id)
    assert refusal(visit(server, providers, "discord", sub(), mine, True))[0] == NEEDS
    assert [x["at"] for x in rows(sql, victim)] == [None]


def test_another_identitys_address_by_hand(server, providers, post, sql):
    """The address of the identity that is added is somebody else's: it proves none of an older identity."""
    victim, mine, thief = address("victim"), address("thief"), confirmed(server, phone=phone())
    signed_in(visit(server, providers, "github", sub(), mine, True))
    link(server, providers, thief, "keycloak", sub(), victim, False)
    sql("delete from auth.identities where user_id = %s and provider = 'phone'", thief.id)
    sql("update auth.users set phone = null, phone_confirmed_at = null where id = %s", thief.id)
    link(server, providers, thief, "discord", sub(), mine, True)
    assert [x["at"] for x in rows(sql, victim)] in ([], [None])


def test_an_unverified_identity_takes_nothing_back(server, providers, post, sql):
    """What the victim's sign-up wants of the account stays, also when the thief, still in a session there, comes by a provider again."""
    victim, k1 = address("victim"), sub()
    tokens = signed_in(visit(server, providers, "github", sub(), address("thief"), True))
    thief = type("Thief", (), {"access": tokens["access_token"], "id": claims_of(tokens["access_token"])["sub"]})
    link(server, providers, thief, "keycloak", sub(), victim, False)
    github = sql("select id from auth.identities where user_id = %s and provider = 'github'", thief.id)[0]["id"]
    assert server.request("DELETE", f"/user/identities/{github}", thief.access).status_code == 200
    assert server.post("/signup", {"email": victim, "password": "mine alone 1"}).status_code == 200
    post.take(victim)
    link(server, providers, thief, "keycloak", k1, victim, False)
    assert refusal(visit(server, providers, "keycloak", k1, victim, False))[0] == NEEDS
    assert Landing(server.get(post.take(victim).path)).signed_in
    assert [x["identities"] for x in rows(sql, victim)] == [["email"]]
    assert server.sign_in(email=victim, password="mine alone 1").status_code == 200


@pytest.fixture
def lax(house):
    """Where unverified addresses sign in: a thief has a session of an account with the victim's address."""
    return house(GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS="true")


def thiefs(server, providers, post, victim):
    tokens = signed_in(visit(server, providers, "keycloak", sub(), victim, False))
    post.take(victim)
    return claims_of(tokens["access_token"])["sub"], tokens["access_token"]


def test_a_number_proven_meanwhile(lax, providers, post, phones, sql):
    """An unproven address does not stay with a number that is proven: who proves it would share the account."""
    victim, number = address("victim"), phone()
    id, token = thiefs(lax, providers, post, victim)
    assert lax.post("/signup", {"email": victim, "password": "mine alone 1"}).status_code == 200
    post.take(victim)
    assert lax.put("/user", {"phone": number}, token=token).status_code == 200
    assert lax.post("/verify", {"type": "phone_change", "token": phones.take(number), "phone": number}).status_code == 200
    assert sql("select email, phone from auth.users where id = %s", id) == [{"email": None, "phone": number}]
    assert lax.post("/signup", {"email": victim, "password": "mine alone 1"}).status_code == 200
    assert claims_of(Landing(lax.get(post.take(victim).path)).fragment["access_token"])["sub"] != id
    assert lax.sign_in(email=victim, password="mine alone 1").status_code == 200


def test_a_password_set_meanwhile(lax, providers, post):
    victim = address("victim")
    id, token = thiefs(lax, providers, post, victim)
    assert lax.post("/signup", {"email": victim, "password": "mine alone 1"}).status_code == 200
    post.take(victim)
    assert lax.put("/user", {"password": "the thief's 1"}, token=token).status_code == 200
    assert lax.post("/resend", {"type": "signup", "email": victim}).status_code == 200
    assert Landing(lax.get(post.take(victim).path)).signed_in
    is_error(lax.sign_in(email=victim, password="the thief's 1"), 400, "invalid_credentials")


def test_another_audience(server, providers):
    """A stranger's header decides nothing about who comes by a provider."""
    email = address("victim")
    assert server.post("/signup", {"email": email, "password": "the thief's 1"}, headers={"X-JWT-AUD": "elsewhere"}).status_code == 200
    assert claims_of(signed_in(visit(server, providers, "github", sub(), email, True))["access_token"])["aud"] == "authenticated"


def test_capital_letters(server, providers, sql):
    """As a site may have brought its users in."""
    me = confirmed(server, email=address())
    sql("update auth.users set email = upper(email) where id = %s", me.id)
    sql("delete from auth.identities where user_id = %s", me.id)
    assert claims_of(signed_in(visit(server, providers, "github", sub(), me.email, True))["access_token"])["sub"] == me.id


def test_nothing_is_proven_to_no_address(server, providers, sql):
    me = confirmed(server, phone=phone())
    assert "access_token" in end_of(link(server, providers, me, "github", sub(), address(), True))[1]
    row = sql("select email, email_confirmed_at as at from auth.users where id = %s", me.id)[0]
    assert bool(row["email"]) == bool(row["at"])


def test_an_invitation_ends(server, providers, post, sql):
    email = address("guest")
    assert server.post("/invite", {"email": email}, token=SERVICE).status_code == 200
    hash = post.take(email).hash
    sql("update auth.users set confirmation_sent_at = now() - interval '30 days' where email = %s", email)
    providers.be(sub(), email)
    providers.asked = "github"
    assert refusal(callback(server, providers.sign_in(authorize(server, "github", invite_token=hash))))[0] == "invite_not_found"


def test_joining_disowns(server, providers, post, sql):
    """A provider's verified address in an account that nobody had proven: sessions and the number go."""
    email = address("victim")
    id = server.post("/signup", {"email": email, "password": "the thief's 1"}).json()["id"]
    sql("update auth.users set phone = %s where id = %s", phone(), id)
    sql("insert into auth.sessions (id, user_id, created_at, updated_at) values (gen_random_uuid(), %s, now(), now())", id)
    assert claims_of(signed_in(visit(server, providers, "github", sub(), email, True))["access_token"])["sub"] == id
    assert sql("select phone from auth.users where id = %s", id)[0]["phone"] is None
    assert sql("select count(*) as n from auth.sessions where user_id = %s", id)[0]["n"] == 1
    is_error(server.sign_in(email=email, password="the thief's 1"), 400, "invalid_credentials")


def test_nobody_links_for_somebody_banned(server, providers, sql):
    me = confirmed(server, email=address())
    providers.be(sub(), address())
    providers.asked = "github"
    url = server.get("/user/identities/authorize", me.access, params={"provider": "github", "skip_http_redirect": "true"}).json()["url"]
    sql("update auth.users set banned_until = now() + interval '1 hour' where id = %s", me.id)
    assert refusal(callback(server, providers.sign_in(url)))[0] == "user_banned"


def test_a_primary_address_that_is_not_proven_beside_one_that_is(server, providers, sql):
    """The address is somebody else's: the new user goes without, and nobody gets a 500."""
    theirs, mine = confirmed(server, email=address("theirs")), address("mine")
    providers.be(sub(), theirs.email, verified=False)
    providers.user["github"]["/user/emails"].append({"email": mine, "primary": False, "verified": True})
    providers.asked = "github"
    got = callback(server, providers.sign_in(authorize(server, "github")))
    assert end_of(got)[0].get("error_code", "") != "unexpected_failure", got.headers["Location"]


def test_an_address_in_capitals_is_the_same(server, providers, sql):
    me = confirmed(server, email=address("caps"))
    sql("update auth.users set email = upper(email) where id = %s", me.id)
    sql("delete from auth.identities where user_id = %s", me.id)
    assert claims_of(signed_in(visit(server, providers, "github", sub(), me.email, True))["access_token"])["sub"] == me.id
