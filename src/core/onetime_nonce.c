/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "core/attempts.h"
#include "core/onetime.h"
#include "core/sms.h"
#include "db/db.h"
#include "query/onetime.h"
#include "sec/secret.h"

static err
nonce_refused(struct request *r)
{
	return (fail(r, E_REAUTHENTICATION_NOT_VALID, NULL));
}

static err
nonce_wrong(struct request *r, const struct user *u)
{
	char *stored[] = { arena_strdup(r->arena, u->reauthentication_token), NULL };

	if (!str_empty(u->email) || sms_test_code(r, u->phone) == NULL)
		TRY(attempts_count_wrong(r, stored));
	return (nonce_refused(r));
}

/* With it goes everything else that was sent to the user. */
static err
nonce_take(struct request *r, const struct user *u, enum onetime_type type)
{
	struct onetime_take_column spent;

	db_autonomous_begin(r->db);
	TRY(onetime_take_column(r->db, &spent, .user_id = u->id, .kind = onetime_kind_name(KIND_REAUTHENTICATION),
	    .hash = u->reauthentication_token, .life = arena_printf(r->arena, "%lld", onetime_seconds(type))));
	if (spent.found)
		TRY(onetime_clear(r->db, .user_id = u->id));
	TRY(db_autonomous_end(r->db));
	if (!spent.found)
		return (nonce_refused(r));
	request_done(r, "nonce");
	return (OK);
}

err
onetime_spend_nonce(struct request *r, const struct user *u, const char *nonce)
{
	const char *address = str_or(u->email, u->phone);
	enum onetime_type type = str_empty(u->email) ? ONETIME_REAUTHENTICATION_SMS : ONETIME_REAUTHENTICATION;
	bool too_many;

	if (request_did(r, "nonce"))
		return (OK);
	if (str_empty(u->reauthentication_token) || u->reauthentication_sent_at == 0)
		return (nonce_refused(r));
	if (str_empty(address))
		return (fail(r, E_REAUTHENTICATION_NOT_VALID, "Reauthentication requires an email or a phone number"));
	if (str_empty(u->email) && sms_provider_verifies())
		return (sms_provider_check(r, u->phone, nonce));
	if (onetime_expired(r, u, type, KIND_REAUTHENTICATION))
		return (nonce_refused(r));
	TRY(attempts_check(r, u->reauthentication_token, &too_many));
	if (too_many || !secret_equal_text(onetime_hash(r->arena, address, nonce), u->reauthentication_token))
		return (nonce_wrong(r, u));
	return (nonce_take(r, u, type));
}
