/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fuzz.h"
#include "web_double.h"

/*
 * A Cookie header, of any bytes.  What is read from it can be set again, and stays one cookie, of this name and value and nothing more.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)bytes, len);
	char *const variables[] = { "REQUEST_METHOD=GET", arena_printf(arena, "HTTP_COOKIE=%s", text), NULL };
	struct request *r = double_request(arena, variables, "", 0);
	const char *value = request_cookie(r, "a"), *set, *want;

	PROMISE(value == NULL || (strstr(text, "a=") != NULL && strpbrk(value, "; \t\r\n\",\\") == NULL));
	reply_cookie(r, &(struct cookie){ .name = "a", .value = value, .path = "/" });
	reply_empty(r, 204);
	set = strstr(reply_bytes(r).data, "Set-Cookie: ");
	want = arena_printf(arena, "Set-Cookie: a=%s; Path=/%s; HttpOnly; SameSite=Lax\r\n\r\n", str_or(value, ""),
	    value == NULL ? "; Max-Age=0" : "");
	PROMISE(str_equal(set, want));
	/* Whatever else is set as it is adds no header and no attribute. */
	reply_cookie(r, &(struct cookie){ .name = "a", .value = text, .path = "/" });
	set = strstr(reply_bytes(r).data, "Set-Cookie: ");
	PROMISE(strchr(set, '\n') == set + strlen(set) - 3 && strchr(strchr(set, ';') + 1, ';') == strstr(set, "; HttpOnly"));
	arena_free(arena);
	return (0);
}
