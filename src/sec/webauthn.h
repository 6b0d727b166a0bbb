/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_WEBAUTHN_H
#define SEC_WEBAUTHN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "sec/authenticator_data.h"
#include "sec/secret.h"

/*
 * Web Authentication (W3C, Level 3): what a relying party looks at in a registration (section 7.1) and in an assertion (7.2), as the reference's
 * library does.  Nothing of HTTP, rows, settings and time.
 *
 * Each ceremony has two steps, because the reference has other words for each: _read() takes apart what the client sent, _verify() holds it to what
 * was asked.  All of them give NULL, or why not, in a few words for the log (fail_outside()); what they wrote is then not to be used.  Results are in
 * the arena, or point into what was given.
 */

/* COSE algorithms (IANA) that clients are offered and may use, in the order of the reference's options: ES256, ES384 ... EdDSA. */
#define WEBAUTHN_ALGORITHMS 10
extern const int webauthn_algorithms[WEBAUTHN_ALGORITHMS];

/* What was asked of the client. */
struct webauthn_expected {
	const char *challenge;  /* base64url without padding, as in session_data */
	const char *rp_id;      /* example.com */
	char *const *origins;   /* one of them: http(s) by scheme, host and port, others (android:apk-key-hash:...) by their bytes */
	bool user_verification; /* it was "required" */
};

/* What is kept of a credential. */
struct webauthn_credential {
	struct bytes id;         /* 1 to 1023 bytes */
	struct bytes public_key; /* COSE_Key, the bytes as they came */
	int algorithm;           /* one of webauthn_algorithms */
	const char *aaguid;      /* a UUID; UUID_NIL where the authenticator does not say */
	const char *format;      /* none, packed, fido-u2f, tpm: the reference's attestation_type */
	uint32_t sign_count;
	bool user_present, user_verified, backup_eligible, backed_up;
};

struct webauthn_registration {
	struct bytes id;                              /* rawId, as the client says it: these three are given to _read() */
	struct bytes client_data, attestation_object; /* clientDataJSON, attestationObject */

	const json *client; /* what it read */
	struct authenticator_data data;
	const char *format;
	struct bytes statement; /* a CBOR map */
};

const char *webauthn_registration_read(struct arena *, struct webauthn_registration *);
const char *webauthn_registration_verify(struct arena *, const struct webauthn_registration *, const struct webauthn_expected *,
    struct webauthn_credential *);

struct webauthn_assertion {
	struct bytes id; /* rawId: these four are given to _read() */
	struct bytes client_data, authenticator_data, signature;

	const json *client; /* what it read */
	struct authenticator_data data;
};

const char *webauthn_assertion_read(struct arena *, struct webauthn_assertion *);

/*
 * The credential is given as it is kept: id, public_key, sign_count and backup_eligible are read.  Flags and sign_count are made new.
 * A counter that did not go up refuses nothing, and stays as it was.
 */
const char *webauthn_assertion_verify(struct arena *, const struct webauthn_assertion *, const struct webauthn_expected *,
    struct webauthn_credential *);

#endif
