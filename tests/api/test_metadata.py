# SPDX-License-Identifier: Apache-2.0
"""Metadata: how numbers are kept, and how much of it there may be."""

import json

import pytest

from harness import PASSWORD, SERVICE, address, is_error, many

MAX = 65536


@pytest.fixture(scope="module")
def server(serve):
    return serve(GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED="true", GOTRUE_MAILER_AUTOCONFIRM="true")


def sign_up_raw(server, data):
    """POST /signup with metadata as text, for numbers that json would bend."""
    return server.post("/signup", data='{"email":"%s","password":"%s","data":%s}' % (address(), PASSWORD, data))


def stored(sql, reply):
    return sql("select raw_user_meta_data -> 'n' ->> 0 as n from auth.users where id = %s", reply.json()["user"]["id"])[0]["n"]


def size(sql, user, column="user"):
    return sql(f"select octet_length(raw_{column}_meta_data::text) as n from auth.users where id = %s", user)[0]["n"]


LONG = "123456789" * 30


# --- Numbers ---

@pytest.mark.parametrize("sent,kept", [
    ("1e-16383", "0"), ("-1e-16383", "0"), ("1e-999999999999999999999", "0"), ("0e999999999999999999999", "0"), ("0.0e-5000", "0"),
    ("1e-325", "0"), ("5e-324", "0." + "0" * 323 + "5"), ("12345678901234567890123456789e-340", "0." + "0" * 311 + "1234567890124"),
    ("123456789012345678901e-344", "0"), ("0." + "1" * 20000, "0.1111111111111111"),
    (LONG, LONG), ("-0." + LONG, "-0." + LONG), ("1e308", "1" + "0" * 308), ("12.50", "12.50"), ("1.5E+3", "1500"), ("0.00012e6", "120"), ("-0", "0")])
def test_a_number_is_kept_as_it_came_or_as_a_double_has_it(server, sql, sent, kept):
    got = sign_up_raw(server, '{"n":[%s]}' % sent)
    assert got.status_code == 200, got.text
    assert stored(sql, got) == kept


@pytest.mark.parametrize("sent", ["1e400", "-1e309", "1e99999999999", "9" * 310])
def test_more_than_a_double_holds(server, sent):
    is_error(sign_up_raw(server, '{"n":[%s]}' % sent), 400, "bad_json")


def test_few_bytes_stay_few(server, sql):
    numbers = ",".join(["1e-16383"] * 4000)
    got = server.post("/signup", data='{"data":{"n":[%s]}}' % numbers)
    assert got.status_code == 200 and len(got.content) < 100_000
    assert size(sql, got.json()["user"]["id"]) < MAX
    is_error(server.post("/signup", data='{"data":{"n":[%s]}}' % ",".join(["1e308"] * 4000)), 400, "validation_failed",
             f"data must not be larger than {MAX} bytes")


# --- How much ---

ODD = ['""', '"\\\\\\"\\n\\u0001\\u001f\\u007f\\ud83d\\ude00\\u2028"', "[]", "{}", "[1,[2,{}],null,true,false]", '{"a":1,"b":{"c":[]},"":""}', "1e308", "-0.0",
       "0e5", "0e-5", "1.50e-7", "123.4560e2", "-12e-1", "0.00012e6", "5e-324"]


def padded(odd, pad):
    return '{"n":[%s],"pad":"%s"}' % (odd, "x" * pad)


@pytest.mark.parametrize("odd", ODD)
def test_what_counts_is_what_the_database_writes(server, sql, odd):
    room = MAX - sql("select octet_length((%s::jsonb)::text) as n", padded(odd, 0))[0]["n"]
    is_error(sign_up_raw(server, padded(odd, room + 1)), 400, "validation_failed", f"data must not be larger than {MAX} bytes")
    me = server.sign_up()
    before = size(sql, me.id)
    got = server.request("PUT", "/user", me.access, data='{"data":{"sub":null,"email":null,"email_verified":null,"phone_verified":null}}')
    assert got.status_code == 200, before
    assert server.request("PUT", "/user", me.access, data='{"data":%s}' % padded(odd, room)).status_code == 200
    assert size(sql, me.id) == MAX


