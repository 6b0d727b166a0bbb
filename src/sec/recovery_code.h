/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_RECOVERY_CODE_H
#define SEC_RECOVERY_CODE_H

#include "base/arena.h"

/*
 * Recovery codes: characters of [a-z2-7], as secret_alphanumeric() makes them.  What is stored is argon2id in PHC's text form, as the
 * reference has it; password_verify() compares.  Slow, both: never in a transaction.
 */
char *recovery_code_hash(struct arena *, const char *code);

/* As it is hashed, of what was typed: without white space and hyphens, in small letters. */
char *recovery_code_canonical(struct arena *, const char *typed);

#endif
