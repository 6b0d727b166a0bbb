# SPDX-License-Identifier: Apache-2.0
"""Letters of a change are for the changed user.  A file of its own: the mailers of all servers of a database share its letters, and only this one
has these subjects."""

from harness import PASSWORD, SERVICE, Session, address


def test_letters_of_a_change_are_for_the_changed_user(mailing, post):
    server = mailing(GOTRUE_MAILER_SUBJECTS_EMAIL_CHANGE="{{ .Data.full_name }} {{ .Data.lang }}", GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED="true")
    email, new = address(), address("new")
    server.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, token=SERVICE)
    me = Session(server, {"email": email}, server.sign_in(email=email, password=PASSWORD).json())
    assert me.put(email=new, data={"lang": "fr", "full_name": "Zoe"}).status_code == 200
    assert [post.take(to).message["subject"] for to in (email, new)] == ["Zoe fr"] * 2
