/* SPDX-License-Identifier: Apache-2.0 */
#include "external/custom_discovery.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "external/custom_url.h"
#include "net/http.h"

#define FETCH_NS 10000000000LL
#define FETCH_REDIRECTS 10

/* What of a document is kept, in order; what is needed is kept even when it is empty. */
static const struct member {
	const char *name;
	bool list, needed;
} members[] = {
	{ "issuer", false, true },
	{ "authorization_endpoint", false, true },
	{ "token_endpoint", false, true },
	{ "userinfo_endpoint", false, false },
	{ "jwks_uri", false, true },
	{ "scopes_supported", true, false },
	{ "response_types_supported", true, false },
	{ "grant_types_supported", true, false },
	{ "subject_types_supported", true, false },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static bool
is_text(const json *value)
{
	return (json_kind(value) == JSON_NULL || json_kind(value) == JSON_STRING);
}

static bool
member_fits(const struct member *m, const json *value)
{
	if (!m->list || json_kind(value) == JSON_NULL)
		return (is_text(value));
	for (size_t i = 0; i < json_len(value); i++)
		if (!is_text(json_at(value, i)))
			return (false);
	return (json_kind(value) == JSON_ARRAY);
}

/* The document, or NULL when it is none. */
static json *
document_read(struct arena *a, const struct http_answer *answer)
{
	json *doc = json_parse(a, answer->body, answer->len, NULL);

	if (doc == NULL || (json_kind(doc) != JSON_OBJECT && json_kind(doc) != JSON_NULL))
		return (NULL);
	for (size_t i = 0; i < MEMBERS; i++)
		if (!member_fits(&members[i], json_get_nocase(doc, members[i].name)))
			return (NULL);
	return (doc);
}

/* NULL with the document in *doc, or what went wrong. */
static const char *
document_fetch(struct request *r, const char *url, json **doc)
{
	static const char *const headers[] = { "Accept", "application/json", NULL };
	const struct http_call call = { .url = url, .headers = headers, .timeout_ns = FETCH_NS, .redirects = FETCH_REDIRECTS };
	const char *refused = custom_url_refusal(r->arena, url);
	struct http_answer answer;
	enum http_result result;

	if (refused != NULL)
		return (arena_printf(r->arena, "oidc: discovery request to %s failed: 400: %s", url, refused));
	result = http_do(r->arena, &call, &answer);
	r->failure.cause = answer.why;
	if (result != HTTP_ANSWERED && result != HTTP_TOO_BIG)
		return (arena_printf(r->arena, "oidc: discovery request to %s failed: 500: Failed to fetch URL", url));
	if (answer.status != 200)
		return (arena_printf(r->arena, "oidc: discovery request to %s returned %s", url, answer.line));
	*doc = result == HTTP_ANSWERED ? document_read(r->arena, &answer) : NULL;
	if (*doc == NULL)
		return (arena_printf(r->arena, "oidc: failed to decode discovery document from %s", url));
	return (NULL);
}

static const char *
text_of(const json *doc, const char *name)
{
	return (str_or(json_string(json_get_nocase(doc, name)), ""));
}

/* The names of what is needed and not there, NULL when nothing is. */
static const char *
document_missing(struct arena *a, const json *doc)
{
	struct buf b = buf_new(a);

	for (size_t i = 0; i < MEMBERS; i++)
		if (members[i].needed && *text_of(doc, members[i].name) == '\0')
			buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", members[i].name);
	return (b.len > 0 ? b.data : NULL);
}

static char *
document_text(struct arena *a, const json *doc)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	for (size_t i = 0; i < MEMBERS; i++) {
		json *value = json_get_nocase(doc, members[i].name);
		bool empty = members[i].list ? json_len(value) == 0 : str_empty(json_string(value));

		if (empty && !members[i].needed)
			continue;
		if (empty)
			json_put_text(&b, members[i].name, "");
		else
			json_put(&b, members[i].name, value);
	}
	json_object_end(&b);
	return (b.data);
}

err
custom_discovery_fetch(struct request *r, const char *issuer, const char *discovery_url, const char **document)
{
	struct arena *a = r->arena;
	const char *url = discovery_url, *why, *missing;
	json *doc = NULL;

	if (str_empty(url)) {
		size_t len = strlen(issuer);

		while (len > 0 && issuer[len - 1] == '/')
			len--;
		url = arena_printf(a, "%.*s/.well-known/openid-configuration", (int)len, issuer);
	}
	why = document_fetch(r, url, &doc);
	if (why == NULL && !str_equal(text_of(doc, "issuer"), issuer))
		why = arena_printf(a, "oidc: issuer mismatch, expected %s got %s", json_quote(a, issuer),
		    json_quote(a, text_of(doc, "issuer")));
	if (why != NULL)
		return (fail(r, E_VALIDATION_FAILED, "OIDC discovery from %s failed: %s", json_quote(a, url), why));
	missing = document_missing(a, doc);
	if (missing != NULL)
		return (fail(r, E_VALIDATION_FAILED, "OIDC discovery document is missing required fields: %s", missing));
	*document = document_text(a, doc);
	return (OK);
}
