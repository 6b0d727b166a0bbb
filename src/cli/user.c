/* SPDX-License-Identifier: Apache-2.0 */
/* postern user: what an operator does to users without the API. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/address.h"
#include "core/admin_user.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/owner.h"
#include "core/user.h"
#include "query/admin_user.h"

static const char usage[] =
    "usage: postern user add ADDRESS           make a confirmed user; the password is read from standard input\n"
    "       postern user invite ADDRESS        invite somebody by mail\n"
    "       postern user link TYPE ADDRESS     print a link instead of mailing it: signup (the password from standard input), invite,\n"
    "                                          magiclink, recovery, email_change_current or email_change_new (the new address behind it)\n"
    "       postern user show WHO              what is known of the user\n"
    "       postern user password WHO          set a password, read from standard input; ends all sessions\n"
    "       postern user ban WHO [HOW LONG]    let the user in no more, for 24h or the like; none: let them in again; without: for good\n"
    "       postern user delete WHO            delete the user and everything of theirs\n"
    "       postern user list                  id, address and last sign-in of every user\n"
    "\n"
    "  WHO      an e-mail address, a phone number or an id\n"
    "  -c FILE  settings: KEY=value lines, which win over the environment\n";

/* One line of standard input; on a terminal it is asked for and not shown. */
static const char *
password_read(struct arena *a)
{
	char line[256] = "";

	if (isatty(STDIN_FILENO))
		return (arena_strdup(a, getpass("Password: ")));
	if (fgets(line, sizeof(line), stdin) == NULL)
		return ("");
	line[strcspn(line, "\r\n")] = '\0';
	return (arena_strdup(a, line));
}

#define FOR_GOOD "876000h" /* a hundred years */

static err
user_named(struct request *r, const char *who, struct user *u)
{
	const char *id = uuid_parse(r->arena, who);

	if (id != NULL)
		TRY(user_by_id(r->db, u, .id = id));
	else if (strchr(who, '@') != NULL)
		TRY(user_by_email(r->db, u, .email = str_lower(r->arena, who), .aud = cfg->gotrue_jwt_aud));
	else
		TRY(user_by_phone(r->db, u, .phone = address_phone(r->arena, who), .aud = cfg->gotrue_jwt_aud));
	return (u->found ? OK : fail(r, E_USER_NOT_FOUND, "There is no user %s", who));
}

static err
run_add(struct request *r, char *const *words)
{
	const char *email = words[0];
	const char *id = uuid_new(r->arena), *password = password_read(r->arena);
	struct user other;

	TRY(address_check_email(r, &email));
	TRY(credential_check_strength(r, password));
	TRY(user_find_email(r, email, cfg->gotrue_jwt_aud, NULL, &other));
	if (other.found)
		return (fail(r, E_EMAIL_EXISTS, NULL));
	TRY(user_create(r, &(const struct new_user){ .id = id,
			       .aud = cfg->gotrue_jwt_aud,
			       .role = cfg->gotrue_jwt_default_group_name,
			       .email = email,
			       .provider = "email",
			       .password = credential_new(r, id, password) }));
	TRY(user_confirm_email(r->db, .id = id, .now = r->now_text));
	puts(id);
	return (OK);
}

/* A handler's request, as if the operator had sent this body. */
static err
api_call(struct request *r, checked err (*handler)(struct request *), const char *body)
{
	static const struct claims operator= { .sub = "", .role = "operator", .session_id = "", .email = "" };

	r->claims = &operator;
	r->body = body;
	r->body_len = strlen(body);
	return (handler(r));
}

static err
run_invite(struct request *r, char *const *words)
{
	TRY(api_call(r, invite_post, json_pairs(r->arena, "email", words[0], NULL)));
	puts("invited");
	return (OK);
}

