/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sec/harden.h"

void
harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	/* Lowering a limit and one's own dumpability is always allowed; where a sandbox forbids even that, serving on is right. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
	umask(077);
}
