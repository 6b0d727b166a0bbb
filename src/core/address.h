/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ADDRESS_H
#define CORE_ADDRESS_H

#include "web/request.h"

/* E-mail addresses and phone numbers as people type them. */

/* Checks the form and puts it into small letters: 400 validation_failed. */
checked err address_check_email(struct request *, const char **email);

/* Takes off "+" and spaces and checks for E.164: 400 validation_failed. */
checked err address_check_phone(struct request *, const char **phone);

/* Without the check: what a number looks like in the database. */
char *address_phone(struct arena *, const char *phone);

#endif
