/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTOR_FACTOR_PART_H
#define FACTOR_FACTOR_PART_H

#include "factor/factor.h"

/* Whether one may be verified beside those that are. */
checked err factor_check_verified(struct request *, const struct factor_row *, size_t count);

/* 422 mfa_factor_name_conflict. */
checked err factor_name_taken(struct request *, const char *name);

/* What the rows of factor.def name. */
checked err totp_enroll(struct request *, struct factor_enrolment *);
checked err totp_compare(struct request *, const struct factor_challenged *, struct factor_code *);
checked err phone_enroll(struct request *, struct factor_enrolment *);
checked err phone_challenge(struct request *, struct factor_challenge *);
checked err phone_compare(struct request *, const struct factor_challenged *, struct factor_code *);
checked err webauthn_challenge(struct request *, struct factor_challenge *);
checked err webauthn_verify(struct request *, const struct factor_answer *, struct tokens *);

#endif
