/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "external/id_token.h"
#include "external/provider_exchange.h"
#include "external/provider_row.h"

#define TOKEN_ANSWER_MAX ((size_t)1 << 20)
#define CODE_SHOWN 4

/* --- The way there --- */

/* What the client sent goes along, but for what is ours to say. */
static void
params_from_client(struct arena *a, struct query *params, const struct query *client)
{
	static const char *const ours[] = { "client_id", "client_secret", "redirect_uri", "response_type", "state", "code_challenge",
		"code_challenge_method", "code_verifier" };

	for (size_t i = client->len; i-- > 0;) { /* the first of several is set last */
		const char *name = client->pair[i].name, *lower = str_lower(a, name);
		bool kept = strcmp(name, "scopes") != 0 && strcmp(name, "provider") != 0;

		for (size_t n = 0; kept && n < sizeof(ours) / sizeof(ours[0]); n++)
			kept = strcmp(lower, ours[n]) != 0;
		if (kept && strcmp(name, "workos_provider") != 0)
			query_set(params, name, client->pair[i].value);
	}
	if (query_get(client, "workos_provider") != NULL)
		query_set(params, "provider", query_get(client, "workos_provider"));
}

static bool
param_from_row(void *params, const char *key, json *value)
{
	if (json_string(value) != NULL)
		query_set(params, key, json_string(value));
	return (true);
}

static struct query
authorize_params(struct request *r, const struct provider *p, const struct provider_authorize *b)
{
	struct query params = query_new(r->arena);

	query_set(&params, "response_type", "code");
	query_set(&params, "client_id", p->client_id);
	query_set(&params, "redirect_uri", p->redirect_uri);
	if (!str_empty(p->scopes))
		query_set(&params, "scope", p->scopes);
	query_set(&params, "state", b->state);
	params_from_client(r->arena, &params, b->client);
	if (b->challenge != NULL) {
		query_set(&params, "code_challenge_method", "S256");
		query_set(&params, "code_challenge", b->challenge);
	}
	if (p->authorization_params != NULL)
		json_each(p->authorization_params, param_from_row, &params);
	return (params);
}

err
provider_authorize_url(struct request *r, const struct provider *p, const struct provider_authorize *b, const char **url)
{
	struct query params = authorize_params(r, p, b);
	struct exchange x = { .r = r, .p = p, .params = &params, .client = b->client };

	if (p->row != NULL && p->row->protocol != NULL)
		return (p->row->protocol->begin(&x, b->state, url));
	if (p->row != NULL && p->row->at_authorize != NULL)
		(void)p->row->at_authorize(&x);
	*url = arena_printf(r->arena, "%s%c%s", p->authorize, strchr(p->authorize, '?') == NULL ? '?' : '&', query_text(&params));
	return (OK);
}

/* --- The way back --- */

/* RFC 9207: whose answer this is, before anything is told to anybody. */
static err
callback_check_issuer(struct request *r, const struct provider *p, const struct query *callback)
{
	const char *iss = query_get(callback, "iss");

	if (str_empty(p->issuer) || (str_empty(iss) && !p->names_itself))
		return (OK);
	if (id_token_issuer_fits(p, iss))
		return (OK);
	return (fail(r, E_BAD_OAUTH_CALLBACK, "OAuth callback with an issuer that is not the provider's"));
}

err
provider_check_callback(struct request *r, const struct provider *p, const struct query *callback)
{
	if (p->row != NULL && p->row->protocol != NULL)
		return (OK);
	return (callback_check_issuer(r, p, callback));
}

static const char *
form_get(const struct query *form, const char *name)
{
	return (str_or(query_get(form, name), ""));
}

static const char *
answer_text(const json *answer, const char *name)
{
	return (str_or(json_string(json_get_nocase(answer, name)), ""));
}

static bool
type_is(const char *type, const char *wanted)
{
	size_t len = strcspn(str_or(type, ""), "; ");

	return (len == strlen(wanted) && strncasecmp(type, wanted, len) == 0);
}

