/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "db/db.h"
#include "letter/letter.h"
#include "sec/breached_file.h"
#include "sec/jwt.h"
#include "sec/secret.h"

static enum log_level
log_level(const char *name)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "panic", LOG_ERROR },
		{ "fatal", LOG_ERROR },
		{ "error", LOG_ERROR },
		{ "warn", LOG_WARN },
		{ "warning", LOG_WARN },
		{ "info", LOG_INFO },
		{ "debug", LOG_DEBUG },
		{ "trace", LOG_DEBUG },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (str_equal(name, levels[i].name))
			return (levels[i].level);
	return (LOG_INFO);
}

/* What settings can only be found to be by who uses them; NULL, or one sentence. */
static const char *
settings_wrong(struct arena *a)
{
	const char *wrong = secret_keys_check(a);

	if (wrong == NULL)
		wrong = breached_file_open(a);
	return (wrong == NULL ? jwt_keys_load(a) : wrong);
}

/* Not one letter less goes out because of them: our own ones take their place. */
static void
letters_complain(struct arena *a)
{
	const char *wrong;

	for (int i = 0; i < LETTER_COUNT; i++)
		if ((wrong = letter_check(a, (enum letter_id)i, false)) != NULL)
			log_line(LOG_ERROR, "a letter's template can't be used, so our own goes: %s", wrong);
}

bool
cli_settings_bare(struct arena *a, const char *file)
{
	struct complaints complaints = { 0 };
	const struct settings *settings = settings_load(a, file, &complaints);

	if (settings != NULL)
		log_open(log_level(settings->gotrue_log_level), settings->gotrue_log_file);
	for (size_t i = 0; i < complaints.len; i++)
		log_event(complaints.item[i].fatal ? LOG_ERROR : LOG_WARN, complaints.item[i].sentence, "setting",
		    complaints.item[i].setting, NULL);
	return (settings != NULL);
}

bool
cli_settings(struct arena *a, const char *file)
{
	const struct settings *before = cfg;
	const char *wrong;

	if (!cli_settings_bare(a, file))
		return (false);
	if ((wrong = settings_wrong(a)) == NULL) {
		letters_complain(a);
		return (true);
	}
	log_line(LOG_ERROR, "%s", wrong);
	/* A server that is running goes on with what it had, and so do workers that are born later. */
	cfg = before;
	if (before != NULL && (wrong = breached_file_open(a)) != NULL)
		log_line(LOG_ERROR, "%s", wrong);
	return (false);
}

struct request *
cli_request(struct arena *a)
{
	static char *const no_headers[] = { NULL };
	struct request *r = arena_new_object(a, struct request);

	r->arena = a;
	r->db = db_new(cfg->database_url, cfg->db_namespace);
	db_start(r->db, a);
	r->now = clock_now();
	r->now_text = clock_rfc3339(a, r->now);
	r->id = uuid_new(a);
	r->variables = no_headers;
	r->method = r->path = r->body = "";
	r->address = r->inet = r->user_agent = "";
	r->query = r->form = r->reply.headers = r->reply.cookies = query_new(a);
	r->done = arena_new_object(a, struct query);
	*r->done = query_new(a);
	return (r);
}

int
cli_finish(struct request *r, err error)
{
	if (error == OK)
		error = db_commit(r->db);
	else
		db_rollback(r->db);
	if (error != OK) {
		const char *said = r->failure.id == error ? r->failure.message : NULL;

		fprintf(stderr, "postern: %s\n", str_or(said, error_row(error)->message));
		if (*db_error(r->db)->message != '\0')
			fprintf(stderr, "postern: the database says: %s\n", db_error(r->db)->message);
	}
	db_free(r->db);
	return (error == OK ? 0 : 1);
}

void
cli_put(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		bool high = *c == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F; /* U+0080 to U+009F, such as CSI */

		putchar(*c < ' ' || *c == 0x7F || high ? '?' : *c);
		c += high;
	}
}

static int
action_run(const char *file, const struct cli_action *action, char *const *words)
{
	struct arena *a = arena_new();
	struct request *r;
	int status = 1;

	if (cli_settings(a, file)) {
		r = cli_request(a);
		status = cli_finish(r, action->run(r, words));
	}
	arena_free(a);
	return (status);
}

int
cli_act(int argc, char **argv, const char *usage, const struct cli_action *action)
{
	const char *file = NULL;
	const struct cli_command command = { .usage = usage, .file = &file, .least = 1, .most = argc };
	int status = cli_options(argc, argv, &command);
	int words = argc - optind - 1;

	if (status != CLI_GO_ON)
		return (status);
	for (; action->name != NULL; action++)
		if (str_equal(argv[optind], action->name) && words >= action->least && words <= action->most)
			return (action_run(file, action, argv + optind + 1));
	fputs(usage, stderr);
	return (2);
}

static int
task_run(const char *file, int (*run)(struct db *, bool once), bool once)
{
	struct arena *a = arena_new();
	struct db *db;
	int status = 1;

	if (cli_settings(a, file)) {
		db = db_new(cfg->database_url, cfg->db_namespace);
		status = run(db, once);
		db_free(db);
	}
	arena_free(a);
	return (status);
}

int
cli_task(int argc, char **argv, const char *usage, int (*run)(struct db *, bool once))
{
	const char *file = NULL;
	bool once = false;
	const struct cli_option options[] = { { "once", NULL, &once }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options };
	int status = cli_options(argc, argv, &command);

	return (status != CLI_GO_ON ? status : task_run(file, run, once));
}

/* The options of a command that has none: --help. */
static int
bare_options(int argc, char **argv, const char *usage)
{
	const char *file = NULL;
	const struct cli_command command = { .usage = usage, .file = &file };

	return (cli_options(argc, argv, &command));
}

int
cli_version(int argc, char **argv)
{
	int status = bare_options(argc, argv, "usage: postern version\n\nSays which version this is.\n");

	if (status != CLI_GO_ON)
		return (status);
	puts("postern " PACKAGE_VERSION);
	return (0);
}

int
cli_manual(int argc, char **argv)
{
	int status = bare_options(argc, argv, "usage: postern manual\n\nPrints postern.conf(5), made from the table of settings.\n");

	if (status != CLI_GO_ON)
		return (status);
	settings_manual(stdout);
	return (0);
}
