/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE /user, GET /user/export: people delete their account, and have all that is known of them. */
#include "api/api.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/attempts.h"
#include "core/audit.h"
#include "core/credential.h"
#include "core/export.h"
#include "core/gate.h"
#include "core/onetime.h"
#include "core/session.h"
#include "core/user.h"
#include "db/db.h"
#include "sec/secret.h"

struct deletion {
	const char *password, *nonce;
};

static const struct param deletion_params[] = {
	PARAM(struct deletion, text, password),
	PARAM(struct deletion, text, nonce),
	PARAM_END,
};

/* Whose account an identity provider of an organization answers for, comes anew with the next sign-in: the organization takes it away. */
static err
delete_check_rights(struct request *r)
{
	static const struct aal2_refusal aal2 = { 403, "AAL2 session is required to delete the account when MFA is enabled." };

	if (r->user->deleted_at != NULL)
		return (fail_as(r, E_USER_NOT_FOUND, 403, "User from sub claim in JWT does not exist"));
	if (r->user->sso)
		return (fail(r, E_USER_SSO_MANAGED, "Deletion of a SSO account only possible by an administrator"));
	return (gate_aal2(r, &aal2));
}

/* Wrong ones are counted against the stored password, so that a stolen token is not enough to guess it here. */
static err
check_password(struct request *r, const char *password)
{
	const struct user *u = r->user;
	char *counted[] = { sha256_hex(r->arena, u->password), NULL };
	bool too_many;

	TRY(attempts_check(r, counted[0], &too_many));
	if (!too_many && credential_verify(r, u, u->id, password, NULL))
		return (OK);
	if (!too_many && !str_empty(u->password))
		TRY(attempts_count_wrong(r, counted));
	return (fail(r, E_INVALID_CREDENTIALS, NULL));
}

/* Who has neither password nor address, as an anonymous user, has nothing to show but the session. */
static err
delete_check_secret(struct request *r, const struct deletion *p)
{
	const struct user *u = r->user;

	if (str_empty(u->password) && str_empty(u->email) && str_empty(u->phone))
		return (OK);
	if (!str_empty(p->password))
		return (check_password(r, p->password));
	if (!str_empty(p->nonce))
		return (onetime_spend_nonce(r, u, p->nonce));
	return (fail(r, E_REAUTHENTICATION_NEEDED, "Deletion of an account requires its password or a nonce"));
}

/* DELETE /user */
err
account_delete(struct request *r)
{
	const struct user *u = r->user;
	struct deletion p = { 0 };

	TRY(params_read_optional(r, deletion_params, &p));
	TRY(delete_check_rights(r));
	TRY(delete_check_secret(r, &p));
	TRY(session_still(r));
	TRY(user_assert_unchanged(r->db, .id = u->id, .password = u->password));
	TRY(audit(r, u, AUDIT_USER_DELETED, audit_traits(r->arena, u, NULL)));
	TRY(user_erase(r, u->id, str_equal(cfg->postern_account_delete, "soft")));
	return (reply_json(r, 200, "{}"));
}

/* GET /user/export */
err
account_export(struct request *r)
{
	static const struct aal2_refusal aal2 = { 403, "AAL2 session is required to export the account when MFA is enabled." };

	TRY(gate_aal2(r, &aal2));
	TRY_DB(r, export_reply(r), "Database error exporting the account");
	return (OK);
}
