/* SPDX-License-Identifier: Apache-2.0 */
/* OAuth 1.0a (RFC 5849) as Twitter still speaks it: every call is signed, and a request token comes before the user does. */
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "external/provider_row.h"
#include "sec/secret.h"

#define SHA1_LEN 20

/* A token and its secret, of any kind. */
struct oauth1_token {
	const char *token, *secret;
};

struct oauth1_call {
	const char *method, *url;
	struct query oauth; /* its parameters oauth_* */
	struct query query; /* of the URL */
	const char *token_secret;
};

/* RFC 5849, 3.6: a blank is %20. */
static char *
percent_encode(struct arena *a, const char *text)
{
	return (str_replace(a, url_escape(a, text), "+", "%20"));
}

/* Names here are plain, so that the order of the encoded pairs is the order of the names. */
static char *
signature_base(struct arena *a, const struct oauth1_call *c)
{
	struct query all = query_new(a);
	struct buf b = buf_new(a);

	for (size_t i = 0; i < c->oauth.len; i++)
		query_add(&all, c->oauth.pair[i].name, c->oauth.pair[i].value);
	for (size_t i = 0; i < c->query.len; i++)
		query_add(&all, c->query.pair[i].name, c->query.pair[i].value);
	buf_printf(&b, "%s&%s&", c->method, percent_encode(a, c->url));
	buf_puts(&b, percent_encode(a, str_replace(a, query_text(&all), "+", "%20")));
	return (b.data);
}

static void
call_sign(const struct visit *v, struct oauth1_call *c)
{
	struct arena *a = v->r->arena;
	const char *key = arena_printf(a, "%s&%s", percent_encode(a, v->p->secret), percent_encode(a, str_or(c->token_secret, "")));
	const char *base = signature_base(a, c);
	unsigned char mac[SHA1_LEN];

	hmac_sha1(key, strlen(key), base, strlen(base), mac);
	query_set(&c->oauth, "oauth_signature", base64_encode(a, mac, sizeof(mac)));
}

static char *
call_header(struct arena *a, const struct oauth1_call *c)
{
	struct buf b = buf_new(a);

	for (size_t i = 0; i < c->oauth.len; i++)
		buf_printf(&b, "%s%s=\"%s\"", i == 0 ? "OAuth " : ", ", c->oauth.pair[i].name, percent_encode(a, c->oauth.pair[i].value));
	return (b.data);
}

static void
call_prepare(const struct visit *v, struct oauth1_call *c, const char *method, const char *url)
{
	struct arena *a = v->r->arena;

	*c = (struct oauth1_call){ .method = method, .url = url, .oauth = query_new(a), .query = query_new(a) };
	query_set(&c->oauth, "oauth_consumer_key", v->p->client_id);
	query_set(&c->oauth, "oauth_nonce", secret_alphanumeric(a, 32));
	query_set(&c->oauth, "oauth_signature_method", "HMAC-SHA1");
	query_set(&c->oauth, "oauth_timestamp", arena_printf(a, "%lld", (long long)(v->r->now / 1000000)));
	query_set(&c->oauth, "oauth_version", "1.0");
}

static bool
call_make(struct visit *v, struct oauth1_call *c, struct http_answer *answer)
{
	struct arena *a = v->r->arena;
	const char *headers[] = { "Authorization", NULL, NULL };
	struct http_call call = { .trust = v->p->trust, .method = c->method, .headers = headers, .url = c->url };

	call_sign(v, c);
	headers[1] = call_header(a, c);
	if (c->query.len > 0)
		call.url = arena_printf(a, "%s?%s", c->url, query_text(&c->query));
	if (strcmp(c->method, "POST") == 0)
		call.body = "";
	if (http_do(a, &call, answer) != HTTP_ANSWERED)
		v->why = answer->why;
	else if (answer->status < 200 || answer->status > 299)
		v->why = arena_printf(a, "%s answered %d", c->url, answer->status);
	return (v->why == NULL);
}

static bool
token_get(struct visit *v, struct oauth1_call *c, struct oauth1_token *t, struct query *form)
{
	struct http_answer answer;

	if (!call_make(v, c, &answer))
		return (false);
	*form = query_parse(v->r->arena, answer.body);
	*t = (struct oauth1_token){ query_get(form, "oauth_token"), query_get(form, "oauth_token_secret") };
	if (str_empty(t->token) || t->secret == NULL)
		v->why = arena_printf(v->r->arena, "%s gave no token", c->url);
	return (v->why == NULL);
}

static err
oauth1_failed(struct visit *v, const char *words)
{
	v->r->failure.cause = v->why;
	log_event(LOG_WARN, "signing in through a provider failed", "provider", v->p->name, "error", v->why, NULL);
	return (fail(v->r, E_UNEXPECTED_FAILURE, "%s", words));
}

/* The state travels in the callback's URL; nothing else of the client's does. */
static err
oauth1_begin(struct visit *v, const char *state, const char **url)
{
	struct arena *a = v->r->arena;
	struct oauth1_call c;
	struct oauth1_token t;
	struct query form;

	call_prepare(v, &c, "POST", provider_url(a, v->p->row, v->p->row->request_token));
	query_set(&c.oauth, "oauth_callback", arena_printf(a, "%s?state=%s", v->p->redirect_uri, state));
	if (token_get(v, &c, &t, &form) && !str_equal(query_get(&form, "oauth_callback_confirmed"), "true"))
		v->why = "it did not confirm the callback";
	if (v->why != NULL)
		return (oauth1_failed(v, "Unable to retrieve request token"));
	*url = arena_printf(a, "%s?oauth_token=%s", v->p->authorize, url_escape(a, t.token));
	return (OK);
}

static bool
user_data_get(struct visit *v, const struct oauth1_token *t)
{
	struct http_answer answer;
	struct oauth1_call c;

	call_prepare(v, &c, "GET", v->p->userinfo);
	query_set(&c.oauth, "oauth_token", t->token);
	query_set(&c.query, "include_email", "true");
	query_set(&c.query, "include_entities", "false");
	query_set(&c.query, "skip_status", "true");
	c.token_secret = t->secret;
	if (!call_make(v, &c, &answer))
		return (false);
	v->said = json_parse(v->r->arena, answer.body, answer.len, &v->why);
	return (v->said != NULL && provider_map(v));
}

/* The request token's secret was not kept: its part of the key is empty, as with the reference. */
static err
oauth1_end(struct visit *v)
{
	struct oauth1_call c;
	struct oauth1_token t;
	struct query form;

	call_prepare(v, &c, "POST", v->p->token);
	query_set(&c.oauth, "oauth_token", str_or(query_get(v->callback, "oauth_token"), ""));
	query_set(&c.oauth, "oauth_verifier", str_or(query_get(v->callback, "oauth_verifier"), ""));
	if (!token_get(v, &c, &t, &form))
		return (oauth1_failed(v, "Unable to retrieve access token"));
	if (!user_data_get(v, &t))
		return (oauth1_failed(v, "Error getting user email from external provider"));
	v->token.access = t.token;
	return (OK);
}

const struct provider_flow flow_oauth1 = { oauth1_begin, oauth1_end };
