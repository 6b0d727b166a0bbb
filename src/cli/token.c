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
	int64_t life;

	if (!duration_parse(arena_printf(a, "%sh", days), &life) || life <= 0) {
		fputs(usage, stderr);
		return (2);
	}
	life = life / 3600000000000LL * DAY_SECONDS;
	puts(jwt_sign(a, arena_printf(a, "{\"iss\":%s,\"role\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
			     json_quote(a, str_or(cfg->gotrue_jwt_issuer, "postern")), role, now, now + (long long)life)));
	return (0);
}

static err
token_sign_in(struct request *r, const char *email, struct tokens *t)
{
	struct user u;

	TRY(user_by_email(r->db, &u, .email = str_lower(r->arena, email), .aud = cfg->gotrue_jwt_aud));
	if (!u.found)
		return (fail(r, E_USER_NOT_FOUND, "There is no user with the address %s", email));
	return (session_start(r, &u, &(const struct grant){ .method = "otp" }, t));
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
	static const struct option options[] = {
		{ "days", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct arena *a = arena_new();
	const char *file = NULL, *days = "3650", *kind;
	int option, status = 2;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'd':
			days = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return (0);
		default:
			fputs(usage, stderr);
			return (2);
		}
	kind = optind < argc ? argv[optind] : "";
	if ((str_equal(kind, "anon") || str_equal(kind, "service_role")) && optind + 1 == argc)
		status = cli_settings(a, file) ? token_role(a, kind, days) : 1;
	else if (str_equal(kind, "user") && optind + 2 == argc)
		status = cli_settings(a, file) ? token_user(a, argv[optind + 1]) : 1;
	else
		fputs(usage, stderr);
	arena_free(a);
	return (status);
}
