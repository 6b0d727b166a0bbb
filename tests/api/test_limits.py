# SPDX-License-Identifier: Apache-2.0
from harness import PASSWORD, address, is_error

LIMITED = {"GOTRUE_RATE_LIMIT_HEADER": "X-Client", "GOTRUE_RATE_LIMIT_ANONYMOUS_USERS": "5"}


def test_token_has_a_burst_of_30_shared_by_all_workers(serve):
    server = serve(**LIMITED)
    ask = lambda who: server.refresh("none", headers={"X-Client": who})
    got = [ask("10.0.0.1") for _ in range(34)]
    assert [x.status_code for x in got[:30]] == [400] * 30
    assert got[-1].status_code == 429
    is_error(got[-1], 429, "over_request_rate_limit", "Request rate limit reached")
    assert ask("10.0.0.2").status_code == 400
    assert ask("10.0.0.1, 10.0.0.2").status_code == 429, "the first value counts"
    assert ask("").status_code == 400
    assert server.refresh("none").status_code == 400, "without the header nothing is limited"


def test_anonymous(serve):
    server = serve(**LIMITED)
    got = [server.post("/signup", {}, headers={"X-Client": "10.0.1.1"}).status_code for _ in range(7)]
    assert got[:5] == [200] * 5 and got[-1] == 429


def test_signup(serve):
    server = serve(**LIMITED)
    got = [server.post("/signup", {"email": address(), "password": "x"}, headers={"X-Client": "10.0.2.1"}).status_code for _ in range(33)]
    assert got[:30] == [422] * 30 and got[-1] == 429


def test_user(serve):
    server = serve(**LIMITED)
    me = server.sign_up()
    got = [server.put("/user", {"password": "x"}, me.access, headers={"X-Client": "10.0.3.1"}).status_code for _ in range(33)]
    assert got[:30] == [422] * 30 and got[-1] == 429
    assert me.get().status_code == 200


def test_without_the_setting_nothing_is_limited(server):
    assert {server.refresh("none", headers={"X-Client": "10.0.0.9", "X-Forwarded-For": "10.0.0.9"}).status_code for _ in range(40)} == {400}


def test_refused_requests_count_though_rolled_back(serve, sql):
    server = serve(**LIMITED)
    server.post("/token?grant_type=password", {"email": address(), "password": PASSWORD}, headers={"X-Client": "10.0.4.1"})
    assert sql("select count(*) as n from postern.limits")[0]["n"] >= 1
