/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/url.h"

/*
 * The one place for outbound HTTP: blocking, one time limit and one size limit a call, TLS verified, cookies and environment proxies unknown.
 * Never call it while a transaction is open.  The process ignores SIGPIPE.
 *
 * HTTP_OPERATOR: the URL comes from a setting, or from what such a URL named (discovery): http and private addresses are fine.
 * HTTP_STRANGER: anyone who may write a custom provider's row chose it: https only, and the address that is really connected to must be
 * public, or within POSTERN_HTTP_PRIVATE_NETWORKS.  The trusts share no connection, no TLS session and no resolved name.
 */
enum http_trust { HTTP_STRANGER, HTTP_OPERATOR }; /* zero is the careful one */

struct http_call {
	enum http_trust trust;
	const char *url;
	const char *method;          /* NULL: GET, or POST with a body */
	const char *const *headers;  /* name, value, name, value, ..., NULL; NULL: none */
	const char *body;            /* NULL: none */
	size_t body_len;             /* 0: strlen(body) */
	const char *user, *password; /* HTTP Basic when user is not NULL */
	int64_t timeout_ns;          /* for all of it; 0: GOTRUE_INTERNAL_HTTP_TIMEOUT */
	size_t max_bytes;            /* of the answer's body; 0: 1 MB */
	int redirects;               /* followed at most, within the URL's scheme; 0: a redirect is an answer like any other */
};

struct http_answer {
	int status;
	const char *line; /* the status in words, "404 Not Found"; NULL without an answer */
	const char *type; /* Content-Type as it came; NULL without */
	const char *body; /* ends with NUL, never NULL */
	size_t len;
	struct query headers; /* of the last answer, in order */
	const char *why;      /* when there is no answer: one sentence for the log, without the query of the URL */
};

/* HTTP_ANSWERED whatever the status is. */
enum http_result {
	HTTP_ANSWERED,
	HTTP_BAD_CALL,    /* the URL, its scheme or a header can't be sent */
	HTTP_NO_NAME,     /* the host name does not resolve */
	HTTP_NOT_ALLOWED, /* a stranger's URL led to an address that is not public */
	HTTP_NO_CONTACT,  /* refused, unreachable, broken off, not HTTP */
	HTTP_TLS,         /* certificate or handshake */
	HTTP_TIMEOUT,
	HTTP_TOO_BIG,
};

checked enum http_result http_do(struct arena *, const struct http_call *, struct http_answer *);

/* A header of the answer, any case, the first of several; NULL without. */
const char *http_header(const struct http_answer *, const char *name);

/* Where POSTERN_HTTP_CONNECT_TO leads: the host that is really connected to. */
const char *http_host_of(struct arena *, const struct url *);

#endif
