/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_WORK_H
#define SEC_WORK_H

/*
 * Runs call(arg) to its end in a thread of lower priority (nice), so that what is quick keeps the processors while somebody's password is
 * hashed; in this thread where no other can be had.
 */
void work_slowly(void (*call)(void *), void *arg);

#endif
