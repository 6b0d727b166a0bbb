/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/claims.h"
#include "sec/jwt.h"

#define AUDIENCE_MAX 255 /* characters of the column: nobody has a longer one */

/* The token of "Bearer <token>": one word after white space, as the reference's pattern takes it. */
static const char *
bearer_token(struct request *r)
{
	const char *header = request_header(r, "Authorization");
	const char *token;

	if (header == NULL || strncasecmp(header, "bearer", 6) != 0)
		return (NULL);
	token = header + 6;
	if (*token != ' ')
		return (NULL);
	token += strspn(token, " ");
	return (*token != '\0' && strpbrk(token, " \t") == NULL ? token : NULL);
}

/* Claims are typed by jwt_verify(); what is absent is "". */
static const char *
claim_text(json *claims, const char *name)
{
	return (str_or(json_string(json_get_nocase(claims, name)), ""));
}

static const char *
first_audience(json *claims)
{
	json *aud = json_get_nocase(claims, "aud");

	if (json_kind(aud) == JSON_ARRAY)
		aud = json_len(aud) > 0 ? json_at(aud, 0) : NULL;
	return (json_string(aud));
}

err
claims_read(struct request *r, const struct claims **result)
{
	const char *token = bearer_token(r);
	const char *why;
	struct claims *c;
	json *all;

	if (token == NULL)
		return (fail_as(r, E_NO_AUTHORIZATION, 401, "This endpoint requires a valid Bearer token"));
	if ((all = jwt_verify(r->arena, token, &why)) == NULL)
		return (fail(r, E_BAD_JWT, "invalid JWT: unable to parse or verify signature, %s", why));
	c = arena_new_object(r->arena, struct claims);
	c->sub = claim_text(all, "sub");
	c->role = claim_text(all, "role");
	c->session_id = claim_text(all, "session_id");
	c->email = claim_text(all, "email");
	c->aud = first_audience(all);
	c->anonymous = json_true(json_get_nocase(all, "is_anonymous"));
	*result = c;
	return (OK);
}

bool
claims_admin(const struct claims *c)
{
	return (strs_have(cfg->gotrue_jwt_admin_roles, c->role));
}

const char *
claims_audience(const struct request *r)
{
	const char *header = request_header(r, "X-JWT-AUD");

	if (!str_empty(header) && utf8_count(header) <= AUDIENCE_MAX)
		return (header);
	if (r->claims != NULL && !claims_admin(r->claims) && !str_empty(r->claims->aud))
		return (r->claims->aud);
	return (cfg->gotrue_jwt_aud);
}
