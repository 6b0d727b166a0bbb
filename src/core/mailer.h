/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAILER_H
#define CORE_MAILER_H

#include "base/err.h"

struct db;
struct request;

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

/*
 * How this process wakes the mailer; NOTIFY until told otherwise.  CHILD: a process of its own, for a CGI process after its reply, sends
 * what is due, for at most 30 seconds.
 */
enum wake { WAKE_NOTIFY, WAKE_PIPE, WAKE_CHILD };
void mailer_wake_by(enum wake, int pipe);

/* When a request that has written a letter is committed. */
void mailer_wake(struct request *);

#endif
