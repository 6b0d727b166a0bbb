/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAILER_H
#define CORE_MAILER_H

#include "base/err.h"

struct db;

/*
 * Sends the letters of the outbox.  One at a time is claimed, until now and twice POSTERN_SMTP_TIMEOUT, and removed when the transport has
 * it; no transaction is open meanwhile.  Any number of mailers may work on one database; one that is killed leaves at most one letter that
 * will be sent a second time, with the same Message-ID.
 */

/*
 * Until TERM or INT, and then to the end of the letter in hand.  Where letters go nowhere it is still there to tidy (core/clean.h).
 * wake: a descriptor whose bytes say that there is something to do, or -1 to listen to the database.  Gives the exit status.
 */
int mailer_run(struct db *, int wake);

/* Until none is due, or the mail server can't be reached (E_UNAVAILABLE), or so many seconds have gone (0: no limit). */
checked err mailer_drain(struct db *, unsigned seconds);

/* The same in a process of its own, for a CGI process after its reply: at most 30 seconds. */
void mailer_start_child(void);

#endif
