/* SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"
#include "base/str.h"
#include "fuzz.h"

/* The first line is the pattern, the rest the text.  A pattern without special characters matches itself and only that. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	const uint8_t *end = len == 0 ? NULL : memchr(bytes, '\n', len);
	size_t pattern_len = end == NULL ? len : (size_t)(end - bytes);
	char *pattern = arena_strndup(arena, (const char *)bytes, pattern_len);
	char *text = end == NULL ? NULL : arena_strndup(arena, (const char *)end + 1, len - pattern_len - 1);
	struct glob *glob = glob_compile(arena, pattern, "./");

	if (glob != NULL) {
		bool first = glob_match(glob, text);

		PROMISE(first == glob_match(glob, text));
		if (strpbrk(pattern, "*?[{\\") == NULL) {
			PROMISE(glob_match(glob, pattern));
			PROMISE(first == str_equal(pattern, text) || !utf8_valid(str_or(text, ""), strlen(str_or(text, ""))));
		}
	}
	arena_free(arena);
	return (0);
}
