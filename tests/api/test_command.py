# SPDX-License-Identifier: Apache-2.0
"""The operator's commands."""

import re
import subprocess
from pathlib import Path

import pytest

import harness
from harness import BIN, PASSWORD, SETTINGS, address, claims_of


def command(database, *args, stdin="", **settings):
    env = {**harness.CLEAN, **SETTINGS, "DATABASE_URL": database.dsn, "API_EXTERNAL_URL": "http://127.0.0.1:9999", **settings}
    env = {k: v for k, v in env.items() if v is not None}
    return subprocess.run([BIN, *args], env=env, capture_output=True, text=True, input=stdin, timeout=60)


def ok(*args, **settings):
    done = command(*args, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


COMMANDS = "serve migrate check user audit token keys reseal deliver clean mail breached manual version".split()


def test_version_and_help(database):
    assert "postern" in ok(database, "version")
    for args in ([], *([name] for name in COMMANDS)):
        assert "usage" in ok(database, *args, "--help").lower()


def test_help_stands_in_the_manual(database):
    page = Path(__file__).parents[2].joinpath("man/postern.8").read_text()
    synopsis, description = page.split(".Sh DESCRIPTION")
    for told in (re.findall(r"^  ([a-z]+) ", ok(database, "--help"), re.M), re.findall(r"^\.It Cm ([a-z]+)$", description, re.M)):
        assert sorted(told) == sorted(COMMANDS)
    for name in COMMANDS:
        usage = re.findall(rf"postern {name}\b(.*?)(?:  |$)", ok(database, name, "--help"), re.M)
        for word in re.findall(r"--?[a-z-]+|\b[a-z_]+\b", " ".join(usage)):
            assert re.search(rf"\.(Nm|Cm|Op|Fl|Ar)\b.*(?<![a-z]){word.removeprefix('-')}(?![a-z])", synopsis), f"{name}: {word}"


def test_unknown_words(database):
    for args in (["dance"], ["serve", "--fly"], ["token", "king"], ["user", "fry"]):
        done = command(database, *args)
        assert done.returncode != 0 and done.stderr


@pytest.mark.parametrize("args", ["serve --listen", "serve --listen unix:x --workers", "serve --listen unix:x --mode", "token anon --days", "audit -n"])
def test_a_value_that_an_option_does_not_take(database, args):
    option = args.split()[-1]
    done = command(database, *args.split()[:-1]) if option == "--listen" else command(database, *args.split(), "x9")
    assert done.returncode == 2 and done.stderr.startswith(f"postern: {option} must be ") and "usage: postern" in done.stderr


def test_token(database, server):
    for role in ("anon", "service_role"):
        assert claims_of(ok(database, "token", role).strip())["role"] == role
    me = server.sign_up()
    token = ok(database, "token", "user", me.email).strip()
    assert claims_of(token)["sub"] == me.id


def test_check(database):
    ok(database, "check")
    done = command(database, "check", GOTRUE_DISABLE_SINGUP="true")
    assert "GOTRUE_DISABLE_SIGNUP" in done.stdout + done.stderr
    done = command(database, "check", GOTRUE_JWT_EXP="soon")
    assert done.returncode != 0 and "GOTRUE_JWT_EXP" in done.stdout + done.stderr
    done = command(database, "check", GOTRUE_URI_ALLOW_LIST="https://a.test/** , #b,\"https://c.test/**\",http://192.168.0.1/**,exp://**,")
    assert done.returncode == 0 and done.stdout.count("can never match") == 3
    assert all(f"warning: GOTRUE_URI_ALLOW_LIST: \"{x}\" can never match." in done.stdout for x in ("#b", '"https://c.test/**"', "http://192.168.0.1/**"))
    done = command(database, "check", GOTRUE_JWT_KEYS="[{}]")
    assert done.returncode != 0
    done = command(database, "check", DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert done.returncode != 0
    assert harness.SECRET not in ok(database, "check")


def test_check_names_the_setting(database):
    mail = {"GOTRUE_SMTP_ADMIN_EMAIL": "auth@example.com"}
    out = command(database, "check", **mail, GOTRUE_SMTP_HOST="127.0.0.1", GOTRUE_SMTP_PORT="1").stdout
    assert "GOTRUE_SMTP_HOST is 127.0.0.1, GOTRUE_SMTP_PORT 1" in out
    assert "POSTERN_MAILDIR must be set" in command(database, "check", **mail, POSTERN_MAIL_TRANSPORT="maildir").stdout


@pytest.mark.parametrize("place", ["letter.html", "file:///srv/letter.html", "<p>{{ .Token }}</p>"])
def test_check_of_a_template_that_is_no_url(database, tmp_path, place):
    mail = {"GOTRUE_SMTP_ADMIN_EMAIL": "auth@example.com", "POSTERN_MAIL_TRANSPORT": "maildir", "POSTERN_MAILDIR": str(tmp_path)}
    out = command(database, "check", **mail, GOTRUE_MAILER_TEMPLATES_RECOVERY=place).stdout
    assert "GOTRUE_MAILER_TEMPLATES_RECOVERY: it must be a URL, or a path" in out and "POSTERN_MAILER_TEMPLATE_DIR" in out


def test_check_of_a_file_that_everybody_reads(database, tmp_path):
    conf = tmp_path / "postern.conf"
    conf.write_text("")
    for mode, said in ((0o644, True), (0o604, True), (0o640, False), (0o600, False)):
        conf.chmod(mode)
        assert (f"chmod 600 {conf}" in ok(database, "check", "-c", str(conf))) == said


def test_user_link(database):
    email = address()
    link = command(database, "user", "link", "signup", email, stdin=PASSWORD + "\n").stdout
    assert "/verify?token=" in link and "type=signup" in link
    assert "/verify?token=" in ok(database, "user", "link", "email_change_new", email, address())


def test_user(database, server):
    email = address()
    ok(database, "user", "add", email, stdin=PASSWORD + "\n")
    assert server.sign_in(email=email, password=PASSWORD).status_code == 200
    assert email in ok(database, "user", "list")
    ok(database, "user", "password", email, stdin="another one 9\n")
    assert server.sign_in(email=email, password="another one 9").status_code == 200
    ok(database, "user", "delete", email)
    assert server.sign_in(email=email, password="another one 9").status_code == 400
    assert command(database, "user", "delete", email).returncode != 0


def test_a_new_password_undoes_what_was_begun(database, server, sql):
    me = server.sign_up()
    sql("update auth.users set email_change = 'thief@example.com', phone_change = '15550000001', phone_change_token = 'x' where id = %s", me.id)
    ok(database, "user", "password", me.email, stdin="another one 9\n")
    assert me.get().status_code == 403
    assert sql("select email_change, phone_change, phone_change_token as code from auth.users where id = %s", me.id) == [
        {"email_change": "", "phone_change": "", "code": ""}]


def test_settings_from_a_file(database, tmp_path):
    conf = tmp_path / "postern.conf"
    conf.write_text(f"# settings\nDATABASE_URL={database.dsn}\nGOTRUE_JWT_SECRET=of-the-file-0123456789-0123456789\n\nGOTRUE_JWT_KEYS=\n")
    assert harness.hs256(".".join((token := ok(database, "token", "anon", "-c", str(conf)).strip()).split(".")[:2]),
                         "of-the-file-0123456789-0123456789") == token.split(".")[2]
    assert command(database, "check", "-c", str(tmp_path / "none")).returncode != 0


@pytest.fixture
def empty(database):
    made = harness.Database(database.cluster_dsn, "template1")
    yield made
    made.drop()


def test_migrate(empty):
    planned = ok(empty, "migrate", "--dry-run")
    assert planned
    assert empty.sql("select count(*) as n from pg_namespace where nspname in ('auth', 'postern')")[0]["n"] == 0
    ok(empty, "migrate")
    versions = empty.sql("select count(*) as n from auth.schema_migrations")[0]["n"]
    assert versions > 50
    ok(empty, "migrate")
    assert empty.sql("select count(*) as n from auth.schema_migrations")[0]["n"] == versions


def test_two_migrations_at_once(empty):
    env = {**harness.CLEAN, **SETTINGS, "DATABASE_URL": empty.dsn, "API_EXTERNAL_URL": "http://127.0.0.1:9999"}
    both = [subprocess.Popen([BIN, "migrate"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    for one in both:
        out, _ = one.communicate(timeout=60)
        assert one.returncode == 0, out


def test_migrate_without_superuser(empty):
    empty.sql("drop role if exists plain_owner")
    empty.sql("create role plain_owner login")
    empty.sql(f"alter database {empty.name} owner to plain_owner")
    ok(empty, "migrate", DATABASE_URL=empty.dsn.replace("postgres@", "plain_owner@"))
    empty.sql("drop owned by plain_owner cascade")
    empty.sql(f"alter database {empty.name} owner to postgres")
    empty.sql("drop role plain_owner")
