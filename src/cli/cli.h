/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/arena.h"
#include "web/request.h"

/* The commands; each stands in the file of its name. They give the exit status: 0, 1 for what went wrong, 2 for a wrong call. */
int cli_serve(int argc, char **argv);
int cli_worker(int argc, char **argv); /* started by a web server: FastCGI or CGI */
int cli_migrate(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_deliver(int argc, char **argv);
int cli_clean(int argc, char **argv);
int cli_mail(int argc, char **argv);
int cli_breached(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_keys(int argc, char **argv);
int cli_reseal(int argc, char **argv);
int cli_manual(int argc, char **argv);
int cli_version(int argc, char **argv);

/*
 * What commands share.  cli_settings() loads the settings with the keys and opens the log; complaints go to standard error; false: they
 * can't be used; cli_settings_bare(): without the keys.  cli_request() is a request without a client, for core/; cli_finish() commits or rolls back, says what went wrong and gives the
 * exit status.  cli_put() prints what somebody else wrote, without the control characters that a terminal would obey.
 */
bool cli_settings(struct arena *, const char *file);
bool cli_settings_bare(struct arena *, const char *file);
struct request *cli_request(struct arena *);
int cli_finish(struct request *, err);
void cli_put(const char *text);

/* An option of a command: a long name, or one letter.  One of value and flag takes what is given. */
struct cli_option {
	const char *name;
	const char **value;
	bool *flag;
};

struct cli_command {
	const char *usage;
	const char **file;               /* of -c FILE */
	const struct cli_option *option; /* ends with a NULL name; four at most; NULL: none of its own */
	int least, most;                 /* how many words stand behind the options; the first is argv[optind] */
};

/* Reads the options.  CLI_GO_ON, or the exit status with the usage said: 0 for --help, 2 for a wrong call. */
#define CLI_GO_ON (-1)
int cli_options(int argc, char **argv, const struct cli_command *);
int cli_refuse(const char *usage, const char *why); /* a wrong call: says both, gives the exit status */

/* A command that goes on until it is told to end, or with --once until there is nothing left to do.  run() gives the exit status. */
int cli_task(int argc, char **argv, const char *usage, int (*run)(struct db *, bool once));

/* A command that does one of several things: postern user add ..., postern mail list ... */
struct cli_action {
	const char *name;
	err (*run)(struct request *, char *const *words); /* what stands behind the name; ends with NULL */
	int least, most;
};
int cli_act(int argc, char **argv, const char *usage, const struct cli_action *); /* ends with a NULL name */

#endif
