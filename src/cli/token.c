/* SPDX-License-Identifier: Apache-2.0 */
/* postern token: API keys and access tokens. */
#include <getopt.h>
#include <stdio.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/session.h"
#include "core/user.h"
#include "sec/jwt.h"

static const char usage[] =
    "usage: postern token anon|service_role [--days N] [-c FILE]\n"
    "       postern token user ADDRESS [-c FILE]\n"
    "\n"
    "  anon, service_role  an API key of that role, for 3650 days unless said otherwise\n"
    "  user ADDRESS        an access token for the user with that e-mail address, in a new session\n";

#define DAY_SECONDS 86400LL

static int
token_role(struct arena *a, const char *role, const char *days)
{
	long long now = clock_now() / 1000000;
	struct buf b = buf_new(a);
	int64_t life;

	if (!duration_parse(arena_printf(a, "%sh", days), &life) || life <= 0)
		return (cli_refuse(usage, "--days must be a whole number, above 0."));
	life = life / 3600000000000LL * DAY_SECONDS;
	json_object_begin(&b, NULL);
	json_put_text(&b, "iss", str_or(cfg->gotrue_jwt_issuer, "postern"));
	json_put_text(&b, "role", role);
	json_put_number(&b, "iat", now);
	json_put_number(&b, "exp", now + life);
	json_object_end(&b);
	puts(jwt_sign(a, b.data));
	return (0);
}

static err
token_sign_in(struct request *r, const char *email, struct tokens *t)
{
	struct user u;

	TRY(user_by_email(r->db, &u, .email = str_lower(r->arena, email), .aud = cfg->gotrue_jwt_aud));
	if (!u.found)
		return (fail(r, E_USER_NOT_FOUND, "There is no user with the address %s", email));
	return (session_start(r, &u, &(const struct session_origin){ .method = "otp" }, t));
}

static int
token_user(struct arena *a, const char *email)
{
	struct request *r = cli_request(a);
	struct tokens t = { 0 };
	int status = cli_finish(r, token_sign_in(r, email, &t));

	if (status == 0)
		puts(t.access);
	return (status);
}

int
cli_token(int argc, char **argv)
{
	const char *file = NULL, *days = "3650", *kind;
	const struct cli_option options[] = { { "days", &days, NULL }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options, .least = 1, .most = 2 };
	int status = cli_options(argc, argv, &command);
	bool role, user;
	struct arena *a;

	if (status != CLI_GO_ON)
		return (status);
	kind = argv[optind];
	role = (str_equal(kind, "anon") || str_equal(kind, "service_role")) && optind + 1 == argc;
	user = str_equal(kind, "user") && optind + 2 == argc;
	if (!role && !user) {
		fputs(usage, stderr);
		return (2);
	}
	a = arena_new();
	status = 1;
	if (cli_settings(a, file))
		status = role ? token_role(a, kind, days) : token_user(a, argv[optind + 1]);
	arena_free(a);
	return (status);
}
