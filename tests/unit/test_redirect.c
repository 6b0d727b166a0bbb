/* SPDX-License-Identifier: Apache-2.0 */
/* redirect.jsonl (redirect.mjs makes it): URLs, whether the list below allows them, and what a browser reads in them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/redirect.h"
#include "fixture.h"

#define SENDER "auth.test" /* which read the Location */

static char *usual[] = { "https://*.ok.test/**", "https://*-team.vercel.app/**", "http://localhost:*/**", "myapp://callback",
	"my_app://auth", "query://back?state=*", "exp://**", "exp+x:/cb/*", "com.app.x:oauth", "http://192.168.1.20:3000/cb",
	"http://[fd00::1]/cb", "http://192.168.0.1/**", "https://team.test/ours/**", "*://app.test/**", NULL };

/* As much as anybody can allow. */
static char *wide[] = { "**", "*:**", "*://**", "*://*/**", "https://**", "http://**:*/**", "https:**", "https:/**", "https:///**", "*:/**",
	"*:***", "https://?*.test/**", "https://[!a]*/**", "**/**", NULL };

static void
list_set(char **list)
{
	static struct settings settings;

	settings.gotrue_site_url = "https://site.test:8443";
	settings.gotrue_uri_allow_list = list;
	cfg = &settings;
}

static bool
six_equal(const char *ours, const char *bracketed)
{
	char text[64] = "";
	struct in6_addr one, two;

	strncpy(text, bracketed + 1, sizeof(text) - 1);
	text[strcspn(text, "]")] = '\0';
	return (inet_pton(AF_INET6, ours, &one) == 1 && inet_pton(AF_INET6, text, &two) == 1 && memcmp(&one, &two, sizeof(one)) == 0);
}

static bool
port_equal(const struct url *url, const char *port)
{
	const char *usual_port = str_equal(url->scheme, "https") ? "443" : str_equal(url->scheme, "http") ? "80" : "";

	return (atoi(str_or(url->port, usual_port)) == atoi(str_or(port, usual_port)));
}

/* Where a browser would end is where we think it does; or nowhere; or, with a scheme that only apps know, with us. */
static bool
read_alike(struct arena *a, const char *text, const json *browser)
{
	const char *scheme = json_string(json_get(browser, "scheme")), *host = json_string(json_get(browser, "host"));
	struct url url;

	if (!url_parse(a, text, &url))
		return (false);
	if (host == NULL)
		return (true);
	if (strchr(url.scheme, '_') != NULL)
		return (str_equal(host, SENDER));
	if (!str_equal(scheme, url.scheme) || !port_equal(&url, json_string(json_get(browser, "port"))))
		return (false);
	if (*json_string(json_get(browser, "user")) != '\0')
		return (false);
	return (url.bracketed ? six_equal(url.host, host) : url_web(&url) ? str_equal_nocase(url.host, host) : str_equal(url.host, host));
}

static size_t
corpus_each(struct arena *a, bool (*look)(struct arena *, const char *url, const json *row))
{
	const char *srcdir = getenv("srcdir");
	FILE *file = fopen(arena_printf(a, "%s/tests/unit/redirect.jsonl", srcdir != NULL ? srcdir : "."), "r");
	char *line = NULL;
	size_t size = 0, count = 0;
	ssize_t len;

	assert_non_null(file);
	while ((len = getline(&line, &size, file)) > 0) {
		json *row = json_parse(a, line, (size_t)len, NULL);

		assert_non_null(row);
		count += look(a, json_string(json_get(row, "url")), row);
	}
	free(line);
	fclose(file);
	return (count);
}

static bool
usual_look(struct arena *a, const char *url, const json *row)
{
	bool allowed = redirect_allowed(a, url);

	if (allowed != json_true(json_get(row, "allowed")))
		fail_msg("%s: %s", allowed ? "allowed" : "refused", url);
	return (true);
}

static void
test_the_corpus(void **state)
{
	list_set(usual);
	assert_true(corpus_each(*state, usual_look) > 350);
}

static bool
wide_look(struct arena *a, const char *url, const json *row)
{
	if (!redirect_allowed(a, url))
		return (false);
	if (!read_alike(a, url, json_get(row, "whatwg")))
		fail_msg("read otherwise: %s", url);
	return (true);
}

static void
test_browsers_read_the_same(void **state)
{
	size_t allowed;

	list_set(usual);
	assert_true(corpus_each(*state, wide_look) > 50);
	list_set(wide);
	allowed = corpus_each(*state, wide_look);
	if (allowed < 120)
		fail_msg("only %zu", allowed);
}

