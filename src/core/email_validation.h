/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EMAIL_VALIDATION_H
#define CORE_EMAIL_VALIDATION_H

#include "web/request.h"

/* Whether letters may go, and can come, to an address. */

/*
 * What GOTRUE_MAILER_EMAIL_VALIDATION_* asks for: the form, names that are known not to be anybody's, the domain's mail exchangers, the
 * judgement of a service; 3 seconds at most, and what can't be found out passes.  400 email_address_invalid.  Outside transactions.
 */
checked err email_validation_check(struct request *, const char *email);

/* GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES: 400 email_address_not_authorized. */
checked err email_validation_authorized(struct request *, const char *email);

#endif