def test_the_sum_of_many_small_ones(server, sql):
    me = server.sign_up()
    got = many(16, lambda i: me.put(data={f"k{i}": "x" * 10_000}))
    assert {x.status_code for x in got} == {200, 400} and sum(x.status_code == 200 for x in got) == 6
    is_error(next(x for x in got if x.status_code == 400), 400, "validation_failed", f"Metadata must not be larger than {MAX} bytes")
    assert size(sql, me.id) <= MAX
    before = me.get().json()
    is_error(me.put(data={"more": "x" * 10_000}, password="another horse 1"), 400, "validation_failed")
    assert me.get().json() == before and server.sign_in(email=me.email, password=PASSWORD).status_code == 200  # nothing of it is done
    assert me.put(data={f"k{i}": None for i in range(16)}).status_code == 200
    assert me.put(data={"more": "x" * 10_000}).status_code == 200


@pytest.mark.parametrize("field,column", [("app_metadata", "app"), ("user_metadata", "user")])
def test_operators_too(server, sql, field, column):
    is_error(server.post("/admin/users", {"email": address(), field: {"k": "x" * MAX}}, SERVICE), 400, "validation_failed",
             f"{field} must not be larger than {MAX} bytes")
    made = server.post("/admin/users", {"email": address(), field: {"k": "x" * 60_000}}, SERVICE)
    assert made.status_code == 200, made.text
    path = "/admin/users/" + made.json()["id"]
    is_error(server.put(path, {field: {"l": "x" * 10_000}}, SERVICE), 400, "validation_failed", f"Metadata must not be larger than {MAX} bytes")
    assert size(sql, made.json()["id"], column) < 60_200
    assert server.put(path, {field: {"k": "y"}}, SERVICE).status_code == 200


def test_links_too(server, sql):
    body = {"type": "signup", "email": address(), "password": PASSWORD}
    made = server.post("/admin/generate_link", {**body, "data": {"a": "x" * 40_000}}, SERVICE)
    assert made.status_code == 200, made.text
    is_error(server.post("/admin/generate_link", {**body, "data": {"b": "x" * 40_000}}, SERVICE), 400, "validation_failed")
    assert server.post("/admin/generate_link", {**body, "data": {"a": "y" * 40_000}}, SERVICE).status_code == 200


@pytest.mark.parametrize("path,more", [("/otp", {}), ("/magiclink", {}), ("/invite", {"token": SERVICE})])
def test_whoever_makes_a_user(mailing, path, more):
    server = mailing()
    is_error(server.post(path, {"email": address(), "data": {"k": "x" * MAX}}, **more), 400, "validation_failed", f"data must not be larger than {MAX} bytes")


def test_what_is_larger_already_may_stay_and_shrink(server, sql):
    me = server.sign_up()
    sql("update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('old', repeat('x', 200000)) where id = %s", me.id)
    assert me.put(data={"lang": "fr"}).status_code == 400
    assert me.put(data={"old": "x" * 50_000}).status_code == 200
    sql("update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('old', repeat('x', 200000)) where id = %s", me.id)
    assert me.put(data={"email_verified": False}).status_code == 400  # false is a byte more than true
    assert me.put(data={"email_verified": True}).status_code == 200
    assert server.put("/admin/users/" + me.id, {"app_metadata": {"plan": "x"}}, SERVICE).status_code == 200


def test_another_limit(serve, sql):
    server = serve(POSTERN_METADATA_MAX="100000", GOTRUE_MAILER_AUTOCONFIRM="true")
    assert sign_up_raw(server, json.dumps({"k": "x" * 90_000})).status_code == 200
    is_error(sign_up_raw(server, json.dumps({"k": "x" * 100_000})), 400, "validation_failed", "data must not be larger than 100000 bytes")
