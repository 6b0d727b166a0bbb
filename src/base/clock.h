/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* Points in time are microseconds since 1970 UTC; spans from settings are nanoseconds (as Go's durations). */
typedef int64_t usec;

usec clock_now(void);                      /* wall clock */
uint64_t clock_mono_ns(void);              /* for measuring */
char *clock_rfc3339(struct arena *, usec); /* 2026-11-24T05:55:00.123456Z */
/* What PostgreSQL prints of a timestamptz, as Go writes it (ours stays); NULL for what no calendar has: NULL, infinity, years B.C. */
char *clock_iso(struct arena *, const char *timestamptz);

bool clock_parse_rfc3339(const char *, usec *);

/* What PostgreSQL prints of a timestamptz as a number: 0 for NULL and infinity, the year 1 for what lies before it. */
#define CLOCK_YEAR_1 INT64_C(-62135596800000000)
usec clock_timestamptz(const char *);

#endif
