# SPDX-License-Identifier: Apache-2.0
"""Real servers for the tests of tests/api: one scratch PostgreSQL a run, one database a file, and the program behind
lighttpd, as tests/serve starts it, once for each set of settings that a file asks for."""

import os

import pytest

import harness


def pytest_configure(config):
    if hasattr(config, "workerinput"):  # of xdist: the parent's cluster serves
        return
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


@pytest.fixture
def sql(database):
    return database.sql


@pytest.fixture
def only_workers():
    if harness.CGI:
        pytest.skip("a CGI process serves one request")
