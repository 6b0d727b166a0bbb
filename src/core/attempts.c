/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "core/attempts.h"
#include "db/db.h"
#include "query/attempts.h"

err
attempts_check(struct request *r, const char *hash, bool *too_many)
{
	char *list[] = { arena_strdup(r->arena, hash), NULL };
	struct attempts_of_rows found;

	*too_many = false;
	if (cfg->postern_otp_max_attempts <= 0)
		return (OK);
	TRY(attempts_of(r->db, &found, .hashes = db_array(r->arena, list)));
	*too_many = found.len > 0 && found.row[0].attempts >= cfg->postern_otp_max_attempts;
	return (OK);
}

err
attempts_count_wrong(struct request *r, char *const *hashes)
{
	request_commit_anyway(r);
	return (attempts_add(r->db, .hashes = db_array(r->arena, hashes)));
}
