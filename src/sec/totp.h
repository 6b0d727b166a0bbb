/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_TOTP_H
#define SEC_TOTP_H

#include <stdint.h>

#include "base/arena.h"

/* RFC 6238 as authenticator applications have it: SHA-1. */
#define TOTP_DIGITS 6
#define TOTP_PERIOD 30

char *totp_secret(struct arena *); /* a new one: 20 bytes in base32 */

/*
 * The step that a code belongs to, of the one at this time, the one before and the one after; 0: it is no code of theirs, or the secret is
 * none.  What the code is does not show in the time that it takes.
 */
int64_t totp_step(struct arena *, const char *secret, const char *code, int64_t seconds);

#endif
