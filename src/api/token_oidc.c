/* SPDX-License-Identifier: Apache-2.0 */
/* POST /token?grant_type=id_token: signing in with an identity token that the app has got by itself. */
#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "core/gate.h"
#include "core/hook.h"
#include "external/id_token_check.h"
#include "external/sign_in.h"

struct id_token_grant {
	const char *id_token, *access_token, *nonce, *provider, *client_id, *issuer;
	bool link_identity;
};

static err
grant_check(struct request *r, const struct id_token_grant *p)
{
	if (str_empty(p->id_token))
		return (fail_oauth(r, "invalid request", "id_token required"));
	if (str_empty(p->provider) && (str_empty(p->client_id) || str_empty(p->issuer)))
		return (fail_oauth(r, "invalid request", "provider or client_id and issuer required"));
	if (!p->link_identity)
		return (OK);
	if (str_empty(request_header(r, "Authorization")))
		return (fail_oauth(r, "invalid request", "Linking requires a valid user access token in Authorization"));
	return (gate_bearer(r, NULL));
}

/* Members that the reply shows as they were before this sign-in, as the reference does. */
static char *const stale[] = { "identities", "confirmed_at", NULL };

static const char *
user_shown(struct arena *a, const char *now, const char *before)
{
	const json *old = json_parse_text(a, before);
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_except(&b, json_parse_text(a, now), stale);
	for (size_t i = 0; stale[i] != NULL; i++)
		if (json_get(old, stale[i]) != NULL)
			json_put(&b, stale[i], json_get(old, stale[i]));
	json_object_end(&b);
	return (b.data);
}

err
grant_id_token(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct id_token_grant, text, id_token),
		PARAM(struct id_token_grant, text, access_token),
		PARAM(struct id_token_grant, text, nonce),
		PARAM(struct id_token_grant, text, provider),
		PARAM(struct id_token_grant, text, client_id),
		PARAM(struct id_token_grant, text, issuer),
		PARAM(struct id_token_grant, boolean, link_identity),
		PARAM_END,
	};
	struct id_token_grant p = { 0 };
	struct id_token_check t;
	struct sign_in in;
	struct signed_in out;
	err error;

	TRY(params_read(r, fields, &p));
	TRY(grant_check(r, &p));
	t = (struct id_token_check){ .id_token = p.id_token,
		.access_token = p.access_token,
		.nonce = p.nonce,
		.provider = p.provider,
		.client_id = p.client_id,
		.issuer = p.issuer };
	TRY(id_token_check(r, &t));
	in = (struct sign_in){ .provider = t.name,
		.method = "oauth",
		.profile = &t.profile,
		.email_optional = t.email_optional,
		.target_id = p.link_identity ? r->user->id : NULL };
	error = sign_in(r, &in, &out);
	if (error == E_DATABASE && !out.created)
		return (fail_oauth(r, "server_error", "Internal Server Error"));
	TRY(error);
	if (out.before != NULL)
		out.tokens.user_json = user_shown(r->arena, out.tokens.user_json, out.before);
	if (out.created)
		TRY(hook_after_user_created(r, out.tokens.user_json));
	return (reply_tokens(r, &out.tokens));
}
