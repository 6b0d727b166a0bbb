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
		TRY(p->row->at_authorize(&x));
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
static err
token_read(struct exchange *x, const struct http_answer *answer)
{
	struct provider_token *t = &x->token;
	struct query form;
	const char *error, *why = NULL;

	if (type_is(answer->type, "application/x-www-form-urlencoded") || type_is(answer->type, "text/plain")) {
		form = query_parse(x->r->arena, answer->body);
		*t = (struct provider_token){ .access = form_get(&form, "access_token"),
			.refresh = form_get(&form, "refresh_token"),
			.id_token = query_get(&form, "id_token") };
		error = form_get(&form, "error");
	} else {
		t->answer = json_parse(x->r->arena, answer->body, answer->len, &why);
		if (json_kind(t->answer) != JSON_OBJECT)
			return (fail_outside(x->r, "%s", str_or(why, "the token endpoint's answer is not an object")));
		t->access = answer_text(t->answer, "access_token");
		t->refresh = answer_text(t->answer, "refresh_token");
		t->id_token = json_string(json_get(t->answer, "id_token"));
		error = answer_text(t->answer, "error");
	}
	if (*error != '\0' || *t->access == '\0')
		return (fail_outside(x->r, "the token endpoint gave no token (%s)", str_or(error, "it names no error")));
	return (OK);
}

/* in_body: where the client's secret goes. */
static err
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
	if (http_do(a, &call, &answer) != HTTP_ANSWERED)
		return (fail_outside(x->r, "%s", answer.why));
	if (answer.status < 200 || answer.status > 299)
		return (fail_outside(x->r, "the token endpoint answered %d", answer.status));
	return (token_read(x, &answer));
}

/* As golang.org/x/oauth2, which does not know either what a provider takes; both tries have one time limit. */
static err
token_exchange(struct exchange *x)
{
	const struct provider_row *row = x->p->row;
	uint64_t begun = clock_mono_ns();
	int64_t limit = cfg->gotrue_internal_http_timeout, left;
	err error;

	if (row != NULL && row->secret_in_body)
		return (token_ask(x, true, limit));
	error = token_ask(x, false, limit);
	left = limit - (int64_t)(clock_mono_ns() - begun);
	if (error != E_OUTSIDE || left <= 0)
		return (error);
	x->r->failure = (struct failure){ 0 };
	return (token_ask(x, true, left));
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

err
exchange_get(struct exchange *x, const char *url, json **answer)
{
	struct arena *a = x->r->arena;
	struct http_answer http;
	const char *why = NULL;

	x->headers[0] = "Authorization";
	x->headers[1] = arena_printf(a, "Bearer %s", x->token.access);
	x->call = (struct http_call){ .trust = x->p->trust, .url = url, .headers = x->headers };
	if (x->p->row != NULL && x->p->row->at_userinfo != NULL)
		TRY(x->p->row->at_userinfo(x));
	if (http_do(a, &x->call, &http) != HTTP_ANSWERED)
		return (fail_outside(x->r, "%s", http.why));
	if (http.status < 200 || http.status > 299)
		return (fail_outside(x->r, "the user data were refused with %d", http.status));
	*answer = json_parse(a, http.body, http.len, &why);
	return (why == NULL ? OK : fail_outside(x->r, "%s", why));
}

static err
profile_from_userinfo(struct exchange *x)
{
	TRY(exchange_get(x, x->p->userinfo, &x->userinfo));
	return (provider_map(x));
}

static err
profile_of_row(struct exchange *x)
{
	enum provider_who who = x->p->row->who;

	switch (who) {
	case WHO_TOKEN_ANSWER:
		x->userinfo = x->token.answer;
		return (provider_map(x));
	case WHO_ID_TOKEN_OR_USERINFO:
	case WHO_ID_TOKEN_OR_NOBODY:
	case WHO_ID_TOKEN:
		if (x->token.id_token != NULL)
			return (id_token_profile(x));
		if (who == WHO_ID_TOKEN)
			return (fail_outside(x->r, "the token answer has no identity token"));
		if (who == WHO_ID_TOKEN_OR_NOBODY)
			return (OK);
		/* fall through */
	case WHO_USERINFO:
		return (profile_from_userinfo(x));
	}
	return (OK);
}

static err
custom_from_userinfo(struct exchange *x)
{
	if (str_empty(x->p->userinfo))
		return (fail_outside(x->r, "no ID token or userinfo endpoint available"));
	TRY(exchange_get(x, x->p->userinfo, &x->userinfo));
	if (!profile_read(&x->profile, x->userinfo))
		return (fail_outside(x->r, "the user data are not what OpenID Connect says"));
	custom_provider_map(x->r->arena, x->p, x->userinfo, &x->profile);
	if (*profile_text(&x->profile, "email") != '\0')
		profile_add_email(&x->profile, profile_text(&x->profile, "email"),
		    str_equal(query_get(&x->profile.claims, "email_verified"), "true"), true);
	return (OK);
}

static err
profile_of_custom(struct exchange *x)
{
	if (str_empty(x->p->issuer) || str_empty(x->token.id_token))
		return (custom_from_userinfo(x));
	TRY(id_token_profile(x));
	custom_provider_map(x->r->arena, x->p, x->userinfo, &x->profile);
	return (OK);
}

static err
profile_get(struct exchange *x)
{
	const struct provider_row *row = x->p->row;

	if (row == NULL)
		return (profile_of_custom(x));
	TRY(profile_of_row(x));
	return (row->at_end != NULL ? row->at_end(x) : OK);
}

err
exchange_failed(struct exchange *x, const char *words)
{
	log_event(LOG_WARN, "signing in through a provider failed", "provider", x->p->name, "error", x->r->failure.cause, NULL);
	return (fail(x->r, E_UNEXPECTED_FAILURE, "%s", words));
}

static err
code_exchange(struct exchange *x, const char *code)
{
	if (x->p->row != NULL && x->p->row->at_token != NULL)
		TRY(x->p->row->at_token(x));
	TRY_OUTSIDE(token_exchange(x),
	    exchange_failed(x, arena_printf(x->r->arena, "Unable to exchange external code: %.*s", CODE_SHOWN, code)));
	return (OK);
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
		TRY_OUTSIDE(profile_get(&x), exchange_failed(&x, "Error getting user profile from external provider"));
	}
	*result = (struct provider_result){ .profile = x.profile, .access = x.token.access, .refresh = str_or(x.token.refresh, "") };
	return (OK);
}
