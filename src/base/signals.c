/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"

#include <stddef.h>

void
signals_prepare(const int *ends, void (*stop)(int), sigset_t *waiting)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t block;

	sigemptyset(&block);
	for (const int *end = ends; *end != 0; end++) {
		sigaddset(&block, *end);
		sigaction(*end, &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &block, waiting);
	for (const int *end = ends; *end != 0; end++)
		sigdelset(waiting, *end);
}
