/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_ATTESTATION_H
#define SEC_ATTESTATION_H

#include "base/arena.h"
#include "sec/cose.h"
#include "sec/webauthn.h"

/*
 * Web Authentication, section 8: that the statement is one of its format and signs this registration.  Whom its certificates go back to is asked of
 * nobody, as with the reference.  NULL, or what is wrong.
 */
const char *attestation_verify(struct arena *, const struct webauthn_registration *, const struct webauthn_expected *,
    const struct cose_key *);

#endif
