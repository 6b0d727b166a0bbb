/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TOKENS_H
#define CORE_TOKENS_H

#include "query/row.h"
#include "web/request.h"

/* What the client gets. */
struct tokens {
	const char *access, *refresh, *session_id;
	const char *user_json;
	long long expires_at; /* seconds since 1970 */
	const char *extra;    /* an object whose members the reply has, too: {"weak_password":{...}}; NULL: none */
};

/*
 * Signs an access token for the session in the user; fills access, expires_at and session_id.  amr: amr_text(); method: what the token is
 * made for, as the custom_access_token hook is told; client_id, scopes: of an OAuth client, or NULL.
 */
struct access {
	const char *method, *amr, *client_id, *scopes;
};
checked err access_token(struct request *, const struct user *, const struct access *, struct tokens *);

/* The reply {"access_token", ..., "user"}. */
checked err reply_tokens(struct request *, const struct tokens *);

/* url with the tokens in its fragment, together with what is in extra. */
char *tokens_redirect(struct request *, const struct tokens *, const char *url, struct query *extra);

/* The key that signs the v2 refresh tokens of a new session, in the form of its column. */
char *session_key_new(struct arena *, const char *session_id);

/* The bytes of such a column, or NULL when it can't be read. */
unsigned char *session_key_open(struct arena *, const char *session_id, const char *stored, size_t *len);

/* The refresh token of a session's counter, signed with the key as its column has it; NULL when that can't be read. */
char *session_token_v2(struct arena *, const char *session_id, long long counter, const char *stored_key);

/* The refresh tokens of algorithm version 1: rows of auth.refresh_tokens. */
char *refresh_token_v1_new(struct arena *);
bool refresh_token_v1_valid(const char *);

#endif
