/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_JWT_H
#define SEC_JWT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "sec/refresh_token_v2.h"

/* RFC 7515/7517/7519 as the reference uses them. */

/*
 * Keys from GOTRUE_JWT_SECRET, _KEYS, _KEY_ID, _VALID_METHODS and POSTERN_JWT_KEYS_FILE, in place of those loaded before.  Gives NULL, or one
 * sentence (in the arena) that says what is wrong; then those loaded before stay.  The keys do not live in the arena.
 */
const char *jwt_keys_load(struct arena *);
void jwt_keys_forget(void);

/* Before each request: loads anew what is in POSTERN_JWT_KEYS_FILE, if that changed.  With a file that can't be used the keys stay as they were. */
void jwt_keys_follow(void);

/* Signs the claims (JSON text) with the signing key; the header has alg, kid (if any), typ. */
char *jwt_sign(struct arena *, const char *claims);

/*
 * Verifies form, signature, alg, kid, exp and nbf as the reference's library does, and that each known claim has its type.  Claims are to be read with
 * json_get_nocase(), as they were checked.  NULL: *why has the words after "unable to parse or verify signature, ".
 */
json *jwt_verify(struct arena *, const char *token, const char **why);

/* The public keys as a JWK set: GET /.well-known/jwks.json.  Whoever has it may keep it so many seconds. */
#define JWT_KEY_SET_AGE 600
char *jwt_key_set(struct arena *);
bool jwt_signs_asymmetric(void);
const char *jwt_signing_alg(void);

/* Whether GOTRUE_JWT_VALID_METHODS, where it is set, has it: a key of another algorithm would sign what nobody takes. */
bool jwt_alg_taken(const char *alg);

#endif
