# SPDX-License-Identifier: Apache-2.0
"""No statement is planned anew, so the one plan of each must be good for many users, also when it was made on empty tables."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness import BIN

pytestmark = pytest.mark.plain
LIST = Path(os.environ.get("POSTERN_STATEMENTS", Path(BIN).parent / "tests/statements"))
BIG = ("users|identities|sessions|refresh_tokens|one_time_tokens|flow_state|audit_log_entries|mfa_amr_claims|mfa_factors"
       "|webauthn_credentials|webauthn_challenges")
SCAN = re.compile(rf"Seq Scan on (?:auth\.)?({BIG})\b")
WHOLE = "clean_"  # the tidying, which is nobody's request

FILL = """
insert into auth.users (instance_id, id, aud, role, email, phone, created_at, updated_at, phone_change)
    select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', 'u' || n || '@example.com', '1555' || n,
        now() - n * interval '1 s', now(), '' from generate_series(1, %(n)s) n;
insert into auth.identities (provider_id, user_id, identity_data, provider, created_at)
    select id::text, id, jsonb_build_object('sub', id, 'email', email), 'email', now() from auth.users;
insert into auth.sessions (id, user_id, created_at, updated_at) select gen_random_uuid(), id, now(), now() from auth.users;
insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method) select gen_random_uuid(), id, now(), now(), 'password'
    from auth.sessions;
insert into auth.refresh_tokens (instance_id, token, user_id, session_id, revoked, created_at, updated_at)
    select '00000000-0000-0000-0000-000000000000', 't' || row_number() over (), user_id, id, false, now(), now() from auth.sessions;
insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
    select gen_random_uuid(), id, 'recovery_token', 'h' || id, email, now(), now() from auth.users;
insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
    select gen_random_uuid(), id, 'totp', 'verified', now(), now() from auth.users;
insert into auth.webauthn_credentials (user_id, credential_id, public_key) select id, decode(md5(id::text), 'hex'), '' from auth.users;
insert into auth.webauthn_challenges (challenge_type, session_data, expires_at) select 'authentication', '{}', now() from auth.users;
insert into auth.flow_state (id, user_id, auth_code, code_challenge, code_challenge_method, provider_type, authentication_method, created_at, updated_at)
    select gen_random_uuid(), id, gen_random_uuid(), 'c', 'plain', 'email', 'magiclink', now(), now() from auth.users;
insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
    select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), '{"action": "login"}', now(), '' from auth.users;
"""


def statements():
    lines = subprocess.run([LIST, "list"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split("\t", 2) for line in lines]


def plan(sql, name, text):
    """The one that a worker makes: whatever the inputs are."""
    inputs = max(map(int, re.findall(r"\$(\d+)", text)), default=0)
    sql(f"prepare {name} as {text}")
    values = f"({', '.join(['null'] * inputs)})" if inputs else ""
    lines = [next(iter(row.values())) for row in sql(f"explain execute {name}{values}")]
    sql(f"deallocate {name}")
    return "\n".join(lines)


def plans(sql):
    sql("set plan_cache_mode = force_generic_plan; set random_page_cost = 1.1")  # as src/db/link.c
    return {name: plan(sql, name, text) for name, custom, text in statements() if custom == "0" and not re.match(r"(notify|listen)", text)}


@pytest.mark.parametrize("users", [0, 200000])
def test_plans(database, sql, users):
    if users:
        sql(FILL % {"n": users})
        sql("analyze")
    bad = {name: SCAN.findall(plan) for name, plan in plans(sql).items() if SCAN.search(plan) and not name.startswith(WHOLE)}
    assert not bad, "\n".join(f"{name}: {tables}" for name, tables in bad.items())
