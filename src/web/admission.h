/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_ADMISSION_H
#define WEB_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Places for the requests that hash a password or wait for somebody outside: however many of these come, half of the workers stay free for
 * the quick ones.  POSTERN_SLOW_REQUESTS says how many places there are.
 *
 * A place is a lock on a byte of a file that all processes of this server share, so the kernel frees that of a process which is killed.
 * Without a file there is no limit.
 */
#define ADMISSION_WAIT_NS UINT64_C(5000000000) /* how long a request is kept for want of a place; then it is refused */
#define ADMISSION_TURN_MS 10                   /* between two looks whether one has become free */

int admission_memory(void);          /* a file for processes that will be forked; -1: there is none */
int admission_file(const char *key); /* one for processes that know nothing of each other but the key */
void admission_open(int fd);         /* before the first request; fd is never closed */
void admission_join(void);           /* this process is one of the workers whose half is meant */
bool admission_enter(void);          /* takes a place, if there is one; one that is held is kept */
void admission_leave(void);          /* gives it back, if one is held */

#endif
