# SPDX-License-Identifier: Apache-2.0
"""Real servers for the tests of tests/api: one scratch PostgreSQL a run, one database a file, and the program behind
lighttpd, as tests/serve starts it, once for each set of settings that a file asks for."""

import os
import signal
import sys

import pytest

import harness
from peer import authority, peer_of  # noqa: F401 (fixtures)
from post import MAIL, Phones, Post
from providers import Providers


def pytest_configure(config):
    config.addinivalue_line("markers", "plain: measures time or memory, or needs the program as it is installed: behind a web server, without"
                            " sanitizers, nothing else running")
    if hasattr(config, "workerinput"):  # of xdist: the parent's cluster serves
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster ends with us
    config.cluster = harness.Cluster()
    config.cluster.start()
    try:
        harness.make_template(config.cluster.dsn)
    except Exception:
        config.cluster.destroy()
        raise
    os.environ["POSTERN_TEST_PG"] = config.cluster.dsn


def pytest_unconfigure(config):
    if hasattr(config, "cluster"):
        config.cluster.destroy()


def pytest_runtest_setup(item):
    if item.get_closest_marker("plain") and (harness.CGI or harness.SANITIZED):
        pytest.skip("needs the program as it is installed")


@pytest.fixture(scope="module")
def database():
    """A database of this file's own, migrated."""
    db = harness.Database(os.environ["POSTERN_TEST_PG"])
    yield db
    db.drop()


@pytest.fixture(scope="module")
def serve(database):
    """serve(GOTRUE_X="..."): a running server with these settings; asked again, the same one."""
    running = {}

    def start(**settings):
        key = tuple(sorted(settings.items()))
        if key not in running or not running[key].alive():
            running[key] = harness.Server(database.dsn, settings)
        return running[key]

    yield start
    complaints = [c for s in running.values() for c in s.stop()]
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="module")
def server(serve):
    """The server with the settings that most tests can share."""
    return serve()


@pytest.fixture(scope="module")
def post():
    """The mail server of this file's servers."""
    post = Post()
    yield post
    post.down()


@pytest.fixture(scope="module")
def phones():
    phones = Phones()
    yield phones
    phones.peer.stop()


@pytest.fixture(scope="module")
def mailing(serve, post, phones):
    """mailing(GOTRUE_X="..."): as serve(), with letters to post and text messages to phones, as often as a test wants them."""
    often = {"GOTRUE_SMTP_MAX_FREQUENCY": "1ns", "GOTRUE_SMS_MAX_FREQUENCY": "1ns"}

    def start(**settings):
        return serve(**{**MAIL, **often, **phones.settings, "GOTRUE_SMTP_PORT": str(post.port), **settings})

    return start


@pytest.fixture(scope="module")
def providers(authority):
    """Everybody's sign-in servers."""
    found = Providers(authority)
    yield found
    found.peer.stop()


@pytest.fixture(scope="session")
def key():
    """The operator's token."""
    return harness.SERVICE


@pytest.fixture
def sql(database):
    return database.sql


@pytest.fixture
def only_workers():
    if harness.CGI:
        pytest.skip("a CGI process serves one request")
