/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HIBP_H
#define NET_HIBP_H

#include <stdbool.h>

#include "base/arena.h"
#include "sec/secret.h"

/*
 * Asks haveibeenpwned.com whether a password with this digest was found in a breach; only the first 20 bits of it go out.  5 s at most.
 * false when there is no answer that can be read; *why is one sentence for the log then.
 */
checked bool hibp_find(struct arena *, const unsigned char sha1[SHA1_LEN], bool *known, const char **why);

/*
 * What GOTRUE_PASSWORD_HIBP_BLOOM_* ask for, shared with all processes that are forked later: digests that were in an answer are known
 * without asking.  Called anew with other settings, it begins anew.
 */
void hibp_memory_share(void);

void hibp_memory_add(const unsigned char sha1[SHA1_LEN]);
bool hibp_memory_has(const unsigned char sha1[SHA1_LEN]);

#endif
