/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "query/row.h"
#include "web/request.h"

/* How a session came to be; only method is required. */
struct session_origin {
	const char *method;           /* an amr method: password, otp, oauth ... */
	const char *password;         /* as stored, if it was compared: the session is written only while it is that */
	const char *renewed_password; /* a better form of it, to be stored; NULL: none */
	const char *factor_id, *not_after, *tag;
	const char *signed_up; /* the reply shows a user who has just signed up, with the identity of this provider */
};

/* What the client gets. */
struct tokens {
	const char *access, *refresh, *session_id;
	const char *user_json;
	long long expires_at; /* seconds since 1970 */
	const char *extra;    /* an object whose members the reply has, too: {"weak_password":{...}}; NULL: none */
};

/*
 * Starts a session for the user: rows, refresh token, last_sign_in_at, access token, and the sb-auth-* headers.
 * Ends the writing of this request: whatever else it writes must be queued before.  A ban, or another password, that came meanwhile is
 * user_banned or invalid_credentials.
 */
checked err session_start(struct request *, const struct user *, const struct session_origin *, struct tokens *);

/*
 * Queues the lock on r->user and the condition that they are still signed in, for what the request writes of them: whoever is signed out or
 * banned while it hashes or waits for a hook changes nothing.
 */
checked err session_still(struct request *);

/*
 * Signs an access token for a session; fills access and expires_at.  amr: JSON array text; method: what the token is made for, as the
 * custom_access_token hook is told.
 */
struct access {
	const char *session_id, *aal, *amr, *method, *client_id, *scopes;
	usec created_at; /* of the session */
};
checked err access_token(struct request *, const struct user *, const struct access *, struct tokens *);

/* The reply {"access_token", ..., "user"}. */
checked err reply_tokens(struct request *, const struct tokens *);

/* url with the tokens in its fragment, together with what is in extra. */
char *tokens_redirect(struct request *, const struct tokens *, const char *url, struct query *extra);

/* Whether the session in u is still good at r->now.  token_time: when the v1 refresh token in hand was written, 0 without one. */
enum session_verdict { SESSION_VALID, SESSION_PAST_NOT_AFTER, SESSION_PAST_TIMEBOX, SESSION_INACTIVE, SESSION_LOW_AAL };
usec session_last_used(const struct user *, usec token_time);
enum session_verdict session_validity(const struct request *, const struct user *, usec token_time);

/* The key that signs the v2 refresh tokens of a new session, in the form of its column. */
char *session_key_new(struct arena *, const char *session_id);

/* The bytes of such a column, or NULL when it can't be read. */
unsigned char *session_key_open(struct arena *, const char *session_id, const char *stored, size_t *len);

#endif
