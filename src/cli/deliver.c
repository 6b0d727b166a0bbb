/* SPDX-License-Identifier: Apache-2.0 */
/* postern deliver: the mailer, where no postern serve runs one. */
#include <stdio.h>

#include "cli/cli.h"
#include "core/mailer.h"
#include "net/transport.h"

static const char usage[] =
    "usage: postern deliver [--once] [-c FILE]\n"
    "\n"
    "Sends the letters that wait, until it is told to end (TERM).\n"
    "\n"
    "  --once   send those that are due, then end; for cron\n"
    "  -c FILE  settings: KEY=value lines, which win over the environment\n";

static int
deliver(struct db *db, bool once)
{
	if (transport_in_use() == NULL) {
		fputs("postern: letters have nowhere to go: set GOTRUE_SMTP_HOST or POSTERN_MAIL_TRANSPORT\n", stderr);
		return (1);
	}
	return (once ? mailer_drain(db, 0) != OK : mailer_run(db, -1));
}

int
cli_deliver(int argc, char **argv)
{
	return (cli_task(argc, argv, usage, deliver));
}
