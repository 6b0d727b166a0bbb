/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clean.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "core/onetime.h"
#include "db/db.h"
#include "query/clean.h"

#define ROWS 300 /* of a kind in a turn */
#define TURN_SECONDS 60
#define TURN_SECONDS_MORE 1
#define NS UINT64_C(1000000000)

#define DAY INT64_C(86400)
#define NEVER INT64_C(-1)
#define LIFE_MOST (INT64_C(36500) * DAY) /* what an interval of PostgreSQL can surely say */

static int64_t
longest(int64_t a, int64_t b)
{
	return (a > b ? a : b);
}

static int64_t
seconds(int64_t ns)
{
	return (ns / 1000000000);
}

/* Of what proves an address or a number. */
static int64_t
link_life(void)
{
	int64_t life = onetime_seconds_longest();

	return (life < LIFE_MOST ? life : LIFE_MOST);
}

static int64_t
stale(int64_t life)
{
	return (cfg->gotrue_db_cleanup_enabled ? life : NEVER);
}

static int64_t
stale_after(setting_maybe_duration limit)
{
	return (limit.set ? stale(DAY + seconds(limit.ns)) : NEVER);
}

#define CLEAN(name, seconds_of_life)                                                              \
	static int64_t name##_life(void)                                                          \
	{                                                                                         \
		return (seconds_of_life);                                                         \
	}                                                                                         \
	static err name##_clean(struct db *db, const char *rows, const char *age, int64_t *count) \
	{                                                                                         \
		struct clean_##name gone;                                                         \
                                                                                                  \
		TRY(clean_##name(db, &gone, .rows = rows, .life = age));                          \
		*count = gone.count;                                                              \
		return (OK);                                                                      \
	}
#include "clean.def"

static const struct kind {
	const char *name;
	int64_t (*life)(void);
	err (*clean)(struct db *, const char *rows, const char *age, int64_t *count);
} kinds[] = {
#define CLEAN(name, seconds_of_life) { #name, name##_life, name##_clean },
#include "clean.def"
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* *more: there were as many as a turn takes. */
static err
kind_clean(struct db *db, struct arena *a, const struct kind *kind, bool *more)
{
	int64_t life = kind->life(), count = 0;

	if (life == NEVER)
		return (OK);
	db_start(db, a);
	if (kind->clean(db, arena_printf(a, "%d", ROWS), arena_printf(a, "%lld", (long long)life), &count) != OK) {
		log_event(LOG_WARN, "a table can't be tidied", "kind", kind->name, "error", db_error(db)->message, NULL);
		db_rollback(db);
		return (E_DATABASE);
	}
	if (count > 0)
		log_event(LOG_DEBUG, "tidied", "kind", kind->name, "rows", arena_printf(a, "%lld", (long long)count), NULL);
	*more = *more || count >= ROWS;
	return (OK);
}

/* One kind that can't be tidied keeps no other from it. */
static err
clean_turn(struct db *db, bool *more)
{
	struct arena *a = arena_new();
	err first = OK;

	*more = false;
	for (size_t i = 0; i < KINDS; i++) {
		err error = kind_clean(db, a, &kinds[i], more);

		first = first == OK ? error : first;
		arena_wipe(a);
	}
	arena_free(a);
	return (first);
}

err
clean_all(struct db *db)
{
	bool more;
	err error;

	do
		error = clean_turn(db, &more);
	while (error == OK && more);
	return (error);
}

bool
clean_step(struct db *db)
{
	static struct {
		uint64_t due;
		size_t next;
		bool more, failed;
	} turn;
	uint64_t now = clock_mono_ns();
	struct arena *a;

	if (turn.next == 0 && now < turn.due)
		return (false);
	a = arena_new();
	turn.failed = kind_clean(db, a, &kinds[turn.next], &turn.more) != OK || turn.failed;
	arena_free(a);
	if (++turn.next < KINDS)
		return (true);
	turn.due = now + (turn.more && !turn.failed ? TURN_SECONDS_MORE : TURN_SECONDS) * NS;
	turn.next = 0;
	turn.more = turn.failed = false;
	return (false);
}
