/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/work.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10

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
	pthread_t thread;

	if (pthread_create(&thread, NULL, work_run, &work) != 0)
		call(arg);
	else
		(void)pthread_join(thread, NULL);
}
