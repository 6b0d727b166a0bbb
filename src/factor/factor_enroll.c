/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/audit.h"
#include "factor/factor_part.h"
#include "query/factor.h"

#define FRIENDLY_NAME_MAX 2600 /* an index takes 2,704 bytes at most */

err
factor_check_verified(struct request *r, const struct factor_row *row, size_t count)
{
	int64_t verified = 0;

	for (size_t i = 0; i < count; i++)
		verified += factor_verified(&row[i]);
	if (verified >= cfg->gotrue_mfa_max_verified_factors)
		return (fail(r, E_TOO_MANY_ENROLLED_MFA_FACTORS, NULL));
	if (verified > 0 && !session_is_aal2(r->user))
		return (fail(r, E_INSUFFICIENT_AAL, NULL));
	return (OK);
}

static err
check_against(struct request *r, const struct factor_row *row, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(row[i].friendly_name, name))
			return (factor_name_taken(r, name));
	if ((int64_t)count >= (int64_t)cfg->gotrue_mfa_max_enrolled_factors)
		return (fail(r, E_TOO_MANY_ENROLLED_MFA_FACTORS, NULL));
	return (factor_check_verified(r, row, count));
}

err
factor_check_new(struct request *r, const char *friendly_name, const char *number)
{
	struct factor_tidy left;
	struct user now = { 0 };
	size_t count;
	const struct factor_row *row;
	err refused;

	if (strlen(friendly_name) > FRIENDLY_NAME_MAX)
		return (fail(r, E_VALIDATION_FAILED, "friendly_name is too long"));
	TRY(session_still(r));
	TRY(factor_tidy(r->db, &left, .user_id = r->user->id, .number = number,
	    .life = duration_seconds(r->arena, cfg->gotrue_mfa_factor_expiry_duration)));
	now.factors = left.factors;
	row = user_factors(r->arena, &now, &count);
	refused = check_against(r, row, count, friendly_name);
	return (refused == OK ? OK : COMMIT_WITH(r, refused));
}

err
factor_add(struct request *r, const struct new_factor *new)
{
	return (factor_insert(r->db, .id = new->id, .user_id = r->user->id, .type = new->type, .friendly_name = new->friendly_name,
	    .status = new->verified ? "verified" : "unverified", .phone = new->phone, .secret = new->secret, .now = r->now_text));
}

err
factor_enroll(struct request *r, struct factor_enrolment *e)
{
	const struct factor_type *type = factor_type(e->factor_type);
	const char *traits;

	if (type == NULL || type->own_routes)
		return (fail(r, E_VALIDATION_FAILED, "factor_type needs to be totp, phone, or webauthn"));
	if (!factor_may_enroll(type))
		return (fail(r, type->enroll_off, NULL));
	e->id = uuid_new(r->arena);
	if (type->enroll != NULL)
		TRY(type->enroll(r, e));
	TRY(factor_check_new(r, e->friendly_name, e->number));
	traits = json_pairs(r->arena, "factor_id", e->id, "factor_type", type->enroll == totp_enroll ? NULL : type->word, NULL);
	TRY(audit(r, r->user, AUDIT_FACTOR_ENROLLED, traits));
	return (factor_add(r,
	    &(const struct new_factor){
		.id = e->id, .type = type->word, .friendly_name = e->friendly_name, .phone = e->number, .secret = e->secret }));
}
