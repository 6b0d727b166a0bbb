/* SPDX-License-Identifier: Apache-2.0 */
/* postern user: what an operator does to users without the API. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/address.h"
#include "core/credential.h"
#include "core/user.h"
#include "query/onetime.h"
#include "query/session.h"

static const char usage[] =
    "usage: postern user add ADDRESS       make a confirmed user; the password is read from standard input\n"
    "       postern user password ADDRESS  set a password, read from standard input; ends all sessions\n"
    "       postern user delete ADDRESS    delete the user and everything of theirs\n"
    "       postern user list              id, address and last sign-in of every user\n"
    "\n"
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

static err
user_named(struct request *r, const char *email, struct user *u)
{
	TRY(address_check_email(r, &email));
	TRY(user_by_email(r->db, u, .email = email, .aud = cfg->gotrue_jwt_aud));
	return (u->found ? OK : fail(r, E_USER_NOT_FOUND, "There is no user with the address %s", email));
}

static err
run_add(struct request *r, const char *email)
{
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

static err
run_password(struct request *r, const char *email)
{
	const char *password = password_read(r->arena);
	struct user u;

	TRY(user_named(r, email, &u));
	TRY(credential_check_strength(r, password));
	TRY(user_set_password(r->db, .id = u.id, .password = credential_new(r, u.id, password), .now = r->now_text));
	TRY(onetime_clear(r->db, .user_id = u.id));
	return (session_end_others(r->db, .user_id = u.id));
}

static err
run_delete(struct request *r, const char *email)
{
	struct user u;

	TRY(user_named(r, email, &u));
	return (user_delete(r->db, .id = u.id));
}

static err
run_list(struct request *r, const char *unused)
{
	struct user_overview_rows page;
	const char *after = NULL;

	(void)unused;
	do {
		TRY(user_overview(r->db, &page, .after = after));
		for (size_t i = 0; i < page.len; i++)
			printf("%s\t%s\t%s\n", page.row[i].id, page.row[i].address, str_or(page.row[i].last_sign_in_at, "never"));
		after = page.len > 0 ? page.row[page.len - 1].id : NULL;
	} while (after != NULL);
	return (OK);
}

static const struct {
	const char *name;
	err (*run)(struct request *, const char *address);
	int arguments;
} actions[] = {
	{ "add", run_add, 1 },
	{ "password", run_password, 1 },
	{ "delete", run_delete, 1 },
	{ "list", run_list, 0 },
};

static int
action_run(struct arena *a, size_t i, const char *address)
{
	struct request *r = cli_request(a);

	return (cli_finish(r, actions[i].run(r, address)));
}

int
cli_user(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct arena *a = arena_new();
	const char *file = NULL;
	int option, status = -1;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return (0);
		default:
			fputs(usage, stderr);
			return (2);
		}
	for (size_t i = 0; optind < argc && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (str_equal(argv[optind], actions[i].name) && optind + 1 + actions[i].arguments == argc)
			status = cli_settings(a, file) ? action_run(a, i, argv[optind + 1]) : 1;
	if (status < 0) {
		fputs(usage, stderr);
		status = 2;
	}
	arena_free(a);
	return (status);
}
