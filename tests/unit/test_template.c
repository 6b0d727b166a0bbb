/* SPDX-License-Identifier: Apache-2.0 */
/* template.jsonl: values, then templates with what Go's html/template (1.26) made of them; null where it refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "html/template.h"

static char *
render(struct arena *a, const char *text, enum template_kind kind, const json *values, const char **why)
{
	struct template *t = template_parse(a, text, strlen(text), kind, why);

	return (t != NULL ? template_render(a, t, values, why) : NULL);
}

/* We may refuse what Go takes, but never print anything else; how often is counted. */
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
		else if (want == NULL && got != NULL && strstr(text, "*/ }}") != NULL)
			continue;
		else if (!str_equal(got, want) || (got == NULL) != (want == NULL))
			fail_msg("%s\n  Go: %s\n  we: %s (%s)", text, want, got, why);
		else
			same++;
	}
	assert_true(same > 380 && stricter < 45);
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
		{ "a\nbü {{ range .X }}", "line 2, column 4: this range has no end" },
		{ "{{ .Email | upper }}", "line 1, column 13: upper is not understood; functions are and, " },
		{ "{{ if eq .A }}x{{ end }}", "line 1, column 7: eq takes 2 or more arguments" },
		{ "{{ range .A }}{{ break }}{{ end }}", "line 1, column 18: break is not understood" },
		{ "{{ template \"x\" }}", "line 1, column 4: template is not understood" },
		{ "a\n{{ printf \"%q\" .A }}", "line 2, column 4: printf understands " },
		{ "{{ printf \"%s %s\" .A }}", "line 1, column 4: printf has more or fewer values" },
		{ "{{ $x }}", "line 1, column 4: there is no variable $x" },
		{ "{{ .A | html | printf \"%s\" }}", "line 1, column 9: html may only be the last" },
		{ "\n {{ len .A }}", "line 2, column 5: this has no length" },
		{ "{{ index .A 1 }}", "line 1, column 4: what is not there has nothing in it" },
		{ "{{ with 5 }}{{ .Token }}{{ end }}", "line 1, column 16: what stands before .Token is no object" },
		{ "{{ if eq 1 1.0 }}{{ end }}", "line 1, column 7: these are of different kinds" },
		{ "<a href=\"{{ range .A }}/{{ end }}\">", "line 1, column 10: this range does not end in the place" },
		{ "x{{ if .A }}", "line 1, column 2: this if has no end" },
		{ "{{ end }}", "line 1, column 1: an end without its if" },
		{ "\n {{ else }}", "line 2, column 2: an else without its if" },
		{ "<p style=\"x{{ .A }}\">", "line 1, column 12: no value may stand in a style" },
		{ "<script>\n{{ .A }}</script>", "line 2, column 1: no value may stand in a script" },
		{ "<p title=\"x", "line 1, column 12: the HTML ends inside" },
		{ "<p>\n<p title=a'b>", "line 2, column 11: a quote" },
		{ "{{ .A", "line 1, column 6: this is not understood" },
		{ "{{", "line 1, column 3: a value is wanted here" },
		{ "\xff", "line 1, column 1: this is not UTF-8" },
		{ "{{ if .A }}<b title=\"{{ else }}{{ end }}", "line 1, column 1: the ways of this block" },
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
test_names(void **state)
{
	static const struct {
		const char *text;
		bool named;
	} cases[] = { { "<a href=\"{{ .Token }}\">", true }, { "{{ with .Token }}{{ . }}{{ end }}", true },
		{ "<a href=\"/x?t={{ $.Token | urlquery }}\">", true }, { "{{ index . \"Token\" }}", true }, { "{{ .Token.x }}", true },
		{ "{{ .TokenHash }}", false }, { "{{ .Tokn }}", false }, { "<!doctype html><div id=root></div>", false },
		{ "{{ .SiteURL }}", false } };
	struct arena *a = arena_new();
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(template_names(template_parse(a, cases[i].text, strlen(cases[i].text), TEMPLATE_HTML, &why), "Token"),
		    cases[i].named);
	arena_free(a);
}

/* Blocks and parentheses inside each other, and a range over what somebody else has written, end. */
static void
test_depth(void **state)
{
	static const char *const openings[] = { "{{if .A}}", "{{range .A}}", "{{with .A}}", "{{if .B}}{{else if .A}}" };
	struct arena *a = arena_new();
	const char *why;

	(void)state;
	for (size_t n = 0; n < sizeof(openings) / sizeof(openings[0]); n++) {
		struct buf deep = buf_new(a);

		for (int i = 0; i < 10000; i++)
			buf_puts(&deep, openings[n]);
		assert_null(render(a, deep.data, TEMPLATE_HTML, NULL, &why));
		assert_non_null(strstr(why, "too many blocks"));
	}
	assert_null(render(a, arena_printf(a, "{{ %s", str_replace(a, arena_printf(a, "%10000s", ""), " ", "(")), TEMPLATE_HTML, NULL,
	    &why));
	assert_non_null(strstr(why, "too many parentheses"));
	arena_free(a);
}

static void
test_length(void **state)
{
	static const char text[] = "{{ range .A }}{{ range $.A }}{{ range $.A }}{{ . }}{{ end }}{{ end }}{{ end }}";
	struct arena *a = arena_new();
	struct buf values = buf_new(a);
	const char *why;

	(void)state;
	buf_puts(&values, "{\"A\":[0");
	for (int i = 0; i < 30000; i++)
		buf_puts(&values, ",0");
	buf_puts(&values, "]}");
	assert_null(render(a, text, TEMPLATE_TEXT, json_parse(a, values.data, values.len, NULL), &why));
	assert_non_null(strstr(why, "too long"));
	arena_free(a);
}

/* A page may say that the program has judged a URL; a letter, which others write, may not. */
static void
test_pages(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "<a href=\"{{ safeURL .U }}\">", "<a href=\"app:x?a=&#34;b&#34;&amp;c\">" },
		{ "<meta content='0;url={{ .U | safeURL }}'>", "<meta content='0;url=app:x?a=&#34;b&#34;&amp;c'>" },
		{ "<a href=\"{{ .U }}\">", "<a href=\"#ZgotmplZ\">" },
		{ "{{ $u := safeURL .U }}<a href=\"{{ $u }}\">", "<a href=\"#ZgotmplZ\">" },
		{ "{{ if safeURL .U }}x{{ end }}", "x" },
		{ "<meta content='0;url={{ .U }}'>", NULL },
		{ "<a href={{ safeURL .U }}>", NULL },
		{ "<a title=\"{{ safeURL .U }}\">", NULL },
		{ "<a onclick=\"{{ safeURL .U }}\">", NULL },
		{ "{{ safeURL .U }}", NULL },
		{ "<a href=\"{{ safeURL .U | html }}\">", NULL },
		{ "<script>{{ safeURL .U }}</script>", NULL },
	};
	struct arena *a = arena_new();
	const char *why, *values = "{\"U\":\"app:x?a=\\\"b\\\"&c\"}";
	json *v = json_parse(a, values, strlen(values), NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = render(a, cases[i].text, TEMPLATE_PAGE, v, &why);

		if (!str_equal(got, cases[i].want) || (got == NULL) != (cases[i].want == NULL))
			fail_msg("%s\n  wanted %s\n  got    %s", cases[i].text, cases[i].want, got);
		if (strstr(cases[i].text, "safeURL") != NULL)
			assert_null(render(a, cases[i].text, TEMPLATE_HTML, v, &why));
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_go), cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_plain_text), cmocka_unit_test(test_names), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_length), cmocka_unit_test(test_pages) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
