/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ONETIME_H
#define CORE_ONETIME_H

#include "core/sending.h"
#include "letter/letter.h"
#include "query/row.h"
#include "web/request.h"

/*
 * Codes and links that prove an address: how often they may be asked for, what is stored of them, the letter or message that brings them.
 *
 * The senders check the frequency, the addresses and the limit, call a hook or gateway, and queue what is written.
 */
enum onetime_type { ONETIME_SIGNUP, ONETIME_INVITE, ONETIME_RECOVERY, ONETIME_MAGIC_LINK, ONETIME_REAUTHENTICATION, ONETIME_COUNT };

/* Sends a letter with a code and a link to the user's address. */
checked err onetime_send(struct request *, enum onetime_type, const struct user *, bool pkce);

/*
 * The work of onetime_send() for somebody who is not there, so that neither time nor answer tells: as much is written, the letter is one that
 * the mailer drops, it counts as one that goes out, and its time is noted.  Of hooks and messages to phones only the latter two can be done.
 */
checked err onetime_pretend(struct request *, enum onetime_type, enum sending, const char *address);
checked err onetime_pretend_phone(struct request *, enum sending, const char *phone);

/* Letters to the new address and, with GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED, to the one that the user has. */
checked err onetime_send_email_change(struct request *, const struct user *, const char *email, bool pkce);

/* Sends a code to a phone.  kind: confirmation, phone_change, reauthentication.  *message_id: the gateway's name of it, or "". */
checked err onetime_send_phone(struct request *, const struct user *, const char *phone, const char *kind, const char *channel,
    const char **message_id);

/*
 * What the senders check.  Limits are taken before the first hook is called: who calls one before a sender, or has a sender that calls one
 * before another, asks here first.  Of a limit one is taken, however often a request asks.
 */
checked err onetime_may_send(struct request *, enum onetime_type, const struct user *);
checked err onetime_may_change_email(struct request *, const struct user *, const char *email);
checked err onetime_may_send_phone(struct request *, const struct user *, const char *phone, const char *kind);

/*
 * A new code and the two forms in which it is kept: `typed`, of address and code, in auth.users; `link` in auth.one_time_tokens and in
 * what is sent, which is chance, so that nobody finds it by trying codes.  pkce: the link ends a flow.
 */
struct onetime {
	const char *code, *typed, *link;
};
struct onetime onetime_new(struct arena *, const char *address, unsigned digits, bool pkce);
struct onetime onetime_of(struct arena *, const char *address, const char *code, bool pkce); /* of a code that is there already */

/* The typed form of a code that is given. */
char *onetime_hash(struct arena *, const char *address, const char *code);

/* The link of a letter: the path setting, what stands in it, the type, where it ends. */
char *onetime_link(struct request *, const char *path, const char *secret, const char *type, const char *to);

/* Spends the nonce of GET /reauthenticate: 422 reauthentication_not_valid.  Spent whatever follows. */
checked err onetime_spend_nonce(struct request *, const struct user *, const char *nonce);

#endif
