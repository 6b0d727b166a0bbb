/* SPDX-License-Identifier: Apache-2.0 */
/* postern clean: tables are tidied, where no mailer does it. */
#include <unistd.h>

#include "cli/cli.h"
#include "core/clean.h"

static const char usage[] =
    "usage: postern clean [--once] [-c FILE]\n"
    "\n"
    "Deletes rows that nobody can need any more, every minute until it is told to end.  postern serve and postern deliver do it too.\n"
    "\n"
    "  --once   delete what there is, then end; for cron\n"
    "  -c FILE  settings: KEY=value lines, which win over the environment\n";

/* A signal may end it anywhere: what is half done is undone. */
static int
clean(struct db *db, bool once)
{
	if (once)
		return (clean_all(db) != OK);
	for (;; sleep(1))
		while (clean_step(db))
			;
}

int
cli_clean(int argc, char **argv)
{
	return (cli_task(argc, argv, usage, clean));
}
