/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "factor/authenticator_name.h"

static const struct authenticator {
	const char *aaguid, *name;
} authenticators[] = {
#define AUTHENTICATOR(aaguid, name) { aaguid, name },
#include "authenticator.def"
#undef AUTHENTICATOR
};

static int
aaguid_compare(const void *aaguid, const void *row)
{
	return (strcmp(aaguid, ((const struct authenticator *)row)->aaguid));
}

const char *
authenticator_name(const char *aaguid)
{
	const struct authenticator *found = bsearch(str_or(aaguid, ""), authenticators, sizeof(authenticators) / sizeof(authenticators[0]),
	    sizeof(authenticators[0]), aaguid_compare);

	return (found == NULL ? "Passkey" : found->name);
}
