/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ATTEMPTS_H
#define CORE_ATTEMPTS_H

#include "web/request.h"

/* How often something wrong was typed against a stored secret: postern.attempts, by its hash. */

/* *too_many: after POSTERN_OTP_MAX_ATTEMPTS wrong ones. */
checked err attempts_check(struct request *, const char *hash, bool *too_many);

/* Counts a wrong one against each, which stands with the error. */
checked err attempts_count_wrong(struct request *, char *const *hashes);

#endif
