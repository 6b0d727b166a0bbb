/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_CLIENT_DATA_H
#define SEC_CLIENT_DATA_H

#include "base/arena.h"
#include "base/json.h"
#include "sec/secret.h"
#include "sec/webauthn.h"

/*
 * Web Authentication, section 5.8.1: what the browser says and the authenticator signs the digest of.  Members are read as Go reads them, capitals
 * alike.  crossOrigin and topOrigin are not held to anything, as the reference has it.  Both give NULL, or what is wrong.
 */
const char *client_data_read(struct arena *, struct bytes, const json **);
const char *client_data_verify(struct arena *, const json *, const char *type, const struct webauthn_expected *);

#endif
