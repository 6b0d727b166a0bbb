/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/pkce.h"
#include "sec/secret.h"

#define CHALLENGE_MIN 43
#define CHALLENGE_MAX 128

err
pkce_check_challenge(struct request *r, const char *method, const char *challenge)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t len = strlen(challenge);

	if (str_empty(method) != str_empty(challenge))
		return (fail(r, E_VALIDATION_FAILED, "PKCE flow requires code_challenge_method and code_challenge"));
	if (len == 0)
		return (OK);
	if (len < CHALLENGE_MIN || len > CHALLENGE_MAX)
		return (fail(r, E_VALIDATION_FAILED, "code challenge has to be between %d and %d characters", CHALLENGE_MIN,
		    CHALLENGE_MAX));
	if (strspn(challenge, unreserved) != len)
		return (fail(r, E_VALIDATION_FAILED,
		    "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes"));
	return (OK);
}

const char *
pkce_method_known(struct arena *a, const char *method)
{
	static char *const known[] = { "s256", "plain", NULL };
	const char *lower = str_lower(a, str_or(method, ""));

	return (strs_have(known, lower) ? lower : NULL);
}

err
pkce_begin(struct request *r, const struct pkce *f)
{
	const char *method = pkce_method_known(r->arena, f->challenge_method);

	if (str_empty(f->challenge))
		return (OK);
	if (method == NULL)
		return (fail(r, E_VALIDATION_FAILED, "unsupported code_challenge method \"%s\"", f->challenge_method));
	return (pkce_add(r->db, .id = uuid_new(r->arena), .user_id = f->user_id, .auth_code = uuid_new(r->arena), .challenge = f->challenge,
	    .challenge_method = method, .provider = f->provider, .method = f->method, .now = r->now_text));
}

err
pkce_code(struct request *r, const char *user_id, const char *method, const char **code)
{
	struct pkce_issue_code issued = { 0 };

	if (method != NULL)
		TRY(pkce_issue_code(r->db, &issued, .user_id = user_id, .method = method, .now = r->now_text));
	if (!issued.found)
		return (fail_as(r, E_FLOW_STATE_NOT_FOUND, 400,
		    "No associated flow state found. 422: No valid flow state found for user."));
	if (issued.auth_code == NULL)
		return (fail_as(r, E_FLOW_STATE_NOT_FOUND, 400,
		    "No associated flow state found. 422: Flow state does not have an auth code (not a PKCE flow)."));
	*code = issued.auth_code;
	return (OK);
}

static err
pkce_missing(struct request *r)
{
	return (fail_as(r, E_FLOW_STATE_NOT_FOUND, 404, "invalid flow state, no valid flow state found"));
}

static err
pkce_verify(struct request *r, const struct pkce_by_code *flow, const char *verifier)
{
	const char *answer = verifier;

	if (str_empty(flow->challenge))
		return (fail(r, E_BAD_CODE_VERIFIER, "PKCE verification not applicable for implicit flow"));
	if (str_equal(flow->challenge_method, "s256"))
		answer = sha256_base64url(r->arena, verifier);
	if (!secret_equal_text(answer, flow->challenge))
		return (fail(r, E_BAD_CODE_VERIFIER, "code challenge does not match previously saved code verifier"));
	return (OK);
}

err
pkce_find(struct request *r, const char *code, const char *verifier, struct pkce_by_code *flow)
{
	TRY(pkce_by_code(r->db, flow, .auth_code = code));
	if (!flow->found)
		return (pkce_missing(r));
	if (r->now > flow->begun_at + cfg->gotrue_external_flow_state_expiry_duration / 1000)
		return (fail(r, E_FLOW_STATE_EXPIRED, NULL));
	return (pkce_verify(r, flow, verifier));
}

err
pkce_spend(struct request *r, const struct pkce_by_code *flow)
{
	struct pkce_take taken;

	TRY(pkce_take(r->db, &taken, .id = flow->flow_id));
	return (taken.found ? OK : pkce_missing(r));
}
