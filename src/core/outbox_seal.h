/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OUTBOX_SEAL_H
#define CORE_OUTBOX_SEAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"

/*
 * What letters print is sealed while it waits.  Keys: those of POSTERN_QUEUE_KEYS, the first of which seals, and one derived from
 * GOTRUE_JWT_SECRET, which seals where there is no other.
 */
struct sealed_row {
	const char *id, *letter, *recipient; /* what is sealed belongs to these alone */
	const char *key_id, *sealed;         /* hex */
};

/* Fills key_id and sealed.  language: as letter_render() takes it; values: a JSON object. */
void outbox_seal(struct arena *, struct sealed_row *, const char *language, const char *values);

/* The same anew, under the key that seals now; false when none of our keys opens it. */
bool outbox_reseal(struct arena *, struct sealed_row *);
const char *outbox_key(struct arena *); /* the name of that key, as in key_id */
bool outbox_key_known(struct arena *, const char *key_id);

/* False when none of our keys opens it. */
struct letter_content {
	const char *language;
	json *values;
};
bool outbox_unseal(struct arena *, const struct sealed_row *, struct letter_content *);

#endif
