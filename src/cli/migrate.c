/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
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
    "  --remove-extras  take the indexes and triggers postern_* out of the reference's tables, for going back to it;\n"
    "                   the next migration puts them back\n"
    "  -c FILE          read settings from FILE too (KEY=value lines)\n"
    "  --help           this text\n";

struct options {
	const char *file;
	bool dry_run, remove_extras, help;
};

static bool
options_read(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "remove-extras", no_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", names, NULL)) != -1) {
		if (c == 'c')
			o->file = optarg;
		else if (c == 'n')
			o->dry_run = true;
		else if (c == 'r')
			o->remove_extras = true;
		else if (c == 'h')
			o->help = true;
		else
			return (false);
	}
	return (optind == argc && !(o->dry_run && o->remove_extras));
}

static err
migrate_as_told(const struct options *o)
{
	if (o->remove_extras)
		return (migrate_remove_extras(cfg->database_url, cfg->db_namespace, stdout));
	return (migrate_run(cfg->database_url, cfg->db_namespace, o->dry_run, stdout));
}

int
cli_migrate(int argc, char **argv)
{
	struct options o = { 0 };
	struct arena *a;
	int status;

	if (!options_read(&o, argc, argv)) {
		fputs(usage, stderr);
		return (2);
	}
	if (o.help) {
		fputs(usage, stdout);
		return (0);
	}
	a = arena_new();
	status = cli_settings(a, o.file) && migrate_as_told(&o) == OK ? 0 : 1;
	arena_free(a);
	return (status);
}
