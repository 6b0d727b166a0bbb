/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_MIME_H
#define NET_MIME_H

#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"

/* One RFC 5322 message of multipart/alternative, text and HTML, UTF-8 in quoted-printable; no line is longer than 78 octets but for addresses. */
struct mime_letter {
	const char *to; /* a bare address */
	const char *subject;
	const char *text, *html;
	const char *message_id; /* of mime_message_id(); the same for each try of one letter */
	const char *kind;       /* what $messageType in GOTRUE_SMTP_HEADERS becomes */
	usec date;
};

/*
 * From is GOTRUE_SMTP_SENDER_NAME and _ADMIN_EMAIL; GOTRUE_SMTP_HEADERS are added (a From, Subject or Reply-To of theirs wins; To, Date,
 * Message-ID and MIME's are ours).  No value can make a header or a body of its own: control characters become spaces.
 */
char *mime_build(struct arena *, const struct mime_letter *, size_t *len);

char *mime_message_id(struct arena *); /* <uuid@our-host> */

#endif
