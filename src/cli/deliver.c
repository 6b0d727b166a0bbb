/* SPDX-License-Identifier: Apache-2.0 */
/* postern deliver: the mailer, where no postern serve runs one. */
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
	const char *file = NULL;
	bool once = false;
	const struct cli_option options[] = { { "once", NULL, &once }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options };
	int status = cli_options(argc, argv, &command);
	struct arena *a;

	if (status != CLI_GO_ON)
		return (status);
	a = arena_new();
	status = cli_settings(a, file) ? deliver(once) : 1;
	arena_free(a);
	return (status);
}
