# SPDX-License-Identifier: Apache-2.0
"""Lists that are as long as a table: whole, in order, never whole in memory, and broken off for all to see."""

import uuid

import pytest

import harness

ZERO = "00000000-0000-0000-0000-000000000000"
ROWS = 12_000
MEMORY_KB = 8 * 1024


def users(sql, aud, first, last, date="timestamptz '2026-01-01' - (k / 3) * interval '1 minute'"):
    sql(
        f"""insert into auth.users (instance_id, id, aud, role, email, raw_user_meta_data, raw_app_meta_data, created_at, updated_at)
        select %s, md5(%s || k)::uuid, %s, 'authenticated', 'u' || k || '.' || %s || '@example.com',
            jsonb_build_object('full_name', 'Name ' || k, 'note', repeat('x', 550)), '{{}}', {date}, now() from generate_series(%s, %s) k""",
        ZERO, aud, aud, aud[:8], first, last,
    )  # fmt: skip


def entries(sql, first, last, date="timestamptz '2026-01-01' - (k / 3) * interval '1 minute'"):
    sql(
        f"""insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
        select %s, gen_random_uuid(), json_build_object('action', case when k %% 2 = 0 then 'even' else 'odd' end, 'note', repeat('x', 700)), {date}, ''
        from generate_series(%s, %s) k""",
        ZERO, first, last,
    )  # fmt: skip


def providers(sql, last):
    sql(
        """insert into auth.custom_oauth_providers (provider_type, identifier, name, client_id, client_secret, authorization_url, token_url, userinfo_url,
            created_at)
        select 'oauth2', 'custom:p' || k, 'P', 'c', 's', 'https://example.com/' || repeat('x', 500), 'https://example.com/t', 'https://example.com/u',
            now() - (k / 3) * interval '1 minute'
        from generate_series(1, %s) k""",
        last,
    )


@pytest.fixture(scope="module")
def full(database):
    """An audience of ROWS users, as many audit entries and providers."""
    aud = uuid.uuid4().hex
    users(database.sql, aud, 1, ROWS)
    entries(database.sql, 1, ROWS)
    providers(database.sql, ROWS)
    return aud


def got(server, key, path, aud=None):
    reply = server.get(path, key, headers={"X-JWT-AUD": aud} if aud else None)
    assert reply.status_code == 200, reply.text
    return reply


def ids(reply):
    body = reply.json()
    return [row["id"] for row in (body if isinstance(body, list) else body.get("users", body.get("providers")))]


def sqls(sql, text, *args):
    return [row["id"] for row in sql(text, *args)]


@pytest.mark.parametrize("order, by", [("asc", "created_at, id"), ("desc", "created_at desc, id desc")])
def test_all_users(server, key, sql, full, order, by):
    reply = got(server, key, f"/admin/users?per_page=1000000&sort=created_at+{order}", full)
    assert reply.headers["x-total-count"] == str(ROWS) and reply.headers["link"].endswith('page=1&per_page=1000000&sort=created_at+' + order + '>; rel="last"')
    assert ids(reply) == sqls(sql, f"select id from auth.users where aud = %s order by {by}", full)


