/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/* RFC 3986, read as Go's net/url reads it; a scheme may have "_" besides, as apps have it. */
struct url {
	const char *scheme;   /* small letters */
	const char *userinfo; /* NULL without */
	const char *host;     /* never NULL; decoded, brackets of IPv6 taken off: Go's Hostname() */
	const char *port;     /* "" without */
	const char *path;     /* as written (escaped) */
	const char *opaque;   /* what follows the colon of "mailto:x"; NULL in other URLs */
	const char *query;    /* without ?, NULL without */
	const char *fragment; /* without #, NULL without or when empty */
	bool authority;       /* whether "//" stood before the host */
	bool colon;           /* whether one stood before the port, which may be empty: "http://h:/" */
	bool bracketed;       /* whether the host is an IPv6 address that stood in brackets */
};

/* false when Go's url.Parse refuses it (control characters, bad escapes, bad port, space in host ...). */
bool url_parse(struct arena *, const char *, struct url *);
char *url_text(struct arena *, const struct url *); /* Go's String() */

/*
 * What browsers (WHATWG) make of the host of an http or https URL.  They read a last label that is a number, in any notation, as an IP
 * address; of those only the usual forms are one here.  HOST_ODD: that, or other than letters, digits, inner dots and hyphens.
 */
enum url_host { HOST_ODD, HOST_NAME, HOST_LOOPBACK, HOST_ADDRESS };
bool url_web(const struct url *); /* http or https */
enum url_host url_host(const struct url *);

/*
 * The URL of path as seen from base (RFC 3986 section 5.2, Go's ResolveReference), with query (as it is; NULL: none).  Path may be a whole
 * URL itself.  NULL when one of the two is no URL.
 */
char *url_resolve(struct arena *, const char *base, const char *path, const char *query);

/* Go's url.QueryEscape and its inverse (NULL for a bad escape and for NUL); url_path_escape is url.PathEscape. */
char *url_escape(struct arena *, const char *);
char *url_unescape(struct arena *, const char *, size_t len);
char *url_path_escape(struct arena *, const char *);

/* Ordered name, value pairs. */
struct query {
	struct arena *arena;
	struct query_pair {
		const char *name, *value;
	} * pair;
	size_t len, cap;
};

struct query query_new(struct arena *);
struct query query_parse(struct arena *, const char *text);    /* pairs that do not decode are left out, as Go does */
const char *query_get(const struct query *, const char *name); /* the first; NULL without */
void query_add(struct query *, const char *name, const char *value);
void query_set(struct query *, const char *name, const char *value); /* replaces all of that name; NULL value removes */
char *query_text(const struct query *);                              /* sorted by name as Go's Values.Encode */

#endif
