/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/audit.h"
#include "core/hook.h"
#include "db/db.h"
#include "factor/factor_part.h"
#include "query/factor.h"
#include "query/session.h"
#include "query/user.h"

#define SECOND INT64_C(1000000)

/* --- Challenges --- */

static usec
challenge_end(usec created_at)
{
	return (created_at + (int64_t)cfg->gotrue_mfa_challenge_expiry_duration * SECOND);
}

static err
type_of(struct request *r, const struct factor_type **type)
{
	*type = factor_type(r->factor->type);
	if (*type == NULL || (*type)->own_routes)
		return (fail(r, E_VALIDATION_FAILED, "factor_type needs to be totp, phone, or webauthn"));
	return (OK);
}

err
factor_challenge(struct request *r, struct factor_challenge *c)
{
	const struct factor_type *type;
	struct factor_challenge_add added;

	TRY(type_of(r, &type));
	if (!factor_may_verify(type))
		return (fail(r, type->challenge_off, NULL));
	c->id = uuid_new(r->arena);
	c->expires_at = challenge_end(r->now) / SECOND;
	if (type->challenge != NULL)
		TRY(type->challenge(r, c));
	TRY(session_still(r));
	TRY(factor_hold(r));
	if (!type->quiet)
		TRY(audit(r, r->user, AUDIT_CHALLENGE_CREATED,
		    json_pairs(r->arena, "factor_id", r->factor->id, "factor_status", r->factor->status, NULL)));
	return (factor_challenge_add(r->db, &added, .id = c->id, .factor_id = r->factor->id, .address = r->inet,
	    .code = str_or(c->code, ""), .session_data = c->session_data, .now = r->now_text));
}

static err
challenge_late(struct request *r, const char *id)
{
	TRY(factor_challenge_drop(r->db, .id = id));
	return (COMMIT_WITH(r, fail(r, E_MFA_CHALLENGE_EXPIRED,
				   "MFA challenge %s has expired, verify against another challenge or create a new challenge.", id)));
}

err
factor_challenge_find(struct request *r, const char *id, struct factor_challenged *found)
{
	const char *canonical = id != NULL ? uuid_parse(r->arena, id) : UUID_NIL;

	if (canonical == NULL)
		return (fail(r, E_BAD_JSON, "Could not parse request body as JSON: challenge_id must be a UUID"));
	TRY(factor_challenged(r->db, found, .id = canonical, .factor_id = r->factor->id, .address = r->inet));
	if (!found->found)
		return (fail_as(r, E_MFA_FACTOR_NOT_FOUND, 422, "MFA factor with the provided challenge ID not found"));
	if (!found->open)
		return (fail(r, E_MFA_IP_ADDRESS_MISMATCH, NULL));
	return (r->now > challenge_end(found->created_at) ? challenge_late(r, found->id) : OK);
}

/* --- Verification --- */

err
factor_judge(struct request *r, bool right)
{
	struct verdict v;

	if (!hook_enabled(HOOK_MFA_VERIFICATION_ATTEMPT))
		return (OK);
	TRY(hook_verdict(r, HOOK_MFA_VERIFICATION_ATTEMPT,
	    json_pairs(r->arena, "user_id", r->user->id, "factor_id", r->factor->id, "factor_type", r->factor->type, "#valid",
		json_boolean(right), NULL),
	    &v));
	if (!v.rejects)
		return (OK);
	TRY(user_hold(r->db, .id = r->user->id));
	TRY(session_end_others(r->db, .user_id = r->user->id));
	return (COMMIT_WITH(r,
	    fail(r, E_MFA_VERIFICATION_REJECTED, "%s", str_or(v.message, "Further MFA verification attempts will be rejected."))));
}

static err
letter_first_time(struct request *r)
{
	if (factor_verified(r->factor))
		return (OK);
	TRY(factor_mark_verified(r->db, .id = r->factor->id, .user_id = r->user->id,
	    .most = arena_printf(r->arena, "%lld", (long long)cfg->gotrue_mfa_max_verified_factors), .now = r->now_text));
	return (factor_notify(r, LETTER_MFA_FACTOR_ENROLLED, r->factor->type));
}

err
factor_accept(struct request *r, const struct session_state *state, const char *challenge_id, const char *shown_id, struct tokens *t)
{
	const struct factor_row *f = r->factor;

	TRY(audit(r, r->user, AUDIT_FACTOR_VERIFIED,
	    json_pairs(r->arena, "factor_id", f->id, "challenge_id", challenge_id, "factor_type", f->type, NULL)));
	TRY(letter_first_time(r));
	TRY(factor_drop_unverified(r->db, .user_id = r->user->id, .type = f->type));
	return (session_raise(r, state, factor_type(f->type)->method, shown_id, t));
}

/*
 * Counted before it is compared, so that of many at once no more are; a request that begins anew has taken its own.  What is taken stands
 * until a code is right.
 */
static err
attempt_take(struct request *r)
{
	struct factor_attempt taken;
	err counted;

	if (cfg->postern_mfa_max_attempts <= 0 || request_did(r, "attempt"))
		return (OK);
	db_autonomous_begin(r->db);
	counted = factor_attempt(r->db, &taken, .id = r->factor->id,
	    .most = arena_printf(r->arena, "%lld", (long long)cfg->postern_mfa_max_attempts));
	TRY(counted);
	TRY(db_autonomous_end(r->db));
	if (!taken.allowed) {
		reply_retry_after(r, taken.rest);
		return (fail(r, E_OVER_REQUEST_RATE_LIMIT, "Too many wrong codes, try again after %lld seconds", (long long)taken.rest));
	}
	request_done(r, "attempt");
	return (OK);
}

static err
code_verify(struct request *r, const struct factor_type *type, const struct factor_answer *answer, struct tokens *t)
{
	struct factor_challenged challenge;
	struct factor_code code = { .typed = answer->code };
	struct session_state state;

	TRY(factor_challenge_find(r, answer->challenge_id, &challenge));
	TRY(attempt_take(r));
	TRY(type->compare(r, &challenge, &code));
	TRY(factor_judge(r, code.right));
	if (!code.right)
		return (COMMIT_WITH(r, fail(r, E_MFA_VERIFICATION_FAILED, "%s", type->wrong)));
	TRY(factor_hold(r));
	TRY(session_to_raise(r, &state));
	TRY(factor_challenge_use(r->db, .id = challenge.id, .now = r->now_text));
	TRY(factor_used(r->db, .id = r->factor->id, .step = arena_printf(r->arena, "%lld", (long long)code.step),
	    .once = code.step > 0 && cfg->postern_totp_once ? "t" : "f"));
	return (factor_accept(r, &state, challenge.id, r->factor->id, t));
}

/* Whoever knows just the password adds no factor beside a verified one, nor one that was begun before that was verified. */
static err
check_first(struct request *r)
{
	size_t count;
	const struct factor_row *row = user_factors(r->arena, r->user, &count);

	return (factor_verified(r->factor) ? OK : factor_check_verified(r, row, count));
}

err
factor_verify(struct request *r, const struct factor_answer *answer, struct tokens *t)
{
	const struct factor_type *type;

	TRY(type_of(r, &type));
	if (str_empty(answer->code) && type->verify == NULL)
		return (fail(r, E_VALIDATION_FAILED, "Code needs to be non-empty"));
	if (!factor_may_verify(type))
		return (fail(r, type->verify_off != OK ? type->verify_off : type->challenge_off, "%s",
		    error_row(type->challenge_off)->message));
	TRY(check_first(r));
	return (type->verify != NULL ? type->verify(r, answer, t) : code_verify(r, type, answer, t));
}
