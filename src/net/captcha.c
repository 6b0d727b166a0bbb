/* SPDX-License-Identifier: Apache-2.0 */
#include "net/captcha.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "net/http.h"

#define TOKEN_MAX ((size_t)16 << 10)  /* theirs have 2 to 6 kB */
#define ANSWER_MAX ((size_t)16 << 10) /* clients read the codes in it */

static const char *
provider_url(void)
{
	if (str_equal(cfg->gotrue_security_captcha_provider, "turnstile"))
		return ("https://challenges.cloudflare.com/turnstile/v0/siteverify");
	return ("https://hcaptcha.com/siteverify");
}

/* The texts of the list, joined; false where it is no list of texts. */
static bool
codes_join(struct arena *a, const json *codes, const char **words)
{
	struct buf b = buf_new(a);

	if (json_kind(codes) != JSON_ARRAY && json_kind(codes) != JSON_NULL)
		return (false);
	for (size_t i = 0; json_kind(codes) == JSON_ARRAY && i < json_len(codes); i++) {
		if (json_string(json_at(codes, i)) == NULL)
			return (false);
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", json_string(json_at(codes, i)));
	}
	*words = b.data;
	return (true);
}

/* Whatever the status is: what counts is JSON, of the types that are declared. */
static enum captcha_verdict
answer_read(struct arena *a, const struct http_answer *answer, const char **words)
{
	const json *said = json_parse(a, answer->body, answer->len, NULL), *success = json_get_nocase(said, "success");

	if (json_kind(said) != JSON_OBJECT || (json_kind(success) != JSON_BOOL && json_kind(success) != JSON_NULL) ||
	    !codes_join(a, json_get_nocase(said, "error-codes"), words)) {
		*words = arena_printf(a, "the captcha provider answered %d with something else than a verdict", answer->status);
		return (CAPTCHA_UNKNOWN);
	}
	return (json_true(success) ? CAPTCHA_PASSED : CAPTCHA_FAILED);
}

enum captcha_verdict
captcha_ask(struct arena *a, const char *token, const char *address, const char **words)
{
	static const char *const headers[] = { "Content-Type", "application/x-www-form-urlencoded", NULL };
	struct query form = query_new(a);
	struct http_call call = { .trust = HTTP_OPERATOR,
		.url = provider_url(),
		.headers = headers,
		.timeout_ns = cfg->gotrue_security_captcha_timeout,
		.max_bytes = ANSWER_MAX };
	struct http_answer answer;

	if (strlen(token) > TOKEN_MAX) {
		*words = "invalid-input-response"; /* theirs for what is no token */
		return (CAPTCHA_FAILED);
	}
	query_set(&form, "secret", cfg->gotrue_security_captcha_secret);
	query_set(&form, "response", token);
	query_set(&form, "remoteip", address);
	call.body = query_text(&form);
	if (http_do(a, &call, &answer) != HTTP_ANSWERED) {
		*words = answer.why;
		return (CAPTCHA_UNKNOWN);
	}
	return (answer_read(a, &answer, words));
}
