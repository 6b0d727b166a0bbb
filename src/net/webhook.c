/* SPDX-License-Identifier: Apache-2.0 */
#include "net/webhook.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/http.h"
#include "sec/secret.h"

#define TRIES 3
#define PAUSE_NS 2000000000
#define LIMIT_NS 5000000000
#define REDIRECTS 10
#define ANSWER_MAX ((size_t)200 * 1024)
#define TIMEOUT_WORDS "Failed to reach hook within maximum time of 5.000000 seconds"

/* Base64 as Go reads it: bits beyond the last byte are not looked at.  NULL when it is not base64. */
static unsigned char *
key_decode(struct arena *a, const char *text, size_t text_len, size_t *len)
{
	unsigned char *key = arena_alloc(a, text_len + 4);
	int n = text_len % 4 == 0 && text_len <= 4096 ? EVP_DecodeBlock(key, (const unsigned char *)text, (int)text_len) : -1;

	for (size_t i = text_len; n > 0 && i > 0 && text[i - 1] == '='; i--)
		n--;
	*len = n > 0 ? (size_t)n : 0;
	return (n > 0 ? key : NULL);
}

/* v1: HMAC-SHA256. */
static char *
sign_symmetric(struct arena *a, const char *secret, const char *content)
{
	unsigned char mac[SHA256_LEN], *key;
	size_t len;

	if (str_starts(secret, "whsec_"))
		secret += strlen("whsec_");
	key = key_decode(a, secret, strlen(secret), &len);
	if (key == NULL)
		return (NULL);
	hmac_sha256(key, len, content, strlen(content), mac);
	OPENSSL_cleanse(key, len);
	return (arena_printf(a, "v1,%s", base64_encode(a, mac, sizeof(mac))));
}

/* v1a: Ed25519; the secret half is a seed, or a seed with its public key behind it. */
static char *
sign_asymmetric(struct arena *a, const char *pair, const char *content)
{
	const char *secret = strstr(pair, ":whsk_");
	unsigned char signature[64], *key;
	size_t len = 0, signed_len = sizeof(signature);
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = false;

	key = secret != NULL ? key_decode(a, secret + 6, strlen(secret + 6), &len) : NULL;
	if (len == 32 || len == 64)
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, 32);
	if (pkey != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1)
		done = EVP_DigestSign(ctx, signature, &signed_len, (const unsigned char *)content, strlen(content)) == 1;
	if (key != NULL)
		OPENSSL_cleanse(key, len);
	EVP_PKEY_free(pkey);
	EVP_MD_CTX_free(ctx);
	return (done ? arena_printf(a, "v1a,%s", base64_encode(a, signature, sizeof(signature))) : NULL);
}

static const struct scheme {
	const char *prefix;
	char *(*sign)(struct arena *, const char *secret, const char *content);
} schemes[] = {
	{ "v1,", sign_symmetric },
	{ "v1a,", sign_asymmetric },
};

static char *
sign_with(struct arena *a, const char *secret, const char *content)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (str_starts(secret, schemes[i].prefix))
			return (schemes[i].sign(a, secret + strlen(schemes[i].prefix), content));
	return (NULL);
}

/* Joined as the reference joins them; receivers look for theirs in the list. */
char *
webhook_signature(struct arena *a, char *const *secrets, const char *id, long long timestamp, const char *payload)
{
	const char *content = arena_printf(a, "%s.%lld.%s", id, timestamp, payload);
	struct buf all = buf_new(a);

	buf_puts(&all, "");
	for (; *secrets != NULL; secrets++) {
		const char *one = sign_with(a, *secrets, content);

		if (one == NULL)
			return (NULL);
		buf_printf(&all, "%s%s", all.len > 0 ? ", " : "", one);
	}
	return (all.len > 0 ? all.data : arena_strdup(a, ""));
}

static err
refuse(struct webhook_failure *failure, err error, const char *message, const char *cause)
{
	*failure = (struct webhook_failure){ error_row(error)->status, message, cause };
	return (error);
}

err
webhook_answer_check(const json *answer, struct webhook_failure *failure)
{
	json *error = json_get_nocase(answer, "error"), *code = json_get_nocase(error, "http_code"),
	     *message = json_get_nocase(error, "message");
	int64_t status = 0;

	/* What does not fit Go's struct is no error to it. */
	if (json_kind(code) != JSON_NULL && !json_integer(code, &status))
		return (OK);
	if (str_empty(json_string(message)))
		return (OK);
	/* Another one would not get past a web server. */
	if (status < 200 || status > 599)
		status = 500;
	*failure = (struct webhook_failure){ (int)status, json_string(message), "the hook's own error" };
	return (E_UNKNOWN);
}

static err
type_check(struct arena *a, const char *type, struct webhook_failure *failure)
{
	const char *media = str_lower(a, str_trim(a, arena_strndup(a, str_or(type, ""), strcspn(str_or(type, ""), ";"))));

	if (str_empty(type))
		return (refuse(failure, E_HOOK_PAYLOAD_INVALID_CONTENT_TYPE, "Invalid Content-Type: Missing Content-Type header", NULL));
	if (str_empty(media))
		return (refuse(failure, E_HOOK_PAYLOAD_INVALID_CONTENT_TYPE, "Invalid Content-Type header: mime: no media type", NULL));
	if (!str_equal(media, "application/json"))
		return (refuse(failure, E_HOOK_PAYLOAD_INVALID_CONTENT_TYPE,
		    arena_printf(a, "Invalid JSON response. Received content-type: %s", type), NULL));
	return (OK);
}

