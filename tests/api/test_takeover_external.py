# SPDX-License-Identifier: Apache-2.0
"""Sign-ins through providers that say an address is somebody's: whose account that is."""

import uuid

import pytest

from harness import PASSWORD, Session, address, claims_of, is_error, mint, phone
from peer import Authority
from post import Landing
from providers import Providers, settings
from test_external import authorize, callback, end_of, refusal, signed_in

SERVICE = mint({"role": "service_role"})


@pytest.fixture(scope="module")
def providers(tmp_path_factory):
    found = Providers(Authority(tmp_path_factory.mktemp("ca")))
    yield found
    found.peer.stop()


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
    sql("update auth.identities set identity_data = identity_data || jsonb_build_object('email', %s::text) where user_id = %s and provider = 'keycloak'", second, thief.id)
    got = claims_of(signed_in(visit(server, providers, "github", sub(), second, True))["access_token"])
    assert got["sub"] != thief.id and got["email"] == second
    assert sql("select email, phone is not null as phone from auth.users where id = %s", thief.id) == [{"email": None, "phone": True}]


def test_an_honest_number_gets_its_address(server, providers, post):
    mine, me = address(), confirmed(server, phone=phone())
    link(server, providers, me, "keycloak", sub(), mine, False)
    assert Landing(server.get(post.take(mine).path)).signed_in
    assert me.get().json()["email"] == mine


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
