/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LIMIT_H
#define CORE_LIMIT_H

#include "base/setting.h"
#include "web/request.h"

/* A token bucket per client address, or per user, in postern.limits, shared by all workers. */
struct limit {
	const char *name;
	double (*rate)(void);  /* requests that come back in .seconds */
	double seconds, burst; /* burst 0: the rate */
	bool per_user;
};

#define LIMIT_ROW(id, setting, seconds, burst) extern const struct limit limit_##id;
#define USER_LIMIT_ROW LIMIT_ROW
#include "limit.def"
#undef LIMIT_ROW
#undef USER_LIMIT_ROW

/*
 * Takes one from the bucket of this client: 429 over_request_rate_limit when it is empty.  The client is the first value of
 * GOTRUE_RATE_LIMIT_HEADER (or Sb-Forwarded-For where that is trusted); without the setting or the header nothing is limited, but what is
 * limited per user, who is r->user.
 * Counted in a statement of its own, whatever becomes of the request, and once in a request.
 */
checked err limit_take(struct request *, const struct limit *);

/*
 * Takes one of the messages that all clients together may cause: GOTRUE_RATE_LIMIT_EMAIL_SENT, _SMS_SENT.  what names them in the table.
 * *allowed tells; counted in a statement of its own as well, and once in a request.
 */
checked err limit_take_message(struct request *, const char *what, setting_rate, bool *allowed);

#endif
