/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hibp.h"

#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "net/http.h"
#include "sec/breached_file.h"

#define LIMIT_NS INT64_C(5000000000)
#define HEX_LEN ((size_t)2 * SHA1_LEN)
#define PREFIX_LEN ((size_t)5)
#define SUFFIX_LEN (HEX_LEN - PREFIX_LEN)

/* A line of the answer, 0018A45C4D1DEF81644B54AB7F969B88D65:12, whose count is 0 where it only fills up. */
static bool
line_read(const char *prefix, const char *line, unsigned char sha1[SHA1_LEN], bool *counts)
{
	const char *end;
	char hex[HEX_LEN];

	if (strnlen(line, SUFFIX_LEN + 1) <= SUFFIX_LEN || line[SUFFIX_LEN] != ':')
		return (false);
	memcpy(hex, prefix, PREFIX_LEN);
	memcpy(hex + PREFIX_LEN, line, SUFFIX_LEN);
	end = breached_count_read(line + SUFFIX_LEN + 1, counts);
	if (end == NULL)
		return (false);
	end += strspn(end, " \t\r");
	return ((*end == '\n' || *end == '\0') && hex_read(hex, sha1, SHA1_LEN));
}

static const char *
line_behind(const char *line)
{
	line += strcspn(line, "\n");
	return (*line == '\n' ? line + 1 : line);
}

/* false for a text without one line as they should be, such as somebody's page about an error. */
static bool
range_read(const char *prefix, const char *text, const unsigned char sha1[SHA1_LEN], bool *known)
{
	bool any = *text == '\0', counts;
	unsigned char found[SHA1_LEN];

	for (; *text != '\0'; text = line_behind(text)) {
		if (!line_read(prefix, text, found, &counts))
			continue;
		any = true;
		if (!counts)
			continue;
		hibp_memory_add(found);
		*known = *known || memcmp(found, sha1, SHA1_LEN) == 0;
	}
	return (any);
}

static void
prefix_of(const unsigned char sha1[SHA1_LEN], char prefix[PREFIX_LEN + 1])
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < PREFIX_LEN; i++)
		prefix[i] = digits[i % 2 == 0 ? sha1[i / 2] >> 4 : sha1[i / 2] & 15];
	prefix[PREFIX_LEN] = '\0';
}

/* Add-Padding: the answers are alike in length, so that who sees that does not see what was asked. */
static enum http_result
range_ask(struct arena *a, const char *prefix, struct http_answer *answer)
{
	const char *agent = cfg->gotrue_password_hibp_user_agent;
	const char *headers[] = { "Add-Padding", "true", str_empty(agent) ? NULL : "User-Agent", agent, NULL };
	const struct http_call call = { .trust = HTTP_OPERATOR,
		.url = arena_printf(a, "https://api.pwnedpasswords.com/range/%s", prefix),
		.headers = headers,
		.timeout_ns = LIMIT_NS };

	return (http_do(a, &call, answer));
}

bool
hibp_find(struct arena *a, const unsigned char sha1[SHA1_LEN], bool *known, const char **why)
{
	char prefix[PREFIX_LEN + 1];
	struct http_answer answer;

	*known = hibp_memory_has(sha1);
	if (*known)
		return (true);
	prefix_of(sha1, prefix);
	if (range_ask(a, prefix, &answer) != HTTP_ANSWERED)
		*why = str_replace(a, answer.why, prefix, "..."); /* not even that is for the log */
	else if (answer.status != 200)
		*why = arena_printf(a, "api.pwnedpasswords.com answered %d", answer.status);
	else if (!range_read(prefix, answer.body, sha1, known))
		*why = "api.pwnedpasswords.com answered with something else than digests";
	else
		return (true);
	return (false);
}
