/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/claims.h"
#include "core/gate.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/session.h"
#include "core/user_json.h"
#include "net/captcha.h"
#include "query/user.h"

err
gate_limit(struct request *r, const void *limit)
{
	return (limit_take(r, limit));
}

/* A session that belongs to somebody else is as good as none. */
static bool
session_is_of(const struct user *u)
{
	return (u->session_id != NULL && str_equal(u->session_user_id, u->id));
}

/* Loads the user and, if the claims name one, the session. */
static err
bearer_load(struct request *r)
{
	const struct claims *c = r->claims;
	struct user *u = arena_new_object(r->arena, struct user);
	bool in_session = !str_empty(c->session_id) && !str_equal(c->session_id, UUID_NIL);
	const char *id, *session = NULL;

	if (str_empty(c->sub))
		return (fail(r, E_BAD_JWT, "invalid claim: missing sub claim"));
	if ((id = uuid_parse(r->arena, c->sub)) == NULL)
		return (fail_as(r, E_BAD_JWT, 400, "invalid claim: sub claim must be a UUID"));
	if (in_session)
		session = uuid_parse(r->arena, c->session_id);
	TRY(user_by_session(r->db, u, .id = id, .session = session));
	if (!u->found)
		return (fail_as(r, E_USER_NOT_FOUND, 403, "User from sub claim in JWT does not exist"));
	if (in_session && session == NULL)
		return (fail(r, E_BAD_JWT, "invalid claim: session_id claim must be a UUID"));
	if (in_session && !session_is_of(u))
		return (fail(r, E_SESSION_NOT_FOUND, NULL));
	r->user = u;
	return (OK);
}

err
gate_bearer(struct request *r, const void *unused)
{
	(void)unused;
	TRY(claims_read(r, &r->claims));
	TRY(bearer_load(r));
	if (r->user->banned)
		return (fail(r, E_USER_BANNED, NULL));
	return (OK);
}

err
gate_not_anonymous(struct request *r, const void *unused)
{
	(void)unused;
	return (r->claims->anonymous ? fail(r, E_NO_AUTHORIZATION, NULL) : OK);
}

err
gate_not_client(struct request *r, const void *unused)
{
	(void)unused;
	if (str_empty(r->user->session_client_id) || str_equal(r->user->session_client_id, UUID_NIL))
		return (OK);
	return (fail(r, E_NO_AUTHORIZATION, "OAuth clients are not allowed to perform these actions"));
}

err
gate_member(struct request *r, const void *unused)
{
	TRY(gate_not_anonymous(r, unused));
	if (r->user->session_id == NULL)
		return (fail(r, E_SESSION_NOT_FOUND, NULL));
	return (OK);
}

err
gate_admin(struct request *r, const void *unused)
{
	(void)unused;
	TRY(claims_read(r, &r->claims));
	if (!str_empty(r->claims->session_id) && !str_equal(r->claims->session_id, UUID_NIL)) {
		TRY(bearer_load(r));
		if (session_validity(r, r->user, 0) != SESSION_VALID)
			return (fail_as(r, E_SESSION_EXPIRED, 403, "Session is no longer valid"));
	}
	if (!claims_admin(r->claims))
		return (fail(r, E_NOT_ADMIN, NULL));
	return (OK);
}

static bool
grant_is(struct request *r, const char *const *grants)
{
	const char *grant = request_form_value(r, "grant_type");

	for (; *grants != NULL; grants++)
		if (str_equal(grant, *grants))
			return (str_equal(r->path, "/token"));
	return (false);
}

/* Those that carry a secret of their own. */
static bool
captcha_exempt(struct request *r)
{
	static const char *const grants[] = { "pkce", "refresh_token", "id_token", NULL };

	return (grant_is(r, grants));
}

bool
gate_slow(struct request *r)
{
	static const char *const quick[] = { "pkce", "refresh_token", NULL };

	return (hook_enabled(HOOK_CUSTOM_ACCESS_TOKEN) || !grant_is(r, quick));
}

err
gate_place(struct request *r, const void *unused)
{
	(void)unused;
	if (r->crowded)
		return (fail(r, E_UNAVAILABLE, "Too many requests that take long at the moment, try again"));
	return (OK);
}

struct captcha {
	struct {
		const char *captcha_token;
	} gotrue_meta_security;
};

static err
captcha_token(struct request *r, const char **token)
{
	static const struct param security[] = {
		{ "captcha_token", PARAM_text, 0, NULL },
		PARAM_END,
	};
	static const struct param fields[] = {
		PARAM_NESTED(struct captcha, gotrue_meta_security, security),
		PARAM_END,
	};
	struct captcha p = { 0 };

	TRY(params_read(r, fields, &p));
	*token = str_trim(r->arena, p.gotrue_meta_security.captcha_token);
	return (str_empty(*token) ? fail(r, E_CAPTCHA_FAILED, NULL) : OK);
}

