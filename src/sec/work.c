/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/work.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

#define NICE 10

static uint64_t spent;

struct work {
	void (*call)(void *);
	void *arg;
};

/* Linux has a priority a thread, where POSIX has one a process. */
static void *
work_run(void *arg)
{
	const struct work *work = arg;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	work->call(work->arg);
	return (NULL);
}

void
work_slowly(void (*call)(void *), void *arg)
{
	struct work work = { call, arg };
	uint64_t start = clock_mono_ns();
	pthread_t thread;

	if (pthread_create(&thread, NULL, work_run, &work) != 0)
		call(arg);
	else
		(void)pthread_join(thread, NULL);
	spent += clock_mono_ns() - start;
}

uint64_t
work_ns(void)
{
	return (spent);
}
