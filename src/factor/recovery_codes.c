/* SPDX-License-Identifier: Apache-2.0 */
#include "factor/recovery_codes.h"

#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/audit.h"
#include "db/db.h"
#include "factor/factor.h"
#include "query/factor.h"
#include "query/recovery_codes.h"
#include "query/session.h"
#include "sec/password.h"
#include "sec/recovery_code.h"
#include "sec/secret.h"

#define TYPE "recovery_code"

/* The user's; NULL: they have none. */
static const struct factor_row *
enrolled(struct request *r)
{
	size_t count;
	const struct factor_row *row = user_factors(r->arena, r->user, &count);

	for (size_t i = 0; i < count; i++)
		if (str_equal(row[i].type, TYPE))
			return (&row[i]);
	return (NULL);
}

/* A factor of the user's that can be shown, recovery codes and `except` (or NULL) aside; NULL: there is none. */
static const struct factor_row *
usable(struct request *r, const struct factor_row *except)
{
	size_t count;
	const struct factor_row *row = user_factors(r->arena, r->user, &count);

	for (size_t i = 0; i < count; i++) {
		const struct factor_type *type = factor_type(row[i].type);

		if (type == NULL || str_equal(type->word, TYPE) || !factor_verified(&row[i]) || !factor_may_verify(type))
			continue;
		if (except == NULL || !str_equal(row[i].id, except->id))
			return (&row[i]);
	}
	return (NULL);
}

static err
not_enrolled(struct request *r)
{
	return (fail(r, E_MFA_FACTOR_NOT_FOUND, "The user has not enrolled recovery codes"));
}

/* Unlike the gate, also of who has no factor yet. */
static err
check_aal2(struct request *r, const char *what)
{
	return (session_is_aal2(r->user) ? OK : fail(r, E_INSUFFICIENT_AAL, "AAL2 required to %s recovery codes", what));
}

/* Finds the user's: r->factor, and all codes; none where they are not there. */
static err
load(struct request *r, struct recovery_codes_of_rows *codes)
{
	*codes = (struct recovery_codes_of_rows){ 0 };
	r->factor = enrolled(r);
	if (r->factor == NULL)
		return (OK);
	TRY_DB(r, recovery_codes_of(r->db, codes, .factor_id = r->factor->id), "Database error finding recovery codes");
	return (OK);
}

static err
load_enrolled(struct request *r, struct recovery_codes_of_rows *codes)
{
	TRY(load(r, codes));
	return (codes->len > 0 ? OK : not_enrolled(r));
}

err
recovery_codes_count(struct request *r, struct recovery_codes *c)
{
	struct recovery_codes_of_rows codes;

	TRY(load_enrolled(r, &codes));
	*c = (struct recovery_codes){ .factor_id = r->factor->id, .total = codes.len };
	for (size_t i = 0; i < codes.len; i++)
		c->remaining += !codes.row[i].used;
	return (OK);
}

/* --- New ones --- */

/* As they are written: two arrays. */
struct written {
	char *ids, *hashes;
};

static char *
another(struct arena *a, char *const *codes)
{
	char *code;

	do
		code = secret_alphanumeric(a, (unsigned)cfg->gotrue_mfa_recovery_codes_code_length);
	while (strs_have(codes, code));
	return (code);
}

static struct written
make(struct request *r, struct recovery_codes *c)
{
	struct arena *a = r->arena;
	char **id, **hash;

	c->total = (size_t)cfg->gotrue_mfa_recovery_codes_count;
	c->code = arena_new_array(a, char *, c->total + 1);
	id = arena_new_array(a, char *, c->total + 1);
	hash = arena_new_array(a, char *, c->total + 1);
	for (size_t i = 0; i < c->total; i++) {
		c->code[i] = another(a, c->code);
		id[i] = uuid_new(a);
		hash[i] = recovery_code_hash(a, c->code[i]);
	}
	return ((struct written){ db_array(a, id), db_array(a, hash) });
}

