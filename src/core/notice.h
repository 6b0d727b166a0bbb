/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_H
#define CORE_NOTICE_H

#include "letter/letter.h"
#include "query/row.h"
#include "web/request.h"

/* A letter that tells of a change; it never fails a request.  more: an object of further values, or NULL. */
struct notice {
	enum letter_id letter;
	const char *to; /* NULL: the user's address */
	const char *more;
};
checked err notice_send(struct request *, const struct user *, const struct notice *);

#endif
