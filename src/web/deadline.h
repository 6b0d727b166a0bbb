/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_DEADLINE_H
#define WEB_DEADLINE_H

/*
 * How long a web server may take over sending a request, and again over taking the reply: a peer that is slow or silent holds a worker for
 * 10 seconds at most.  What is read or written on its socket after that fails, also what is under way.  One socket a process.
 */
#define PATIENCE 9 /* whole seconds are counted: it may become one more */

void deadline_prepare(void); /* once: takes SIGALRM */
void deadline_start(int fd); /* from now on; a second start begins anew */
void deadline_stop(void);

#endif
