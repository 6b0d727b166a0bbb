/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fuzz.h"
#include "sec/client_data.h"

#define CHALLENGE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static char *origins[] = { "https://example.org", "http://localhost:3000", "android:apk-key-hash:AbC", NULL };
static const struct webauthn_expected expected = { CHALLENGE, "example.org", origins, false };

/* clientDataJSON: what is taken says what was expected of it. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	const json *client;

	if (client_data_read(arena, (struct bytes){ bytes, len }, &client) == NULL &&
	    client_data_verify(arena, client, "webauthn.get", &expected) == NULL) {
		const char *origin = json_string(json_get_nocase(client, "origin"));

		PROMISE(str_equal(json_string(json_get_nocase(client, "type")), "webauthn.get"));
		PROMISE(str_equal(json_string(json_get_nocase(client, "challenge")), CHALLENGE));
		PROMISE(str_equal(origin, origins[2]) || str_starts(str_lower(arena, origin), "http"));
	}
	arena_free(arena);
	return (0);
}