@pytest.mark.parametrize("page, per_page", [(2, 7000), (3, 7000), (2, 501), (20, 1000), (21, 1000)])
def test_pages_of_users(server, key, sql, full, page, per_page):
    reply = got(server, key, f"/admin/users?page={page}&per_page={per_page}", full)
    wanted = "select id from auth.users where aud = %s order by created_at desc, id desc limit %s offset %s"
    assert ids(reply) == sqls(sql, wanted, full, per_page, (page - 1) * per_page) and reply.headers["x-total-count"] == str(ROWS)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_filtered_users(server, key, sql, full, order):
    reply = got(server, key, f"/admin/users?per_page=5000&filter=name+1&sort=created_at+{order}", full)
    wanted = f"select id from auth.users where aud = %s and raw_user_meta_data ->> 'full_name' ilike '%%name 1%%' order by created_at {order}, id {order}"
    all_of_them = sqls(sql, wanted, full)
    assert ids(reply) == all_of_them[:5000] and reply.headers["x-total-count"] == str(len(all_of_them))


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("dated, undated", [(0, 1200), (500, 3), (700, 600), (1000, 500), (1, 499)])
def test_users_without_a_date(server, key, sql, order, dated, undated):
    aud = uuid.uuid4().hex
    users(sql, aud, 1, dated)
    users(sql, aud, dated + 1, dated + undated, "null")
    for query in ("", "&filter=name"):
        reply = got(server, key, f"/admin/users?per_page=100000&sort=created_at+{order}{query}", aud)
        assert ids(reply) == sqls(sql, f"select id from auth.users where aud = %s order by created_at {order}, id {order}", aud)
        assert reply.headers["x-total-count"] == str(dated + undated)


def test_one_address_of_many(server, key, sql):
    aud, email = uuid.uuid4().hex, harness.address()
    users(sql, aud, 1, 1300)
    sql("update auth.users set email = %s, is_sso_user = true where aud = %s", email, aud)
    users(sql, aud, 1301, 1400)
    found = ids(got(server, key, f"/admin/users?per_page=5000&email={email}", aud))
    assert found == sqls(sql, "select id from auth.users where email = %s order by created_at desc, id desc", email)


def test_the_audit_log(server, key, sql, full):
    order = "order by created_at desc, id"
    reply = got(server, key, "/admin/audit?per_page=1000000")
    assert ids(reply) == sqls(sql, f"select id from auth.audit_log_entries {order}")
    assert int(reply.headers["x-total-count"]) == len(ids(reply)) >= ROWS
    entries(sql, 1, 600, "null")
    try:
        for query, where in (("", "true"), ("&query=action:even", "payload ->> 'action' = 'even'")):
            wanted = sqls(sql, f"select id from auth.audit_log_entries where {where} {order} limit 3000 offset 3000")
            assert ids(got(server, key, f"/admin/audit?page=2&per_page=3000{query}")) == wanted
            found = ids(got(server, key, f"/admin/audit?per_page=3000{query}"))
            assert found == sqls(sql, f"select id from auth.audit_log_entries where {where} {order} limit 3000")
    finally:
        sql("delete from auth.audit_log_entries where created_at is null")


def test_custom_providers(server, key, sql, full):
    assert ids(got(server, key, "/admin/custom-providers")) == sqls(sql, "select id from auth.custom_oauth_providers order by created_at desc, id desc")
    assert ids(got(server, key, "/admin/custom-providers?type=oauth2")) == sqls(sql, "select id from auth.custom_oauth_providers order by created_at, id")
    assert ids(got(server, key, "/admin/custom-providers?type=oidc")) == []


# Memory.


@pytest.mark.plain
@pytest.mark.parametrize(
    "path", ["/admin/users?per_page=1000000", "/admin/users?per_page=1000000&filter=name", "/admin/audit?per_page=1000000", "/admin/custom-providers"])
def test_memory(server, key, full, path):
    reply, most = harness.most_memory(server, lambda: got(server, key, path, full))
    assert len(reply.content) > 1.2 * MEMORY_KB * 1024
    assert 0 < most < MEMORY_KB


# What breaks off.


def test_the_connection_is_cut(database, key):
    own = harness.Database(database.cluster_dsn)
    entries(own.sql, 1, 1500)
    harness.spoil_audit(own.sql)
    server = harness.Server(own.dsn, {"POSTERN_TEST_WORKERS": "1"})
    try:
        assert server.how_it_ends("/admin/audit?per_page=1500", key) == ("no JSON" if harness.CGI else "cut")
        assert "the reply breaks off" in server.log_path.read_text()
        reply = got(server, key, "/admin/audit?per_page=500")
        assert len(reply.json()) == 500 and reply.headers["x-total-count"] == "1500"
    finally:
        server.stop()
        own.drop()
