/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/recovery_code.h"

#include <argon2.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"
#include "sec/crypto.h"
#include "sec/secret.h"
#include "sec/work.h"

/* The reference's. */
#define PASSES 1
#define KIB 19456
#define LANES 1
#define SALT_LEN 16
#define KEY_LEN 32
#define TEXT_MAX 128

struct hashing {
	const char *code;
	char text[TEXT_MAX];
};

static void
hash_slowly(void *arg)
{
	struct hashing *h = arg;
	unsigned char salt[SALT_LEN];

	secret_random(salt, sizeof(salt));
	crypto_assert(argon2id_hash_encoded(PASSES, KIB, LANES, h->code, strlen(h->code), salt, sizeof(salt), KEY_LEN, h->text,
			  sizeof(h->text)) == ARGON2_OK,
	    "argon2id");
}

char *
recovery_code_hash(struct arena *arena, const char *code)
{
	struct hashing h = { .code = code };

	work_slowly(hash_slowly, &h);
	return (arena_strdup(arena, h.text));
}

char *
recovery_code_canonical(struct arena *arena, const char *typed)
{
	struct buf b = buf_new(arena);
	size_t left = strlen(typed), len;
	uint32_t c;

	for (; left > 0; typed += len, left -= len) {
		len = utf8_read(typed, left, &c);
		len = len > 0 ? len : 1;
		if (c != '-' && !utf8_is_space(c))
			buf_put(&b, typed, len);
	}
	return (str_lower(arena, b.len > 0 ? b.data : ""));
}