static err
audit_made(struct request *r, enum audit_action action, const struct recovery_codes *c)
{
	return (audit(r, r->user, action,
	    json_pairs(r->arena, "factor_id", c->factor_id, "#count", arena_printf(r->arena, "%zu", c->total), NULL)));
}

/* The first of two at once has them: the other one is told so, whatever name it wants. */
static err
check_new(struct request *r, const char *name)
{
	const struct factor_row *beside = usable(r, NULL);

	TRY(session_still(r));
	TRY(recovery_codes_assert_none(r->db, .user_id = r->user->id));
	TRY(factor_check_new(r, name, NULL));
	if (beside == NULL)
		return (COMMIT_WITH(r, fail(r, E_MFA_RECOVERY_CODES_SOLE_FACTOR, NULL)));
	return (factor_assert(r->db, .id = beside->id, .user_id = r->user->id));
}

static err
write_new(struct request *r, const struct recovery_codes *c, const struct written *w)
{
	const char *set_id = uuid_new(r->arena);

	TRY(factor_add(r,
	    &(const struct new_factor){ .id = c->factor_id, .type = TYPE, .friendly_name = c->friendly_name, .verified = true }));
	TRY(recovery_set_add(r->db, .id = set_id, .user_id = r->user->id, .factor_id = c->factor_id, .now = r->now_text));
	TRY(recovery_codes_add(r->db, .set_id = set_id, .ids = w->ids, .hashes = w->hashes, .now = r->now_text));
	TRY(audit_made(r, AUDIT_RECOVERY_CODES_GENERATED, c));
	return (factor_notify(r, LETTER_MFA_FACTOR_ENROLLED, TYPE));
}

err
recovery_codes_generate(struct request *r, const char *friendly_name, struct recovery_codes *c)
{
	struct written w;

	TRY(check_aal2(r, "generate"));
	if (enrolled(r) != NULL)
		return (fail(r, E_MFA_VERIFIED_FACTOR_EXISTS,
		    "Recovery codes are already enrolled for this user, use regenerate to rotate them"));
	*c = (struct recovery_codes){ .factor_id = uuid_new(r->arena) };
	c->friendly_name = str_empty(str_trim(r->arena, friendly_name)) ? "Recovery codes" : friendly_name;
	w = make(r, c);
	TRY(check_new(r, c->friendly_name));
	return (write_new(r, c, &w));
}

err
recovery_codes_regenerate(struct request *r, struct recovery_codes *c)
{
	struct recovery_codes_of_rows old;
	struct written w;

	TRY(check_aal2(r, "regenerate"));
	TRY(load_enrolled(r, &old));
	*c = (struct recovery_codes){ .factor_id = r->factor->id, .friendly_name = r->factor->friendly_name };
	w = make(r, c);
	TRY(session_still(r));
	TRY(factor_hold(r));
	TRY(recovery_set_empty(r->db, .id = old.row[0].set_id, .now = r->now_text));
	TRY(recovery_codes_add(r->db, .set_id = old.row[0].set_id, .ids = w.ids, .hashes = w.hashes, .now = r->now_text));
	return (audit_made(r, AUDIT_RECOVERY_CODES_REGENERATED, c));
}

/* --- Their use --- */

/* All are compared, used ones too, and as many for who has none.  *right: the unused one that is right; NULL: none is. */
static void
compare(struct request *r, const struct recovery_codes_of_rows *codes, const char *code, const char **right)
{
	*right = NULL;
	for (int64_t i = 0; codes->len == 0 && i < cfg->gotrue_mfa_recovery_codes_count; i++)
		(void)recovery_code_hash(r->arena, code);
	for (size_t i = 0; i < codes->len; i++) {
		const struct recovery_codes_of *row = &codes->row[i];
		enum password_verdict verdict = password_verify(r->arena, row->hash, code);

		if (verdict == PASSWORD_BAD_HASH)
			log_event(LOG_WARN, "a recovery code is stored in a form that is none", "recovery_code_id", row->id, NULL);
		if (verdict == PASSWORD_RIGHT && !row->used)
			*right = row->id;
	}
}

