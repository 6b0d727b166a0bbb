/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include "core/onetime.h"
#include "letter/letter.h"
#include "query/row.h"
#include "web/request.h"

/* One letter on its way, to the send_email hook or into the outbox. */
struct message {
	enum letter_id letter;
	const char *to;
	enum onetime_kind kind; /* of the secret in it; KIND_NONE: it only tells */
	struct onetime secret;
	const char *url;  /* NULL: none */
	const char *more; /* an object of further values, or NULL */
};

/* Takes one of GOTRUE_RATE_LIMIT_EMAIL_SENT: 429 over_email_send_rate_limit. */
#define MESSAGES "email_sent" /* their bucket in postern.limits */
checked err message_take(struct request *);

/* Into the outbox; one with a secret only to an address that passes email_validation_check(). */
checked err message_queue(struct request *, const struct user *, const struct message *);

/* What the hook is told; texts that are NULL are "". */
struct email_data {
	const char *action, *token, *hash, *token_new, *hash_new, *old_email, *old_phone, *provider, *factor_type;
};
checked err message_hook(struct request *, const char *user_json, const struct email_data *);

#endif
