/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WEBHOOK_H
#define NET_WEBHOOK_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

/*
 * A hook over HTTP, signed as Standard Webhooks: headers webhook-id, webhook-timestamp, webhook-signature.  Three tries, 2 s apart, within
 * 5 s altogether; an answer of 200 KB at most.  Never call it while a transaction is open.
 */
struct webhook {
	const char *url;
	char *const *secrets; /* "v1,whsec_<base64>" or "v1a,whpk_<base64>:whsk_<base64>"; ends with NULL */
	const char *payload;  /* JSON */
};

/* What the client is told when the call fails: for fail_as(). */
struct webhook_failure {
	int status;
	const char *message;
	const char *cause; /* for the log; NULL: nothing more is known */
};

/*
 * OK: *answer is the JSON, NULL after 204.  Else E_HOOK_TIMEOUT, E_HOOK_TIMEOUT_AFTER_RETRY, E_HOOK_PAYLOAD_OVER_SIZE_LIMIT,
 * E_HOOK_PAYLOAD_INVALID_CONTENT_TYPE, E_UNEXPECTED_FAILURE, or E_UNKNOWN for the hook's own error ({"error":{"http_code","message"}}).
 */
checked err webhook_call(struct arena *, const struct webhook *, json **answer, struct webhook_failure *);

/* The hook's own error in its answer; OK without.  Functions in the database say theirs in the same way. */
checked err webhook_answer_check(const json *answer, struct webhook_failure *);

/* The value of webhook-signature, one signature a secret; NULL when a secret can't be read. */
char *webhook_signature(struct arena *, char *const *secrets, const char *id, long long timestamp, const char *payload);

#endif
