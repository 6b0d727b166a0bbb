/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_HARDEN_H
#define SEC_HARDEN_H

/* For every process that will hold secrets, before it reads them: no core dumps, no tracing by other processes of the user, files for the owner only. */
void harden_process(void);

#endif
