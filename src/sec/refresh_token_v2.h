/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_REFRESH_TOKEN_V2_H
#define SEC_REFRESH_TOKEN_V2_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The signed refresh token of algorithm version 2 (the reference's crypto.RefreshToken). */
struct refresh_token_v2 {
	char session_id[37];
	long long counter;
	const char *raw; /* the text that was parsed */
};

bool refresh_token_v2_parse(struct arena *, const char *, struct refresh_token_v2 *); /* form and checksum only */
bool refresh_token_v2_signed(struct arena *, const char *, const unsigned char *key, size_t key_len);
/* NULL when session_id is not a UUID. */
char *refresh_token_v2_encode(struct arena *, const struct refresh_token_v2 *, const unsigned char *key, size_t key_len);

#endif
