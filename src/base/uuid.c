/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"

#define UUID_BYTES 16

static char *
uuid_text(struct arena *arena, const unsigned char *bytes)
{
	const char *hex = hex_encode(arena, bytes, UUID_BYTES);

	return (arena_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20));
}

/* Random bytes for the next few; they are no secrets.  256 is what the kernel gives whole or not at all. */
static struct {
	unsigned char bytes[256];
	size_t left;
} pool;

/* A child must not make the ids that its parent or a sibling makes. */
static void
pool_forget(void)
{
	pool.left = 0;
}

static void
pool_fill(void)
{
	static bool prepared;
	ssize_t got;

	if (!prepared && pthread_atfork(NULL, NULL, pool_forget) != 0)
		abort();
	prepared = true;
	do
		got = getrandom(pool.bytes, sizeof(pool.bytes), 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(pool.bytes)) {
		fputs("postern: no random numbers\n", stderr);
		abort();
	}
	pool.left = sizeof(pool.bytes);
}

char *
uuid_new(struct arena *arena)
{
	unsigned char bytes[UUID_BYTES];

	if (pool.left < UUID_BYTES)
		pool_fill();
	pool.left -= UUID_BYTES;
	memcpy(bytes, pool.bytes + pool.left, UUID_BYTES);
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
	return (uuid_text(arena, bytes));
}

/* Takes off "{...}" or "urn:uuid:"; what is left is the plain form, or nonsense of another length. */
static char *
uuid_unwrap(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	if (str_starts(text, "urn:uuid:"))
		return (arena_strdup(arena, text + strlen("urn:uuid:")));
	if (len >= 2 && text[0] == '{' && text[len - 1] == '}')
		return (arena_strndup(arena, text + 1, len - 2));
	return (arena_strdup(arena, text));
}

static bool
uuid_dashes_drop(char *text)
{
	static const size_t dashes[] = { 23, 18, 13, 8 };

	for (size_t i = 0; i < sizeof(dashes) / sizeof(dashes[0]); i++) {
		if (text[dashes[i]] != '-')
			return (false);
		memmove(text + dashes[i], text + dashes[i] + 1, strlen(text + dashes[i]));
	}
	return (true);
}

char *
uuid_parse(struct arena *arena, const char *text)
{
	const unsigned char *bytes;
	char *plain;

	if (text == NULL)
		return (NULL);
	plain = uuid_unwrap(arena, text);
	if (strlen(plain) == 36 && !uuid_dashes_drop(plain))
		return (NULL);
	if (strlen(plain) != 2 * UUID_BYTES)
		return (NULL);
	bytes = hex_decode(arena, plain, NULL);
	return (bytes == NULL ? NULL : uuid_text(arena, bytes));
}
