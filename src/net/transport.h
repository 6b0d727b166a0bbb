/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* How a finished message leaves the house. */
struct mail {
	const char *from, *to; /* envelope: bare addresses */
	const char *data;      /* RFC 5322 with CRLF, as mime_build() makes it */
	size_t len;
};

enum mail_outcome {
	MAIL_DELIVERED, /* the next one has it */
	MAIL_LATER,     /* try again: 4xx, network, TLS, sign-in, a full disk */
	MAIL_REFUSED,   /* never: the server answered 5xx to sender, recipient or content */
};

/*
 * send: at most POSTERN_SMTP_TIMEOUT.  *why: the server's last line or one sentence; NULL when delivered.
 * probe: what `postern check` asks, without a letter; NULL, or one sentence that says what is wrong.
 */
struct transport {
	const char *name; /* as in POSTERN_MAIL_TRANSPORT */
	enum mail_outcome (*send)(struct arena *, const struct mail *, const char **why);
	const char *(*probe)(struct arena *);
};

/* The one of POSTERN_MAIL_TRANSPORT.  NULL: letters go nowhere ("none", or smtp without GOTRUE_SMTP_HOST), so none is to be written. */
const struct transport *transport_in_use(void);

bool transport_known(const char *name); /* a value that POSTERN_MAIL_TRANSPORT may have */

/* An address that can stand in an envelope and a header: no control characters, no "<" or ">", not empty. */
bool mail_address_sane(const char *);

/* The rows: smtp.c, sendmail.c, maildir.c. */
enum mail_outcome smtp_send(struct arena *, const struct mail *, const char **why);
const char *smtp_probe(struct arena *);
enum mail_outcome sendmail_send(struct arena *, const struct mail *, const char **why);
const char *sendmail_probe(struct arena *);
enum mail_outcome maildir_send(struct arena *, const struct mail *, const char **why);
const char *maildir_probe(struct arena *);

#endif
