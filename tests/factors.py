# SPDX-License-Identifier: Apache-2.0
"""Second factors: authenticator applications and telephones."""

import base64
import time

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from harness import Session


def code_of(secret, steps=0):
    """What an application shows so many steps from now."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30, enforce_key_length=False).generate(time.time() + 30 * steps).decode()


def wrong_code(secret):
    """One that it shows at no time near."""
    near = {code_of(secret, steps) for steps in range(-2, 3)}
    return next(code for code in ("000000", "000001", "000002", "000003", "000004", "000005") if code not in near)


class Factor:
    """A factor of a user."""

    def __init__(self, me, token=None, **body):
        self.me, self.server = me, me.server
        got = me.server.post("/factors", {"factor_type": "phone" if "phone" in body else "totp", **body}, token or me.access)
        assert got.status_code == 200, got.text
        self.reply = got.json()
        self.id, self.path = self.reply["id"], f"/factors/{self.reply['id']}"
        self.secret = self.reply.get("totp", {}).get("secret")
        self.shown = 0

    def challenge(self, token=None, **kw):
        got = self.server.post(self.path + "/challenge", kw.pop("json", {}), token or self.me.access, **kw)
        assert got.status_code == 200, got.text
        return got.json()["id"]

    def verify(self, code=None, challenge=None, token=None, **kw):
        """Shows it: a code of now, then the one of the next step, on a new challenge."""
        if code is None:
            code, self.shown = code_of(self.secret, self.shown), 1
        body = {"challenge_id": challenge or self.challenge(token), "code": code}
        return self.server.post(self.path + "/verify", body, token or self.me.access, **kw)

    def raised(self):
        """The user's session with the factor shown."""
        got = self.verify()
        assert got.status_code == 200, got.text
        return Session(self.server, {"email": self.me.email, "password": self.me.password}, got.json())

    def delete(self, token=None):
        return self.server.request("DELETE", self.path, token or self.me.access)
