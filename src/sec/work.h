/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_WORK_H
#define SEC_WORK_H

#include <stdint.h>

/*
 * Runs call(arg) to its end in a thread of lower priority (nice), so that what is quick keeps the processors while somebody's password is
 * hashed; in this thread where no other can be had.
 */
void work_slowly(void (*call)(void *), void *arg);

/* How long this process has been waiting for work_slowly(), all of it together. */
uint64_t work_ns(void);

#endif
