# SPDX-License-Identifier: Apache-2.0
"""How many letters and text messages there may be: of the whole server, and to one user."""

from collections import Counter

import pytest

from harness import PASSWORD, SERVICE, Session, address, is_error, many, open_transactions, phone, wait_for
from peer import Peer
from post import pkce

MAIL_WORDS, SMS_WORDS = "email rate limit exceeded", "SMS rate limit exceeded"


@pytest.fixture(autouse=True)
def full_buckets(sql):
    sql("delete from postern.limits")


def none_left(sql, what):
    sql(
        "insert into postern.limits (key, tokens, refilled) values (%s, 0, clock_timestamp()) on conflict (key) do update set tokens = 0, refilled = "
        "clock_timestamp()",
        what)


def left(sql, what):
    found = sql("select floor(tokens)::int as n from postern.limits where key = %s", what)
    return found[0]["n"] if found else None


def everything(sql):
    """What the database holds, but limits: to see that nothing was written."""
    tables = ("auth.users", "auth.identities", "auth.one_time_tokens", "auth.flow_state", "auth.audit_log_entries", "auth.sessions", "postern.attempts")
    return {t: sql(f"select md5(string_agg(x::text, ' ' order by x::text)) as sum, count(*) as n from {t} x")[0] for t in tables}


def known(server, sql):
    email = address()
    got = server.post("/admin/generate_link", {"type": "signup", "email": email, "password": PASSWORD}, token=SERVICE)
    got = server.post("/verify", {"type": "signup", "token_hash": got.json()["hashed_token"]})
    return Session(server, {"email": email, "password": PASSWORD}, got.json())


def unknown_but_signed_up(server, sql):
    email = address()
    assert server.post("/admin/generate_link", {"type": "signup", "email": email, "password": PASSWORD}, token=SERVICE).status_code == 200
    return email


MAILS = {
    "signup": lambda server, me, new: server.post("/signup", {"email": address(), "password": PASSWORD, **pkce()[1]}),
    "otp, new": lambda server, me, new: server.post("/otp", {"email": address()}),
    "otp, known": lambda server, me, new: server.post("/otp", {"email": me.email, **pkce()[1]}),
    "magiclink": lambda server, me, new: server.post("/magiclink", {"email": me.email}),
    "recover": lambda server, me, new: server.post("/recover", {"email": me.email}),
    "resend": lambda server, me, new: server.post("/resend", {"type": "signup", "email": new}),
    "invite": lambda server, me, new: server.post("/invite", {"email": address()}, token=SERVICE),
    "reauthenticate": lambda server, me, new: server.get("/reauthenticate", me.access),
    "user": lambda server, me, new: me.put(email=address(), data={"a": 1}, **pkce()[1]),
}


@pytest.mark.parametrize("way", MAILS)
def test_no_more_letters(mailing, sql, way):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="5")
    me, new = known(server, sql), unknown_but_signed_up(server, sql)
    none_left(sql, "email_sent")
    before = everything(sql)
    is_error(MAILS[way](server, me, new), 429, "over_email_send_rate_limit", MAIL_WORDS)
    assert everything(sql) == before
    sql("delete from postern.limits")
    assert MAILS[way](server, me, new).status_code == 200
    assert left(sql, "email_sent") == 4


@pytest.mark.parametrize("way", MAILS)
def test_none_at_all(mailing, sql, way):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="0")
    me, new = known(server, sql), unknown_but_signed_up(server, sql)
    before = everything(sql)
    is_error(MAILS[way](server, me, new), 429, "over_email_send_rate_limit", MAIL_WORDS)
    assert everything(sql) == before


@pytest.mark.parametrize("way", ["otp, known", "magiclink", "recover", "reauthenticate", "user"])
def test_autoconfirm_counts_none(mailing, sql, way):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="5", GOTRUE_MAILER_AUTOCONFIRM="true")
    me = known(server, sql)
    none_left(sql, "email_sent")
    assert MAILS[way](server, me, None).status_code == 200
    # But none is none.
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="0", GOTRUE_MAILER_AUTOCONFIRM="true")
    me.server = server
    sql("update auth.users set email_change = '' where id = %s", me.id)
    is_error(MAILS[way](server, me, None), 429, "over_email_send_rate_limit", MAIL_WORDS)


