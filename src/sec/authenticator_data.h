/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_AUTHENTICATOR_DATA_H
#define SEC_AUTHENTICATOR_DATA_H

#include <stdint.h>

#include "base/arena.h"
#include "sec/secret.h"

/* Web Authentication, section 6.1: what an authenticator says and signs. */
enum authenticator_flag {
	AUTHENTICATOR_UP = 0x01, /* user present */
	AUTHENTICATOR_UV = 0x04, /* user verified */
	AUTHENTICATOR_BE = 0x08, /* the credential may be backed up */
	AUTHENTICATOR_BS = 0x10, /* and is */
	AUTHENTICATOR_AT = 0x40, /* a credential is in it */
	AUTHENTICATOR_ED = 0x80, /* extensions are in it */
};

#define AAGUID_LEN 16
#define AUTHENTICATOR_DATA_LEAST 37

struct authenticator_data {
	struct bytes bytes; /* all of it, as it came */
	struct bytes rp_id_hash;
	uint8_t flags;
	uint32_t sign_count;
	struct bytes aaguid, credential_id, public_key; /* with AT: AAGUID_LEN, 1 to 1023 bytes, COSE_Key as it came */
	struct bytes extensions;                        /* with ED: a CBOR map */
};

/* NULL, or what part has not its form.  It points into the bytes. */
const char *authenticator_data_read(struct arena *, struct bytes, struct authenticator_data *);

#endif
