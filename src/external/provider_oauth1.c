/* SPDX-License-Identifier: Apache-2.0 */
/* OAuth 1.0a (RFC 5849) as Twitter still speaks it: every call is signed, and a request token comes before the user does. */
#include <string.h>

#include "base/buf.h"
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
call_sign(const struct exchange *x, struct oauth1_call *c)
{
	struct arena *a = x->r->arena;
	const char *key = arena_printf(a, "%s&%s", percent_encode(a, x->p->secret), percent_encode(a, str_or(c->token_secret, "")));
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
call_prepare(const struct exchange *x, struct oauth1_call *c, const char *method, const char *url)
{
	struct arena *a = x->r->arena;

	*c = (struct oauth1_call){ .method = method, .url = url, .oauth = query_new(a), .query = query_new(a) };
	query_set(&c->oauth, "oauth_consumer_key", x->p->client_id);
	query_set(&c->oauth, "oauth_nonce", secret_alphanumeric(a, 32));
	query_set(&c->oauth, "oauth_signature_method", "HMAC-SHA1");
	query_set(&c->oauth, "oauth_timestamp", arena_printf(a, "%lld", (long long)(x->r->now / 1000000)));
	query_set(&c->oauth, "oauth_version", "1.0");
}

static err
call_make(struct exchange *x, struct oauth1_call *c, struct http_answer *answer)
{
	struct arena *a = x->r->arena;
	const char *headers[] = { "Authorization", NULL, NULL };
	struct http_call call = { .trust = x->p->trust, .method = c->method, .headers = headers, .url = c->url };

	call_sign(x, c);
	headers[1] = call_header(a, c);
	if (c->query.len > 0)
		call.url = arena_printf(a, "%s?%s", c->url, query_text(&c->query));
	if (strcmp(c->method, "POST") == 0)
		call.body = "";
	if (http_do(a, &call, answer) != HTTP_ANSWERED)
		return (fail_outside(x->r, "%s", answer->why));
	if (answer->status < 200 || answer->status > 299)
		return (fail_outside(x->r, "%s answered %d", c->url, answer->status));
	return (OK);
}

static err
token_get(struct exchange *x, struct oauth1_call *c, struct oauth1_token *t, struct query *form)
{
	struct http_answer answer;

	TRY(call_make(x, c, &answer));
	*form = query_parse(x->r->arena, answer.body);
	*t = (struct oauth1_token){ query_get(form, "oauth_token"), query_get(form, "oauth_token_secret") };
	if (str_empty(t->token) || t->secret == NULL)
		return (fail_outside(x->r, "%s gave no token", c->url));
	return (OK);
}

static err
request_token_get(struct exchange *x, struct oauth1_call *c, struct oauth1_token *t, struct query *form)
{
	TRY(token_get(x, c, t, form));
	if (!str_equal(query_get(form, "oauth_callback_confirmed"), "true"))
		return (fail_outside(x->r, "it did not confirm the callback"));
	return (OK);
}

/* The state travels in the callback's URL; nothing else of the client's does. */
static err
oauth1_begin(struct exchange *x, const char *state, const char **url)
{
	struct arena *a = x->r->arena;
	struct oauth1_call c;
	struct oauth1_token t;
	struct query form;

	call_prepare(x, &c, "POST", provider_url(a, x->p->row, x->p->row->request_token));
	query_set(&c.oauth, "oauth_callback", arena_printf(a, "%s?state=%s", x->p->redirect_uri, state));
	TRY_OUTSIDE(request_token_get(x, &c, &t, &form), exchange_failed(x, "Unable to retrieve request token"));
	*url = arena_printf(a, "%s?oauth_token=%s", x->p->authorize, url_escape(a, t.token));
	return (OK);
}

static err
user_data_get(struct exchange *x, const struct oauth1_token *t)
{
	struct http_answer answer;
	struct oauth1_call c;
	const char *why = NULL;

	call_prepare(x, &c, "GET", x->p->userinfo);
	query_set(&c.oauth, "oauth_token", t->token);
	query_set(&c.query, "include_email", "true");
	query_set(&c.query, "include_entities", "false");
	query_set(&c.query, "skip_status", "true");
	c.token_secret = t->secret;
	TRY(call_make(x, &c, &answer));
	x->userinfo = json_parse(x->r->arena, answer.body, answer.len, &why);
	return (x->userinfo != NULL ? provider_map(x) : fail_outside(x->r, "%s", str_or(why, "the user data are null")));
}

/* The request token's secret was not kept: its part of the key is empty, as with the reference. */
static err
oauth1_end(struct exchange *x)
{
	struct oauth1_call c;
	struct oauth1_token t;
	struct query form;

	call_prepare(x, &c, "POST", x->p->token);
	query_set(&c.oauth, "oauth_token", str_or(query_get(x->callback, "oauth_token"), ""));
	query_set(&c.oauth, "oauth_verifier", str_or(query_get(x->callback, "oauth_verifier"), ""));
	TRY_OUTSIDE(token_get(x, &c, &t, &form), exchange_failed(x, "Unable to retrieve access token"));
	TRY_OUTSIDE(user_data_get(x, &t), exchange_failed(x, "Error getting user email from external provider"));
	x->token.access = t.token;
	return (OK);
}

const struct provider_protocol protocol_oauth1 = { oauth1_begin, oauth1_end };
