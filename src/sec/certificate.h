/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_CERTIFICATE_H
#define SEC_CERTIFICATE_H

#include <openssl/types.h>
#include <stdbool.h>

#include "base/arena.h"
#include "sec/jwk.h"

/* Certificates of authenticators (X.509), in DER.  Known only within sec/.  The arena owns what is read. */

X509 *certificate_read(struct arena *, struct bytes der); /* NULL when it is none */
bool certificate_current(const X509 *);
/* Its public key: RSA, Ed25519, or on P-256, P-384 or P-521; NULL otherwise. */
struct jwk *certificate_key(struct arena *, X509 *);

/* What Web Authentication asks of the certificates of packed (8.2.1) and tpm (8.3.1) attestations.  NULL, or what is wrong. */
const char *certificate_packed(X509 *, struct bytes aaguid);
const char *certificate_tpm(X509 *, struct bytes aaguid);

#endif