static err
not_right(struct request *r)
{
	return (fail(r, E_MFA_VERIFICATION_FAILED, "Invalid recovery code entered"));
}

static err
resting(struct request *r, long long rest)
{
	reply_retry_after(r, rest);
	return (fail(r, E_MFA_RECOVERY_CODES_LOCKED, NULL));
}

/* Behind the lock, where it is seen what others have typed meanwhile. */
static err
attempt(struct request *r, const char *set_id, const char *right)
{
	struct recovery_attempt a;

	TRY(factor_hold(r));
	TRY(recovery_attempt(r->db, &a, .set_id = set_id, .code_id = right,
	    .most = arena_printf(r->arena, "%lld", (long long)cfg->gotrue_mfa_recovery_codes_max_verify_attempts),
	    .life = duration_seconds(r->arena, cfg->gotrue_mfa_recovery_codes_lockout_duration), .now = r->now_text));
	if (a.rest > 0)
		return (resting(r, (long long)a.rest));
	if (!a.spent)
		return (COMMIT_WITH(r, not_right(r)));
	return (audit(r, r->user, AUDIT_RECOVERY_CODES_VERIFIED,
	    json_pairs(r->arena, "factor_id", r->factor->id, "#remaining", arena_printf(r->arena, "%lld", (long long)a.remaining), NULL)));
}

err
recovery_codes_verify(struct request *r, const char *typed, struct tokens *t)
{
	const char *code = recovery_code_canonical(r->arena, typed), *right;
	struct recovery_codes_of_rows codes;
	struct session_state state;

	if (str_empty(code))
		return (fail(r, E_VALIDATION_FAILED, "Code needs to be non-empty"));
	TRY(load(r, &codes));
	if (codes.len > 0 && codes.row[0].rest > 0)
		return (resting(r, (long long)codes.row[0].rest));
	compare(r, &codes, code, &right);
	if (codes.len == 0)
		return (not_right(r));
	TRY(factor_judge(r, right != NULL));
	TRY(attempt(r, codes.row[0].set_id, right));
	TRY(session_to_raise(r, &state));
	return (session_raise(r, &state, factor_type(TYPE)->method, r->factor->id, t));
}

/* --- Their end --- */

err
recovery_codes_delete(struct request *r, const char **factor_id)
{
	TRY(check_aal2(r, "delete"));
	r->factor = enrolled(r);
	if (r->factor == NULL)
		return (not_enrolled(r));
	*factor_id = r->factor->id;
	TRY(session_still(r));
	TRY(audit(r, r->user, AUDIT_RECOVERY_CODES_DELETED, json_pairs(r->arena, "factor_id", r->factor->id, NULL)));
	TRY(factor_notify(r, LETTER_MFA_FACTOR_UNENROLLED, TYPE));
	return (factor_delete(r));
}

err
recovery_codes_check_unenroll(struct request *r)
{
	const struct factor_row *beside = usable(r, r->factor);

	if (str_equal(r->factor->type, TYPE))
		return (fail_as(r, E_VALIDATION_FAILED, 422,
		    "Recovery codes cannot be unenrolled with this endpoint, use DELETE /factors/recovery-codes"));
	if (!factor_verified(r->factor))
		return (OK);
	if (enrolled(r) == NULL)
		return (recovery_codes_assert_none(r->db, .user_id = r->user->id));
	if (beside == NULL)
		return (fail(r, E_MFA_RECOVERY_CODES_SOLE_FACTOR,
		    "Recovery codes cannot be the only verified factor. Please enroll another factor before unenrolling this one or delete "
		    "your recovery codes."));
	return (factor_assert(r->db, .id = beside->id, .user_id = r->user->id));
}