static err
run_link(struct request *r, char *const *words)
{
	bool signup = str_equal(words[0], "signup");
	const char *more = signup ? "password" : words[2] != NULL ? "new_email" : NULL;
	json *made;

	TRY(api_call(r, generate_link_post,
	    json_pairs(r->arena, "type", words[0], "email", words[1], more, signup ? password_read(r->arena) : words[2], NULL)));
	made = json_parse(r->arena, r->reply.body, r->reply.len, NULL);
	puts(str_or(json_string(json_get(made, "action_link")), ""));
	return (OK);
}

static err
run_password(struct request *r, char *const *words)
{
	const char *password = password_read(r->arena);
	struct user u;

	TRY(user_named(r, words[0], &u));
	TRY(credential_check_strength(r, password));
	return (owner_set_password(r, u.id, credential_new(r, u.id, password), NULL));
}

static err
run_delete(struct request *r, char *const *words)
{
	struct user u;

	TRY(user_named(r, words[0], &u));
	return (user_delete(r->db, .id = u.id));
}

static err
run_list(struct request *r, char *const *unused)
{
	struct user_overview_rows page;
	const char *after = NULL;

	(void)unused;
	do {
		TRY(user_overview(r->db, &page, .after = after));
		for (size_t i = 0; i < page.len; i++) {
			printf("%s\t", page.row[i].id);
			cli_put(page.row[i].address);
			printf("\t%s\n", str_or(page.row[i].last_sign_in_at, "never"));
		}
		after = page.len > 0 ? page.row[page.len - 1].id : NULL;
	} while (after != NULL);
	return (OK);
}

/* What is absent, empty or false is not told. */
static void
show_member(struct arena *a, const char *name, const json *value)
{
	const char *text = json_string(value);

	if (text == NULL && json_kind(value) != JSON_NULL && (json_kind(value) != JSON_BOOL || json_true(value)))
		text = json_text(a, value);
	if (str_empty(text))
		return;
	printf("%-20s  ", name);
	cli_put(text);
	putchar('\n');
}

static void
show_identities(struct arena *a, const json *identities)
{
	for (size_t i = 0; i < json_len(identities); i++) {
		const json *one = json_at(identities, i);

		show_member(a, "identity", json_get(one, "provider"));
	}
}

static err
run_show(struct request *r, char *const *words)
{
	static const char *const members[] = { "id", "email", "email_confirmed_at", "new_email", "phone", "phone_confirmed_at", "new_phone",
		"role", "aud", "is_anonymous", "created_at", "invited_at", "last_sign_in_at", "banned_until", "deleted_at", "user_metadata",
		"app_metadata" };
	struct admin_user_counts counts;
	const char *shown;
	const json *user;
	struct user u;

	TRY(user_named(r, words[0], &u));
	TRY(admin_user_counts(r->db, &counts, .id = u.id));
	shown = user_text(r->arena, &u);
	user = json_parse_text(r->arena, shown);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		show_member(r->arena, members[i], json_get(user, members[i]));
	show_identities(r->arena, json_get(user, "identities"));
	printf("%-20s  %s\n%-20s  %lld\n%-20s  %lld\n", "password", str_empty(u.password) ? "no" : "yes", "factors", counts.factors,
	    "sessions", counts.sessions);
	return (OK);
}

static err
run_ban(struct request *r, char *const *words)
{
	struct ban ban;
	struct user u;

	TRY(user_named(r, words[0], &u));
	TRY(ban_read(r, str_or(words[1], FOR_GOOD), &ban));
	TRY(admin_user_change(r->db, .id = u.id, .ban = "t", .banned_until = ban.until, .named = "f", .now = r->now_text));
	puts(str_or(ban.until, "not banned"));
	return (OK);
}

int
cli_user(int argc, char **argv)
{
	static const struct cli_action actions[] = {
		{ "add", run_add, 1, 1 },
		{ "invite", run_invite, 1, 1 },
		{ "link", run_link, 2, 3 },
		{ "show", run_show, 1, 1 },
		{ "password", run_password, 1, 1 },
		{ "ban", run_ban, 1, 2 },
		{ "delete", run_delete, 1, 1 },
		{ "list", run_list, 0, 0 },
		{ NULL, NULL, 0, 0 },
	};

	return (cli_act(argc, argv, usage, actions));
}
