/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTOR_FACTOR_H
#define FACTOR_FACTOR_H

#include "core/notice.h"
#include "core/session.h"
#include "core/user_json.h"
#include "web/request.h"

/* Second factors.  r->factor is one of r->user, as the gate FACTOR has found it; types are rows of factor.def. */

struct factor_enrolment;
struct factor_challenge;
struct factor_answer;
struct factor_challenged;
struct factor_code;

struct factor_type {
	const char *word, *method;
	size_t enroll_enabled, verify_enabled; /* settings */
	err enroll_off, challenge_off;
	err verify_off;  /* OK: challenge_off */
	bool own_routes; /* recovery codes: what is below is NULL, and /factors refuses the type */

	/* Fills in what it makes of the wish.  Nothing is written yet.  NULL: the name is all. */
	checked err (*enroll)(struct request *, struct factor_enrolment *);
	/* Reads what it needs of the body, sends what it sends, fills in what is to be kept.  NULL: nothing of all that. */
	checked err (*challenge)(struct request *, struct factor_challenge *);
	/* Whether the code that was typed is right; queues what has to be sealed anew.  NULL: the type has no codes. */
	checked err (*compare)(struct request *, const struct factor_challenged *, struct factor_code *);
	const char *wrong; /* what is said of one that is not */
	/* All of a verification that follows the checks of every type, where it is not by a code; NULL: it is. */
	checked err (*verify)(struct request *, const struct factor_answer *, struct tokens *);
	bool quiet; /* its challenges are not audited */
};

struct factor_code {
	const char *typed;
	bool right;
	int64_t step; /* of time, that it belongs to; 0: its challenge alone says when it is good */
};
const struct factor_type *factor_type(const char *word); /* NULL: there is none */
bool factor_may_enroll(const struct factor_type *);
bool factor_may_verify(const struct factor_type *);

/* Gates: factors of that type (a text) can be added; can be used. */
checked err gate_may_enroll(struct request *, const void *type);
checked err gate_may_verify(struct request *, const void *type);

/* --- A new one --- */

struct factor_enrolment {
	const char *factor_type, *friendly_name, *issuer, *phone; /* as the client wants it */
	const char *id;
	const char *number; /* for the column phone; NULL: none */
	const char *secret; /* as it is stored */
	const char *shown;  /* an object whose members the reply has, too */
};
checked err factor_enroll(struct request *, struct factor_enrolment *);

/*
 * Whether r->user may have one more of this name: 422 mfa_factor_name_conflict, too_many_enrolled_mfa_factors, 403 insufficient_aal.  The lock
 * on the user is held from here to the end of the request.  Factors that nobody has verified in time go before, everybody's, and those
 * of the user with this number (NULL: none); they stay away when it is refused.
 */
checked err factor_check_new(struct request *, const char *friendly_name, const char *number);

/* Queues the row; behind factor_check_new(). */
struct new_factor {
	const char *id, *type, *friendly_name, *phone, *secret;
	bool verified;
};
checked err factor_add(struct request *, const struct new_factor *);

/* --- Its use: r->factor --- */

struct factor_challenge {
	const char *id;
	const char *channel;
	const char *code, *session_data; /* as they are stored; NULL: none */
	const char *shown;               /* an object whose members the reply has, too */
	long long expires_at;            /* seconds since 1970 */
};
checked err factor_challenge(struct request *, struct factor_challenge *);

/* What the client shows. */
struct factor_answer {
	const char *challenge_id, *code;
	const char *webauthn; /* {"type","credential_response"}; NULL without */
};
checked err factor_verify(struct request *, const struct factor_answer *, struct tokens *);

/* The challenge of this id (NULL: none), if it is r->factor's, unused, of this client's address, and in time; what is too late is deleted. */
checked err factor_challenge_find(struct request *, const char *id, struct factor_challenged *);

/* Asks the hook mfa_verification_attempt, where there is one; when it refuses, all sessions of the user end. */
checked err factor_judge(struct request *, bool right);

/* Queues the lock on r->user, and that r->factor is still theirs: before all else that is written of it. */
checked err factor_hold(struct request *);

/*
 * What a factor that was shown brings: the audit row, the factor verified and those of its type that are not deleted, the letter of the
 * first time, the session raised.  Behind factor_hold(), session_to_raise(), which gives state, and whatever else the request writes.
 * challenge_id: for the audit row; NULL: none.  shown_id: the factor whose end is that of aal2: r->factor, or another one of its type that the
 * user had at hand.
 */
checked err factor_accept(struct request *, const struct session_state *, const char *challenge_id, const char *shown_id, struct tokens *);

/* The letter to r->user of a factor of this type that came or goes. */
checked err factor_notify(struct request *, enum letter_id, const char *type);

/* --- Its end --- */

/* What operators change: "" leaves as it is.  A phone number only where the factor is one. */
struct factor_change {
	const char *friendly_name, *phone;
};
checked err factor_change(struct request *, struct factor_change *, const char **text);

/* The user takes it away: audit row, letter, factor_delete(). */
checked err factor_unenroll(struct request *);

/* Queues that the factor goes, and that the sessions which it has raised fall back to aal1. */
checked err factor_delete(struct request *);

#endif
