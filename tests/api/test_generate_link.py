# SPDX-License-Identifier: Apache-2.0
"""POST /admin/generate_link: the link of a letter, without the letter."""

from urllib.parse import parse_qs, urlsplit

import pytest

from harness import PASSWORD, SERVICE, address, is_error, mint, typed
from post import Landing

TAKEN = "A user with this email address has already been registered"


@pytest.fixture
def server(mailing):
    return mailing(GOTRUE_URI_ALLOW_LIST="https://other.test/**")


def ask(server, token=SERVICE, **body):
    return server.post("/admin/generate_link", body, token=token)


def generate(server, **body):
    got = ask(server, **body)
    assert got.status_code == 200, got.text
    return got.json()


def confirmed(server):
    email = address()
    made = generate(server, type="signup", email=email, password=PASSWORD)
    assert server.post("/verify", {"type": "signup", "token_hash": made["hashed_token"]}).status_code == 200
    return email


def path(made):
    return made["action_link"][made["action_link"].index("/verify"):]


@pytest.mark.parametrize("kind", ["signup", "invite", "magiclink", "recovery"])
def test_kinds(server, sql, post, kind):
    email = confirmed(server) if kind in ("magiclink", "recovery") else address()
    made = generate(server, type=kind, email=email.upper(), password=PASSWORD, data={"a": 1}, redirect_to="https://other.test/x?y=1")
    assert made["verification_type"] == kind and made["redirect_to"] == "https://other.test/x?y=1" and made["email"] == email
    link = urlsplit(made["action_link"])
    assert f"{link.scheme}://{link.netloc}" == server.url
    assert made["action_link"] == f"{server.url}/verify?token={made['hashed_token']}&type={kind}&redirect_to=https%3A%2F%2Fother.test%2Fx%3Fy%3D1"
    assert len(made["email_otp"]) == 6
    row = sql("select * from auth.users where email = %s", email)[0]
    column = "confirmation_token" if kind in ("signup", "invite") else "recovery_token"
    assert row[column] == typed(email, made["email_otp"]) and str(row["id"]) == made["id"]
    assert bool(row["invited_at"]) == (kind == "invite")
    landing = Landing(server.get(path(made)))
    assert landing.base == "https://other.test/x" and landing.query == {"y": "1"} and landing.fragment["type"] == kind
    assert post.to(email) == []


@pytest.mark.parametrize("kind", ["signup", "invite", "magiclink", "recovery"])
def test_the_code_of_it(server, kind):
    email = confirmed(server) if kind in ("magiclink", "recovery") else address()
    made = generate(server, type=kind, email=email, password=PASSWORD)
    assert server.post("/verify", {"type": kind, "token": made["email_otp"], "email": email}).status_code == 200


def test_a_magic_link_for_somebody_new(server, sql):
    email = address()
    made = generate(server, type="magiclink", email=email, data={"name": "Ada"})
    assert made["verification_type"] == "signup" and made["user_metadata"]["name"] == "Ada" and "type=signup" in made["action_link"]
    assert sql("select encrypted_password from auth.users where email = %s", email)[0]["encrypted_password"]
    assert Landing(server.get(path(made))).signed_in


def test_a_magic_link_for_somebody_new_where_passwords_are_demanding(mailing):
    server = mailing(
        GOTRUE_PASSWORD_REQUIRED_CHARACTERS="abcdefghijklmnopqrstuvwxyz:ABCDEFGHIJKLMNOPQRSTUVWXYZ:0123456789:!@#$%^&*()_+-=[]{};'\\\\:\"|<>?,./`~",
        GOTRUE_PASSWORD_MIN_LENGTH="30")
    made = generate(server, type="magiclink", email=address())
    assert Landing(server.get(path(made))).signed_in
    assert server.post("/otp", {"email": address()}).status_code == 200


def test_nobody(server):
    for kind in ("recovery", "email_change_current", "email_change_new"):
        is_error(ask(server, type=kind, email=address(), new_email=address()), 404, "user_not_found", "User with this email not found")