/* JSON, or a form as GitHub sends it. */
static bool
token_read(struct exchange *x, const struct http_answer *answer)
{
	struct provider_token *t = &x->token;
	struct query form;
	const char *error;

	if (type_is(answer->type, "application/x-www-form-urlencoded") || type_is(answer->type, "text/plain")) {
		form = query_parse(x->r->arena, answer->body);
		*t = (struct provider_token){ .access = form_get(&form, "access_token"),
			.refresh = form_get(&form, "refresh_token"),
			.id_token = query_get(&form, "id_token") };
		error = form_get(&form, "error");
	} else {
		t->answer = json_parse(x->r->arena, answer->body, answer->len, &x->why);
		if (json_kind(t->answer) != JSON_OBJECT)
			return (false);
		t->access = answer_text(t->answer, "access_token");
		t->refresh = answer_text(t->answer, "refresh_token");
		t->id_token = json_string(json_get(t->answer, "id_token"));
		error = answer_text(t->answer, "error");
	}
	if (*error != '\0' || *t->access == '\0')
		x->why = arena_printf(x->r->arena, "the token endpoint gave no token (%s)", str_or(error, "it names no error"));
	return (*error == '\0' && *t->access != '\0');
}

/* in_body: where the client's secret goes. */
static bool
token_ask(struct exchange *x, bool in_body, int64_t timeout_ns)
{
	static const char *const headers[] = { "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json", NULL };
	struct arena *a = x->r->arena;
	struct query form = query_new(a);
	struct http_call call = {
		.trust = x->p->trust, .url = x->p->token, .headers = headers, .max_bytes = TOKEN_ANSWER_MAX, .timeout_ns = timeout_ns
	};
	struct http_answer answer;

	for (size_t i = 0; i < x->params->len; i++)
		query_set(&form, x->params->pair[i].name, x->params->pair[i].value);
	if (in_body) {
		query_set(&form, "client_id", x->p->client_id);
		if (!str_empty(x->p->secret))
			query_set(&form, "client_secret", x->p->secret);
	} else {
		call.user = url_escape(a, x->p->client_id);
		call.password = url_escape(a, str_or(x->p->secret, ""));
	}
	call.body = query_text(&form);
	x->why = NULL;
	if (http_do(a, &call, &answer) != HTTP_ANSWERED)
		x->why = answer.why;
	else if (answer.status < 200 || answer.status > 299)
		x->why = arena_printf(a, "the token endpoint answered %d", answer.status);
	return (x->why == NULL && token_read(x, &answer));
}

/* As golang.org/x/oauth2, which does not know either what a provider takes; both tries have one time limit. */
static bool
token_exchange(struct exchange *x)
{
	const struct provider_row *row = x->p->row;
	uint64_t begun = clock_mono_ns();
	int64_t limit = cfg->gotrue_internal_http_timeout, left;

	if (row != NULL && row->secret_in_body)
		return (token_ask(x, true, limit));
	if (token_ask(x, false, limit))
		return (true);
	left = limit - (int64_t)(clock_mono_ns() - begun);
	return (left > 0 && token_ask(x, true, left));
}

static struct query
token_params(struct request *r, const struct provider *p, const char *code, const char *verifier)
{
	struct query params = query_new(r->arena);

	query_set(&params, "grant_type", "authorization_code");
	query_set(&params, "code", code);
	if (!str_empty(p->redirect_uri))
		query_set(&params, "redirect_uri", p->redirect_uri);
	if (verifier != NULL)
		query_set(&params, "code_verifier", verifier);
	return (params);
}

bool
exchange_get(struct exchange *x, const char *url, json **answer)
{
	struct arena *a = x->r->arena;
	struct http_answer http;

	x->headers[0] = "Authorization";
	x->headers[1] = arena_printf(a, "Bearer %s", x->token.access);
	x->call = (struct http_call){ .trust = x->p->trust, .url = url, .headers = x->headers };
	if (x->p->row != NULL && x->p->row->at_userinfo != NULL && !x->p->row->at_userinfo(x))
		return (false);
	if (http_do(a, &x->call, &http) != HTTP_ANSWERED)
		x->why = http.why;
	else if (http.status < 200 || http.status > 299)
		x->why = arena_printf(a, "the user data were refused with %d", http.status);
	else
		*answer = json_parse(a, http.body, http.len, &x->why);
	return (x->why == NULL);
}

