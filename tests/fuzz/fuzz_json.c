/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/str.h"
#include "fuzz.h"

/* What is taken is UTF-8, and its text is taken again and means the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	const char *why = NULL;
	char *text, *again;
	json *value = json_parse(arena, (const char *)bytes, len, &why);

	if (value == NULL)
		PROMISE(why != NULL);
	else {
		PROMISE(utf8_valid((const char *)bytes, len));
		text = json_text(arena, value);
		value = json_parse(arena, text, strlen(text), &why);
		PROMISE(value != NULL);
		again = json_text(arena, value);
		PROMISE(str_equal(text, again));
	}
	arena_free(arena);
	return (0);
}
