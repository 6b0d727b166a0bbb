/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTOR_PASSKEY_H
#define FACTOR_PASSKEY_H

#include "core/tokens.h"

/* Passkeys: WebAuthn credentials that sign in alone. */

/* What a browser sends back: the challenge's id, and the JSON of a PublicKeyCredential. */
struct passkey_answer {
	const char *challenge_id, *credential;
};

/* Both queue a challenge; *reply is {"challenge_id","options","expires_at"}. */
checked err passkey_ask_to_sign_in(struct request *, const char **reply);
checked err passkey_ask_to_register(struct request *, const char **reply);

/* A challenge is taken away before the answer to it is looked at: each is good once, whatever comes of it. */
checked err passkey_sign_in(struct request *, const struct passkey_answer *, struct tokens *);
checked err passkey_register(struct request *, const struct passkey_answer *, const char **reply);

/* Those of r->user, a list. */
checked err passkey_list_text(struct request *, const char **text);

/* The id {passkey_id} of the path; 404 for what is none, and of the others for one that r->user has not. */
checked err passkey_named(struct request *, const char **id);
checked err passkey_change_name(struct request *, const char *id, const char *friendly_name, const char **text);
checked err passkey_take_away(struct request *, const char *id);

#endif
