/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LINKING_DOMAIN_H
#define CORE_LINKING_DOMAIN_H

#include "base/arena.h"

/*
 * Identities are joined within a domain; providers have the "default" one unless GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS says otherwise.
 * %linking_domain reads linking_domains().
 */
const char *linking_domain_of(const char *provider);
char *linking_domains(struct arena *);           /* provider and domain, as JSON */
const char *linking_domains_own(struct arena *); /* the providers that have not the default one, as an array of SQL */

#endif
