/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/setting.h"
#include "cli/cli.h"
#include "db/migrate.h"

static const char usage[] =
    "usage: postern migrate [--dry-run | --remove-extras] [-c FILE]\n"
    "\n"
    "Brings the database of DATABASE_URL to the schema of this program: an empty one, or one of the reference server at any version.\n"
    "\n"
    "  --dry-run        say what there is to do, and do nothing\n"
    "  --remove-extras  take the indexes and triggers postern_* out of the reference's tables, and recovery codes with their\n"
    "                   factors, for going back to it; the next migration puts all but the codes back\n"
    "  -c FILE          read settings from FILE too (KEY=value lines)\n"
    "  --help           this text\n";

static err
migrate_as_told(bool dry_run, bool remove_extras)
{
	if (remove_extras)
		return (migrate_remove_extras(cfg->database_url, cfg->db_namespace, stdout));
	return (migrate_run(cfg->database_url, cfg->db_namespace, dry_run, stdout));
}

int
cli_migrate(int argc, char **argv)
{
	const char *file = NULL;
	bool dry_run = false, remove_extras = false;
	const struct cli_option options[] = { { "dry-run", NULL, &dry_run }, { "remove-extras", NULL, &remove_extras },
		{ NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options };
	int status = cli_options(argc, argv, &command);
	struct arena *a;

	if (status != CLI_GO_ON)
		return (status);
	if (dry_run && remove_extras)
		return (cli_refuse(usage, "--dry-run and --remove-extras exclude each other."));
	a = arena_new();
	status = cli_settings(a, file) && migrate_as_told(dry_run, remove_extras) == OK ? 0 : 1;
	arena_free(a);
	return (status);
}
