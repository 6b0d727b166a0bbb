/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_COUNTED_TOKEN_H
#define SEC_COUNTED_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The signed refresh token of algorithm version 2 (the reference's crypto.RefreshToken). */
struct counted_token {
	char session_id[37];
	long long counter;
	const char *raw; /* the text that was parsed */
};

bool counted_token_parse(struct arena *, const char *, struct counted_token *); /* form and checksum only */
bool counted_token_signed(struct arena *, const char *, const unsigned char *key, size_t key_len);
/* NULL when session_id is not a UUID. */
char *counted_token_encode(struct arena *, const struct counted_token *, const unsigned char *key, size_t key_len);

#endif
