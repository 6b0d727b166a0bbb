# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import is_error, mint


def three(server):
    me = server.sign_up()
    return me, *(server.sign_in(email=me.email, password=me.password).json() for _ in range(2))


@pytest.mark.parametrize("scope, mine, theirs", [("", 403, 403), ("?scope=global", 403, 403), ("?scope=local", 403, 200), ("?scope=others", 200, 403)])
def test_scope(server, scope, mine, theirs):
    me, second, third = three(server)
    got = server.post("/logout" + scope, token=me.access)
    assert got.status_code == 204 and got.content == b""
    assert me.get().status_code == mine
    for other in (second, third):
        assert server.get("/user", other["access_token"]).status_code == theirs
        assert (server.refresh(other["refresh_token"]).status_code == 200) == (theirs == 200)


def test_refused(server):
    me = server.sign_up()
    is_error(server.post("/logout?scope=moon", token=me.access), 400, "validation_failed", 'Unsupported logout scope "moon"')
    is_error(server.post("/logout"), 401, "no_authorization")
    assert server.post("/logout", token=me.access).status_code == 204
    is_error(server.post("/logout", token=me.access), 403, "session_not_found", "Session from session_id claim in JWT does not exist")
    is_error(server.refresh(me.refresh_token), 400, "refresh_token_not_found")


def test_without_a_session_everything_goes(server, sql):
    me, second, third = three(server)
    token = mint({"sub": me.id, "role": "authenticated", "aud": "authenticated"})
    assert server.post("/logout?scope=local", token=token).status_code == 204
    assert not sql("select 1 from auth.sessions where user_id = %s", me.id)


def test_audited(server, sql):
    me = server.sign_up()
    server.post("/logout", token=me.access)
    assert sql("select 1 from auth.audit_log_entries where payload->>'action' = 'logout' and payload->>'actor_id' = %s", me.id)
