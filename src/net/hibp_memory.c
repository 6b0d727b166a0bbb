/* SPDX-License-Identifier: Apache-2.0 */
/* A Bloom filter in memory that all workers share. */
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/setting.h"
#include "net/hibp.h"

#define WORD 64

/*
 * Without a lock: what one worker adds while another one clears may be lost, and is asked for again.  The digests themselves are as good
 * as chance, so two halves of one give all the places of its bits.
 */
struct memory {
	_Atomic uint64_t items;
	uint64_t room, bits;
	unsigned hashes;
	size_t size; /* of all of it, in bytes */
	_Atomic uint64_t word[];
};

static struct memory *memory;

/* As many bits as are set for room items, of which so many are taken for others. */
static struct memory
memory_wanted(void)
{
	double items = (double)cfg->gotrue_password_hibp_bloom_items;
	double bits = ceil(-items * log(cfg->gotrue_password_hibp_bloom_false_positives) / (M_LN2 * M_LN2));
	struct memory wanted = {
		.room = (uint64_t)(items * 4 / 5), .bits = (uint64_t)bits, .hashes = (unsigned)ceil(bits / items * M_LN2)
	};

	wanted.size = sizeof(wanted) + (wanted.bits / WORD + 1) * sizeof(memory->word[0]);
	return (wanted);
}

static struct memory *
memory_new(const struct memory *wanted)
{
	struct memory *m = mmap(NULL, wanted->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (m == MAP_FAILED) {
		log_line(LOG_WARN, "there is no memory for GOTRUE_PASSWORD_HIBP_BLOOM_ENABLED: %s", strerror(errno));
		return (NULL);
	}
	m->room = wanted->room;
	m->bits = wanted->bits;
	m->hashes = wanted->hashes;
	m->size = wanted->size;
	return (m);
}

void
hibp_memory_share(void)
{
	bool on = cfg->gotrue_password_hibp_enabled && cfg->gotrue_password_hibp_bloom_enabled;
	struct memory wanted = memory_wanted();

	if (memory != NULL && on && memory->room == wanted.room && memory->bits == wanted.bits)
		return;
	if (memory != NULL)
		munmap(memory, memory->size);
	memory = on ? memory_new(&wanted) : NULL;
}

struct place {
	_Atomic uint64_t *word;
	uint64_t bit;
};

static struct place
place_of(const unsigned char sha1[SHA1_LEN], unsigned hash)
{
	uint64_t first, step, at;

	memcpy(&first, sha1, sizeof(first));
	memcpy(&step, sha1 + sizeof(first), sizeof(step));
	at = (first + hash * (step | 1)) % memory->bits;
	return ((struct place){ &memory->word[at / WORD], UINT64_C(1) << at % WORD });
}

static void
memory_clear(void)
{
	for (uint64_t i = 0; i <= memory->bits / WORD; i++)
		atomic_store(&memory->word[i], 0);
	atomic_store(&memory->items, 0);
}

void
hibp_memory_add(const unsigned char sha1[SHA1_LEN])
{
	bool new = false;

	if (memory == NULL)
		return;
	if (atomic_load(&memory->items) >= memory->room)
		memory_clear();
	for (unsigned i = 0; i < memory->hashes; i++) {
		struct place place = place_of(sha1, i);

		new = (atomic_fetch_or(place.word, place.bit) & place.bit) == 0 || new;
	}
	if (new)
		atomic_fetch_add(&memory->items, 1);
}

bool
hibp_memory_has(const unsigned char sha1[SHA1_LEN])
{
	bool all = memory != NULL;

	for (unsigned i = 0; all && i < memory->hashes; i++) {
		struct place place = place_of(sha1, i);

		all = (atomic_load(place.word) & place.bit) != 0;
	}
	return (all);
}
