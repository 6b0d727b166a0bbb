/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fuzz.h"
#include "sec/cose.h"

/* A COSE_Key: either refused, or a key that can be asked. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const unsigned char nothing[64];
	struct arena *arena = arena_new();
	struct bytes key = { bytes, len }, text = { nothing, sizeof(nothing) };
	struct cose_key cose;

	if (cose_key_read(arena, key, &cose) == NULL) {
		PROMISE(cose_method(cose.algorithm) == cose.method && cose.key->public != NULL);
		cose_signed(arena, &cose, text, text, text);
		PROMISE(cose_key_read(arena, (struct bytes){ bytes, len - 1 }, &cose) != NULL);
	}
	arena_free(arena);
	return (0);
}
