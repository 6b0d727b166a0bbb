/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "base/glob.h"
#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "core/redirect.h"

#define URL_MAX 8192 /* globs take time by the length */

/* 1 for a loopback address, 0 for any other, -1 when the host is no address. */
static int
host_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return (ntohl(four.s_addr) >> 24 == 127);
	if (inet_pton(AF_INET6, host, &six) != 1)
		return (-1);
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return (six.s6_addr[12] == 127);
	return (IN6_IS_ADDR_LOOPBACK(&six));
}

static bool
host_local(const char *host)
{
	return (str_equal(host, "localhost") || host_loopback(host) == 1);
}

/* Letters, digits, inner dots and hyphens. */
static bool
host_regular(const char *host)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t len = strlen(host);

	return (len > 0 && strspn(host, inner) == len && strchr(alnum, host[0]) != NULL && strchr(alnum, host[len - 1]) != NULL);
}

static bool
allow_list_has(struct arena *a, const char *url)
{
	const char *text = arena_strndup(a, url, strcspn(url, "#"));

	for (char **pattern = cfg->gotrue_uri_allow_list; *pattern != NULL; pattern++) {
		const struct glob *glob = glob_compile(a, *pattern, "./");

		if (glob != NULL && glob_match(glob, text))
			return (true);
	}
	return (false);
}

bool
redirect_allowed(struct arena *a, const char *url)
{
	struct url site, wanted;
	bool http;
	int loopback;

	if (str_empty(url) || strlen(url) > URL_MAX || !url_parse(a, cfg->gotrue_site_url, &site) || !url_parse(a, url, &wanted))
		return (false);
	if (str_equal(site.host, wanted.host) && str_equal(site.scheme, wanted.scheme) &&
	    (str_equal(site.port, wanted.port) || host_local(wanted.host)))
		return (true);
	if (!str_empty(wanted.host) && strspn(wanted.host, "0123456789") == strlen(wanted.host))
		return (false); /* an address in decimal */
	if ((loopback = host_loopback(wanted.host)) >= 0)
		return (loopback == 1);
	http = str_equal(wanted.scheme, "http") || str_equal(wanted.scheme, "https");
	if (http && !host_regular(wanted.host))
		return (false);
	return (allow_list_has(a, url));
}

const char *
redirect_wanted(struct request *r)
{
	const char *asked = request_header(r, "redirect_to");
	const char *referer = request_header(r, "Referer");

	if (str_empty(asked))
		asked = request_form_value(r, "redirect_to");
	if (redirect_allowed(r->arena, asked))
		return (asked);
	return (redirect_allowed(r->arena, referer) ? referer : cfg->gotrue_site_url);
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

/* RFC 6749 section 4.1.2.1; NULL for a status that has no word there. */
static const char *
oauth_error(int status)
{
	static const struct {
		int status;
		const char *error;
	} words[] = {
		{ 400, "invalid_request" },
		{ 401, "unauthorized_client" },
		{ 403, "access_denied" },
		{ 500, "server_error" },
		{ 503, "temporarily_unavailable" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].status == status)
			return (words[i].error);
	return (NULL);
}

struct error_target {
	const char *url;
	bool pkce;
};

static void
errors_reply(struct request *r, void *arg)
{
	const struct error_target *target = arg;
	const struct failure *f = &r->failure;
	const char *words[][2] = { { "error", oauth_error(f->status) }, { "error_code", f->code }, { "error_description", f->message } };
	struct query fragment = query_new(r->arena), query;
	struct url url;

	query = url_open(r->arena, target->url, &url);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i][1] == NULL)
			continue;
		query_set(&fragment, words[i][0], words[i][1]);
		if (target->pkce)
			query_set(&query, words[i][0], words[i][1]);
	}
	url.fragment = NULL;
	if (target->pkce)
		url.query = query_text(&query);
	reply_redirect(r, 303, arena_printf(r->arena, "%s#%s", url_text(r->arena, &url), fragment_text(r->arena, &fragment)));
}

void
redirect_errors(struct request *r, const char *url, bool pkce)
{
	struct error_target *target = arena_new_object(r->arena, struct error_target);

	target->url = url;
	target->pkce = pkce;
	r->failure_reply = errors_reply;
	r->failure_arg = target;
}
