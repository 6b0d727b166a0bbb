/* SPDX-License-Identifier: Apache-2.0 */
/* postern serve: the pre-forking parent; and what each worker does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/mailer.h"
#include "db/db.h"
#include "db/outage.h"
#include "net/hibp.h"
#include "route.h"
#include "web/admission.h"
#include "web/server.h"

#define WORKERS_MAX 1024 /* cli_serve() says so */

static const char usage[] =
    "usage: postern serve --listen unix:PATH|HOST:PORT [--workers N] [--mode 0660] [-c FILE]\n"
    "\n"
    "  --listen   where the web server finds us\n"
    "  --workers  how many requests can be worked on at once (4)\n"
    "  --mode     permissions of the unix socket (0660)\n"
    "  -c FILE    settings: KEY=value lines, which win over the environment\n";

struct serve {
	struct arena *settings; /* lives as long as the process: old workers use the old ones until they end */
	const char *file;
	int hint[2]; /* the pipe from the workers to the mailer */
	struct outage *outage;
};

static struct server
worker_server(struct outage *outage)
{
	struct server server = { .db = db_new(cfg->database_url, cfg->db_namespace), .handle = dispatch, .slow = dispatch_slow };

	db_wait(server.db, cfg->postern_db_wait, outage);
	db_limit(server.db, cfg->gotrue_api_max_request_duration);
	return (server);
}

static int
worker_run(void *arg)
{
	const struct serve *s = arg;
	struct server server = worker_server(s->outage);
	int status = server_fastcgi(&server);

	db_free(server.db);
	return (status);
}

/* It has a name of its own, for people who look at the processes. */
static int
mailer_child(void *arg)
{
	const struct serve *s = arg;
	struct db *db = db_new(cfg->database_url, cfg->db_namespace);
	int status;

	prctl(PR_SET_NAME, "postern-mailer");
	status = mailer_run(db, s->hint[0]);
	db_free(db);
	return (status);
}

/* A worker must never wait for the mailer. */
static bool
serve_prepare(struct serve *s)
{
	if (!cli_settings(s->settings, s->file))
		return (false);
	if (pipe2(s->hint, O_CLOEXEC | O_NONBLOCK) != 0) {
		log_line(LOG_ERROR, "no pipe can be had: %s", strerror(errno));
		return (false);
	}
	s->outage = outage_shared();
	mailer_wake_by(WAKE_PIPE, s->hint[1]);
	admission_open(admission_memory());
	hibp_memory_share();
	return (true);
}

static bool
serve_reload(void *arg)
{
	struct serve *s = arg;

	if (!cli_settings(s->settings, s->file))
		return (false);
	hibp_memory_share();
	return (true);
}

static bool
number(const char *text, int base, long most, int *value)
{
	char *end;
	long n = strtol(text, &end, base);

	*value = (int)n;
	return (*text != '\0' && *end == '\0' && n > 0 && n <= most);
}

int
cli_serve(int argc, char **argv)
{
	struct serve s = { 0 };
	struct prefork p = { .child = worker_run, .helper = mailer_child, .reload = serve_reload, .arg = &s };
	const char *workers = "4", *mode = "0660";
	const struct cli_option options[] = { { "listen", &p.listen, NULL }, { "workers", &workers, NULL }, { "mode", &mode, NULL },
		{ NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &s.file, .option = options };
	int status = cli_options(argc, argv, &command);

	if (status != CLI_GO_ON)
		return (status);
	if (p.listen == NULL)
		return (cli_refuse(usage, "--listen must be there: where the web server finds the workers."));
	if (!number(workers, 10, WORKERS_MAX, &p.workers))
		return (cli_refuse(usage, "--workers must be a number from 1 to 1024."));
	if (!number(mode, 8, 0777, &p.mode))
		return (cli_refuse(usage, "--mode must be an octal number such as 0660."));
	s.settings = arena_new();
	return (serve_prepare(&s) ? server_prefork(&p) : 1);
}

/* Web servers start us with words of their own: only -c FILE is looked for. */
int
cli_worker(int argc, char **argv)
{
	struct arena *a = arena_new();
	const char *file = argc == 3 && str_equal(argv[1], "-c") ? argv[2] : NULL;
	struct server server;
	int status;

	if (!cli_settings(a, file))
		return (1);
	server = worker_server(NULL);
	admission_open(admission_file(cfg->api_external_url));
	if (!server_is_cgi())
		hibp_memory_share();
	if (server_is_cgi() && cfg->postern_cgi_deliver)
		mailer_wake_by(WAKE_CHILD, -1);
	status = server_is_cgi() ? server_cgi(&server) : server_fastcgi(&server);
	db_free(server.db);
	return (status);
}
