/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "db/db.h"
#include "factor/factor_part.h"
#include "factor/recovery_codes.h"
#include "query/factor.h"
#include "query/session.h"
#include "query/user.h"

/* --- Types --- */

#define ENABLED(stem, use) offsetof(struct settings, gotrue_mfa_##stem##_##use##_enabled)
static const struct factor_type types[] = {
#define FACTOR_TYPE(id, type, name, stem, errors, ...)                \
	{ .word = type,                                               \
		.method = name,                                       \
		.enroll_enabled = ENABLED(stem, enroll),              \
		.verify_enabled = ENABLED(stem, verify),              \
		.enroll_off = E_MFA_##errors##_ENROLL_NOT_ENABLED,    \
		.challenge_off = E_MFA_##errors##_VERIFY_NOT_ENABLED, \
		__VA_ARGS__ },
#include "factor.def"
};

const struct factor_type *
factor_type(const char *word)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_equal(types[i].word, word))
			return (&types[i]);
	return (NULL);
}

bool
factor_may_enroll(const struct factor_type *type)
{
	return (*(const setting_bool *)setting_at(type->enroll_enabled));
}

bool
factor_may_verify(const struct factor_type *type)
{
	return (*(const setting_bool *)setting_at(type->verify_enabled));
}

err
gate_may_enroll(struct request *r, const void *type)
{
	const struct factor_type *row = factor_type(type);

	return (factor_may_enroll(row) ? OK : fail(r, row->enroll_off, NULL));
}

err
gate_may_verify(struct request *r, const void *type)
{
	const struct factor_type *row = factor_type(type);

	return (factor_may_verify(row) ? OK : fail(r, row->challenge_off, NULL));
}

err
factor_hold(struct request *r)
{
	TRY(user_hold(r->db, .id = r->user->id));
	return (factor_assert(r->db, .id = r->factor->id, .user_id = r->user->id));
}

err
factor_notify(struct request *r, enum letter_id letter, const char *type)
{
	return (notice_send(r, r->user,
	    &(const struct notice){ .letter = letter, .more = json_pairs(r->arena, "FactorType", type, NULL) }));
}

err
factor_name_taken(struct request *r, const char *name)
{
	return (fail(r, E_MFA_FACTOR_NAME_CONFLICT, "A factor with the friendly name %s for this user already exists",
	    json_quote(r->arena, name)));
}

/* --- Changes --- */

/* A name or number that the user has given another factor is no fault of ours, though the reference answers 500; nor is a long one. */
static err
refusal_tell(struct request *r, err error, const char *name)
{
	const struct db_error *e = db_error(r->db);

	if (error == E_DATABASE && str_equal(e->sqlstate, "54000"))
		return (fail(r, E_VALIDATION_FAILED, "A value is too long"));
	if (error != E_DATABASE || !str_equal(e->sqlstate, "23505"))
		return (error);
	if (str_equal(e->constraint, "mfa_factors_user_friendly_name_unique"))
		return (factor_name_taken(r, name));
	if (str_equal(e->constraint, "unique_phone_factor_per_user"))
		return (fail(r, E_PHONE_EXISTS, "A factor with this phone number for this user already exists"));
	return (error);
}

err
factor_change(struct request *r, struct factor_change *change, const char **text)
{
	const char *name = str_or(change->friendly_name, NULL), *phone = NULL;
	struct factor_alter altered;
	struct user changed = { 0 };
	size_t count;

	if (!str_empty(change->phone) && str_equal(r->factor->type, "phone")) {
		phone = change->phone;
		TRY(address_check_phone(r, &phone));
	}
	TRY(factor_hold(r));
	TRY(audit_admin(r, AUDIT_FACTOR_UPDATED,
	    json_pairs(r->arena, "user_id", r->user->id, "factor_id", r->factor->id, "factor_type", r->factor->type, NULL)));
	TRY(refusal_tell(r, factor_alter(r->db, &altered, .id = r->factor->id, .friendly_name = name, .phone = phone, .now = r->now_text),
	    name));
	changed.factors = altered.factors;
	*text = factor_text(r->arena, user_factors(r->arena, &changed, &count));
	return (OK);
}

/* --- The end --- */

err
factor_delete(struct request *r)
{
	const struct factor_row *factor = r->factor;
	const struct factor_type *type = factor_type(factor->type);
	struct factor_drop gone;

	TRY(factor_hold(r));
	TRY(session_lower(r->db, .user_id = r->user->id, .factor_id = factor->id, .method = type != NULL ? type->method : NULL));
	return (factor_drop(r->db, &gone, .id = factor->id));
}

err
factor_unenroll(struct request *r)
{
	const struct factor_row *factor = r->factor;

	TRY(session_still(r));
	TRY(recovery_codes_check_unenroll(r));
	TRY(audit(r, r->user, AUDIT_FACTOR_UNENROLLED,
	    json_pairs(r->arena, "factor_id", factor->id, "factor_status", factor->status, "session_id", r->user->session_id, NULL)));
	TRY(factor_notify(r, LETTER_MFA_FACTOR_UNENROLLED, factor->type));
	return (factor_delete(r));
}
