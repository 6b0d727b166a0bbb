# SPDX-License-Identifier: Apache-2.0
"""Runs the auth-js tests in node against a scratch server."""

import os
import subprocess
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
import harness  # noqa: E402

cluster = harness.Cluster()
cluster.start()
try:
    harness.make_template(cluster.dsn)
    server = harness.Server(harness.Database(cluster.dsn).dsn, {})
    try:
        status = subprocess.run(["node", "--test", "session.test.mjs"], cwd=here, env={**os.environ, "AUTH_URL": server.url}).returncode
    finally:
        server.stop()
finally:
    cluster.destroy()
sys.exit(status)
