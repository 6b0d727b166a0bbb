# SPDX-License-Identifier: Apache-2.0
"""GET /admin/users: pages, order, filters, cursors; and that what is shown is what is there while users come and go."""

import json
import uuid

import pytest

import harness
from harness import is_error, unb64

ZERO = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def people(database):
    """people(n): an audience of n users, u1 the newest; pairs are of one moment."""

    def make(n, **columns):
        aud = uuid.uuid4().hex
        database.sql(
            """insert into auth.users (instance_id, id, aud, role, email, phone, raw_user_meta_data, raw_app_meta_data, created_at, updated_at,
            confirmation_token)
            select %s, md5(%s || k)::uuid, %s, 'authenticated', 'u' || k || '.' || %s || '@example.com', case when k %% 10 = 0 then
                left('1' || abs(hashtext(%s || k)) || '00000000000', 12) end,
                jsonb_build_object('full_name', 'Name ' || k), '{}', timestamptz '2026-01-01' - (k / 2) * interval '1 minute', now(), ''
            from generate_series(1, %s) k""",
            ZERO, aud, aud, aud[:8], aud, n,
        )  # fmt: skip
        return aud

    return make


@pytest.fixture
def get(server, key):
    def one(aud, query="", server=server):
        got = server.get(f"/admin/users{query}", key, headers={"X-JWT-AUD": aud})
        assert got.status_code == 200, got.text
        assert got.json()["aud"] == aud
        return got

    return one


def names(got):
    return [u["email"].split(".")[0] for u in got.json()["users"]]


def ids(got):
    return [u["id"] for u in got.json()["users"]]


def total(got):
    return int(got.headers["x-total-count"])


def test_a_page_shows_users_without_identities(server, key, get):
    email, aud = harness.address(), uuid.uuid4().hex
    made = server.post("/admin/users", {"email": email, "aud": aud, "email_confirm": True}, key).json()
    got = get(aud).json()["users"]
    assert len(got) == 1 and got[0].pop("confirmed_at")
    assert got[0] == {**made, "identities": None}


