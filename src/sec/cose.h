/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_COSE_H
#define SEC_COSE_H

#include "base/arena.h"
#include "sec/jwk.h"
#include "sec/jws.h"

/* A COSE_Key (RFC 9052) of one of webauthn_algorithms.  Known only within sec/. */
struct cose_key {
	int algorithm;
	const struct jws_method *method; /* the same, as JOSE has it */
	struct jwk *key;
};

/* NULL, or what is wrong with it.  The arena owns the key. */
const char *cose_key_read(struct arena *, struct bytes, struct cose_key *);

/* Whether the key signed what is signed throughout Web Authentication: the data, and behind it the digest of the client data. */
bool cose_signed(struct arena *, const struct cose_key *, struct bytes data, struct bytes client_data, struct bytes signature);

/* NULL for an algorithm that is none of them. */
const struct jws_method *cose_method(int64_t algorithm);

#endif
