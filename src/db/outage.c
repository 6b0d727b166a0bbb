/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "db/outage.h"

#define MS UINT64_C(1000000)
#define PAUSE_SHARED (250 * MS)
#define PAUSE_ALONE (1000 * MS) /* each of many asks by itself */

struct outage {
	_Atomic uint64_t ask_at; /* when somebody may ask; 0: the database is there */
	_Atomic uint64_t met_at; /* when somebody connected last */
	uint64_t pause;
};

struct outage *
outage_shared(void)
{
	struct outage *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (o == MAP_FAILED)
		return (NULL);
	o->pause = PAUSE_SHARED;
	return (o);
}

struct outage *
outage_alone(struct arena *a)
{
	struct outage *o = arena_new_object(a, struct outage);

	o->pause = PAUSE_ALONE;
	return (o);
}

bool
outage_ask(struct outage *o, uint64_t now, uint64_t until, bool *waits)
{
	uint64_t at = atomic_load(&o->ask_at);

	*waits = at == 0;
	if (at == 0)
		return (true);
	/* Who dies while asking keeps the others out no longer than until. */
	return (at <= now && atomic_compare_exchange_strong(&o->ask_at, &at, until));
}

void
outage_over(struct outage *o, uint64_t now)
{
	atomic_store(&o->met_at, now);
	atomic_store(&o->ask_at, 0);
}

void
outage_goes_on(struct outage *o, uint64_t began, uint64_t now)
{
	if (atomic_load(&o->met_at) < began)
		atomic_store(&o->ask_at, now + o->pause);
}