def test_taken(server):
    email = confirmed(server)
    for kind in ("signup", "invite"):
        is_error(ask(server, type=kind, email=email, password=PASSWORD), 422, "email_exists", TAKEN)


def test_errors(server):
    is_error(ask(server), 400, "validation_failed", "An email address is required")
    is_error(ask(server, type="signup", email="nonsense"), 400, "validation_failed", "Unable to validate email address: invalid format")
    is_error(ask(server, type="nonsense", email=address()), 400, "validation_failed", "Invalid email action link type requested: nonsense")
    is_error(ask(server, email=address()), 400, "validation_failed", "Invalid email action link type requested: ")
    is_error(ask(server, type="signup", email=address()), 400, "validation_failed", "Signup requires a valid password")
    is_error(ask(server, type="signup", email=address(), password="x"), 422, "weak_password")
    is_error(ask(server, None, type="signup", email=address()), 401, "no_authorization")
    is_error(ask(server, mint({"role": "authenticated"}), type="signup", email=address()), 403, "not_admin")


def test_signing_up_again_adds_to_the_metadata(server, sql):
    email = address()
    first = generate(server, type="signup", email=email, password=PASSWORD, data={"a": 1, "b": 2})
    second = generate(server, type="signup", email=email, password="another one 1", data={"b": None, "c": 3})
    assert first["id"] == second["id"]
    data = sql("select raw_user_meta_data as d from auth.users where email = %s", email)[0]["d"]
    assert data["a"] == 1 and data["c"] == 3 and "b" not in data
    assert server.post("/verify", {"type": "signup", "token": second["email_otp"], "email": email}).status_code == 200
    assert server.sign_in(email=email, password="another one 1").status_code == 200


def test_email_change(server, sql):
    email, new = confirmed(server), address("new")
    current = generate(server, type="email_change_current", email=email, new_email=new.upper())
    fresh = generate(server, type="email_change_new", email=email, new_email=new)
    assert current["verification_type"] == "email_change_current" and "type=email_change&" in current["action_link"]
    token = parse_qs(urlsplit(fresh["action_link"]).query)["token"][0]
    row = sql("select * from auth.users where email = %s", email)[0]
    assert row["email_change"] == new and row["email_change_token_current"] == typed(email, current["email_otp"])
    assert row["email_change_token_new"] == typed(new, fresh["email_otp"]) and token == fresh["hashed_token"]
    assert "message" in Landing(server.get(path(current))).fragment
    assert server.post("/verify", {"type": "email_change", "token": fresh["email_otp"], "email": new}).status_code == 200
    assert sql("select 1 from auth.users where email = %s", new)


def test_email_change_errors(server, mailing):
    email, other = confirmed(server), confirmed(server)
    is_error(ask(server, type="email_change_new", email=email), 400, "validation_failed", "An email address is required")
    is_error(ask(server, type="email_change_new", email=email, new_email="nonsense"), 400, "validation_failed",
             "Unable to validate email address: invalid format")
    is_error(ask(server, type="email_change_current", email=email, new_email=other), 422, "email_exists", TAKEN)
    single = mailing(GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED="false")
    is_error(ask(single, type="email_change_current", email=email, new_email=address()), 400, "validation_failed",
             "Enable secure email change to generate link for current email")


def test_where_it_ends(server):
    email = address()
    for to, wanted in (("https://evil.test/", "http://app.test"), ("", "http://app.test"), ("https://other.test/a", "https://other.test/a")):
        assert generate(server, type="signup", email=email, password=PASSWORD, redirect_to=to)["redirect_to"] == wanted
    # The body's is preferred to the query's.
    got = server.post("/admin/generate_link?redirect_to=https://other.test/q",
                      {"type": "signup", "email": email, "password": PASSWORD, "redirect_to": "https://evil.test/"},
                      token=SERVICE)
    assert got.json()["redirect_to"] == "https://other.test/q"


def test_signups_closed(mailing):
    server = mailing(GOTRUE_DISABLE_SIGNUP="true")
    made = generate(server, type="signup", email=address(), password=PASSWORD)
    assert Landing(server.get(path(made))).signed_in
