/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the server works: /health. */
#include "api/api.h"
#include "base/json.h"
#include "core/gate.h"
#include "db/db.h"
#include "db/migrate.h"
#include "query/outbox.h"

/* GET /health: the process answers. */
err
health_get(struct request *r)
{
	return (reply_json(r, 200,
	    json_pairs(r->arena, "version", PACKAGE_VERSION, "name", "GoTrue", "description",
		"GoTrue is a user registration and authentication API", NULL)));
}

/* How many letters wait, and how long (s): to others it would tell whether the address that they have just asked about is known. */
static err
mail_put(struct request *r, struct buf *b)
{
	struct outbox_state mail;

	TRY(outbox_state(r->db, &mail));
	json_object_begin(b, "mail");
	json_put_number(b, "waiting", mail.waiting);
	json_put_number(b, "failed", mail.failed);
	json_put_number(b, "oldest_seconds", mail.age);
	json_object_end(b);
	return (OK);
}

/* GET /health/ready (ours): the database answers and has the schema of this version; an operator sees the mail too. */
err
health_ready_get(struct request *r)
{
	struct buf b = buf_new(r->arena);
	int pending;

	if (db_ping(r->db) != OK)
		return (fail(r, E_UNAVAILABLE, "The database does not answer"));
	if (migrate_pending(r->db, r->arena, &pending) != OK || pending > 0)
		return (fail(r, E_UNAVAILABLE, "The schema is not that of this version: run postern migrate"));
	json_object_begin(&b, NULL);
	json_put_bool(&b, "ready", true);
	if (gate_admin(r, NULL) == OK)
		TRY(mail_put(r, &b));
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}
