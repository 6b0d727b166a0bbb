/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FACTOR_H
#define CORE_FACTOR_H

#include "core/user_json.h"
#include "web/request.h"

/* Second factors: r->factor, of r->user, as the gate FACTOR has found it. */

/* What operators change: "" leaves as it is.  A phone number only where the factor is one. */
struct factor_change {
	const char *friendly_name, *phone;
};
checked err factor_change(struct request *, struct factor_change *, const char **text);

/* Queues that the factor goes, and that the sessions which it has raised fall back to aal1. */
checked err factor_delete(struct request *);

#endif
