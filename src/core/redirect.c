/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "core/allow_list.h"
#include "core/redirect.h"

#define URL_MAX 8192 /* globs take time by the length */
#define LOGGED_MAX 200

/* A whole URL that browsers and we read alike: they take a backslash for a slash. */
static bool
url_sound(struct arena *a, const char *text, struct url *url)
{
	if (str_empty(text) || strlen(text) > URL_MAX || strchr(text, '\\') != NULL || !url_parse(a, text, url))
		return (false);
	return (!str_empty(url->scheme) && url->userinfo == NULL && !(url_web(url) && str_empty(url->host)));
}

static bool
loopback_is(const struct url *url)
{
	return (url_web(url) && url_host(url) == HOST_LOOPBACK);
}

/* Apps on somebody's own machine take what port they get (RFC 8252 section 7.3). */
static bool
site_is(struct arena *a, const struct url *url)
{
	bool local = str_equal(url->host, "localhost") || loopback_is(url);
	struct url site;

	return (url_parse(a, cfg->gotrue_site_url, &site) && str_equal(site.host, url->host) && str_equal(site.scheme, url->scheme) &&
		(str_equal(site.port, url->port) || local));
}

bool
redirect_allowed(struct arena *a, const char *text)
{
	struct url url;

	if (!url_sound(a, text, &url))
		return (false);
	return (site_is(a, &url) || loopback_is(&url) || allow_list_has(a, cfg->gotrue_uri_allow_list, text, &url));
}

/* "localhost:3000" is a scheme to every parser, and a mistake. */
static bool
host_and_port(const struct url *url)
{
	return (url->opaque != NULL && *url->opaque >= '0' && *url->opaque <= '9');
}

const char *
redirect_complaint(struct arena *a, char *entry)
{
	char *const list[] = { entry, NULL };
	const char *example = allow_list_example(a, entry);
	struct url url;

	if (strpbrk(entry, "\"# ") == NULL && !str_ends(entry, "'") && url_sound(a, example, &url) && !host_and_port(&url) &&
	    (loopback_is(&url) || allow_list_has(a, list, example, &url)))
		return (NULL);
	return (arena_printf(a,
	    "GOTRUE_URI_ALLOW_LIST: \"%s\" can never match. An entry is a URL such as https://app.example.com/**: its scheme first; no "
	    "quotes, no #, no user; an IP address only without wildcards.",
	    entry));
}

/* Without what may be a secret: user, query, fragment. */
static const char *
text_for_log(struct arena *a, const char *url)
{
	char *text = arena_strndup(a, url, strcspn(url, "?#")), *host = strstr(text, "//"), *user_end;

	if (host == NULL)
		return (text);
	host += 2;
	user_end = memrchr(host, '@', strcspn(host, "/"));
	return (user_end == NULL ? text : arena_printf(a, "%.*s%s", (int)(host - text), text, user_end + 1));
}

/* Says so, for it is the first thing that goes wrong where a site is set up. */
static bool
asked_allowed(struct request *r, const char *asked)
{
	if (redirect_allowed(r->arena, asked))
		return (true);
	if (!str_empty(asked))
		log_event(LOG_WARN, "the redirect_to is not in GOTRUE_URI_ALLOW_LIST", "redirect_to",
		    arena_printf(r->arena, "%.*s", LOGGED_MAX, text_for_log(r->arena, asked)), NULL);
	return (false);
}

static const char *
wanted_find(struct request *r)
{
	const char *asked = request_header(r, "redirect_to");
	const char *referer = request_header(r, "Referer");

	if (str_empty(asked))
		asked = request_form_value(r, "redirect_to");
	if (asked_allowed(r, asked))
		return (asked);
	return (redirect_allowed(r->arena, referer) ? referer : cfg->gotrue_site_url);
}

const char *
redirect_wanted(struct request *r)
{
	if (r->wanted == NULL)
		r->wanted = wanted_find(r);
	return (r->wanted);
}

const char *
redirect_wanted_or(struct request *r, const char *asked)
{
	return (asked_allowed(r, asked) ? asked : redirect_wanted(r));
}

