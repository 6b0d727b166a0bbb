/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_JWK_H
#define SEC_JWK_H

#include <openssl/types.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"
#include "sec/secret.h"

/* RFC 7517: one key, ready for use.  Known only within sec/ and net/. */
enum jwk_type { JWK_NONE, JWK_OCT, JWK_RSA, JWK_EC, JWK_OKP };

/* How many signature algorithms jws.c knows at most. */
#define JWS_MOST 16

struct jwk {
	enum jwk_type type;
	const char *kid, *alg;          /* "" without */
	const char *published;          /* the public JWK as the reference publishes it (JSON), NULL for oct */
	bool signs;                     /* key_ops has "sign" */
	unsigned size;                  /* of an EC coordinate in bytes */
	struct bytes secret;            /* of oct */
	EVP_PKEY *public, *private;     /* private: only of a key that signs */
	EVP_MD_CTX *checking[JWS_MOST]; /* per algorithm, prepared at first use */
	EVP_MD_CTX *signing;            /* the same */
};

/*
 * Reads the key; what it keeps is in the first arena, passing secrets in the second.  Gives NULL, or what is wrong with the key.
 */
const char *jwk_parse(struct arena *keep, struct arena *scratch, const json *, struct jwk *);

/* The same for public keys of other forms, of their numbers (big-endian); the key is empty before.  crv is JWK's: P-256, P-384, P-521. */
struct point {
	const char *crv;
	struct bytes x, y;
};
const char *jwk_public_rsa(struct arena *scratch, struct bytes n, struct bytes e, struct jwk *);
const char *jwk_public_ec(struct arena *scratch, const struct point *, struct jwk *);
const char *jwk_public_ed25519(struct arena *scratch, struct bytes x, struct jwk *);

/* Fills in what key->public is: RSA, Ed25519, or on one of these curves; false for others. */
bool jwk_public_known(struct jwk *key);

/* The numbers of an RSA key, and what OpenSSL calls them. */
#define RSA_MEMBERS 8
extern const struct rsa_member {
	const char *member, *param;
} rsa_members[RSA_MEMBERS];

/* An empty key that the arena owns; one in memory of somebody's own is released by jwk_free(). */
struct jwk *jwk_new(struct arena *);
void jwk_free(struct jwk *);

#endif
