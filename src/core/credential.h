/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CREDENTIAL_H
#define CORE_CREDENTIAL_H

#include "query/row.h"
#include "web/request.h"

/* Passwords of users: the rules for them, and what is stored. */

/* 400 when it is too long for a hash. */
checked err credential_check_length(struct request *, const char *password);

/* The same, and 422 weak_password when the rules of GOTRUE_PASSWORD_* refuse it, or it is a breached one. Not while a transaction is open. */
checked err credential_check_strength(struct request *, const char *password);

/* The same for a password that is accepted all the same: the member weak_password of a reply, null when nothing is known against it. */
const char *credential_weakness(struct request *, const char *password);

/* What auth.users.encrypted_password gets; NULL for an empty password. Slow. */
char *credential_new(struct request *, const char *user_id, const char *password);

/* The same for a password that nobody knows.  Quick. */
char *credential_unknown(struct request *, const char *user_id);

/*
 * Whether the password is the user's.  Slow, and as slow for a user without one (or for NULL: no such user) as for one of the others;
 * which, hangs on the name by which the client asked.
 * *renewed (may be NULL) is a better form of the same password to store, where the settings ask for it.
 */
bool credential_verify(struct request *, const struct user *, const char *name, const char *password, const char **renewed);

#endif
