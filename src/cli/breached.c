/* SPDX-License-Identifier: Apache-2.0 */
/* postern breached: the file of passwords that nobody may choose. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "sec/breached_file.h"

static const char usage[] =
    "usage: postern breached FILE [TEXT]\n"
    "\n"
    "Makes FILE, for POSTERN_PASSWORD_BREACHED_FILE, of passwords that were found in breaches.\n"
    "\n"
    "  TEXT  what haveibeenpwned.com offers, SHA-1 ordered by hash: a line SHA1:count each; without it, standard input\n";

static int
breached_make(FILE *text, const char *path)
{
	struct arena *a = arena_new();
	const char *wrong = breached_file_make(a, text, path);

	if (wrong != NULL)
		fprintf(stderr, "postern: %s\n", wrong);
	arena_free(a);
	return (wrong == NULL ? 0 : 1);
}

int
cli_breached(int argc, char **argv)
{
	const char *file = NULL, *name;
	const struct cli_command command = { .usage = usage, .file = &file, .least = 1, .most = 2 };
	int status = cli_options(argc, argv, &command);
	FILE *text = stdin;

	if (status != CLI_GO_ON)
		return (status);
	name = argv[optind + 1];
	if (name != NULL && (text = fopen(name, "re")) == NULL) {
		fprintf(stderr, "postern: %s can't be read: %s\n", name, strerror(errno));
		return (1);
	}
	status = breached_make(text, argv[optind]);
	if (text != stdin)
		fclose(text);
	return (status);
}
