/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "letter/text.h"

static void
test_cases(void **state)
{
	static const struct {
		const char *html, *text;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain\n" },
		{ "  a\n b  ", "a b\n" },
		{ "<h2>Title</h2>\n\n<p>One &amp; two.</p>\n<p>Three</p>", "Title\n\nOne & two.\n\nThree\n" },
		{ "<p><a href=\"https://x/?a=1&amp;b=2\">Confirm</a></p><p>End</p>", "Confirm:\nhttps://x/?a=1&b=2\n\nEnd\n" },
		{ "<a href='https://x/'>https://x/</a>", "https://x/\n" },
		{ "<a href=https://x/>y</a>z", "y:\nhttps://x/\nz\n" },
		{ "<a href=\"mailto:a@b.c\">a@b.c</a>", "a@b.c\n" },
		{ "<a class=\"x href=no\" href=\"https://y/\"><img src=\"x>y\"></a>", "https://y/\n" },
		{ "<ul><li>a</li><li>b</li></ul>c", "- a\n- b\n\nc\n" },
		{ "a<br>b<br/><br />c", "a\nb\n\nc\n" },
		{ "<style>p{}</style><title>t</title><script>1<2</script>x", "x\n" },
		{ "<div style=\"Display: none\">hidden <div>deep</div> more</div>seen", "seen\n" },
		{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n" },
		{ "&lt;b&gt; &#39;&#x27; &nbsp;&unknown; & &#0; &#x1F600;", "<b> ''  &unknown; & \xef\xbf\xbd \xf0\x9f\x98\x80\n" },
		{ "a < b <", "a < b <\n" },
		{ "<!-- no --><!DOCTYPE html>yes", "yes\n" },
		{ "<p unfinished", "" },
		{ "<div style=display:none>", "" },
		{ "<a href=\"", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_of_html(a, cases[i].html), cases[i].text);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
