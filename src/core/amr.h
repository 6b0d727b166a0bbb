/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_AMR_H
#define CORE_AMR_H

#include <stdbool.h>

#include "base/arena.h"
#include "query/row.h"

struct factor_row;

/* How somebody has signed in.  methods: rows of auth.mfa_amr_claims, see sql/fragment/refresh_columns.sql. */
struct amr {
	const char *aal;  /* aal1, or aal2 where a factor is among the methods */
	const char *text; /* JSON array, the latest first */
};
struct amr amr_read(struct arena *, const struct user *, const char *methods);

/* Whether the user has a factor that is verified. */
bool user_has_factor(struct arena *, const struct user *);
bool factor_verified(const struct factor_row *);

/* Whether the session in u has shown one. */
bool session_is_aal2(const struct user *);

#endif