static bool
profile_from_userinfo(struct exchange *x)
{
	return (exchange_get(x, x->p->userinfo, &x->userinfo) && provider_map(x));
}

static err
profile_of_row(struct exchange *x)
{
	bool has_id_token = x->token.id_token != NULL;

	switch (x->p->row->who) {
	case WHO_TOKEN_ANSWER:
		x->userinfo = x->token.answer;
		(void)provider_map(x);
		return (OK);
	case WHO_ID_TOKEN_OR_USERINFO:
	case WHO_ID_TOKEN_OR_NOBODY:
	case WHO_ID_TOKEN:
		if (has_id_token)
			return (id_token_profile(x));
		if (x->p->row->who == WHO_ID_TOKEN)
			x->why = "the token answer has no identity token";
		if (x->p->row->who != WHO_ID_TOKEN_OR_USERINFO)
			return (OK);
		/* fall through */
	case WHO_USERINFO:
		(void)profile_from_userinfo(x);
	}
	return (OK);
}

static void
custom_from_userinfo(struct exchange *x)
{
	if (str_empty(x->p->userinfo)) {
		x->why = "no ID token or userinfo endpoint available";
		return;
	}
	if (!exchange_get(x, x->p->userinfo, &x->userinfo))
		return;
	if (!profile_read(&x->profile, x->userinfo)) {
		x->why = "the user data are not what OpenID Connect says";
		return;
	}
	custom_provider_map(x->r->arena, x->p, x->userinfo, &x->profile);
	if (*profile_text(&x->profile, "email") != '\0')
		profile_add_email(&x->profile, profile_text(&x->profile, "email"),
		    str_equal(query_get(&x->profile.claims, "email_verified"), "true"), true);
}

static err
profile_of_custom(struct exchange *x)
{
	if (str_empty(x->p->issuer) || str_empty(x->token.id_token)) {
		custom_from_userinfo(x);
		return (OK);
	}
	TRY(id_token_profile(x));
	if (x->why == NULL)
		custom_provider_map(x->r->arena, x->p, x->userinfo, &x->profile);
	return (OK);
}

static err
exchange_failed(struct exchange *x, err error)
{
	x->r->failure.cause = x->why;
	log_event(LOG_WARN, "signing in through a provider failed", "provider", x->p->name, "error", x->why, NULL);
	return (error);
}

static err
code_exchange(struct exchange *x, const char *code)
{
	if (x->p->row != NULL && x->p->row->at_token != NULL)
		(void)x->p->row->at_token(x);
	if (token_exchange(x))
		return (OK);
	return (exchange_failed(x, fail(x->r, E_UNEXPECTED_FAILURE, "Unable to exchange external code: %.*s", CODE_SHOWN, code)));
}

err
provider_exchange(struct request *r, const struct provider *p, const struct query *callback, const char *verifier,
    struct provider_result *result)
{
	const char *code = str_or(query_get(callback, "code"), "");
	struct query params = token_params(r, p, code, verifier);
	struct exchange x = {
		.r = r, .p = p, .params = &params, .callback = callback, .issuer = p->issuer, .profile = profile_new(r->arena)
	};

	if (p->row != NULL && p->row->protocol != NULL) {
		TRY(p->row->protocol->end(&x));
	} else {
		TRY(code_exchange(&x, code));
		TRY(p->row != NULL ? profile_of_row(&x) : profile_of_custom(&x));
		if (x.why == NULL && p->row != NULL && p->row->at_end != NULL)
			(void)p->row->at_end(&x);
		if (x.why != NULL)
			return (exchange_failed(&x, fail(r, E_UNEXPECTED_FAILURE, "Error getting user profile from external provider")));
	}
	*result = (struct provider_result){ .profile = x.profile, .access = x.token.access, .refresh = str_or(x.token.refresh, "") };
	return (OK);
}
