/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in through a provider: GET /authorize sends people there, /callback is where they come back. */
#include <string.h>

#include "api/api.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/hook.h"
#include "core/redirect.h"
#include "db/db.h"
#include "external/external_state.h"
#include "external/provider_exchange.h"

/* GET /authorize */
err
authorize_get(struct request *r)
{
	const char *url;

	TRY(external_state_begin(r, NULL, &url));
	return (reply_redirect(r, 302, url));
}

/* GET /user/identities/authorize */
err
identity_authorize_get(struct request *r)
{
	const char *url, *quiet = query_get(&r->query, "skip_http_redirect");

	TRY(external_state_begin(r, r->user->id, &url));
	if (str_equal(quiet, "true"))
		return (reply_json(r, 200, json_pairs(r->arena, "url", url, NULL)));
	return (reply_redirect(r, 302, url));
}

/* What the provider sent along: a POST's form comes before the query, as Apple's form_post has it. */
static struct query
callback_params(struct request *r)
{
	struct query all = query_new(r->arena);

	if (str_equal(r->method, "POST"))
		for (size_t i = 0; i < r->form.len; i++)
			query_add(&all, r->form.pair[i].name, r->form.pair[i].value);
	for (size_t i = 0; i < r->query.len; i++)
		query_add(&all, r->query.pair[i].name, r->query.pair[i].value);
	return (all);
}

/* The provider says no, or it is no answer of it. */
static err
callback_check(struct request *r, const struct query *callback, bool oauth1)
{
	const char *error = query_get(callback, "error");

	if (oauth1)
		return (OK);
	if (!str_empty(error))
		return (fail_oauth(r, error, str_or(query_get(callback, "error_description"), "")));
	if (str_empty(query_get(callback, "code")))
		return (fail(r, E_BAD_OAUTH_CALLBACK, "OAuth callback with missing authorization code missing"));
	return (OK);
}

/* Asks the provider. */
static err
callback_ask(struct request *r, const struct external_state_by_id *state, struct provider_result *result)
{
	struct query callback = callback_params(r);
	struct provider provider;
	const char *verifier;

	TRY(callback_check(r, &callback, provider_speaks_oauth1(state->provider)));
	TRY_OUTSIDE(provider_find(r, state->provider, "", &provider),
	    fail(r, E_OAUTH_PROVIDER_NOT_SUPPORTED, "Unsupported provider: %s", r->failure.message));
	TRY(provider_check_callback(r, &provider, &callback));
	TRY(external_state_verifier(r, state, &provider, &verifier));
	TRY(provider_exchange(r, &provider, &callback, verifier, result));
	if (result->profile.emails == 0 && !state->email_optional)
		return (fail(r, E_UNEXPECTED_FAILURE, "Error getting user email from external provider"));
	return (OK);
}

static err
callback_reply(struct request *r, const struct provider_result *result, const struct signed_in *out, const char *to)
{
	struct query extra = query_new(r->arena);

	if (!str_empty(r->state->challenge))
		return (reply_redirect(r, 302, redirect_with(r->arena, to, "code", r->state->auth_code)));
	query_set(&extra, "provider_token", result->access);
	if (!str_empty(result->refresh))
		query_set(&extra, "provider_refresh_token", result->refresh);
	return (reply_redirect(r, 302, tokens_redirect(r, &out->tokens, to, &extra)));
}

/*
 * As the reference, which hands some errors on as they are, without a code: a profile that names nobody, what a trigger says of a known
 * user, and whatever goes wrong with the session.
 */
static err
callback_error(struct request *r, const struct profile *profile, const struct signed_in *out, err error)
{
	const struct failure *f = &r->failure;
	int status;

	if (error == OK || error == E_UNAVAILABLE)
		return (error);
	failure_complete(r, error);
	if (out->issuing)
		return (external_state_fail(r, 500, arena_printf(r->arena, "%d: %s", f->status, f->message)));
	if (*profile_text(profile, "sub") == '\0')
		return (external_state_fail(r, 500, f->message));
	status = error == E_DATABASE && !out->created ? sqlstate_status(db_error(r->db)->sqlstate) : 0;
	return (status == 0 ? error : external_state_fail(r, status, db_error(r->db)->message));
}

static err
callback_run(struct request *r, const struct external_state_by_id *state, const char *to)
{
	struct provider_result result;
	struct ticket ticket;
	struct signed_in out;
	struct sign_in in = { .provider = state->provider,
		.method = "oauth",
		.profile = &result.profile,
		.email_optional = state->email_optional,
		.target_id = state->target_id,
		.invite = state->invite_token,
		.ticket = &ticket };

	TRY(callback_ask(r, state, &result));
	ticket = external_state_ticket(r, state, result.access, result.refresh);
	TRY(callback_error(r, in.profile, &out, sign_in(r, &in, &out)));
	if (in.target_id == NULL && str_empty(in.invite)) /* the reference tells of each sign-in here, not only of new users */
		TRY(hook_after_user_created(r, out.tokens.user_json != NULL ? out.tokens.user_json : user_text(r->arena, &out.user)));
	return (callback_reply(r, &result, &out, to));
}

static const char *
callback_target(const struct external_state_by_id *state)
{
	return (str_or(cfg->gotrue_external_redirecturl, str_or(state->referrer, cfg->gotrue_site_url)));
}

/* GET and POST /callback */
err
callback_any(struct request *r)
{
	const char *to = callback_target(r->state);

	redirect_errors(r, &(const struct error_redirect){ .status = 302, .url = to, .query = true, .fragment = true, .always = true });
	return (callback_run(r, r->state, to));
}
