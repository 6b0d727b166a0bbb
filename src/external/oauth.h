/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_OAUTH_H
#define EXTERNAL_OAUTH_H

#include "external/provider.h"

/* Signing in through a provider, from its side: OAuth 2, OpenID Connect, and what some do otherwise.  Goes over the network. */

/* Where people go to sign in.  client: what the client sent along; challenge: of RFC 7636, NULL without. */
struct oauth_begin {
	const char *state, *challenge;
	const struct query *client;
};
checked err oauth_authorize_url(struct request *, const struct provider *, const struct oauth_begin *, const char **url);

/* What came of it. */
struct oauth_result {
	struct profile profile;
	const char *access, *refresh; /* the provider's tokens; "" without */
};

/* The provider's error, or a callback that can't be its: E_OAUTH, 400 bad_oauth_callback.  No network. */
checked err oauth_check_callback(struct request *, const struct provider *, const struct query *callback);

/* Changes the callback's code for tokens and asks who it is.  verifier: of RFC 7636, NULL without. */
checked err oauth_finish(struct request *, const struct provider *, const struct query *callback, const char *verifier,
    struct oauth_result *);

#endif