def test_generated_links_do_not_count(mailing, sql):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="0")
    me = known(server, sql)
    for kind in ("magiclink", "recovery", "email_change_current", "email_change_new"):
        assert server.post("/admin/generate_link", {"type": kind, "email": me.email, "new_email": address()}, token=SERVICE).status_code == 200
    assert left(sql, "email_sent") is None


def test_a_double_change_counts_once(mailing, sql, post):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="1")
    me, new = known(server, sql), address("new")
    assert me.put(email=new).status_code == 200
    post.take(me.email), post.take(new)
    is_error(me.put(email=address()), 429, "over_email_send_rate_limit", MAIL_WORDS)


def test_a_span(mailing, sql):
    """n: so many in an hour from the first; then all of them again."""
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="2")
    me = known(server, sql)
    got = [server.post("/recover", {"email": me.email}).status_code for _ in range(4)]
    assert got == [200, 200, 429, 429]
    sql("update postern.limits set refilled = refilled - interval '59 min' where key = 'email_sent'")
    assert server.post("/recover", {"email": me.email}).status_code == 429
    sql("update postern.limits set refilled = refilled - interval '2 min' where key = 'email_sent'")
    got = [server.post("/recover", {"email": me.email}).status_code for _ in range(4)]
    assert got == [200, 200, 429, 429]


def test_a_bucket(mailing, sql):
    """n/duration: one comes back in each duration."""
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="2/1m")
    me = known(server, sql)
    got = [server.post("/recover", {"email": me.email}).status_code for _ in range(3)]
    assert got == [200, 200, 429]
    sql("update postern.limits set refilled = refilled - interval '61 s' where key = 'email_sent'")
    got = [server.post("/recover", {"email": me.email}).status_code for _ in range(2)]
    assert got == [200, 429]


def test_at_once(mailing, sql):
    """All workers take from one bucket."""
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="10", POSTERN_TEST_WORKERS="8")
    got = Counter(r.status_code for r in many(40, lambda i: server.post("/signup", {"email": address(), "password": PASSWORD})))
    assert got == {200: 10, 429: 30}


def test_what_is_refused_before_takes_none(mailing, sql, post):
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="5", GOTRUE_SMTP_MAX_FREQUENCY="1h", GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES="nobody@app.test")
    me = known(server, sql)
    is_error(server.post("/recover", {"email": me.email}), 400, "email_address_not_authorized")
    sql("update auth.users set recovery_sent_at = now() where id = %s", me.id)
    is_error(server.post("/recover", {"email": me.email}), 429, "over_email_send_rate_limit")
    assert left(sql, "email_sent") is None


