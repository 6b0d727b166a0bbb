/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "net/curl_handle.h"
#include "net/network.h"

#define BODY_MAX_DEFAULT ((size_t)1 << 20)
#define HEADERS_MAX ((size_t)64 << 10)

/* One call under way: what the callbacks of libcurl need. */
struct flight {
	struct arena *arena;
	const struct http_call *call;
	struct http_answer *answer;
	CURL *curl;
	struct buf body;
	size_t body_max, header_bytes;
	struct curl_slist *headers, *connect_to;
	bool too_big, guarded; /* guarded: peers are looked at */
	bool resolving;        /* only the address is wanted: no connection */
	const char *bad_peer, *good_peer;
	char error[CURL_ERROR_SIZE];
};

static size_t
body_receive(char *bytes, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;

	if (size * n > f->body_max - f->body.len) {
		f->too_big = true;
		return (0);
	}
	buf_put(&f->body, bytes, size * n);
	return (size * n);
}

/* What stands behind "HTTP/1.1 ". */
static const char *
status_line(struct arena *a, const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);

	return (blank != NULL ? str_trim(a, arena_strndup(a, blank, len - (size_t)(blank - line))) : "");
}

/* A body that is announced with a 204 is not read, and where it comes all the same the next answer would begin with it. */
static bool
body_behind(const struct http_answer *answer)
{
	const struct query_pair *last = &answer->headers.pair[answer->headers.len - 1];

	return (str_starts(str_or(answer->line, ""), "204") &&
		(str_equal_nocase(last->name, "Transfer-Encoding") ||
		    (str_equal_nocase(last->name, "Content-Length") && !str_equal(last->value, "0"))));
}

static size_t
header_receive(char *line, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;
	size_t len = size * n;
	const char *colon = memchr(line, ':', len);

	f->header_bytes += len;
	if (f->header_bytes > HEADERS_MAX) {
		f->too_big = true;
		return (0);
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) { /* a new answer: after a 100, or a redirect */
		f->answer->headers = query_new(f->arena);
		f->answer->line = status_line(f->arena, line, len);
	} else if (colon != NULL) {
		query_add(&f->answer->headers, arena_strndup(f->arena, line, (size_t)(colon - line)),
		    str_trim(f->arena, arena_strndup(f->arena, colon + 1, len - (size_t)(colon + 1 - line))));
		if (body_behind(f->answer))
			curl_easy_setopt(f->curl, CURLOPT_FORBID_REUSE, 1L);
	}
	return (len);
}

/* Called for each address that is about to be connected to, after the name was resolved: what is judged here is what is used. */
static curl_socket_t
peer_open(void *arg, curlsocktype purpose, struct curl_sockaddr *peer)
{
	struct flight *f = arg;
	const char *kind = NULL;

	(void)purpose;
	if (f->guarded && !network_within(&peer->addr, cfg->postern_http_private_networks))
		kind = network_special(&peer->addr);
	if (kind != NULL) {
		f->bad_peer = arena_printf(f->arena, "%s is a %s address", network_text(f->arena, &peer->addr), kind);
		return (CURL_SOCKET_BAD);
	}
	if (f->good_peer == NULL)
		f->good_peer = arena_printf(f->arena, peer->family == AF_INET6 ? "[%s]" : "%s", network_text(f->arena, &peer->addr));
	if (f->resolving)
		return (CURL_SOCKET_BAD);
	return (socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol));
}

static bool
text_is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			return (false);
	return (true);
}

/* An empty value is written "Name;" for libcurl: "Name:" would remove a header of its own. */
static bool
headers_prepare(struct flight *f)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (const char *const *h = f->call->headers; h != NULL && h[0] != NULL; h += 2) {
		if (!text_is_clean(h[0]) || !text_is_clean(h[1]))
			break;
		list = curl_slist_append(list,
		    h[1][0] == '\0' ? arena_printf(f->arena, "%s;", h[0]) : arena_printf(f->arena, "%s: %s", h[0], h[1]));
		if (h[2] == NULL) {
			f->headers = list;
			return (true);
		}
	}
	f->headers = list;
	return (f->call->headers == NULL || f->call->headers[0] == NULL);
}

static long
milliseconds(int64_t ns)
{
	long ms = (long)((ns != 0 ? ns : cfg->gotrue_internal_http_timeout) / 1000000);

	return (ms > 0 ? ms : 1);
}

