/* SPDX-License-Identifier: Apache-2.0 */
/* POST /token: the grants. */
#include <string.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/credential.h"
#include "core/pkce.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/refresh.h"
#include "core/session.h"
#include "core/user.h"
#include "query/session.h"

struct password_grant {
	const char *email, *phone, *password;
};

static err
wrong_credentials(struct request *r)
{
	r->jitter = true;
	return (fail(r, E_INVALID_CREDENTIALS, NULL));
}

static err
password_find(struct request *r, const struct password_grant *p, struct user *u)
{
	const char *aud = claims_audience(r);

	if (!str_empty(p->email) && !str_empty(p->phone))
		return (fail(r, E_VALIDATION_FAILED, "Only an email address or phone number should be provided on login."));
	if (!str_empty(p->email)) {
		if (!cfg->gotrue_external_email_enabled)
			return (fail(r, E_EMAIL_PROVIDER_DISABLED, NULL));
		TRY_DB(r, user_by_email(r->db, u, .email = str_lower(r->arena, p->email), .aud = aud), "Database error querying schema");
	} else if (!str_empty(p->phone)) {
		if (!cfg->gotrue_external_phone_enabled)
			return (fail_as(r, E_PHONE_PROVIDER_DISABLED, 422, "Phone logins are disabled"));
		TRY_DB(r, user_by_phone(r->db, u, .phone = address_phone(r->arena, p->phone), .aud = aud),
		    "Database error querying schema");
	} else {
		return (fail(r, E_VALIDATION_FAILED, "missing email or phone"));
	}
	return (OK);
}

/* The site may count tries and refuse more of them, and throw out who is signed in. */
static err
password_judge(struct request *r, const struct user *u, bool right)
{
	struct verdict v;

	if (!hook_enabled(HOOK_PASSWORD_VERIFICATION_ATTEMPT))
		return (OK);
	TRY(hook_verdict(r, HOOK_PASSWORD_VERIFICATION_ATTEMPT, json_pairs(r->arena, "user_id", u->id, "#valid", json_boolean(right), NULL),
	    &v));
	if (!v.rejects)
		return (OK);
	if (v.logout) {
		TRY(user_hold(r->db, .id = u->id));
		TRY(session_end_others(r->db, .user_id = u->id));
	}
	return (COMMIT_WITH(r,
	    fail(r, E_INVALID_CREDENTIALS, "%s", str_or(v.message, "Further password verification attempts will be rejected."))));
}

/* Takes the same time whoever asks: the hash is worked in every case, before anything is said. */
static err
password_prove(struct request *r, const struct password_grant *p, const struct user *u, const char **renewed)
{
	const char *name = str_empty(p->email) ? address_phone(r->arena, p->phone) : str_lower(r->arena, p->email);
	bool right = credential_verify(r, u->found && !u->banned ? u : NULL, name, p->password, renewed);

	if (!u->found || str_empty(u->password))
		return (wrong_credentials(r));
	if (u->banned)
		return (fail_as(r, E_USER_BANNED, 400, "User is banned"));
	TRY(password_judge(r, u, right));
	if (!right)
		return (wrong_credentials(r));
	if (!str_empty(p->email) && !u->email_confirmed)
		return (fail_as(r, E_EMAIL_NOT_CONFIRMED, 400, "Email not confirmed"));
	if (!str_empty(p->phone) && !u->phone_confirmed)
		return (fail_as(r, E_PHONE_NOT_CONFIRMED, 400, "Phone not confirmed"));
	return (OK);
}

static err
grant_password(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct password_grant, text, email),
		PARAM(struct password_grant, text, phone),
		PARAM(struct password_grant, text, password),
		PARAM_END,
	};
	struct password_grant p = { 0 };
	struct tokens t = { 0 };
	const char *renewed;
	struct user u;

	TRY(params_read(r, fields, &p));
	TRY(password_find(r, &p, &u));
	TRY(password_prove(r, &p, &u, &renewed));
	t.extra = credential_weakness(r, p.password);
	TRY(audit(r, &u, AUDIT_LOGIN, json_pairs(r->arena, "provider", str_empty(p.email) ? "phone" : "email", NULL)));
	TRY(session_start(r, &u,
	    &(const struct session_origin){ .method = "password", .password = u.password, .renewed_password = renewed }, &t));
	return (reply_tokens(r, &t));
}

struct refresh_grant {
	const char *refresh_token;
};

static err
grant_refresh_token(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct refresh_grant, text, refresh_token),
		PARAM_END,
	};
	struct refresh_grant p = { 0 };
	struct tokens t = { 0 };

	TRY(params_read(r, fields, &p));
	TRY(refresh(r, p.refresh_token, &t));
	return (reply_tokens(r, &t));
}

struct pkce_grant {
	const char *auth_code, *code_verifier;
};

/* What the provider gave, for clients that talk to it themselves. */
static const char *
provider_tokens(struct arena *a, const struct pkce_by_code *flow)
{
	return (json_pairs(a, "provider_token", str_or(flow->provider_token, NULL), "provider_refresh_token",
	    str_or(flow->provider_refresh_token, NULL), NULL));
}

static err
grant_pkce(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct pkce_grant, text, auth_code),
		PARAM(struct pkce_grant, text, code_verifier),
		PARAM_END,
	};
	struct pkce_grant p = { 0 };
	struct pkce_by_code flow;
	struct tokens t = { 0 };

	TRY(params_read(r, fields, &p));
	if (str_empty(p.auth_code) || str_empty(p.code_verifier))
		return (fail(r, E_VALIDATION_FAILED, "invalid request: both auth code and code verifier should be non-empty"));
	TRY(pkce_find(r, p.auth_code, p.code_verifier, &flow));
	if (flow.user.banned)
		return (fail(r, E_USER_BANNED, NULL));
	TRY(user_hold(r->db, .id = flow.user.id));
	TRY(pkce_spend(r, &flow));
	TRY(audit(r, &flow.user, AUDIT_LOGIN, json_pairs(r->arena, "provider_type", flow.provider, NULL)));
	t.extra = provider_tokens(r->arena, &flow);
	TRY(session_start(r, &flow.user, &(const struct session_origin){ .method = flow.method }, &t));
	return (reply_tokens(r, &t));
}

/* POST /token */
err
token_post(struct request *r)
{
	static const struct {
		const char *name;
		checked err (*grant)(struct request *);
	} grants[] = {
		{ "password", grant_password },
		{ "refresh_token", grant_refresh_token },
		{ "pkce", grant_pkce },
		{ "id_token", grant_id_token },
	};
	const char *type = request_form_value(r, "grant_type");

	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		if (strcmp(type, grants[i].name) == 0) {
			TRY(limit_take(r, &limit_token));
			return (grants[i].grant(r));
		}
	return (fail(r, E_INVALID_CREDENTIALS, "unsupported_grant_type"));
}
