/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_PASSWORD_FORM_H
#define SEC_PASSWORD_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "sec/secret.h"

/* A stored password hash taken apart, within the limits of the reference's parsers and of what a worker can bear. */
enum password_kind { PASSWORD_BCRYPT, PASSWORD_ARGON2I, PASSWORD_ARGON2ID, PASSWORD_FBSCRYPT };

struct password_form {
	enum password_kind kind;
	uint64_t cost;                   /* bcrypt: log2 of the rounds; argon2: passes; fbscrypt: log2 of N */
	uint64_t memory, lanes;          /* argon2: KiB, p; fbscrypt: r, p */
	struct bytes salt, signer, hash; /* decoded; of bcrypt salt and hash stay text */
};

bool password_form_parse(struct arena *, const char *hash, struct password_form *);

#endif
