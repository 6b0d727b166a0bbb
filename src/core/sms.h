/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SMS_H
#define CORE_SMS_H

#include "core/onetime.h"
#include "query/row.h"
#include "web/request.h"

/*
 * Sends a code to a phone: by the send_sms hook, else by GOTRUE_SMS_PROVIDER.  It may be called wherever the request stands: an open
 * transaction is left and taken up again behind the call.
 */
struct sms {
	const char *phone, *code;
	enum onetime_type type;
	const char *channel; /* sms, whatsapp */
	bool mfa;            /* it is a second factor's, and no type's */
};
/* *message_id: what the gateway calls the message, or "".  422 sms_send_failed (of a second factor 500), or the hook's own error. */
checked err sms_deliver(struct request *, const struct user *, const struct sms *, const char **message_id);

/* The hook takes any, a gateway those of its row: 400 validation_failed. */
checked err sms_check_channel(struct request *, const char *channel);

/* Twilio Verify keeps the codes itself. */
bool sms_provider_verifies(void);
checked err sms_provider_check(struct request *, const char *phone, const char *code); /* OK, or 403 otp_expired */

/* The code that GOTRUE_SMS_TEST_OTP fixes for a number; NULL without one. */
const char *sms_test_code(struct request *, const char *phone);

/* NULL, or one sentence for `postern check`: of the templates, which is an error; of the gateway, without which phones can't be confirmed. */
const char *sms_template_check(struct arena *);
const char *sms_gateway_check(struct arena *);

#endif
