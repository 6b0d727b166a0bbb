/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_USER_JSON_H
#define CORE_USER_JSON_H

#include "base/arena.h"
#include "base/clock.h"
#include "query/row.h"

/* What the arrays of sql/fragment/user_columns.sql hold, in their order. */
struct identity_row {
	const char *created_at, *id, *provider_id, *provider, *data, *last_sign_in_at, *updated_at, *email;
};
struct factor_row {
	const char *created_at, *id, *updated_at, *status, *type, *phone, *last_challenged_at, *friendly_name, *aaguid, *challenge;
};
struct identity_row *user_identities(struct arena *, const struct user *, size_t *count);
const struct factor_row *user_factors(struct arena *, const struct user *, size_t *count);

/* The user as everybody is told of them: clients, operators, hooks.  What is NULL or empty, and a time that is none, is mostly left out. */
const char *user_text(struct arena *, const struct user *);

/* With these identities instead of the user's; NULL: "identities": null. */
const char *user_text_with(struct arena *, const struct user *, const struct identity_row *, size_t count);

/*
 * The reply to a sign-up shows the provider's identity, of a new user with the metadata of the user, and not yet the column that the
 * database makes.
 */
const char *user_text_signed_up(struct arena *, const struct user *, const char *provider, usec now);

/* Factors as they are told of: one, and all that the user has. */
const char *factor_text(struct arena *, const struct factor_row *);
const char *factors_text(struct arena *, const struct user *);

#endif