static err
captcha_check(struct request *r, const char *token)
{
	const char *words;

	switch (captcha_ask(r->arena, token, r->address, &words)) {
	case CAPTCHA_PASSED:
		request_done(r, "captcha"); /* the provider takes it once */
		return (OK);
	case CAPTCHA_FAILED:
		return (fail(r, E_CAPTCHA_FAILED, "captcha protection: request disallowed (%s)", words));
	default:
		r->failure.cause = words;
		return (fail(r, E_UNEXPECTED_FAILURE, "captcha verification process failed"));
	}
}

err
gate_captcha(struct request *r, const void *unused)
{
	const char *token;
	bool admin;

	(void)unused;
	if (!cfg->gotrue_security_captcha_enabled || request_did(r, "captcha"))
		return (OK);
	admin = gate_admin(r, NULL) == OK;
	/* The request itself is made by nobody: what was found out about the token counts for this gate alone. */
	r->claims = NULL;
	r->user = NULL;
	if (admin || captcha_exempt(r))
		return (OK);
	TRY(captcha_token(r, &token));
	return (captcha_check(r, token));
}

err
gate_email_provider(struct request *r, const void *unused)
{
	(void)unused;
	if (!cfg->gotrue_external_email_enabled)
		return (fail_as(r, E_EMAIL_PROVIDER_DISABLED, 400, "Email logins are disabled"));
	return (OK);
}

err
gate_manual_linking(struct request *r, const void *unused)
{
	(void)unused;
	if (!cfg->gotrue_security_manual_linking_enabled)
		return (fail(r, E_MANUAL_LINKING_DISABLED, NULL));
	return (OK);
}

err
gate_oauth_server(struct request *r, const void *unused)
{
	(void)unused;
	if (!cfg->gotrue_oauth_server_enabled)
		return (fail(r, E_FEATURE_DISABLED, "OAuth server is disabled"));
	return (OK);
}

err
gate_passkeys(struct request *r, const void *unused)
{
	(void)unused;
	return (cfg->gotrue_passkey_enabled ? OK : fail(r, E_PASSKEY_DISABLED, NULL));
}

err
gate_not_sso(struct request *r, const void *unused)
{
	(void)unused;
	if (r->user->sso)
		return (fail_as(r, E_VALIDATION_FAILED, 422, "SSO users cannot register passkeys"));
	return (OK);
}

err
gate_managed_user(struct request *r, const void *unused)
{
	struct user *u = arena_new_object(r->arena, struct user);
	const char *id = uuid_parse(r->arena, request_path_arg(r, "user_id"));

	(void)unused;
	if (id == NULL)
		return (fail_as(r, E_VALIDATION_FAILED, 404, "user_id must be an UUID"));
	TRY_DB(r, user_by_id(r->db, u, .id = id), "Database error loading user");
	if (!u->found)
		return (fail(r, E_USER_NOT_FOUND, NULL));
	r->user = u;
	return (OK);
}

static bool
account_delete_offered(void)
{
	return (!str_empty(cfg->postern_account_delete) && !str_equal(cfg->postern_account_delete, "off"));
}

static bool
account_export_offered(void)
{
	return (cfg->postern_account_export);
}

const struct offer offer_account_delete = { account_delete_offered }, offer_account_export = { account_export_offered };

err
gate_offered(struct request *r, const void *offer)
{
	(void)r;
	(void)offer;
	return (OK);
}

err
gate_factor(struct request *r, const void *unused)
{
	const char *id = uuid_parse(r->arena, request_path_arg(r, "factor_id"));
	size_t count;
	const struct factor_row *row = user_factors(r->arena, r->user, &count);

	(void)unused;
	if (id == NULL)
		return (fail_as(r, E_VALIDATION_FAILED, 404, "factor_id must be an UUID"));
	for (size_t i = 0; i < count; i++)
		if (str_equal(row[i].id, id)) {
			r->factor = &row[i];
			return (OK);
		}
	return (fail(r, E_MFA_FACTOR_NOT_FOUND, NULL));
}

err
gate_aal2(struct request *r, const void *aal2_refusal)
{
	const struct aal2_refusal *refusal = aal2_refusal;
	bool wanted = r->factor != NULL ? factor_verified(r->factor) : user_has_factor(r->arena, r->user);

	if (!wanted || session_is_aal2(r->user))
		return (OK);
	return (fail_as(r, E_INSUFFICIENT_AAL, refusal->status, "%s", refusal->words));
}

err
gate_custom_provider(struct request *r, const void *unused)
{
	(void)unused;
	if (!cfg->gotrue_custom_oauth_enabled)
		return (fail(r, E_FEATURE_DISABLED, "Custom OAuth providers are disabled"));
	return (OK);
}