@pytest.mark.parametrize("n", [0, 1, 9, 60])
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_pages_are_the_whole(get, people, n, order):
    """Every user once, in the order, from whichever end a page is read."""
    aud = people(n)
    whole = [i for page in range(1, n // 4 + 3) for i in ids(get(aud, f"?per_page=4&page={page}&sort=created_at+{order}"))]
    assert len(whole) == n and len(set(whole)) == n
    all_at_once = get(aud, f"?per_page=1000&sort=created_at+{order}")
    assert ids(all_at_once) == whole and total(all_at_once) == n
    moments = [u["created_at"] for u in all_at_once.json()["users"]]
    assert moments == sorted(moments, reverse=order == "desc")
    assert ids(get(aud, f"?per_page=1000&page=2&sort=created_at+{order}")) == []


def test_reversed(get, people):
    aud = people(11)
    assert ids(get(aud)) == ids(get(aud, "?sort=created_at+asc"))[::-1]


def test_link(get, people):
    aud = people(7)
    assert get(aud).headers["link"] == '</admin/users?page=1>; rel="last"'
    link = get(aud, "?x=a+b&per_page=3").headers["link"]
    assert link == '</admin/users?page=2&per_page=3&x=a+b>; rel="next", </admin/users?page=3&per_page=3&x=a+b>; rel="last"'
    assert get(aud, "?page=3&per_page=3").headers["link"] == '</admin/users?page=3&per_page=3>; rel="last"'
    assert get(aud, "?page=99999999999&per_page=99999999999").headers["link"] == '</admin/users?page=1&per_page=99999999999>; rel="last"'
    assert get(uuid.uuid4().hex).headers["link"] == '</admin/users?page=0>; rel="last"'
    assert names(get(aud, "?page=0&per_page=2")) == names(get(aud, "?page=1&per_page=2"))


@pytest.mark.parametrize(
    "query, why",
    [
        ("page=x", 'Bad Pagination Parameters: strconv.ParseUint: parsing "x": invalid syntax'),
        ("page=-1", 'Bad Pagination Parameters: strconv.ParseUint: parsing "-1": invalid syntax'),
        ("per_page=18446744073709551616", 'Bad Pagination Parameters: strconv.ParseUint: parsing "18446744073709551616": value out of range'),
        ("per_page=0", "Bad Pagination Parameters: per_page must be greater than 0"),
        ("sort=email", "Bad Sort Parameters: bad field for sort 'email'"),
        ("sort=", "Bad Sort Parameters: bad field for sort ''"),
        ("sort=created_at+up", "Bad Sort Parameters: bad direction for sort 'up', only 'asc' and 'desc' allowed"),
        ("sort=created_at&sort=id", "Bad Sort Parameters: bad field for sort 'id'"),
        ("sort=id&page=x", "Bad Sort Parameters: bad field for sort 'id'"),
    ],
)
def test_not_understood(server, key, query, why):
    is_error(server.get(f"/admin/users?{query}", key), 400, "validation_failed", why)


def test_filter(get, people):
    aud = people(12)
    for text, found in (("u1.", ["u1"]), ("NAME%2012", ["u12"]), ("U1.", []), ("u_.", [f"u{k}" for k in range(1, 10)]),
                        ("%25", [f"u{k}" for k in range(1, 13)]), ("%5C", []), ("nobody", [])):
        got = get(aud, f"?filter={text}")
        assert sorted(names(got)) == sorted(found), text
        assert total(got) == len(found)
    got = get(aud, "?filter=name&per_page=5&page=2&sort=created_at+asc")
    assert total(got) == 12 and ids(got) == ids(get(aud, "?per_page=5&page=2&sort=created_at+asc"))


def test_an_exact_address(get, people, sql):
    aud = people(20)
    for user in sql("select email, phone from auth.users where aud = %s and phone is not null", aud):
        assert [u["phone"] for u in get(aud, f"?phone=%2B{user['phone']}").json()["users"]] == [user["phone"]]
        got = get(aud, f"?email={user['email'].upper()}")
        assert total(got) == 1 and got.json()["users"][0]["email"] == user["email"]
        assert total(get(aud, f"?email={user['email']}&phone={user['phone']}")) == 1
        assert total(get(aud, f"?email={user['email']}&phone=1")) == 0
        assert total(get(aud, f"?email={user['email']}&filter=nobody")) == 0
        assert total(get(uuid.uuid4().hex, f"?email={user['email']}")) == 0
    assert total(get(aud, "?email=u%25")) == 0
    assert total(get(aud, "?email=&phone=")) == 20


# Cursors.


@pytest.fixture
def cursors(serve):
    return serve(GOTRUE_EXPERIMENTAL_CURSOR_PAGINATION_ENABLED="true")


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_cursors_lead_through_all(cursors, get, people, order):
    aud = people(23)
    got, whole = get(aud, f"?limit=4&sort=created_at+{order}&x=1", cursors), []
    while True:
        whole += ids(got)
        page = got.json()["pagination"]
        if not page["has_more"]:
            break
        assert json.loads(unb64(page["next_cursor"])) == {"created_at": got.json()["users"][-1]["created_at"].replace(".000000Z", "Z"), "id": whole[-1]}
        assert got.headers["link"] == f"</admin/users?cursor={page['next_cursor']}&limit=4&sort=created_at+{order}&x=1>; rel=\"next\""
        got = get(aud, got.headers["link"].split(">")[0].removeprefix("</admin/users"), cursors)
    assert "next_cursor" not in page and "link" not in got.headers and "x-total-count" not in got.headers
    assert whole == ids(get(aud, f"?per_page=100&sort=created_at+{order}"))


def test_what_turns_cursors_off(cursors, get, people, sql):
    aud = people(3)
    email = sql("select email from auth.users where aud = %s limit 1", aud)[0]["email"]
    for query in ("?page=1", "?per_page=2", f"?email={email}"):
        assert "pagination" not in get(aud, query, cursors).json()
    for query in ("", "?page=&per_page=", "?limit=1", "?filter=u"):
        assert "pagination" in get(aud, query, cursors).json()
    assert get(aud, "?limit=100000", cursors).json()["pagination"] == {"has_more": False}
    assert len(get(aud, "?limit=1&filter=u2.", cursors).json()["users"]) == 1


def cursor(**members):
    return harness.b64(members)


@pytest.mark.parametrize(
    "query, why",
    [
        ("limit=0", "limit must be greater than 0"),
        ("limit=x", 'strconv.ParseUint: parsing "x": invalid syntax'),
        ("cursor=!!", "invalid cursor encoding"),
        ("cursor=e30", "invalid cursor: missing id"),
        ("cursor=bnVsbA", "invalid cursor: missing id"),
        ("cursor=W10", "invalid cursor"),
        ("cursor=" + cursor(id=ZERO, created_at="2026-01-01T00:00:00Z"), "invalid cursor: missing id"),
        ("cursor=" + cursor(id=str(uuid.UUID(int=1))), "invalid cursor: missing created_at"),
        ("cursor=" + cursor(id=str(uuid.UUID(int=1)), created_at="0001-01-01T00:00:00Z"), "invalid cursor: missing created_at"),
        ("cursor=" + cursor(id=str(uuid.UUID(int=1)), created_at="yesterday"), "invalid cursor"),
        ("cursor=" + cursor(id="x", created_at="2026-01-01T00:00:00Z"), "invalid cursor"),
        ("cursor=" + cursor(id=7, created_at="2026-01-01T00:00:00Z"), "invalid cursor"),
    ],
)
def test_bad_cursors(cursors, key, query, why):
    got = cursors.get(f"/admin/users?{query}", key)
    body = is_error(got, 400, "validation_failed")
    assert body["msg"].startswith(f"Bad Pagination Parameters: {why}")


# The count behind the total.


def test_the_total_follows(server, key, get, people, sql):
    aud = people(5)
    assert total(get(aud)) == 5
    made = server.post("/admin/users", {"email": harness.address(), "aud": aud}, key).json()
    assert total(get(aud)) == 6
    assert server.request("DELETE", f"/admin/users/{made['id']}", key, json={"should_soft_delete": True}).status_code == 200
    assert total(get(aud)) == 6
    assert server.request("DELETE", f"/admin/users/{made['id']}", key).status_code == 200
    sql("update auth.users set aud = 'elsewhere' where id = (select id from auth.users where aud = %s limit 1)", aud)
    assert total(get(aud)) == 4


def test_without_counts(get, people, sql):
    """As after postern migrate --remove-extras."""
    aud = people(30)
    kept = sql("delete from postern.user_counts returning users::text, instance_id::text, aud, n")
    try:
        assert total(get(aud)) == 30
        assert len(ids(get(aud, "?per_page=7&page=5"))) == 2
    finally:
        for row in kept:
            sql("insert into postern.user_counts (users, instance_id, aud, n) values (%s::regclass, %s, %s, %s)", *row.values())
    assert total(get(aud)) == 30


def test_rows_made_by_hand(get, sql):
    """Tokens that are null make the reference fail; users of no date are shown too."""
    aud = uuid.uuid4().hex
    sql("insert into auth.users (instance_id, id, aud) select %s, gen_random_uuid(), %s from generate_series(1, 3)", ZERO, aud)
    got = get(aud)
    assert total(got) == len(ids(got)) == 3
    assert all(u["user_metadata"] == {} and u["email"] == "" for u in got.json()["users"])


def test_cost(server, key, people):
    aud = people(3)
    for query in ("", "?filter=u", "?email=a@example.com"):
        assert server.cost(lambda: server.get(f"/admin/users{query}", key, headers={"X-JWT-AUD": aud})) == (1, 1)