static err
body_read(struct arena *a, const struct http_answer *got, enum http_result result, json **answer, struct webhook_failure *failure)
{
	const char *why = NULL;

	TRY(type_check(a, got->type, failure));
	if (result == HTTP_TOO_BIG)
		return (refuse(failure, E_HOOK_PAYLOAD_OVER_SIZE_LIMIT,
		    arena_printf(a, "Payload size exceeded size limit of %zu bytes", ANSWER_MAX), NULL));
	*answer = json_parse(a, got->body, got->len, &why);
	if (*answer == NULL)
		return (refuse(failure, E_UNEXPECTED_FAILURE, "Error unmarshaling JSON output.", why));
	return (webhook_answer_check(*answer, failure));
}

static err
status_refuse(struct arena *a, int status, struct webhook_failure *failure)
{
	static const struct {
		int status;
		const char *words;
	} known[] = {
		{ 429, "Service currently unavailable due to hook" },
		{ 503, "Service currently unavailable due to hook" },
		{ 400, "Invalid payload sent to hook" },
		{ 401, "Hook requires authorization token" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return (refuse(failure, E_UNEXPECTED_FAILURE, known[i].words, NULL));
	return (refuse(failure, E_UNEXPECTED_FAILURE, arena_printf(a, "Unexpected status code returned from hook: %d", status), NULL));
}

/* One try. */
struct attempt {
	enum http_result result;
	struct http_answer got;
	bool signed_all;
};

static struct attempt
attempt_make(struct arena *a, const struct webhook *hook, int64_t left_ns)
{
	struct attempt attempt = { .signed_all = false };
	long long timestamp = (long long)(clock_now() / 1000000);
	const char *id = uuid_new(a), *signature = webhook_signature(a, hook->secrets, id, timestamp, hook->payload);
	const char *headers[] = { "Content-Type", "application/json", "webhook-id", id, "webhook-timestamp",
		arena_printf(a, "%lld", timestamp), "webhook-signature", signature, "Accept-Encoding", "identity", NULL };
	struct http_call call = { .trust = HTTP_OPERATOR,
		.url = hook->url,
		.method = "POST",
		.headers = headers,
		.body = hook->payload,
		.timeout_ns = left_ns,
		.max_bytes = ANSWER_MAX,
		.redirects = REDIRECTS };

	if (signature == NULL)
		return (attempt);
	attempt.signed_all = true;
	attempt.result = http_do(a, &call, &attempt.got);
	return (attempt);
}

static bool
attempt_answered(const struct attempt *t)
{
	return (t->result == HTTP_ANSWERED || (t->result == HTTP_TOO_BIG && t->got.status != 0));
}

/* Between tries: false when the time is over. */
static bool
pause_until(uint64_t deadline)
{
	uint64_t now = clock_mono_ns(), left = now < deadline ? deadline - now : 0, nap = left < PAUSE_NS ? left : PAUSE_NS;
	struct timespec ts = { (time_t)(nap / 1000000000), (long)(nap % 1000000000) };

	nanosleep(&ts, NULL);
	return (left > PAUSE_NS);
}

static err
answer_read(struct arena *a, const struct attempt *t, json **answer, struct webhook_failure *failure)
{
	if (t->got.status == 204)
		return (OK);
	if (t->got.status == 200 || t->got.status == 202)
		return (body_read(a, &t->got, t->result, answer, failure));
	return (status_refuse(a, t->got.status, failure));
}

err
webhook_call(struct arena *a, const struct webhook *hook, json **answer, struct webhook_failure *failure)
{
	uint64_t deadline = clock_mono_ns() + LIMIT_NS;
	struct attempt t = { 0 };

	*answer = NULL;
	for (int i = 0; i < TRIES; i++) {
		int64_t left = (int64_t)(deadline - clock_mono_ns());

		t = attempt_make(a, hook, left > 1000000 ? left : 1000000);
		if (!t.signed_all)
			return (refuse(failure, E_UNEXPECTED_FAILURE, "Error generating signatures: invalid signature format", NULL));
		if (t.result == HTTP_TIMEOUT)
			return (refuse(failure, E_HOOK_TIMEOUT, TIMEOUT_WORDS, t.got.why));
		if (attempt_answered(&t)) {
			bool busy = t.got.status == 429 || t.got.status == 503;

			if (!busy || http_header(&t.got, "Retry-After") == NULL)
				return (answer_read(a, &t, answer, failure));
		} else if (i < TRIES - 1 && !pause_until(deadline))
			return (refuse(failure, E_HOOK_TIMEOUT, TIMEOUT_WORDS, t.got.why));
	}
	if (attempt_answered(&t))
		return (status_refuse(a, t.got.status, failure));
	return (refuse(failure, E_HOOK_TIMEOUT_AFTER_RETRY, "Failed to reach hook after maximum retries", t.got.why));
}
