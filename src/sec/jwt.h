/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_JWT_H
#define SEC_JWT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

/* RFC 7515/7517/7519 as the reference uses them. */

/* Keys from GOTRUE_JWT_SECRET, _KEYS, _KEY_ID, _VALID_METHODS.  Gives NULL, or one sentence that says what is wrong. */
const char *jwt_keys_load(struct arena *);

/* Signs the claims (JSON text) with the signing key; the header has alg, kid (if any), typ. */
char *jwt_sign(struct arena *, const char *claims);

/* Verifies signature, alg, kid, exp, nbf, iat as golang-jwt does.  NULL: *why has the words after "unable to parse or verify signature, ". */
json *jwt_verify(struct arena *, const char *token, const char **why);

/* The public keys as a JWK set: GET /.well-known/jwks.json. */
char *jwt_key_set(struct arena *);
bool jwt_signs_asymmetric(void);
const char *jwt_signing_alg(void);

/* The signed refresh token of algorithm version 2 (the reference's crypto.RefreshToken). */
struct counted_token {
	char session_id[37];
	long long counter;
	const char *raw;
};
bool counted_token_parse(struct arena *, const char *, struct counted_token *);   /* form and checksum only */
bool counted_token_signed(struct arena *, const char *, const unsigned char *key, size_t key_len);
char *counted_token_encode(struct arena *, const struct counted_token *, const unsigned char *key, size_t key_len);

#endif
