/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/str.h"
#include "sec/crypto.h"
#include "sec/secret.h"

/* Nothing shorter is worth the name, also where a caller asks for it. */
#define SHORTEST_ALPHANUMERIC 8

void
secret_random(void *out, size_t len)
{
	crypto_assert(RAND_bytes_ex(NULL, out, len, 0) == 1, "getting random bytes");
}

char *
secret_token(struct arena *arena, size_t len)
{
	unsigned char *random = arena_alloc(arena, len);

	secret_random(random, len);
	return (base64url_encode(arena, random, len));
}

/* Of 256 values the upper six would favour the digits 0 to 5. */
static char
digit_random(void)
{
	unsigned char byte;

	do
		secret_random(&byte, 1);
	while (byte >= 250);
	return ((char)('0' + byte % 10));
}

char *
secret_otp(struct arena *arena, unsigned digits)
{
	char *otp = arena_alloc(arena, (size_t)digits + 1);

	for (unsigned i = 0; i < digits; i++)
		otp[i] = digit_random();
	return (otp);
}

char *
secret_alphanumeric(struct arena *arena, unsigned length)
{
	static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t len = length < SHORTEST_ALPHANUMERIC ? SHORTEST_ALPHANUMERIC : length;
	char *text = arena_alloc(arena, len + 1);

	secret_random(text, len);
	for (size_t i = 0; i < len; i++)
		text[i] = base32[(unsigned char)text[i] & 31];
	return (text);
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return (a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0));
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
	return (CRYPTO_memcmp(a, b, len) == 0);
}

bool
secret_equal_text(const char *a, const char *b)
{
	size_t len = strlen(a);

	return (strlen(b) == len && secret_equal(a, b, len));
}

void
secret_wipe(void *memory, size_t len)
{
	OPENSSL_cleanse(memory, len);
}
