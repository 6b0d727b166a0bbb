/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define OPTIONS_MAX 8
#define LETTERS 256 /* getopt's values for options that have no letter begin here */

/* getopt's tables of a command's options, with those that all have. */
struct tables {
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 1];
};

static void
option_put(struct tables *t, int i, const struct cli_option *o)
{
	char letter[3] = { o->name[0], o->value != NULL ? ':' : '\0', '\0' };

	t->longs[i] = (struct option){ o->name, o->value != NULL, NULL, LETTERS + i };
	if (strlen(o->name) == 1)
		strcat(t->letters, letter);
}

static int
option_index(const struct tables *t, int found)
{
	char name[2] = { (char)found, '\0' };

	for (int i = 0; i < OPTIONS_MAX && t->longs[i].name != NULL; i++)
		if (found == LETTERS + i || (found < LETTERS && strcmp(t->longs[i].name, name) == 0))
			return (i);
	return (-1);
}

int
cli_refuse(const char *usage, const char *why)
{
	fprintf(stderr, "postern: %s\n\n%s", why, usage);
	return (2);
}

static int
refuse(const struct cli_command *command)
{
	fputs(command->usage, stderr);
	return (2);
}

int
cli_options(int argc, char **argv, const struct cli_command *command)
{
	bool help = false;
	const struct cli_option all[] = { { "c", command->file, NULL }, { "config", command->file, NULL }, { "help", NULL, &help },
		{ "h", NULL, &help } };
	const struct cli_option *given[OPTIONS_MAX];
	struct tables t = { 0 };
	int count = 0, found, i;

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		given[count++] = &all[k];
	for (const struct cli_option *o = command->option; o != NULL && o->name != NULL && count < OPTIONS_MAX; o++)
		given[count++] = o;
	for (i = 0; i < count; i++)
		option_put(&t, i, given[i]);
	while ((found = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
		if ((i = option_index(&t, found)) < 0)
			return (refuse(command));
		if (given[i]->value != NULL)
			*given[i]->value = optarg;
		else
			*given[i]->flag = true;
	}
	if (help) {
		fputs(command->usage, stdout);
		return (0);
	}
	return (argc - optind < command->least || argc - optind > command->most ? refuse(command) : CLI_GO_ON);
}
