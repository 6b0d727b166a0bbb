/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXPORT_H
#define CORE_EXPORT_H

#include "web/request.h"

/*
 * Replies with all that the database has about r->user, as one JSON document to be saved: the user with identities, factors, sessions,
 * passkeys, consents, audit log.  No hashes, keys, secrets or tokens.
 */
checked err export_reply(struct request *);

#endif