def test_the_hook_is_not_asked(mailing, sql):
    """What is refused never comes to the hook; what it refuses has been counted."""
    site = Peer()
    answers = iter([(500, b"no"), (200, b"{}")])

    def answer(request):
        status, body = next(answers)
        return status, {"Content-Type": "application/json"}, body

    site.answer = answer
    server = mailing(GOTRUE_RATE_LIMIT_EMAIL_SENT="2", GOTRUE_HOOK_SEND_EMAIL_ENABLED="true", GOTRUE_HOOK_SEND_EMAIL_URI=site.url,
                     GOTRUE_HOOK_SEND_EMAIL_SECRETS="v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    me = known(server, sql)
    before = everything(sql)
    assert server.post("/recover", {"email": me.email}).status_code >= 400
    assert everything(sql) == before and left(sql, "email_sent") == 1
    assert server.post("/recover", {"email": me.email}).status_code == 200
    asked = len(site.seen)
    is_error(server.post("/recover", {"email": me.email}), 429, "over_email_send_rate_limit", MAIL_WORDS)
    assert len(site.seen) == asked
    site.stop()


# Text messages.


def by_phone(server, phones):
    number = phone()
    assert server.post("/otp", {"phone": number}).status_code == 200
    got = server.post("/verify", {"type": "sms", "token": phones.take(number), "phone": number})
    me = Session(server, {}, got.json())
    me.phone = number
    return me


SMS = {
    "signup": lambda server, me, new: server.post("/signup", {"phone": phone(), "password": PASSWORD}),
    "otp, new": lambda server, me, new: server.post("/otp", {"phone": phone()}),
    "otp, known": lambda server, me, new: server.post("/otp", {"phone": me.phone}),
    "resend": lambda server, me, new: server.post("/resend", {"type": "sms", "phone": new}),
    "reauthenticate": lambda server, me, new: server.get("/reauthenticate", me.access),
    "user": lambda server, me, new: me.put(phone=phone(), data={"a": 1}),
}


@pytest.mark.parametrize("way", SMS)
def test_no_more_messages(mailing, sql, phones, way):
    server = mailing(GOTRUE_RATE_LIMIT_SMS_SENT="5")
    me, new = by_phone(server, phones), phone()
    server.post("/otp", {"phone": new})
    none_left(sql, "sms_sent")
    before, sent = everything(sql), len(phones.got)
    is_error(SMS[way](server, me, new), 429, "over_sms_send_rate_limit", SMS_WORDS)
    assert everything(sql) == before and len(phones.got) == sent
    sql("delete from postern.limits")
    assert SMS[way](server, me, new).status_code == 200
    assert left(sql, "sms_sent") == 4


def test_no_messages_at_all(mailing, sql, phones):
    server = mailing(GOTRUE_RATE_LIMIT_SMS_SENT="0")
    is_error(server.post("/otp", {"phone": phone()}), 429, "over_sms_send_rate_limit", SMS_WORDS)


def test_fixed_codes_do_not_count(mailing, sql):
    number = phone()
    server = mailing(GOTRUE_RATE_LIMIT_SMS_SENT="0", GOTRUE_SMS_TEST_OTP=f"{number}:123456")
    for _ in range(2):
        assert server.post("/otp", {"phone": number}).status_code == 200
    assert left(sql, "sms_sent") is None


def test_autoconfirm_counts_no_messages(mailing, sql, phones):
    server = mailing(GOTRUE_RATE_LIMIT_SMS_SENT="5", GOTRUE_SMS_AUTOCONFIRM="true")
    none_left(sql, "sms_sent")
    number = phone()
    assert server.post("/otp", {"phone": number}).status_code == 200 and len(phones.to(number)) == 1


# How often to one user.


def too_soon(got, code, most):
    message = is_error(got, 429, code)["msg"]
    words, rest = "For security purposes, you can only request this after ", " seconds."
    assert message.startswith(words) and message.endswith(rest)
    assert most - 3 <= int(message[len(words):-len(rest)]) <= most


def test_letters_to_one_user(mailing, sql, post):
    server = mailing(GOTRUE_SMTP_MAX_FREQUENCY="30s")
    me, new = known(server, sql), unknown_but_signed_up(server, sql)
    sql("update auth.users set confirmation_sent_at = null")
    ways = [
        ("confirmation", lambda: server.post("/resend", {"type": "signup", "email": new})),
        ("recovery", lambda: server.post("/recover", {"email": me.email})),
        ("reauthentication", lambda: server.get("/reauthenticate", me.access)),
        ("email_change", lambda: me.put(email=address())),
    ]
    for column, way in ways:
        assert way().status_code == 200
        before = everything(sql)
        too_soon(way(), "over_email_send_rate_limit", 30)
        assert everything(sql) == before
        sql(f"update auth.users set {column}_sent_at = {column}_sent_at - interval '31 s'")
        assert way().status_code == 200
    # Magic links and recoveries share theirs; a sign-up counts for the confirmation that is asked for again.
    too_soon(server.post("/otp", {"email": me.email}), "over_email_send_rate_limit", 30)
    email = address()
    server.post("/signup", {"email": email, "password": PASSWORD})
    for way in ("/resend", "/signup", "/otp"):
        too_soon(server.post(way, {"type": "signup", "email": email, "password": PASSWORD}), "over_email_send_rate_limit", 30)


def test_messages_to_one_user(mailing, sql, phones):
    server = mailing(GOTRUE_SMS_MAX_FREQUENCY="30s")
    me = by_phone(server, phones)
    too_soon(server.post("/otp", {"phone": me.phone}), "over_sms_send_rate_limit", 30)
    assert me.put(phone=phone()).status_code == 200
    too_soon(me.put(phone=phone()), "over_sms_send_rate_limit", 30)
    assert server.get("/reauthenticate", me.access).status_code == 200
    too_soon(server.get("/reauthenticate", me.access), "over_sms_send_rate_limit", 30)
    # Fixed codes too.
    number = phone()
    fixed = mailing(GOTRUE_SMS_MAX_FREQUENCY="30s", GOTRUE_SMS_TEST_OTP=f"{number}:123456")
    assert fixed.post("/otp", {"phone": number}).status_code == 200
    too_soon(fixed.post("/otp", {"phone": number}), "over_sms_send_rate_limit", 30)


# How often from one client: each endpoint has a bucket of its own.


CLIENTS = {
    "/otp": lambda server, h: server.post("/otp", {}, headers=h),
    "/magiclink": lambda server, h: server.post("/magiclink", {}, headers=h),
    "/recover": lambda server, h: server.post("/recover", {}, headers=h),
    "/resend": lambda server, h: server.post("/resend", {}, headers=h),
    "GET /verify": lambda server, h: server.get("/verify", headers=h),
    "POST /verify": lambda server, h: server.post("/verify", {}, headers=h),
}


@pytest.mark.parametrize("way", CLIENTS)
def test_one_client(mailing, sql, way):
    server = mailing(GOTRUE_RATE_LIMIT_HEADER="X-Client")
    me, other = {"X-Client": f"{way} me"}, {"X-Client": f"{way} other"}
    got = [CLIENTS[way](server, me).status_code for _ in range(33)]
    assert got.count(429) >= 2 and set(got[:30]) <= {400, 422}, got
    is_error(CLIENTS[way](server, me), 429, "over_request_rate_limit", "Request rate limit reached")
    assert CLIENTS[way](server, other).status_code in (400, 422)
    for name, call in CLIENTS.items():
        if name.split("/")[1] != way.split("/")[1]:
            assert call(server, me).status_code in (400, 422), name


# Whoever is asked outside finds nothing open, however long they take.


@pytest.fixture
def watched(database, mailing):
    """A server with both hooks at one site, which looks at what is open; and what it saw."""
    site, seen = Peer(), []

    def answer(request):
        seen.append((request.path, open_transactions(database.sql)))
        return 200, {"Content-Type": "application/json"}, b"{}"

    site.answer = answer
    hooks = {f"GOTRUE_HOOK_{what}_{end}": value for what in ("SEND_EMAIL", "SEND_SMS")
             for end, value in (("ENABLED", "true"), ("URI", f"{site.url}/{what}"), ("SECRETS", "v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))}
    yield mailing(**hooks, GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED="true"), seen
    site.stop()


@pytest.mark.parametrize("by, way", [*(("mail", way) for way in MAILS), *(("sms", way) for way in SMS), ("both", "everything")])
def test_nothing_is_open(watched, sql, by, way):
    server, seen = watched
    me, new = known(server, sql), unknown_but_signed_up(server, sql)
    if by == "both":
        got = me.put(email=address(), phone=phone(), password="entirely new 1", data={"a": 1}, **pkce()[1])
    elif by == "mail":
        got = MAILS[way](server, me, new)
    else:
        me.phone, new = phone(), phone()
        sql("update auth.users set phone = %s, phone_confirmed_at = now() where id = %s", me.phone, me.id)
        if way == "reauthenticate":
            sql("update auth.users set email = null where id = %s", me.id)
        server.post("/otp", {"phone": new})
        got = SMS[way](server, me, new)
    assert got.status_code == 200, got.text
    wait_for(lambda: len(seen) >= (3 if by == "both" else 1), 5, "the hooks")
    assert not any(open for _, open in seen), seen
