/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RESEAL_H
#define CORE_RESEAL_H

#include "db/db.h"
#include "query/reseal.h"

/*
 * Everything that is stored encrypted comes under the key that encrypts now: what the settings call it, or one of POSTERN_QUEUE_KEYS for
 * letters.  Each batch is a transaction of its own; whoever is interrupted goes on where he was when he begins again.
 */
struct resealed {
	long long sealed;     /* done */
	long long unreadable; /* none of our keys opens them */
	long long too_long;   /* their column has no room for them */
	long long busy;       /* somebody else was at them each time */
};

/* A place of sealed_counts(). */
checked err reseal_place(struct db *, struct arena *, const char *place, struct resealed *);

/* Whether we have the key of such rows. */
bool reseal_key_known(struct arena *, const struct sealed_counts *);

#endif
