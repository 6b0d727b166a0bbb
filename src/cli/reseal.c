/* SPDX-License-Identifier: Apache-2.0 */
/* postern reseal: what is stored encrypted comes under the key that encrypts now. */
#include <stdio.h>

#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/reseal.h"

static const char usage[] =
    "usage: postern reseal [--dry-run] [-c FILE]\n"
    "\n"
    "Encrypts anew what is stored under an old key, or in plain, with GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY; letters with\n"
    "the first of POSTERN_QUEUE_KEYS. The server may run meanwhile. It can be interrupted at any time, and run again.\n"
    "\n"
    "  --dry-run  only say how many rows there are: column, name of the key, count\n"
    "  -c FILE    settings: KEY=value lines, which win over the environment\n";

static void
counts_show(const struct sealed_counts_rows *counts)
{
	for (size_t i = 0; i < counts->len; i++) {
		printf("%s\t", counts->row[i].place);
		cli_put(str_or(counts->row[i].key_id, "plain"));
		printf("\t%lld\n", counts->row[i].count);
	}
}

static bool
left_tell(const char *place, long long count, const char *why)
{
	if (count > 0)
		fprintf(stderr, "postern: %lld rows of %s stay as they are: %s\n", count, place, why);
	return (count > 0);
}

/* Whether something stays as it was. */
static bool
result_tell(const char *place, const struct resealed *result)
{
	bool left = left_tell(place, result->unreadable, "no key that we have opens them");

	left = left_tell(place, result->too_long, "encrypted with this key, of so long a name, they do not fit into their column") || left;
	left = left_tell(place, result->busy, "somebody else is at them all the time") || left;
	printf("%s\t%lld\n", place, result->sealed);
	return (left);
}

static err
places_reseal(struct request *r, const struct sealed_counts_rows *counts, bool *left)
{
	const char *place = NULL;

	for (size_t i = 0; i < counts->len; i++) {
		struct resealed result;

		if (str_equal(counts->row[i].place, place))
			continue;
		place = counts->row[i].place;
		TRY(reseal_place(r->db, r->arena, place, &result));
		*left = result_tell(place, &result) || *left;
	}
	return (OK);
}

static err
run(struct request *r, bool dry, bool *left)
{
	struct sealed_counts_rows counts;

	TRY(sealed_counts(r->db, &counts));
	if (dry) {
		counts_show(&counts);
		return (OK);
	}
	if (!cfg->gotrue_security_db_encryption_encrypt)
		fputs("postern: GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT is off: only letters are encrypted\n", stderr);
	return (places_reseal(r, &counts, left));
}

static int
reseal_run(const char *file, bool dry)
{
	struct arena *a = arena_new();
	bool left = false;
	struct request *r;
	int status = 1;

	if (cli_settings(a, file)) {
		r = cli_request(a);
		db_limit(r->db, 0); /* counting takes as long as the tables are large */
		status = cli_finish(r, run(r, dry, &left));
	}
	arena_free(a);
	return (left ? 1 : status);
}

int
cli_reseal(int argc, char **argv)
{
	const char *file = NULL;
	bool dry = false;
	const struct cli_option options[] = { { "dry-run", NULL, &dry }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options };
	int status = cli_options(argc, argv, &command);

	return (status != CLI_GO_ON ? status : reseal_run(file, dry));
}
