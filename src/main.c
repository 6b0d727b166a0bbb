/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "sec/harden.h"
#include "web/server.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *sentence;
} commands[] = {
	{ "serve", cli_serve, "Serve FastCGI with workers of our own." },
	{ "migrate", cli_migrate, "Make or bring up to date the schema in the database." },
	{ "check", cli_check, "Look over the settings, the keys and the database." },
	{ "user", cli_user, "Add, invite, show, ban, delete, list users; set a password, make a link." },
	{ "audit", cli_audit, "Show what happened: the audit log." },
	{ "token", cli_token, "Sign an API key or an access token." },
	{ "keys", cli_keys, "Change the keys that sign tokens." },
	{ "reseal", cli_reseal, "Encrypt anew what is stored under an old key." },
	{ "deliver", cli_deliver, "Send the letters that wait." },
	{ "clean", cli_clean, "Delete rows that nobody needs any more." },
	{ "mail", cli_mail, "List, send again or drop letters." },
	{ "breached", cli_breached, "Make the file of passwords that nobody may choose." },
	{ "manual", cli_manual, "Print the manual page of the settings (mdoc)." },
	{ "version", cli_version, "Say which version this is." },
};

static int
usage(FILE *out, int status)
{
	fputs("postern - an authentication server\n\nusage: postern command [options]    postern command --help\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].sentence);
	fputs("\nStarted by a web server it is a FastCGI worker (a listening socket on descriptor 0) or a CGI program.\n", out);
	return (status);
}

/* A web server may start us with arguments of its own, above all -c FILE; only a command's name makes us a command. */
int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	harden_process();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(name, commands[i].name) == 0)
			return (commands[i].run(argc - 1, argv + 1));
	if (server_is_cgi() || server_is_fastcgi())
		return (cli_worker(argc, argv));
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return (usage(stdout, 0));
	if (*name != '\0')
		fprintf(stderr, "postern: there is no command \"%s\"\n\n", name);
	return (usage(stderr, 2));
}