/* What may be reached and how long it may take; the same for the call and for resolving before it. */
static void
limits_apply(struct flight *f)
{
	const char *schemes = f->call->trust == HTTP_STRANGER ? "https" : "http,https";
	CURL *c = f->curl;

	curl_easy_setopt(c, CURLOPT_URL, f->call->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* else a name server that is silent holds us beyond the time limit */
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, milliseconds(f->call->timeout_ns));
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(f->call->timeout_ns));
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* "" and not NULL: the environment's proxy is not ours */
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, peer_open);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->error);
	for (char **to = cfg->postern_http_connect_to; *to != NULL; to++)
		f->connect_to = curl_slist_append(f->connect_to, *to);
	curl_easy_setopt(c, CURLOPT_CONNECT_TO, f->connect_to);
}

static void
tls_apply(struct flight *f)
{
	curl_easy_setopt(f->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(f->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(f->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*cfg->postern_http_ca_file != '\0') /* beside the system's directory of authorities, which stays */
		curl_easy_setopt(f->curl, CURLOPT_CAINFO, cfg->postern_http_ca_file);
}

static void
method_apply(struct flight *f)
{
	const struct http_call *call = f->call;

	if (call->body != NULL) {
		curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)(call->body_len != 0 ? call->body_len : strlen(call->body)));
		curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, call->body);
	}
	if (call->method != NULL && !str_equal(call->method, call->body != NULL ? "POST" : "GET"))
		curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, call->method);
	if (call->user != NULL) {
		curl_easy_setopt(f->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(f->curl, CURLOPT_USERNAME, call->user);
		curl_easy_setopt(f->curl, CURLOPT_PASSWORD, str_or(call->password, ""));
	}
	if (call->redirects > 0) {
		curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(f->curl, CURLOPT_MAXREDIRS, (long)call->redirects);
		curl_easy_setopt(f->curl, CURLOPT_REDIR_PROTOCOLS_STR, str_starts(call->url, "https:") ? "https" : "http");
	}
}