const char *
redirect_external_url(struct request *r)
{
	const char *host = request_header(r, "X-Forwarded-Host");
	const char *scheme = "https";

	if (str_empty(host) || !strs_have(cfg->gotrue_mailer_external_hosts, host))
		return (cfg->api_external_url);
	if (str_equal(host, "localhost") && str_equal(request_header(r, "X-Forwarded-Proto"), "http"))
		scheme = "http";
	return (arena_printf(r->arena, "%s://%s", scheme, host));
}

/* The URL in parts, with what its query holds; a URL that cannot be read is taken as a whole for a path. */
static struct query
url_open(struct arena *a, const char *text, struct url *url)
{
	if (!url_parse(a, text, url))
		*url = (struct url){ .scheme = "", .host = "", .port = "", .path = text };
	return (query_parse(a, str_or(url->query, "")));
}

static char *
url_close(struct arena *a, struct url *url, const struct query *query)
{
	url->query = query->len > 0 ? query_text(query) : NULL;
	return (url_text(a, url));
}

char *
redirect_with(struct arena *a, const char *to, const char *name, const char *value)
{
	struct url url;
	struct query query = url_open(a, to, &url);

	query_set(&query, name, value);
	return (url_close(a, &url, &query));
}

/* "sb" tells apps whose redirect it is.  Encoded twice, as clients know it. */
static char *
fragment_text(struct arena *a, struct query *pairs)
{
	query_set(pairs, "sb", "");
	return (str_replace(a, query_text(pairs), "%", "%25"));
}

char *
redirect_message(struct arena *a, const char *to, const char *message, bool pkce)
{
	struct url url;
	struct query query = url_open(a, to, &url), fragment = query_new(a);

	query_add(&fragment, "message", message);
	if (pkce)
		query_set(&query, "message", message);
	url.fragment = NULL;
	return (arena_printf(a, "%s#%s", url_close(a, &url, &query), fragment_text(a, &fragment)));
}

const char *
redirect_error_word(int status)
{
	static const struct {
		int status;
		const char *word;
	} words[] = {
		{ 400, "invalid_request" },
		{ 401, "unauthorized_client" },
		{ 403, "access_denied" },
		{ 500, "server_error" },
		{ 503, "temporarily_unavailable" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].status == status)
			return (words[i].word);
	return (NULL);
}

static const char *
error_word(const struct failure *f, bool always)
{
	static char *const denied[] = { "signup_disabled", "user_banned", "provider_email_needs_verification", NULL };
	const char *word = redirect_error_word(f->status);

	if (f->id == E_OAUTH)
		return (f->code);
	if (always && strs_have(denied, str_or(f->code, "")))
		return ("access_denied");
	return (always && word == NULL ? "server_error" : word);
}

static void
errors_reply(struct request *r, void *arg)
{
	const struct error_redirect *to = arg;
	const struct failure *f = &r->failure;
	const char *words[][2] = { { "error", error_word(f, to->always) }, { "error_code", f->id == E_OAUTH ? NULL : f->code },
		{ "error_description", f->message } };
	struct query fragment = query_new(r->arena), query;
	const char *location;
	struct url url;

	query = url_open(r->arena, to->url, &url);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (to->query && words[i][1] != NULL)
			query_set(&query, words[i][0], words[i][1]);
		if (!str_empty(words[i][1]))
			query_set(&fragment, words[i][0], words[i][1]);
	}
	if (to->query)
		url.query = query_text(&query);
	if (to->fragment)
		url.fragment = NULL;
	location = url_text(r->arena, &url);
	if (to->fragment)
		location = arena_printf(r->arena, "%s#%s", location, fragment_text(r->arena, &fragment));
	reply_redirect(r, to->status, location);
}

void
redirect_errors(struct request *r, const struct error_redirect *to)
{
	struct error_redirect *kept = arena_new_object(r->arena, struct error_redirect);

	*kept = *to;
	r->failure_reply = errors_reply;
	r->failure_arg = kept;
}
