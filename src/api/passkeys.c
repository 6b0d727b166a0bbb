/* SPDX-License-Identifier: Apache-2.0 */
/* /passkeys: signing in by a passkey, and a user's own. */
#include <string.h>

#include "api/api.h"
#include "base/json.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/session.h"
#include "factor/passkey.h"

#define NAME_MAX_BYTES 120

/* POST /passkeys/authentication/options */
err
passkey_sign_in_options(struct request *r)
{
	const char *reply;

	TRY(passkey_ask_to_sign_in(r, &reply));
	return (reply_json(r, 200, reply));
}

/* POST /passkeys/registration/options */
err
passkey_register_options(struct request *r)
{
	const char *reply;

	TRY(passkey_ask_to_register(r, &reply));
	return (reply_json(r, 200, reply));
}

static err
answer_read(struct request *r, struct passkey_answer *p)
{
	static const struct param fields[] = {
		PARAM(struct passkey_answer, text, challenge_id),
		PARAM(struct passkey_answer, raw_object, credential),
		PARAM_END,
	};

	TRY(params_read(r, fields, p));
	if (str_empty(p->challenge_id))
		return (fail(r, E_VALIDATION_FAILED, "challenge_id is required"));
	if (p->credential == NULL)
		return (fail(r, E_VALIDATION_FAILED, "credential is required"));
	p->challenge_id = uuid_parse(r->arena, p->challenge_id);
	return (p->challenge_id != NULL ? OK : fail(r, E_VALIDATION_FAILED, "challenge_id must be a valid UUID"));
}

/* POST /passkeys/authentication/verify */
err
passkey_sign_in_verify(struct request *r)
{
	struct passkey_answer p = { 0 };
	struct tokens t = { 0 };

	TRY(answer_read(r, &p));
	TRY(passkey_sign_in(r, &p, &t));
	return (reply_tokens(r, &t));
}

/* POST /passkeys/registration/verify */
err
passkey_register_verify(struct request *r)
{
	struct passkey_answer p = { 0 };
	const char *reply;

	TRY(answer_read(r, &p));
	TRY(passkey_register(r, &p, &reply));
	return (reply_json(r, 200, reply));
}

/* GET /passkeys */
err
passkeys_get(struct request *r)
{
	const char *text;

	TRY(passkey_list_text(r, &text));
	return (reply_json(r, 200, text));
}

struct passkey_change {
	const char *friendly_name;
};

/* PATCH /passkeys/{passkey_id} */
err
passkey_patch(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct passkey_change, text, friendly_name),
		PARAM_END,
	};
	struct passkey_change p = { 0 };
	const char *id, *text;

	TRY(passkey_named(r, &id));
	TRY(params_read(r, fields, &p));
	if (str_empty(p.friendly_name))
		return (fail(r, E_VALIDATION_FAILED, "friendly_name is required"));
	if (strlen(p.friendly_name) > NAME_MAX_BYTES)
		return (fail(r, E_VALIDATION_FAILED, "friendly_name must be 120 characters or less"));
	TRY(passkey_change_name(r, id, p.friendly_name, &text));
	return (reply_json(r, 200, text));
}

/* DELETE /passkeys/{passkey_id} */
err
passkey_delete(struct request *r)
{
	const char *id;

	TRY(passkey_named(r, &id));
	TRY(session_still(r));
	TRY(passkey_take_away(r, id));
	TRY(audit(r, r->user, AUDIT_PASSKEY_DELETED, json_pairs(r->arena, "passkey_id", id, NULL)));
	return (reply_empty(r, 204));
}
