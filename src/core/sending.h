/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SENDING_H
#define CORE_SENDING_H

#include "base/setting.h"
#include "query/row.h"
#include "web/request.h"

/*
 * How often something is sent to an address: GOTRUE_SMTP_MAX_FREQUENCY, GOTRUE_SMS_MAX_FREQUENCY, GOTRUE_MFA_PHONE_MAX_FREQUENCY.
 *
 * What really goes out leaves its time in the user's row, as in the reference.  Where a stranger asks and nothing goes out, because nobody
 * has the address or it is proven already, a time is kept all the same, in postern.limits; so the second request within a minute is
 * refused whoever has the address.
 */
enum sending { SENDING_MAIL, SENDING_EMAIL_CHANGE, SENDING_SMS, SENDING_PHONE_CHANGE, SENDING_FACTOR };

/* 429 when the last one was not long enough ago.  u: who was found, or not, by this address.  Before anything is written. */
checked err sending_check(struct request *, enum sending, const char *address, const struct user *u);

/* Queues the time of one that does not leave it in a user's row. */
checked err sending_note(struct request *, enum sending, const char *address);

/* 429 when sent_at (0: never) is not `interval` ago. */
checked err sending_long_ago(struct request *, err refusal, usec sent_at, setting_duration interval);

#endif
