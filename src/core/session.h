/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "base/setting.h"
#include "core/tokens.h"

/* How a session came to be; only method is required. */
struct session_origin {
	const char *method;             /* an amr method: password, otp, oauth ... */
	const char *password;           /* as stored, if it was compared: the session is written only while it is that */
	const char *renewed_password;   /* a better form of it, to be stored; NULL: none */
	const char *client_id, *scopes; /* of an OAuth client; NULL: none */
	const char *not_after, *tag;
	const char *signed_up; /* the reply shows a user who has just signed up, with the identity of this provider */
};

/*
 * Starts a session for the user: rows, refresh token, last_sign_in_at, access token, and the sb-auth-* headers.
 * Ends the writing of this request: whatever else it writes must be queued before.  A ban, or another password, that came meanwhile is
 * user_banned or invalid_credentials.
 */
checked err session_start(struct request *, const struct user *, const struct session_origin *, struct tokens *);

/*
 * Raises the session of r->user to aal2, by a factor that they have just shown: method joins its list, the client gets new tokens, and the
 * user's sessions that have shown no factor end.  The old v1 token is the new one's parent and gives it once more; the v2 counter moves on
 * by two, so that the old token is one that was used.  session_to_raise() reads (session_not_found for one that can't be refreshed,
 * session_expired for one that is over): when nothing slow follows, and behind user_hold(), so that of many at once none overtakes another;
 * session_raise() ends the writing of the request.  It writes for what was seen only: whoever was banned or signed out since, has lost the
 * factor, or has other tokens by now, makes the request begin anew.
 */
struct session_state;
checked err session_to_raise(struct request *, struct session_state *);
checked err session_raise(struct request *, const struct session_state *, const char *method, const char *factor_id, struct tokens *);

/*
 * Queues the lock on r->user and the condition that they are still signed in, for what the request writes of them: whoever is signed out or
 * banned while it hashes or waits for a hook changes nothing.
 */
checked err session_still(struct request *);

/* Whether the session in u is still good at r->now.  token_time: when the v1 refresh token in hand was written, 0 without one. */
enum session_verdict { SESSION_VALID, SESSION_PAST_NOT_AFTER, SESSION_PAST_TIMEBOX, SESSION_INACTIVE, SESSION_LOW_AAL };
usec session_last_used(const struct user *, usec token_time);
enum session_verdict session_validity(const struct request *, const struct user *, usec token_time);

/* Such a setting for statements: NULL, no limit. */
const char *session_interval(struct arena *, setting_maybe_duration);

#endif
