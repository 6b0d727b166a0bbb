# SPDX-License-Identifier: Apache-2.0
"""What a request costs in calls of the kernel, counted by strace."""

import os
import shutil
import subprocess
import time

import pytest

import harness

pytestmark = [pytest.mark.plain,
              pytest.mark.skipif(os.geteuid() != 0 or shutil.which("strace") is None, reason="root may look into a worker, with strace")]
ROUNDS = 30


def test_a_request_is_ten_calls(serve, tmp_path):
    """The wait, accept, read, three for the statement and a look whether its connection lives, write, close, and the log's line."""
    server = serve(POSTERN_TEST_WORKERS="1", GOTRUE_API_REQUEST_ID_HEADER=None)
    me = server.sign_up()
    for _ in range(3):
        me.get()
    trace = subprocess.Popen(["strace", "-p", str(server.workers()[0]), "-o", tmp_path / "calls"], stderr=subprocess.PIPE)
    try:
        assert b"attached" in trace.stderr.readline()
        for _ in range(ROUNDS):
            assert me.get().status_code == 200
        time.sleep(0.1)
    finally:
        trace.terminate()
        trace.wait()
    calls = [line.partition("(")[0] for line in (tmp_path / "calls").read_text().splitlines()]
    # An alarm and new random numbers come once in a while.
    assert len(calls) <= 10 * ROUNDS + ROUNDS // 8, {name: calls.count(name) / ROUNDS for name in sorted(set(calls))}
