/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PROOF_H
#define CORE_PROOF_H

#include "query/row.h"
#include "web/request.h"

/* Codes and links that prove an address: what is stored of them, how often they may be asked for. */

/* The hash under which a code is stored. */
char *proof_hash(struct arena *, const char *address, const char *code);

/* Asks the user to confirm the address of a sign-up: token, time, letter.  429 when the last one is too recent. */
checked err proof_send_confirmation(struct request *, const struct user *, bool pkce);

/* Spends the nonce of GET /reauthenticate: 422 reauthentication_not_valid. Committed whatever follows. */
checked err proof_spend_nonce(struct request *, const struct user *, const char *nonce);

#endif
