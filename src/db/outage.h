/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_OUTAGE_H
#define DB_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * What processes tell each other of a database that is away.  As long as it is there, anybody may connect, and wait for it.  When
 * somebody has waited in vain it counts as away: one at a time asks for it, the others know at once that there is nothing to be had.
 * Times are those of clock_mono_ns().
 */
struct outage;

/* One that our children share, NULL where memory is short; one of our own. */
struct outage *outage_shared(void);
struct outage *outage_alone(struct arena *);

/* May we connect?  until: when we shall have given up.  *waits: and wait, if it does not answer at once. */
bool outage_ask(struct outage *, uint64_t now, uint64_t until, bool *waits);

/* What came of it.  began: when we asked. */
void outage_over(struct outage *, uint64_t now);
void outage_goes_on(struct outage *, uint64_t began, uint64_t now);

#endif
