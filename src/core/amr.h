/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_AMR_H
#define CORE_AMR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/clock.h"
#include "query/row.h"

struct factor_row;

/*
 * How somebody has signed in: a JSON array, the latest first.  methods: rows of auth.mfa_amr_claims, see sql/fragment/refresh_columns.sql,
 * or NULL; latest: a method that is just now shown, or NULL.
 */
char *amr_text(struct arena *, const struct user *, const char *methods, const char *latest, usec at);

/* Whether the user has a factor that is verified. */
bool user_has_factor(struct arena *, const struct user *);
bool factor_verified(const struct factor_row *);

/*
 * Whether the session in u has shown one.  What says so is the column aal of auth.sessions, and nothing else: a session is born with aal1,
 * session_raise() makes it aal2, and it falls back when that factor goes.
 */
bool session_is_aal2(const struct user *);

/* When an aal1 session of a user with factors is over, GOTRUE_SESSIONS_ALLOW_LOW_AAL after it began; 0: it goes on. */
usec session_low_aal_end(struct arena *, const struct user *);

#endif
