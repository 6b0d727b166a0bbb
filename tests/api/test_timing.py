# SPDX-License-Identifier: Apache-2.0
"""How long an answer takes does not tell whether an address is known: pairs of a known and an unknown one, their first request each.

Noise makes a fair coin look loaded now and then, so each way has some tries; POSTERN_TEST_TIMING=n measures n pairs and says what came
out."""

import os
import statistics
import time

import pytest

from harness import PASSWORD, SERVICE, address

PAIRS = int(os.environ.get("POSTERN_TEST_TIMING", "50"))
TRIES = 6
pytestmark = pytest.mark.plain

WAYS = {
    "signup": lambda server, email: server.post("/signup", {"email": email, "password": "some good words 1"}),
    "otp": lambda server, email: server.post("/otp", {"email": email}),
    "magiclink": lambda server, email: server.post("/magiclink", {"email": email}),
    "recover": lambda server, email: server.post("/recover", {"email": email}),
    "resend": lambda server, email: server.post("/resend", {"type": "signup", "email": email}),
    "password": lambda server, email: server.sign_in(email=email, password="some wrong words 1"),
}


@pytest.fixture(scope="module")
def server(mailing, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mail") / "box"
    server = mailing(POSTERN_TEST_WORKERS="1", POSTERN_MAIL_GRACE="0s", GOTRUE_SMTP_HOST="", POSTERN_MAIL_TRANSPORT="maildir", POSTERN_MAILDIR=str(folder))
    for way in WAYS.values():  # statements are prepared
        for _ in range(10):
            way(server, known(server)), way(server, address())
    return server


def known(server):
    email = address()
    made = server.post("/admin/generate_link", {"type": "signup", "email": email, "password": PASSWORD}, token=SERVICE).json()
    assert server.post("/verify", {"type": "signup", "token_hash": made["hashed_token"]}).status_code == 200
    return email


def took(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(server, way, pairs, prepare=lambda known: None):
    """(time of the known, of the unknown) of each pair; who goes first takes turns."""
    people = [(known(server), address()) for _ in range(pairs)]
    prepare([one for one, _ in people])
    found = []
    for i, (one, other) in enumerate(people):
        if i % 2:
            first = took(lambda: way(server, one))
            found.append((first, took(lambda: way(server, other))))
        else:
            first = took(lambda: way(server, other))
            found.append((took(lambda: way(server, one)), first))
    return found


def rightness(found):
    """How often simple guesses are right: who of a pair is slower, and on which side of the median of all each is."""
    slower = sum(known > unknown for known, unknown in found) / len(found)
    middle = statistics.median(x for pair in found for x in pair)
    above = sum((known > middle) + (unknown <= middle) for known, unknown in found) / 2 / len(found)
    return max(slower, 1 - slower), max(above, 1 - above)


def judge(capsys, name, measured):
    seen = []
    for _ in range(TRIES):
        found = measured()
        pair, alone = rightness(found)
        known, unknown = (statistics.median(x[i] for x in found) * 1000 for i in (0, 1))
        seen.append(f"{name}: right in {pair:.0%} of pairs, {alone:.0%} of single ones; medians {known:.2f} and {unknown:.2f} ms")
        if "POSTERN_TEST_TIMING" in os.environ:
            with capsys.disabled():
                print(f"\n{seen[-1]}", end="")
            break
        if pair <= 0.6 and alone <= 0.6:
            return
    else:
        pytest.fail("\n".join(seen))


@pytest.mark.parametrize("way", WAYS)
def test_time_does_not_tell(server, way, capsys):
    judge(capsys, way, lambda: measure(server, WAYS[way], PAIRS))


# A site that comes from elsewhere, with hashes of another cost than the settings would make (4).


DEAR = "$2a${:02}$WXFfMWnG/2rzY3wAoaTz9O8dQA1GlLLQYPfHwxSP7g/gFuTAYqOi."


def dear(sql, cost, emails):
    sql("update auth.users set encrypted_password = %s where email = any (%s)", DEAR.format(cost), emails)


def no_password(sql, emails):
    """They have none; the others, of whom there are as many, have."""
    sql("update auth.users set encrypted_password = %s where email <> all (%s)", DEAR.format(8), emails)
    sql("update auth.users set encrypted_password = '' where email = any (%s)", emails)


SITES = {
    "other hashes": lambda sql, emails: dear(sql, 8, emails),
    "two kinds of hashes": lambda sql, emails: dear(sql, 8, emails[::2]),
    "known ones without a password": no_password,
}


@pytest.mark.parametrize("site", SITES)
def test_time_does_not_tell_on_a_site_from_elsewhere(server, sql, site, capsys):
    def measured():
        sql("delete from auth.users")
        if site == "known ones without a password":
            for _ in range(PAIRS):
                known(server)
        return measure(server, WAYS["password"], PAIRS, lambda emails: SITES[site](sql, emails))

    judge(capsys, site, measured)


def test_an_unknown_address_is_of_one_kind(server, sql):
    """Where there are two kinds, each address takes the time of the same one whenever it is asked for."""
    sql("delete from auth.users")
    emails = [known(server) for _ in range(40)]
    dear(sql, 11, emails[::2])
    slow = []
    for _ in range(24):
        email = address()
        kinds = [min(took(lambda: WAYS["password"](server, email)) for _ in range(4)) > 0.06 for _ in range(2)]
        assert kinds[0] == kinds[1]
        slow.append(kinds[0])
    assert 3 <= sum(slow) <= 21


def test_sealed_hashes_are_read(mailing, sql):
    keys = {
        "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT": "true", "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID": "k",
        "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY": "pwFoiPyybQMqNmYVN0gUnpbfpGQV2sDv9vp0ZAxi_Y4",
        "GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS": "k:pwFoiPyybQMqNmYVN0gUnpbfpGQV2sDv9vp0ZAxi_Y4"
    }
    sql("delete from auth.users")
    assert mailing(**keys, POSTERN_BCRYPT_COST="11").post("/admin/users", {"email": address(), "password": PASSWORD}, token=SERVICE).status_code == 200
    assert "alg" in sql("select encrypted_password as p from auth.users")[0]["p"]
    assert min(took(lambda: WAYS["password"](mailing(**keys), address())) for _ in range(5)) > 0.06
