/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ONETIME_H
#define CORE_ONETIME_H

#include "core/sending.h"
#include "letter/letter.h"
#include "query/onetime.h"
#include "query/row.h"
#include "web/request.h"

/*
 * One-time secrets, of which src/onetime.def says what there is to say: how often they may be asked for, what is stored of them, the letter
 * or message that brings them.  core/verify.h takes them back.
 *
 * The senders check the frequency, the addresses and the limit, call a hook or gateway, and queue what is written.
 */
enum onetime_kind {
	KIND_NONE,
#define KIND(id, ...) KIND_##id,
#include "onetime.def"
	KIND_COUNT
};
enum onetime_type {
#define ONETIME(id, ...) ONETIME_##id,
#include "onetime.def"
	ONETIME_COUNT
};

struct onetime_row {
	const char *word;
	size_t life;                /* the setting with its seconds */
	enum onetime_kind kinds[3]; /* where it is kept; of several, in the order in which it is looked for; KIND_NONE ends them */
	enum letter_id letter;
	size_t path;      /* the setting with the path of its link; 0: it has none */
	const char *pkce; /* the method of the PKCE flow that it ends; NULL: it ends none */
	const char *sms;  /* what a message to a phone is called in errors; NULL: it goes by mail */
	bool unlimited;   /* the operator sends it as often as they like */
	bool nonce;       /* it is spent with what it is asked for, not at /verify */
};
extern const struct onetime_row onetime_rows[ONETIME_COUNT];

bool onetime_find(const char *word, enum onetime_type *); /* of those that /verify takes */
long long onetime_seconds(enum onetime_type);             /* seconds */
long long onetime_seconds_longest(void);

/* How a kind is called in auth.one_time_tokens, and an array of such names, for statements. */
const char *onetime_kind_name(enum onetime_kind);
enum onetime_kind onetime_kind_find(const char *name);
const char *onetime_kind_names(struct arena *, const enum onetime_kind *);

/* What the user's row has of a secret: its typed form, or "", when it was sent, or 0, and to whom when it went by mail. */
const char *onetime_token(const struct user *, enum onetime_kind);
usec onetime_sent_at(const struct user *, enum onetime_kind);
const char *onetime_address(const struct user *, enum onetime_kind);
bool onetime_expired(const struct request *, const struct user *, enum onetime_type, enum onetime_kind);

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

/* Sends a code to a phone.  *message_id: the gateway's name of the message, or "". */
checked err onetime_send_phone(struct request *, enum onetime_type, const struct user *, const char *phone, const char *channel,
    const char **message_id);

/*
 * What the senders check.  Limits are taken before the first hook is called: who calls one before a sender, or has a sender that calls one
 * before another, asks here first.  Of a limit one is taken, however often a request asks.
 */
checked err onetime_may_send(struct request *, enum onetime_type, const struct user *);
checked err onetime_may_change_email(struct request *, const struct user *, const char *email);
checked err onetime_may_send_phone(struct request *, enum onetime_type, const struct user *, const char *phone);

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

/*
 * Queues what is stored of a secret that goes to an address: by onetime_store() both forms, by onetime_store_link() the one that stands in
 * links, for who writes the other one together with something else.
 */
checked err onetime_store(struct request *, enum onetime_type, const struct user *, const struct onetime *, const char *address);
checked err onetime_store_link(struct request *, enum onetime_kind, const struct user *, const struct onetime *, const char *address);

/* Keeps the challenge of the flow that a link of this type will end; nothing when there is none. */
checked err onetime_begin_pkce(struct request *, enum onetime_type, const struct user *, const char *challenge, const char *method);

/* Who holds a link of this type, if it went to the address that they have. */
checked err onetime_by_link(struct request *, enum onetime_type, const char *link, struct onetime_holder *);

/* The link of a letter: what stands in it, where it ends. */
char *onetime_link(struct request *, enum onetime_type, const char *secret, const char *to);

/* Spends the nonce of GET /reauthenticate: 422 reauthentication_not_valid.  Spent whatever follows. */
checked err onetime_spend_nonce(struct request *, const struct user *, const char *nonce);

#endif
