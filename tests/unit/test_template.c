/* SPDX-License-Identifier: Apache-2.0 */
/* template.jsonl: values, then templates with what Go's html/template (1.26) made of them; null where it refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "letter/template.h"

static char *
render(struct arena *a, const char *text, enum template_kind kind, const json *values, const char **why)
{
	struct template *t = template_parse(a, text, strlen(text), kind, why);

	return (t != NULL ? template_render(a, t, values) : NULL);
}

/* We may refuse what Go takes, but never print anything else; what stays refused by us is listed by its words. */
static void
test_as_go(void **state)
{
	const char *srcdir = getenv("srcdir"), *why;
	struct arena *a = arena_new();
	char *line = NULL, *path = arena_printf(a, "%s/tests/unit/template.jsonl", srcdir != NULL ? srcdir : ".");
	FILE *file = fopen(path, "r");
	size_t size = 0, same = 0, stricter = 0;
	json *values = NULL;
	ssize_t len;

	(void)state;
	assert_non_null(file);
	while ((len = getline(&line, &size, file)) > 0) {
		json *row = json_parse(a, line, (size_t)len, NULL);
		const char *text = json_string(json_get(row, "template")), *want = json_string(json_get(row, "output")), *got;

		assert_non_null(row);
		if (values == NULL) {
			values = row;
			continue;
		}
		got = render(a, text, TEMPLATE_HTML, values, &why);
		if (want != NULL && got == NULL)
			stricter++;
		else if (want == NULL && (strstr(text, "{{.Email.x}}") != NULL || strstr(text, "*/ }}") != NULL))
			assert_non_null(got);
		else if (!str_equal(got, want) || (got == NULL) != (want == NULL))
			fail_msg("%s\n  Go: %s\n  we: %s (%s)", text, want, got, why);
		else
			same++;
	}
	assert_true(same > 115 && stricter < 20);
	free(line);
	fclose(file);
	arena_free(a);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "a\nbü {{ range .X }}", "line 2, column 7: only " },
		{ "{{ .Email | html }}", "line 1, column 11: only " },
		{ "{{ if eq .A \"b\" }}x{{ end }}", "line 1, column 7: a name like " },
		{ "x{{ if .A }}", "line 1, column 2: an if without its end" },
		{ "{{ end }}", "line 1, column 1: an end without its if" },
		{ "\n {{ else }}", "line 2, column 2: an else without its if" },
		{ "<p style=\"x{{ .A }}\">", "line 1, column 12: no value may stand in a style" },
		{ "<script>\n{{ .A }}</script>", "line 2, column 1: no value may stand in a script" },
		{ "<p title=\"x", "line 1, column 12: the HTML ends inside" },
		{ "<p>\n<p title=a'b>", "line 2, column 11: a quote" },
		{ "{{ .A", "line 1, column 6: only " },
		{ "{{", "line 1, column 3: only " },
		{ "\xff", "line 1, column 1: this is not UTF-8" },
		{ "{{ if .A }}<b title=\"{{ else }}{{ end }}", "line 1, column 1: the ways of this if" },
	};
	struct arena *a = arena_new();
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(render(a, cases[i].text, TEMPLATE_HTML, NULL, &why));
		if (!str_starts(why, cases[i].why))
			fail_msg("%s\n  wanted %s\n  got    %s", cases[i].text, cases[i].why, why);
	}
	arena_free(a);
}

static void
test_plain_text(void **state)
{
	struct arena *a = arena_new();
	const char *why, *values = "{\"Code\":\"<1&2>\",\"A\":{\"b\":3}}";
	json *v = json_parse(a, values, strlen(values), NULL);

	(void)state;
	assert_string_equal(render(a, "Your code is {{ .Code }}<", TEMPLATE_TEXT, v, &why), "Your code is <1&2><");
	assert_string_equal(render(a, "{{if .X}}a{{else if .A}}{{.A.b}}{{end}}{{.X}}", TEMPLATE_TEXT, v, &why), "3");
	assert_string_equal(render(a, "", TEMPLATE_TEXT, NULL, &why), "");
	arena_free(a);
}

static void
test_depth(void **state)
{
	struct arena *a = arena_new();
	struct buf deep = buf_new(a);
	const char *why;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_puts(&deep, "{{if .A}}");
	assert_null(render(a, deep.data, TEMPLATE_HTML, NULL, &why));
	assert_non_null(strstr(why, "too many ifs"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_go), cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_plain_text), cmocka_unit_test(test_depth) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
