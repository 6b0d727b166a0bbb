/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_SECRET_H
#define SEC_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* Random bytes, digests, MACs, sealing.  Nothing here fails but for lack of entropy, which aborts. */

struct bytes {
	const void *data;
	size_t len;
};

bool bytes_equal(struct bytes, struct bytes); /* of what is no secret: the time that it takes tells where they differ */

void secret_random(void *, size_t);
char *secret_token(struct arena *, size_t bytes); /* base64url without padding of that many random bytes */
char *secret_otp(struct arena *, unsigned digits);
/* The reference's refresh token: characters of [a-z2-7], at least 8 (base32 as its crypto.SecureAlphanumeric). */
char *secret_alphanumeric(struct arena *, unsigned length);

bool secret_equal(const void *, const void *, size_t); /* constant time */
bool secret_equal_text(const char *, const char *);    /* constant time in the content; false when lengths differ */
void secret_wipe(void *, size_t);                      /* overwrites, and is not optimised away */

enum digest { DIGEST_SHA1, DIGEST_SHA224, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_COUNT };
#define DIGEST_MAX 64
#define SHA1_LEN 20
#define SHA256_LEN 32

/* Both give the length of what they wrote. */
size_t digest_make(enum digest, struct bytes, unsigned char out[DIGEST_MAX]);
size_t hmac_make(enum digest, struct bytes key, struct bytes text, unsigned char mac[DIGEST_MAX]);

void sha256(const void *, size_t, unsigned char digest[SHA256_LEN]);
char *sha224_hex(struct arena *, const char *); /* token hashes: hex of SHA-224, as auth.one_time_tokens has them */
char *sha256_hex(struct arena *, const char *);
char *sha256_base64url(struct arena *, const char *); /* RFC 7636 S256 */
void hmac_sha256(const void *key, size_t, const void *, size_t, unsigned char mac[SHA256_LEN]);
void hmac_sha1(const void *key, size_t, const void *, size_t, unsigned char mac[20]);
void hkdf_sha256(const void *key, size_t, const char *info, unsigned char *out, size_t); /* RFC 5869, empty salt */

/*
 * The reference's encrypted column ({"key_id","alg":"aes-gcm-hkdf","data","nonce"}), see its crypto.EncryptedString: the AES-256-GCM key is HKDF of the
 * setting's key and the row's id.  seal gives the text itself where GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT is off; unseal gives the text itself when it
 * is not sealed, NULL when it can't be opened; *reseal (may be NULL) says that it ought to be sealed anew.
 */
char *secret_seal(struct arena *, const char *row_id, const char *plain);
char *secret_unseal(struct arena *, const char *row_id, const char *stored, bool *reseal);
bool secret_key_known(const char *id);         /* whether it is one of those that decrypt */
const char *secret_keys_check(struct arena *); /* NULL, or one sentence that says what is wrong with GOTRUE_SECURITY_DB_ENCRYPTION_* */

/* AES-256-GCM: nonce (12) + ciphertext + tag (16).  open gives NULL data when the tag does not fit; its text ends with NUL. */
#define GCM_NONCE 12
#define GCM_TAG 16
struct bytes gcm_seal(struct arena *, const unsigned char key[32], struct bytes aad, struct bytes plain);
struct bytes gcm_open(struct arena *, const unsigned char key[32], struct bytes aad, struct bytes sealed);

#endif