static void
answer_apply(struct flight *f)
{
	curl_easy_setopt(f->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(f->curl, CURLOPT_USERAGENT, "postern"); /* GitHub answers nobody without a name */
	curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, body_receive);
	curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(f->curl, CURLOPT_HEADERFUNCTION, header_receive);
	curl_easy_setopt(f->curl, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(f->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static const struct {
	CURLcode code;
	enum http_result result;
} results[] = {
	{ CURLE_OK, HTTP_ANSWERED },
	{ CURLE_UNSUPPORTED_PROTOCOL, HTTP_BAD_CALL },
	{ CURLE_URL_MALFORMAT, HTTP_BAD_CALL },
	{ CURLE_COULDNT_RESOLVE_HOST, HTTP_NO_NAME },
	{ CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT },
	{ CURLE_SSL_CONNECT_ERROR, HTTP_TLS },
	{ CURLE_SSL_CERTPROBLEM, HTTP_TLS },
	{ CURLE_SSL_CIPHER, HTTP_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS },
	{ CURLE_SSL_CACERT_BADFILE, HTTP_TLS },
	{ CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS },
	{ CURLE_SSL_ISSUER_ERROR, HTTP_TLS },
};

static enum http_result
result_of(const struct flight *f, CURLcode code)
{
	if (f->too_big)
		return (HTTP_TOO_BIG);
	if (code == CURLE_COULDNT_CONNECT && f->bad_peer != NULL)
		return (HTTP_NOT_ALLOWED);
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (results[i].code == code)
			return (results[i].result);
	return (HTTP_NO_CONTACT);
}

/* The query and what follows may hold codes and keys, so they are not for the log; neither is the user before the host. */
static char *
sentence(struct flight *f, enum http_result result, CURLcode code)
{
	const char *url = f->call->url, *scheme = strstr(url, "://"), *start = scheme != NULL ? scheme + 3 : url;
	const char *host = start, *what = f->error[0] != '\0' ? f->error : curl_easy_strerror(code);

	for (size_t i = 0, len = strcspn(start, "/?#"); i < len; i++)
		if (start[i] == '@')
			host = start + i + 1;
	if (result == HTTP_NOT_ALLOWED)
		what = arena_printf(f->arena, "%s; POSTERN_HTTP_PRIVATE_NETWORKS can allow it", f->bad_peer);
	if (result == HTTP_TOO_BIG)
		what = arena_printf(f->arena, "the answer has more than %zu bytes", f->body_max);
	if (result == HTTP_TIMEOUT)
		what = arena_printf(f->arena, "no complete answer within %ld ms", milliseconds(f->call->timeout_ns));
	return (arena_printf(f->arena, "%.*s%.*s: %s", (int)(start - url), url, (int)strcspn(host, "?#"), host, what));
}

/* Lets go of all that the handle knew about this call; connections and names stay. */
static void
flight_end(struct flight *f)
{
	curl_easy_reset(f->curl);
	curl_slist_free_all(f->headers);
	curl_slist_free_all(f->connect_to);
	f->headers = f->connect_to = NULL;
}

/*
 * A proxy resolves names itself.  So a stranger's host is resolved by us first, without connecting, and the proxy is asked for the address
 * that was found to be public.
 */
static enum http_result
proxy_apply(struct flight *f)
{
	CURLcode code = CURLE_OK;
	curl_off_t spent_us = 0;
	long left;

	if (*cfg->postern_http_proxy == '\0')
		return (HTTP_ANSWERED);
	if (f->guarded) {
		f->resolving = true;
		code = curl_easy_perform(f->curl);
		f->resolving = false;
		if (f->good_peer == NULL) {
			f->answer->why = sentence(f, result_of(f, code), code);
			return (result_of(f, code));
		}
		curl_easy_getinfo(f->curl, CURLINFO_TOTAL_TIME_T, &spent_us);
		left = milliseconds(f->call->timeout_ns) - (long)(spent_us / 1000);
		curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, left > 0 ? left : 1L);
		curl_slist_free_all(f->connect_to);
		f->connect_to = curl_slist_append(NULL, arena_printf(f->arena, "::%s:", f->good_peer));
		curl_easy_setopt(f->curl, CURLOPT_CONNECT_TO, f->connect_to);
		f->guarded = false; /* from here on the peer is the proxy, whom the operator chose */
		f->bad_peer = NULL;
		f->error[0] = '\0';
	}
	curl_easy_setopt(f->curl, CURLOPT_PROXY, cfg->postern_http_proxy);
	return (HTTP_ANSWERED);
}

static enum http_result
flight_run(struct flight *f)
{
	enum http_result result;
	CURLcode code;
	long status = 0;

	if (!headers_prepare(f)) {
		f->answer->why = arena_strdup(f->arena, "a header has a line break or another control character");
		return (HTTP_BAD_CALL);
	}
	limits_apply(f);
	tls_apply(f);
	result = proxy_apply(f);
	if (result != HTTP_ANSWERED)
		return (result);
	method_apply(f);
	answer_apply(f);
	code = curl_easy_perform(f->curl);
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	f->answer->status = (int)status;
	result = result_of(f, code);
	if (result != HTTP_ANSWERED)
		f->answer->why = sentence(f, result, code);
	return (result);
}

enum http_result
http_do(struct arena *a, const struct http_call *call, struct http_answer *answer)
{
	struct flight f = { .arena = a, .call = call, .answer = answer };
	enum http_result result;

	*answer = (struct http_answer){ .headers = query_new(a), .body = "" };
	f.curl = curl_handle(call->trust == HTTP_OPERATOR ? CURL_HTTP_OPERATOR : CURL_HTTP_STRANGER);
	if (f.curl == NULL) {
		answer->why = "libcurl could not start";
		return (HTTP_NO_CONTACT);
	}
	f.body = buf_new(a);
	f.body_max = call->max_bytes != 0 ? call->max_bytes : BODY_MAX_DEFAULT;
	f.guarded = call->trust == HTTP_STRANGER;
	result = flight_run(&f);
	flight_end(&f);
	if (f.body.len > 0)
		answer->body = f.body.data;
	answer->len = f.body.len;
	answer->type = http_header(answer, "Content-Type");
	return (result);
}

const char *
http_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->headers.len; i++)
		if (str_equal_nocase(answer->headers.pair[i].name, name))
			return (answer->headers.pair[i].value);
	return (NULL);
}

/* The rest of an entry "host:port:to-host:to-port" whose first half means this host and port; nothing in a place means any. */
static const char *
entry_match(struct arena *a, const char *entry, const char *host, const char *port)
{
	const char *const first[] = { arena_printf(a, "%s:%s:", host, port), arena_printf(a, "%s::", host), arena_printf(a, ":%s:", port),
		"::" };

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (strncasecmp(entry, first[i], strlen(first[i])) == 0)
			return (entry + strlen(first[i]));
	return (NULL);
}

const char *
http_host_of(struct arena *a, const struct url *url)
{
	const char *host = url->bracketed ? arena_printf(a, "[%s]", url->host) : url->host;
	const char *port = str_or(url->port, str_equal(url->scheme, "https") ? "443" : "80");

	for (char **to = cfg->postern_http_connect_to; *to != NULL; to++) {
		const char *rest = entry_match(a, *to, host, port), *colon = rest != NULL ? strrchr(rest, ':') : NULL;
		size_t len;

		if (rest == NULL)
			continue;
		len = colon != NULL ? (size_t)(colon - rest) : strlen(rest);
		if (len > 2 && *rest == '[')
			return (arena_strndup(a, rest + 1, len - 2));
		return (len > 0 ? arena_strndup(a, rest, len) : url->host);
	}
	return (url->host);
}
