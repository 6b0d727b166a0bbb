/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <signal.h>

/*
 * For a process that ends between two pieces of work, never within one: `ends`, a list up to 0, call stop() and arrive only under the mask
 * *waiting, which is for ppoll() and its like.  SIGPIPE is ignored.
 */
void signals_prepare(const int *ends, void (*stop)(int), sigset_t *waiting);

#endif
