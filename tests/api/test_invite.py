# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import PASSWORD, SERVICE, address, is_error, mint, typed
from post import Landing


@pytest.fixture
def server(mailing):
    return mailing()


def invite(server, token=SERVICE, **body):
    return server.post("/invite", body, token=token)


def test_invite(server, sql, post):
    email = address()
    got = invite(server, email=email.upper(), data={"team": "blue"})
    assert got.status_code == 200, got.text
    user = got.json()
    assert user["email"] == email and user["invited_at"] and user["confirmation_sent_at"] and user["user_metadata"] == {"team": "blue"}
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]} and len(user["identities"]) == 1
    letter = post.take(email)
    assert letter.type == "invite"
    row = sql("select * from auth.users where email = %s", email)[0]
    assert row["confirmation_token"] == typed(email, letter.code) and not row["encrypted_password"] and row["email_confirmed_at"] is None
    audit = sql("select payload from auth.audit_log_entries where payload->>'action' = 'user_invited' and payload->'traits'->>'user_email' = %s", email)
    assert len(audit) == 1 and audit[0]["payload"]["traits"]["user_id"] == user["id"]
    assert Landing(server.get(letter.path)).fragment["type"] == "invite"
    assert sql("select email_confirmed_at from auth.users where email = %s", email)[0]["email_confirmed_at"]


def test_again(server, sql, post):
    """As often as the operator wants, until the address is proven."""
    email = address()
    first = invite(server, email=email).json()["id"]
    old = post.take(email)
    assert invite(server, email=email).json()["id"] == first
    new = post.take(email)
    Landing(server.get(old.path)).is_refused()
    assert Landing(server.get(new.path)).signed_in
    is_error(invite(server, email=email), 422, "email_exists", "A user with this email address has already been registered")


def test_somebody_who_signed_up_but_did_not_confirm(server, sql, post):
    email = address()
    server.post("/signup", {"email": email, "password": PASSWORD})
    old = post.take(email)
    assert invite(server, email=email).status_code == 200
    assert post.take(email).type == "invite"
    Landing(server.get(old.path)).is_refused()


def test_not_often_limits_do_not_count(mailing, sql, post):
    server = mailing(GOTRUE_SMTP_MAX_FREQUENCY="1h")
    email = address()
    for _ in range(2):
        assert invite(server, email=email).status_code == 200
        post.take(email)


def test_who_may(server):
    is_error(invite(server, None, email=address()), 401, "no_authorization")
    is_error(invite(server, mint({"role": "authenticated"}), email=address()), 403, "not_admin")
    is_error(invite(server, mint({"role": "service_role"}, secret="wrong"), email=address()), 403, "bad_jwt")


def test_errors(server):
    is_error(invite(server), 400, "validation_failed", "An email address is required")
    is_error(invite(server, email="nonsense"), 400, "validation_failed", "Unable to validate email address: invalid format")
    is_error(server.request("POST", "/invite", SERVICE, data=b"{"), 400, "bad_json")


def test_signups_closed(mailing, post):
    server = mailing(GOTRUE_DISABLE_SIGNUP="true")
    email = address()
    assert invite(server, email=email).status_code == 200
    assert Landing(server.get(post.take(email).path)).signed_in


def test_redirect(mailing, post):
    server = mailing(GOTRUE_URI_ALLOW_LIST="https://other.test/**")
    email = address()
    assert server.post("/invite?redirect_to=https://other.test/welcome", {"email": email}, token=SERVICE).status_code == 200
    letter = post.take(email)
    assert letter.to == "https://other.test/welcome"
    assert Landing(server.get(letter.path)).base == "https://other.test/welcome"