static void
test_parts(void **state)
{
	static const struct {
		const char *entry, *yes, *no;
	} rows[] = {
		{ "https://a", "https://a", "https://a/" },
		{ "https://a/", "https://a/", "https://a" },
		{ "https://a/", "https://a/#x", "https://a/x" },
		{ "https://a/*", "https://a/x?y=1", "https://a/x/y" },
		{ "https://a/*/x", "https://a/b/x", "https://a/b/c/x" },
		{ "https://a/**", "https://a/home?x=1", "https://a" },
		{ "https://a?*", "https://ab", "https://a?x" },
		{ "https://*.test", "https://a.test", "https://a.test/x" },
		{ "https://**.test/", "https://a.b.test/", "https://a?.test/" },
		{ "https://**/cb", "https://a.b/cb", "https://a.b/x/cb" },
		{ "http://**:12345/*", "http://a.b:12345/x", "http://a.b/:12345/x" },
		{ "https://[ab].test/", "https://b.test/", "https://c.test/" },
		{ "https://[!/]*/x", "https://a/x", "https://a/y" },
		{ "http://localhost:*/**", "http://localhost:1/x", "http://localhost/x" },
		{ "http://localhost:300?/", "http://localhost:3001/", "http://localhost:3001/x" },
		{ "http://localhost:**", "http://localhost:3001/x/y.z?a", "http://localhost.a:1/" },
		{ "https://A.test/", "https://A.test/", "https://a.test/" },
		{ "exp://**", "exp://", "exp:" },
		{ "exp://**", "exp://1.2.3.4:5/--/x?y#z", "exps://a" },
		{ "exp://192.168.*.*:**", "exp://192.168.1.2:8081/x.y", "exp://192.168.1:8081/x" },
		{ "exp:**", "exp:x/y.z", "exp2:x" },
		{ "exp:**", "exp://x/y.z", "exp2://x" },
		{ "exp:a**", "exp:ab/c?d", "exp:bc" },
		{ "exp*://a/*", "exp2://a/x", "xexp://a/x" },
		{ "http**", "https://a.b/c", "myapp://a" },
		{ "**", "https://a.b/c?d", "https://1.2.3.4/" },
		{ "myapp://cb?*", "myapp://cb?x=1", "myapp://cb/?x=1" },
		{ "myapp://cb*", "myapp://cb1", "myapp://cb?x" },
		{ "myapp://*", "myapp://cb", "myapp://cb/x" },
		{ "myapp:///cb", "myapp:///cb", "myapp://cb" },
		{ "com.a.b:/oauth/*", "com.a.b:/oauth/x?code=1", "com.a.b://oauth/x" },
		{ "http://10.0.0.1/cb", "http://10.0.0.1/cb", "http://10.0.0.1/" },
		{ "exp://10.0.0.*/cb", "exp://10.0.0.1/cb", "exp://10.0.1.1/cb" },
		{ "http://10.0.0.*/cb", "http://10.0.0.x/cb", "http://10.0.0.1/cb" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char *list[] = { arena_strdup(*state, rows[i].entry), NULL };

		list_set(list);
		if (!redirect_allowed(*state, rows[i].yes))
			fail_msg("%s refuses %s", rows[i].entry, rows[i].yes);
		if (redirect_allowed(*state, rows[i].no))
			fail_msg("%s allows %s", rows[i].entry, rows[i].no);
	}
}

static void
test_a_site_of_its_own_scheme(void **state)
{
	static struct settings settings;
	static char *none[] = { NULL };

	settings.gotrue_uri_allow_list = none;
	cfg = &settings;
	settings.gotrue_site_url = "myapp://";
	assert_true(redirect_allowed(*state, "myapp:///x"));
	assert_false(redirect_allowed(*state, "myapp://evil"));
	settings.gotrue_site_url = "http://localhost:3000";
	assert_true(redirect_allowed(*state, "http://localhost/x"));
	assert_false(redirect_allowed(*state, "https://localhost/x"));
	/* Without a scheme or a host nothing is the site's. */
	settings.gotrue_site_url = "https://";
	assert_false(redirect_allowed(*state, "https:evil.test"));
	settings.gotrue_site_url = "site.test";
	assert_false(redirect_allowed(*state, "/x"));
	assert_false(redirect_allowed(*state, "///evil.test"));
}

static void
test_entries_that_take_nothing(void **state)
{
	static char *idle[] = { "#https://a.test/**", "https://a.test/#/x", "\"https://a.test/**\"", "\"https://a.test/**",
		"https://b.test/**\"", "'https://a.test/**'", "https://a.test/**'", "a.test/**", "*", "*.a.test", "/x", "https://",
		"https:///x", "https:/a.test/**", "https://u@a.test/**", "https://my_host.test/**", "https://a.test /x",
		"https://a.test/** https://b.test/**", "http://192.168.0.1/**", "http://192.168.0.1:*/cb", "http://2130706433/",
		"http://a.test:x/", "javascript:**", "file:///x", "https://a.test/x/../y", "https://a.test?x=*", "https://a.test\\\\x",
		"localhost:3000/**" };
	static char *busy[] = { "https://a.test", "https://*.a.test/**", "https://**", "**", "http**", "*://a.test/**",
		"http://localhost:*/**", "http://127.0.0.1:*/**", "http://192.168.1.20:3000/cb", "http://[fd00::1]/cb", "myapp://cb",
		"my_app://auth", "exp://**", "exp://192.168.1.2:**", "myapp:**", "myapp://cb?x=*", "com.a.b:/oauth/*", "com.a.b:oauth",
		"https://[a-c]x.test/[!a-z]?", "https://[!0]x.test/", "https://a.test/{x,y}" };

	list_set(usual);
	for (size_t i = 0; i < LENGTH(idle); i++) {
		const char *said = redirect_complaint(*state, idle[i]);

		if (said == NULL || strstr(said, idle[i]) == NULL)
			fail_msg("not seen: %s", idle[i]);
	}
	for (size_t i = 0; i < LENGTH(busy); i++) {
		if (redirect_complaint(*state, busy[i]) != NULL)
			fail_msg("%s", redirect_complaint(*state, busy[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_the_corpus),
		arena_test(test_browsers_read_the_same),
		arena_test(test_parts),
		arena_test(test_a_site_of_its_own_scheme),
		arena_test(test_entries_that_take_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
