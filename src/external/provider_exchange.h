/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_PROVIDER_EXCHANGE_H
#define EXTERNAL_PROVIDER_EXCHANGE_H

#include "external/provider.h"

/* Signing in through a provider, from its side: OAuth 2, OpenID Connect, and what some do otherwise.  Goes over the network. */

/* Where people go to sign in.  client: what the client sent along; challenge: of RFC 7636, NULL without. */
struct provider_authorize {
	const char *state, *challenge;
	const struct query *client;
};
checked err provider_authorize_url(struct request *, const struct provider *, const struct provider_authorize *, const char **url);

/* What came of it. */
struct provider_result {
	struct profile profile;
	const char *access, *refresh; /* the provider's tokens; "" without */
};

/* The provider's error, or a callback that can't be its: E_OAUTH, 400 bad_oauth_callback.  No network. */
checked err provider_check_callback(struct request *, const struct provider *, const struct query *callback);

/* Changes the callback's code for tokens and asks who it is.  verifier: of RFC 7636, NULL without. */
checked err provider_exchange(struct request *, const struct provider *, const struct query *callback, const char *verifier,
    struct provider_result *);

#endif
