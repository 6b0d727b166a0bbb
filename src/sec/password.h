/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_PASSWORD_H
#define SEC_PASSWORD_H

#include <stdbool.h>

#include "base/arena.h"

#define PASSWORD_COLUMN 255 /* characters of auth.users.encrypted_password */

/* A hash of the configured algorithm: $fbscrypt$ by libscrypt, or bcrypt (POSTERN_PASSWORD_HASH, POSTERN_SCRYPT_*, POSTERN_BCRYPT_COST). Slow: never in a transaction. */
char *password_hash(struct arena *, const char *password);

/* A hash that no password has, of the configured algorithm and as slow to verify, made at once: random bytes for a digest. */
char *password_unknown(struct arena *);

/* Verifies against bcrypt ($2a$ $2b$ $2y$), argon2i/argon2id, $fbscrypt$.  PASSWORD_BAD_HASH: not a hash that we (or the reference) read. */
enum password_verdict { PASSWORD_WRONG, PASSWORD_RIGHT, PASSWORD_BAD_HASH };
enum password_verdict password_verify(struct arena *, const char *hash, const char *password);

/* The same work as one verification of a hash of the configured algorithm, for users that do not exist or have no password. */
void password_waste(struct arena *, const char *password);

bool password_outdated(const char *hash);   /* POSTERN_PASSWORD_REHASH says that it ought to be renewed */
bool password_hash_valid(const char *hash); /* a form that can be stored (admin's password_hash) */

#endif
