/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "core/flow.h"
#include "query/flow.h"

#define CHALLENGE_MIN 43
#define CHALLENGE_MAX 128

err
flow_check_challenge(struct request *r, const char *method, const char *challenge)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t len = strlen(challenge);

	if (str_empty(method) != str_empty(challenge))
		return (fail(r, E_VALIDATION_FAILED, "PKCE flow requires code_challenge_method and code_challenge"));
	if (len == 0)
		return (OK);
	if (len < CHALLENGE_MIN || len > CHALLENGE_MAX)
		return (fail(r, E_VALIDATION_FAILED, "code challenge has to be between %d and %d characters", CHALLENGE_MIN, CHALLENGE_MAX));
	if (strspn(challenge, unreserved) != len)
		return (fail(r, E_VALIDATION_FAILED,
		    "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes"));
	return (OK);
}

err
flow_begin(struct request *r, const struct flow *f)
{
	const char *method = str_lower(r->arena, f->challenge_method);

	if (str_empty(f->challenge))
		return (OK);
	if (!str_equal(method, "s256") && !str_equal(method, "plain"))
		return (fail(r, E_VALIDATION_FAILED, "unsupported code_challenge method \"%s\"", f->challenge_method));
	return (flow_add(r->db, .id = uuid_new(r->arena), .user_id = f->user_id, .auth_code = uuid_new(r->arena), .challenge = f->challenge,
	    .challenge_method = method, .provider = f->provider, .method = f->method, .now = r->now_text));
}
