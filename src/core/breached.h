/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BREACHED_H
#define CORE_BREACHED_H

#include "web/request.h"

/* What for: a new one is decided on; of one that is in use it is told, and after no answer nobody waits for that again within a minute. */
enum breached_use { BREACHED_DECIDES, BREACHED_TELLS };

/*
 * Whether a password was found in a breach: by POSTERN_PASSWORD_BREACHED_FILE where there is one, else by haveibeenpwned.com where
 * GOTRUE_PASSWORD_HIBP_ENABLED.  BREACHED_UNKNOWN: nobody could say, which the log tells and r->failure.cause.  Slow; not while a
 * transaction is open.
 */
enum breached { BREACHED_NO, BREACHED_YES, BREACHED_UNKNOWN };
checked enum breached breached_look(struct request *, const char *password, enum breached_use);

#endif
