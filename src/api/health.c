/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the server works: /health. */
#include "api/api.h"
#include "db/db.h"
#include "db/migrate.h"
#include "query/outbox.h"

/* GET /health: the process answers. */
err
health_get(struct request *r)
{
	return (reply_json(r, 200,
	    "{\"version\":\"" PACKAGE_VERSION
	    "\",\"name\":\"GoTrue\",\"description\":\"GoTrue is a user registration and authentication API\"}"));
}

/* GET /health/ready (ours): the database answers and has the schema of this version; how many letters wait, and how long (s). */
err
health_ready_get(struct request *r)
{
	struct outbox_state mail;
	int pending;

	if (db_ping(r->db) != OK)
		return (fail(r, E_UNAVAILABLE, "The database does not answer"));
	if (migrate_pending(r->db, r->arena, &pending) != OK || pending > 0)
		return (fail(r, E_UNAVAILABLE, "The schema is not that of this version: run postern migrate"));
	TRY(outbox_state(r->db, &mail));
	return (reply_json(r, 200,
	    arena_printf(r->arena, "{\"ready\":true,\"mail\":{\"waiting\":%lld,\"failed\":%lld,\"oldest_seconds\":%lld}}", mail.waiting,
		mail.failed, mail.age)));
}
