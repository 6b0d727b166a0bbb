# SPDX-License-Identifier: Apache-2.0
"""Runs the auth-js tests in node against scratch servers, with a real mail server and everybody's telephone beside them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
import harness  # noqa: E402
from peer import Peer  # noqa: E402
from post import MAIL, Phones, Post  # noqa: E402


def newest(post, to):
    letter = post.take(to)
    while post.to(to):
        letter = post.take(to)
    return {"link": letter.link, "code": letter.code, "hash": letter.hash if letter.link else None}


def answering(answer):
    """GET /who gives answer(who) as JSON."""
    peer = Peer()
    peer.answer = lambda request: (200, {"Content-Type": "application/json"}, json.dumps(answer(unquote(request.path[1:]))).encode())
    return peer


def run(test, server, **more):
    return subprocess.run(["node", "--test", test], cwd=here, env={**os.environ, "AUTH_URL": server.url, **more}).returncode


cluster = harness.Cluster()
cluster.start()
post, phones, servers = Post(), Phones(), []
letters, messages = answering(lambda to: newest(post, to)), answering(lambda to: {"code": phones.take(to)})
try:
    harness.make_template(cluster.dsn)
    servers.append(harness.Server(harness.Database(cluster.dsn).dsn, {}))
    servers.append(harness.Server(harness.Database(cluster.dsn).dsn, {
        **MAIL, **phones.settings, "GOTRUE_SMTP_PORT": str(post.port), "GOTRUE_SMTP_MAX_FREQUENCY": "1ns", "GOTRUE_SMS_MAX_FREQUENCY": "1ns"}))
    keys = {"POSTERN_JWT_KEYS_FILE": str(cluster.dir / "keys.json")}
    settings = {**harness.CLEAN, **harness.SETTINGS, "DATABASE_URL": cluster.dsn, "API_EXTERNAL_URL": "http://127.0.0.1", **keys}
    subprocess.run([harness.BIN, "keys", "new"], env=settings, check=True, stdout=subprocess.DEVNULL)
    servers.append(harness.Server(harness.Database(cluster.dsn).dsn, keys))
    status = run("session.test.mjs", servers[0])
    status |= run("factors.test.mjs", servers[0])
    status |= run("keys.test.mjs", servers[2], **settings, PROGRAM=harness.BIN)
    status |= run("mail.test.mjs", servers[1], MAIL_URL=letters.url, PHONE_URL=messages.url, SERVICE_TOKEN=harness.mint({"role": "service_role"}))
finally:
    for server in servers:
        server.stop()
    for peer in (letters, messages, phones.peer):
        peer.stop()
    post.down()
    cluster.destroy()
sys.exit(status)
