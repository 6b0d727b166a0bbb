/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_PROFILE_H
#define EXTERNAL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "base/url.h"

/* What a provider says about a person. */
struct profile {
	struct query claims; /* name and JSON text of each claim that is there; empty texts and zeroes are not */
	struct profile_email {
		const char *address;
		bool verified, primary;
	} * email;
	size_t emails;
};

struct profile profile_new(struct arena *);
void profile_add_email(struct profile *, const char *address, bool verified, bool primary); /* as it is, also an empty one */
void profile_set_text(struct profile *, const char *claim, const char *value);              /* an empty value adds nothing */
const char *profile_text(const struct profile *, const char *claim);                        /* the claim as plain text; "" without */

/*
 * The claims of OpenID Connect that the reference knows, each of its type, from an object that has them by these names; others are left out.
 * false when one has another type.  The addresses are left alone.
 */
bool profile_read(struct profile *, const json *claims);

/* The claims as one JSON object: what auth.identities.identity_data gets. */
char *profile_json(const struct profile *);

/* Whether the database takes that: POSTERN_METADATA_MAX, numbers that a double can be, an id and an address that fit their columns. */
bool profile_fits(struct arena *, const char *text);

#endif
