/* SPDX-License-Identifier: Apache-2.0 */
/* GET /reauthenticate: a nonce for the next change of password. */
#include "api/api.h"
#include "base/json.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/onetime.h"
#include "query/row.h"

err
reauthenticate_get(struct request *r)
{
	const struct user *u = r->user;
	const char *message_id = NULL;

	if (str_empty(u->email) && str_empty(u->phone))
		return (fail(r, E_VALIDATION_FAILED, "Reauthentication requires the user to have an email or a phone number"));
	if (!str_empty(u->email) && !u->email_confirmed)
		return (fail(r, E_EMAIL_NOT_CONFIRMED, "Please verify your email first."));
	if (str_empty(u->email) && !u->phone_confirmed)
		return (fail_as(r, E_PHONE_NOT_CONFIRMED, 422, "Please verify your phone first."));
	TRY(audit(r, u, AUDIT_REAUTHENTICATE, NULL));
	if (!str_empty(u->email))
		TRY(onetime_send(r, ONETIME_REAUTHENTICATION, u, false));
	else
		TRY(onetime_send_phone(r, ONETIME_REAUTHENTICATION_SMS, u, u->phone, "sms", &message_id));
	return (reply_json(r, 200, str_empty(message_id) ? "{}" : json_pairs(r->arena, "message_id", message_id, NULL)));
}
