/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SMS_GATEWAY_H
#define NET_SMS_GATEWAY_H

#include <stdbool.h>

#include "base/arena.h"

/* The gateway of GOTRUE_SMS_PROVIDER: rows of sms.def.  Blocking, within GOTRUE_INTERNAL_HTTP_TIMEOUT; never while a transaction is open. */

struct text_message {
	const char *phone;   /* digits, without "+" */
	const char *text;    /* what it says */
	const char *code;    /* the code in it */
	const char *channel; /* "sms" or "whatsapp" */
};

/* true: *id is what the gateway calls the message ("" when it does not say).  false: *why is what follows "Error sending ... to provider: ". */
bool gateway_send(struct arena *, const struct text_message *, const char **id, const char **why);

bool gateway_known(void); /* GOTRUE_SMS_PROVIDER names one */
bool gateway_takes_channel(const char *channel);
bool gateway_verifies(void); /* Twilio Verify: it makes the code, gateway_verify() checks it */
bool gateway_verify(struct arena *, const char *phone, const char *code, const char **why);

/* NULL, or one sentence that names the setting which the gateway lacks. */
const char *gateway_check(struct arena *);

#endif
