/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_CUSTOM_PROVIDER_H
#define EXTERNAL_CUSTOM_PROVIDER_H

#include "web/request.h"

/* auth.custom_oauth_providers, as administrators keep them.  Signing in with one: external/provider.h. */

/* What an administrator sends. */
struct custom_provider_input {
	const char *provider_type, *identifier, *name, *client_id, *client_secret;
	char **acceptable_client_ids, **scopes, **custom_claims_allowlist;
	const bool *pkce_enabled, *enabled, *email_optional, *skip_nonce_check;
	const char *attribute_mapping, *authorization_params; /* texts of JSON objects */
	const char *issuer, *discovery_url;
	const char *authorization_url, *token_url, *userinfo_url, *jwks_uri;
};
extern const struct param custom_provider_params[];

/* Of a path: 400 unless it begins with "custom:". */
checked err custom_provider_check_identifier(struct request *, const char *identifier);

/* Checks everything, in the reference's order, asks the issuer of an OpenID provider what it is, and writes; *shown: the row as clients read it. */
checked err custom_provider_create(struct request *, struct custom_provider_input *, const char **shown);
checked err custom_provider_alter(struct request *, const char *identifier, struct custom_provider_input *, const char **shown);

checked err custom_provider_remove(struct request *, const char *identifier);

/* Replies with all of a type, the oldest first; NULL: with all, the newest first. */
checked err custom_provider_list(struct request *, const char *type);

#endif
