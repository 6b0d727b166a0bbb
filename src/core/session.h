/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "query/row.h"
#include "web/request.h"

/* How a session came to be; only method is required. */
struct grant {
	const char *method; /* an amr method: password, otp, oauth ... */
	const char *factor_id, *not_after, *tag;
};

/* What the client gets. */
struct tokens {
	const char *access, *refresh, *session_id;
	const char *user_json;
	long long expires_at; /* seconds since 1970 */
	const char *extra;    /* further members of the reply, ready JSON: "weak_password":{...}; NULL: none */
};

/*
 * Starts a session for the user: rows, refresh token, last_sign_in_at, access token, and the sb-auth-* headers.
 * Ends the writing of this request: whatever else it writes must be queued before.
 */
checked err session_start(struct request *, const struct user *, const struct grant *, struct tokens *);

/*
 * Signs an access token for a session.  amr: JSON array text.  low_aal_until: 0, or when an aal1 session of a user with factors ends (microseconds).
 */
struct access {
	const char *session_id, *aal, *amr, *client_id, *scopes;
	long long low_aal_until;
};
checked err access_token(struct request *, const struct user *, const struct access *, struct tokens *);

/* The reply {"access_token", ..., "user"}. */
checked err reply_tokens(struct request *, const struct tokens *);

#endif
