/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_GATE_H
#define CORE_GATE_H

#include "web/request.h"

/* The gates of route.def; gate_external_state is external/external_state.c's. arg is the row's, most have none. */

checked err gate_limit(struct request *, const void *limit);
checked err gate_place(struct request *, const void *);          /* 503 when too many take long; gate_slow() tells who needs one */
checked err gate_captcha(struct request *, const void *);        /* behind gate_place; an admin's token or an exempt grant passes */
checked err gate_bearer(struct request *, const void *);         /* fills r->claims and r->user */
checked err gate_member(struct request *, const void *);         /* behind BEARER: not anonymous, and in a session */
checked err gate_admin(struct request *, const void *);          /* a token with an admin role */
checked err gate_email_provider(struct request *, const void *); /* 400 unless GOTRUE_EXTERNAL_EMAIL_ENABLED */
checked err gate_manual_linking(struct request *, const void *); /* 404 unless GOTRUE_SECURITY_MANUAL_LINKING_ENABLED */
checked err gate_oauth_server(struct request *, const void *);   /* 404 unless GOTRUE_OAUTH_SERVER_ENABLED */

checked err gate_passkeys(struct request *, const void *);      /* 404 unless GOTRUE_PASSKEY_ENABLED */
checked err gate_not_anonymous(struct request *, const void *); /* behind BEARER */
checked err gate_not_client(struct request *, const void *);    /* behind BEARER: an OAuth client has only what its scopes say */
checked err gate_not_sso(struct request *, const void *);       /* behind BEARER: who signs in at their company has no passkeys */

/* Whether what stands behind gate_place may hash a password or wait for somebody outside, in this request. */
bool gate_slow(struct request *);

checked err gate_custom_provider(struct request *, const void *); /* 404 unless GOTRUE_CUSTOM_OAUTH_ENABLED */
checked err gate_managed_user(struct request *, const void *);    /* an operator's: r->user becomes the user {user_id} of the path */

/*
 * The row is there only where a setting says so.  The gate lets pass: where it does not say so nothing knows of the row, and the answer is
 * that of a server without it.
 */
struct offer {
	bool (*offered)(void);
};
extern const struct offer offer_account_delete, offer_account_export;
checked err gate_offered(struct request *, const void *offer);

checked err gate_factor(struct request *, const void *); /* r->factor becomes the factor {factor_id} of r->user, else 404 */

/*
 * insufficient_aal for a session that has shown no second factor, where the user has a verified one; behind FACTOR, where that one is
 * verified.  Each place refuses in its own words.  Handlers whose body decides call it themselves.
 */
struct aal2_refusal {
	int status;
	const char *words;
};
checked err gate_aal2(struct request *, const void *aal2_refusal);

#endif
