/* SPDX-License-Identifier: Apache-2.0 */
/* postern clean: tables are tidied, where no mailer does it. */
#include <unistd.h>

#include "base/setting.h"
#include "cli/cli.h"
#include "core/clean.h"
#include "db/db.h"

static const char usage[] =
    "usage: postern clean [--once] [-c FILE]\n"
    "\n"
    "Deletes rows that nobody can need any more, every minute until it is told to end.  postern serve and postern deliver do it too.\n"
    "\n"
    "  --once   delete what there is, then end; for cron\n"
    "  -c FILE  settings: KEY=value lines, which win over the environment\n";

/* A signal may end it anywhere: what is half done is undone. */
static int
clean(bool once)
{
	struct db *db = db_new(cfg->database_url, cfg->db_namespace);
	int status = 0;

	if (once)
		status = clean_all(db) != OK;
	while (!once) {
		clean_when_due(db);
		sleep(1);
	}
	db_free(db);
	return (status);
}

int
cli_clean(int argc, char **argv)
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
	status = cli_settings(a, file) ? clean(once) : 1;
	arena_free(a);
	return (status);
}
