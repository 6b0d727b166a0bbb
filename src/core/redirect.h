/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REDIRECT_H
#define CORE_REDIRECT_H

#include "web/request.h"

/* Where browsers are sent, and under which name they know this server. */

/*
 * Whether a client may be sent there: GOTRUE_SITE_URL's place, the client's own machine by its IP address, or what GOTRUE_URI_ALLOW_LIST
 * has.  Never where browsers would read another place than we do.
 */
bool redirect_allowed(struct arena *, const char *url);

/* A sentence about an entry of GOTRUE_URI_ALLOW_LIST that allows nothing, or NULL. */
const char *redirect_complaint(struct arena *, char *entry);

/*
 * Where this request wants its user to end: redirect_to, else the Referer, else GOTRUE_SITE_URL; the first that is allowed.
 * redirect_wanted_or() asks first for a URL from elsewhere in the request.
 */
const char *redirect_wanted(struct request *);
const char *redirect_wanted_or(struct request *, const char *asked);

/* API_EXTERNAL_URL, or the forwarded host where GOTRUE_MAILER_EXTERNAL_HOSTS has it; without a slash at the end unless the setting has one. */
const char *redirect_external_url(struct request *);

/* url with one query parameter set. */
char *redirect_with(struct arena *, const char *url, const char *name, const char *value);

/* url with a message for the user, in the fragment and, for PKCE, in the query. */
char *redirect_message(struct arena *, const char *url, const char *message, bool pkce);

/*
 * From here on an error of this request is a redirect to url: error, error_code and error_description in its query, its fragment or both.
 * error is what RFC 6749 section 4.1.2.1 calls the HTTP status, where it has a word; always: "server_error" where it has none.
 */
struct error_redirect {
	int status;
	const char *url;
	bool query, fragment, always;
};
void redirect_errors(struct request *, const struct error_redirect *);
const char *redirect_error_word(int status); /* NULL: none */

#endif
