/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"
#include "external/invitation.h"

err
invitation_find(struct request *r, const char *token, struct onetime_holder *holder)
{
	char *kinds[] = { arena_strdup(r->arena, "confirmation_token"), NULL };

	TRY_DB(r, onetime_holder(r->db, holder, .link = token, .kinds = db_array(r->arena, kinds)), "Database error finding user");
	return (OK);
}
