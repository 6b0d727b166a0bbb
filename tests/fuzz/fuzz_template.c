/* SPDX-License-Identifier: Apache-2.0 */
/* Templates come from a URL: whatever it serves, parsing ends, and what is taken renders without markup that the values brought. */
#include "fuzz.h"
#include "html/template.h"
#include "letter/text.h"

static void
try(struct arena *a, const char *text, size_t len, enum template_kind kind)
{
	static const char values[] =
	    "{\"A\":\"<evil-tag>\\\"'`= &\",\"B\":\"javascript:evil\",\"C\":{\"d\":[1,null,{\"e\":1e9}]},\"D\":\"\"}";
	json *v = json_parse(a, values, sizeof(values) - 1, NULL);
	const char *why;
	struct template *t = template_parse(a, text, len, kind, &why);

	PROMISE((t == NULL) == (why != NULL));
	if (t != NULL) {
		char *html = template_render(a, t, v, &why);

		PROMISE((html == NULL) == (why != NULL));
		PROMISE(kind == TEMPLATE_TEXT || html == NULL || strstr(text, "evil-tag") != NULL || strstr(html, "<evil-tag") == NULL);
		text_of_html(a, html != NULL ? html : "");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	char *text = arena_strndup(a, (const char *)data, len);

	try(a, text, len, TEMPLATE_HTML);
	try(a, text, len, TEMPLATE_PAGE);
	try(a, text, len, TEMPLATE_TEXT);
	arena_free(a);
	return (0);
}
