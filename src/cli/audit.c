/* SPDX-License-Identifier: Apache-2.0 */
/* postern audit: what happened lately. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "core/audit_list.h"
#include "query/audit.h"

static const char usage[] =
    "usage: postern audit [-n COUNT] [author:TEXT | action:TEXT | type:TEXT]\n"
    "\n"
    "The newest entries of the audit log, the newest last: time, action, who did it, from where, the details.  TEXT is a part of what "
    "stands there.\n"
    "\n"
    "  -n COUNT  how many; 50 without\n"
    "  -c FILE   settings: KEY=value lines, which win over the environment\n";

/* What is asked for. */
struct recent {
	const char *count, *query;
};

static void
entry_print(const struct audit_recent *e)
{
	const char *const fields[] = { e->created_at, e->action, e->actor, e->address, e->traits };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (i > 0)
			putchar('\t');
		cli_put(str_or(fields[i], "-"));
	}
	putchar('\n');
}

static err
recent_print(struct request *r, const struct recent *o)
{
	struct audit_query q;
	struct audit_recent_rows found;

	TRY(audit_query_read(r, o->query, &q));
	TRY(audit_recent(r->db, &found, .who = q.who, .action = q.action, .type = q.type, .most = o->count));
	for (size_t i = found.len; i > 0; i--)
		entry_print(&found.row[i - 1]);
	return (OK);
}

int
cli_audit(int argc, char **argv)
{
	struct recent o = { .count = "50" };
	const char *file = NULL;
	const struct cli_option options[] = { { "n", &o.count, NULL }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options, .most = 1 };
	int status = cli_options(argc, argv, &command);
	struct request *r;
	struct arena *a;

	if (status != CLI_GO_ON)
		return (status);
	if (*o.count == '\0' || strspn(o.count, "0123456789") != strlen(o.count) || strlen(o.count) > 9)
		return (cli_refuse(usage, "-n must be a whole number of at most nine digits."));
	o.query = argv[optind];
	status = 1;
	a = arena_new();
	if (cli_settings(a, file)) {
		r = cli_request(a);
		status = cli_finish(r, recent_print(r, &o));
	}
	arena_free(a);
	return (status);
}
