/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTOR_CEREMONY_H
#define FACTOR_CEREMONY_H

#include "base/json.h"
#include "sec/webauthn.h"
#include "web/request.h"

/*
 * The ceremonies of WebAuthn, for passkeys and for second factors: what a browser is asked, what is kept of that, and what it answers, each
 * in the JSON that the reference has for it, so that each server ends what the other one began.  sec/webauthn.h looks at what is signed.
 */
struct ceremony_credential {
	struct bytes id;
	const char *transports; /* a list as JSON; NULL: none */
};
struct ceremony {
	bool passkey;                                 /* it signs in alone, so the authenticator keeps the user, and should ask for a PIN */
	const char *user_id, *name, *display_name;    /* NULL: who it is will be seen */
	const struct ceremony_credential *credential; /* that the user has: not to be made again, or one of them is to be shown */
	size_t credentials;
};

/* JSON: the browser's options, and auth's session_data. */
struct ceremony_begun {
	const char *options, *session;
};

/* 500 while GOTRUE_WEBAUTHN_RP_* do not say whose the credentials are. */
checked err ceremony_check(struct request *);

void ceremony_create(struct arena *, const struct ceremony *, struct ceremony_begun *);
void ceremony_request(struct arena *, const struct ceremony *, struct ceremony_begun *);

/*
 * The answer, a PublicKeyCredential as JSON.  _read() and _verify() give E_OUTSIDE for one that has not the form, and for one that does not
 * hold; what clients are told of it is the caller's.
 */
struct ceremony_created {
	struct webauthn_registration registration;
	const char *transports; /* a list as JSON; NULL: none */
	const char *attachment; /* platform, cross-platform, or "" */
};
checked err ceremony_read_created(struct request *, const char *credential, struct ceremony_created *);
checked err ceremony_verify_created(struct request *, const struct ceremony_created *, const char *session, struct webauthn_credential *);

struct ceremony_shown {
	struct webauthn_assertion assertion;
	const char *user_id; /* what the authenticator keeps of the user, in the form of ids; NULL without */
};
checked err ceremony_read_shown(struct request *, const char *credential, struct ceremony_shown *);

/* Only id, public_key, sign_count and backup_eligible of the credential need be there. */
checked err ceremony_verify_shown(struct request *, const struct ceremony_shown *, const char *session, struct webauthn_credential *);

#endif
