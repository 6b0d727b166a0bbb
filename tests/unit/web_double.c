/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db/db.h"
#include "web_double.h"

struct db_error double_error;
bool double_kept;
static char *no_list[] = { NULL };
struct settings double_settings = {
	.gotrue_api_request_id_header = "", .gotrue_cors_allowed_headers = no_list, .postern_metadata_max = 65536
};

void
db_arena(struct db *db, struct arena *arena)
{
	(void)db;
	(void)arena;
}

void
db_start(struct db *db, struct arena *arena)
{
	(void)db;
	(void)arena;
}

err
db_commit(struct db *db)
{
	(void)db;
	return (OK);
}

void
db_rollback(struct db *db)
{
	(void)db;
}

bool
db_kept(const struct db *db)
{
	(void)db;
	return (double_kept);
}

const struct db_error *
db_error(const struct db *db)
{
	(void)db;
	return (double_error.sqlstate != NULL ? &double_error : NULL);
}

unsigned
db_round_trips(const struct db *db)
{
	(void)db;
	return (0);
}

unsigned
db_statements(const struct db *db)
{
	(void)db;
	return (0);
}

struct given {
	const char *at;
	size_t left;
};

static size_t
given_read(void *io, char *into, size_t len)
{
	struct given *given = io;

	if (len > given->left)
		len = given->left;
	memcpy(into, given->at, len);
	given->at += len;
	given->left -= len;
	return (len);
}

struct request *
double_request(struct arena *arena, char *const *variables, const char *body, size_t len)
{
	struct given given = { body, len };
	struct gateway gateway = { .variables = variables, .read = given_read, .io = &given };
	struct request *r;

	cfg = &double_settings;
	r = request_open(arena, NULL, variables);
	request_read_body(r, &gateway);
	return (r);
}
