/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "core/redirect.h"
#include "fuzz.h"

/*
 * The first line is an entry of the allow list, the rest a URL.  What is allowed can't be read otherwise by a browser: its host ends where
 * we think, and is written as it is meant; without wildcards nothing but the entry itself is taken.
 */
static void
allowed_look(struct arena *a, const char *entry, const char *text)
{
	struct url url;

	PROMISE(url_parse(a, text, &url) && *url.scheme != '\0' && url.userinfo == NULL);
	PROMISE(strpbrk(text, "\\") == NULL && !str_equal(url.scheme, "javascript"));
	if (url_web(&url)) {
		PROMISE(url_host(&url) != HOST_ODD);
		PROMISE(url.bracketed || strncasecmp(strchr(text, ':'), arena_printf(a, "://%s", url.host), strlen(url.host) + 3) == 0);
	}
	if (strpbrk(entry, "*?[{}\\") == NULL && !(url_web(&url) && url_host(&url) == HOST_LOOPBACK))
		PROMISE(strncmp(text, entry, strcspn(text, "#")) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct settings settings = { .gotrue_site_url = "" };
	struct arena *a = arena_new();
	const uint8_t *end = len == 0 ? NULL : memchr(bytes, '\n', len);
	size_t entry_len = end == NULL ? len : (size_t)(end - bytes);
	char *list[] = { arena_strndup(a, (const char *)bytes, entry_len), NULL };
	const char *text = end == NULL ? "" : arena_strndup(a, (const char *)end + 1, len - entry_len - 1);

	settings.gotrue_uri_allow_list = list;
	cfg = &settings;
	if (redirect_allowed(a, text))
		allowed_look(a, list[0], text);
	(void)redirect_complaint(a, list[0]);
	arena_free(a);
	return (0);
}
