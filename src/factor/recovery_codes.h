/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTOR_RECOVERY_CODES_H
#define FACTOR_RECOVERY_CODES_H

#include "core/tokens.h"
#include "web/request.h"

/*
 * Recovery codes: a factor of the type recovery_code, verified from its birth, with a set of codes of which each is good once in place of
 * another factor.  They are never somebody's only factor.  What changes them wants an aal2 session: 403 insufficient_aal.
 */
struct recovery_codes {
	const char *factor_id, *friendly_name;
	size_t total, remaining;
	char **code; /* of new ones only: nobody is told them again */
};

/* 404 mfa_factor_not_found for who has none. */
checked err recovery_codes_count(struct request *, struct recovery_codes *);
checked err recovery_codes_regenerate(struct request *, struct recovery_codes *);
checked err recovery_codes_delete(struct request *, const char **factor_id);

/* friendly_name: blank is "Recovery codes". */
checked err recovery_codes_generate(struct request *, const char *friendly_name, struct recovery_codes *);

/*
 * The session is raised by one, as it was typed.  Who has none, a wrong one and a used one get the same answer after as much work.  After
 * GOTRUE_MFA_RECOVERY_CODES_MAX_VERIFY_ATTEMPTS that were not right, all are refused with 429 for a time, which none of these prolongs.
 */
checked err recovery_codes_verify(struct request *, const char *typed, struct tokens *);

/* Whether the user may take r->factor away at /factors: no recovery codes, nor the last that can be used beside recovery codes.  Queues that it stays so; behind session_still(). */
checked err recovery_codes_check_unenroll(struct request *);

#endif
