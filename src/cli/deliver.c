/* SPDX-License-Identifier: Apache-2.0 */
/* postern deliver: the mailer, where no postern serve runs one. */
#include <getopt.h>
#include <stdio.h>

#include "base/setting.h"
#include "cli/cli.h"
#include "core/mailer.h"
#include "db/db.h"
#include "net/transport.h"

static const char usage[] =
    "usage: postern deliver [--once] [-c FILE]\n"
    "\n"
    "Sends the letters that wait, until it is told to end (TERM).\n"
    "\n"
    "  --once   send those that are due, then end; for cron\n"
    "  -c FILE  settings: KEY=value lines, which win over the environment\n";

static int
deliver(bool once)
{
	struct db *db;
	int status;

	if (transport_in_use() == NULL) {
		fputs("postern: letters have nowhere to go: set GOTRUE_SMTP_HOST or POSTERN_MAIL_TRANSPORT\n", stderr);
		return (1);
	}
	db = db_new(cfg->database_url, cfg->db_namespace);
	status = once ? mailer_drain(db, 0) != OK : mailer_run(db, -1);
	db_free(db);
	return (status);
}

int
cli_deliver(int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct arena *a = arena_new();
	const char *file = NULL;
	bool once = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'o':
			once = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return (0);
		default:
			fputs(usage, stderr);
			return (2);
		}
	if (optind != argc) {
		fputs(usage, stderr);
		return (2);
	}
	status = cli_settings(a, file) ? deliver(once) : 1;
	arena_free(a);
	return (status);
}
