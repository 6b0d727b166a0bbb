# SPDX-License-Identifier: Apache-2.0
"""Chromium and the program, with auth-js in a page, and all that they need: signing in at a real OpenID provider (walk.test.mjs), passkeys
and security keys (keys.test.mjs)."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
import harness  # noqa: E402
from peer import Authority  # noqa: E402


def trusting_home(folder, authority):
    """A home directory whose certificate store, which is Chromium's, has the authority in it."""
    store = folder / ".pki/nssdb"
    store.mkdir(parents=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "tests", "-i", authority.file], check=True)
    return folder


def walk(folder, dsn):
    authority = Authority(folder)
    app, keys, op = harness.free_port(), harness.free_port(), harness.free_port()
    server = harness.Server(harness.Database(dsn).dsn, {
        "GOTRUE_SITE_URL": f"http://127.0.0.1:{app}/",
        "POSTERN_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8",
        "POSTERN_HTTP_CA_FILE": str(authority.file),
        "POSTERN_HTTP_CONNECT_TO": f"op.test:443:127.0.0.1:{op}",
        "GOTRUE_PASSKEY_ENABLED": "true",
        "GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED": "true",
        "GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED": "true",
        "GOTRUE_WEBAUTHN_RP_ID": "localhost",
        "GOTRUE_WEBAUTHN_RP_DISPLAY_NAME": "App",
        "GOTRUE_WEBAUTHN_RP_ORIGINS": f"http://localhost:{keys}",
    })
    env = {**os.environ, "HOME": str(trusting_home(folder, authority)), "AUTH_URL": server.url, "APP_PORT": str(app), "KEYS_PORT": str(keys),
           "OP_PORT": str(op), "OP_PEM": str(authority.pem("op.test")), "PROFILE": str(folder / "profile"),
           "ADMIN": harness.mint({"role": "service_role"})}
    try:
        return subprocess.run(["node", "--test", *(sys.argv[1:] or ["walk.test.mjs", "keys.test.mjs"])], cwd=here, env=env).returncode
    finally:
        server.stop()


cluster = harness.Cluster()
cluster.start()
try:
    harness.make_template(cluster.dsn)
    with tempfile.TemporaryDirectory(prefix="postern-browser.") as folder:
        status = walk(Path(folder), cluster.dsn)
finally:
    cluster.destroy()
sys.exit(status)
