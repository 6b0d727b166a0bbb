/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/setting.h"
#include "web/admission.h"

#define WORKERS 4096     /* the byte of the first worker; those below are the places */
#define WORKERS_MAX 4096 /* more are not counted */
#define GAP 32           /* workers that have ended leave holes; a longer one is the end */
#define ALONE 8          /* places where there are no workers: plain CGI */

static struct {
	int fd, place, worker; /* -1: none */
} admission = { -1, -1, -1 };

int
admission_memory(void)
{
	return (memfd_create("postern", MFD_CLOEXEC));
}

/* Its name says whose it is.  What somebody else has put there is not believed. */
int
admission_file(const char *key)
{
	char name[200];
	struct stat file;
	int fd, len = snprintf(name, sizeof(name), "/postern-%u-%s", (unsigned)geteuid(), key);

	for (char *c = name + 1; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c))
			*c = '-';
	fd = len < 0 ? -1 : shm_open(name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd >= 0 && (fstat(fd, &file) != 0 || file.st_uid != geteuid())) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		log_line(LOG_WARN, "%s cannot be had in shared memory: there is no limit for requests that take long", name);
	return (fd);
}

static bool
byte_lock(int command, short type, int at)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return (fcntl(admission.fd, command, &lock) == 0 && (command != F_GETLK || lock.l_type != F_UNLCK));
}

void
admission_open(int fd)
{
	admission.fd = fd;
	admission.place = admission.worker = -1;
}

void
admission_join(void)
{
	for (int i = 0; admission.fd >= 0 && i < WORKERS_MAX; i++)
		if (byte_lock(F_SETLK, F_WRLCK, WORKERS + i)) {
			admission.worker = i;
			return;
		}
}

static int
workers(void)
{
	int count = 0;

	for (int i = 0, gap = 0; gap < GAP && i < WORKERS_MAX; i++, gap++)
		if (i == admission.worker || byte_lock(F_GETLK, F_WRLCK, WORKERS + i)) {
			count++;
			gap = 0;
		}
	return (count);
}

static int
places(void)
{
	int half;

	if (cfg->postern_slow_requests > 0)
		return (cfg->postern_slow_requests < WORKERS ? (int)cfg->postern_slow_requests : WORKERS);
	if (admission.worker < 0)
		return (ALONE);
	half = workers() / 2;
	return (half > 0 ? half : 1);
}

bool
admission_enter(void)
{
	if (admission.fd < 0 || admission.place >= 0)
		return (true);
	for (int i = 0, count = places(); i < count; i++)
		if (byte_lock(F_SETLK, F_WRLCK, i)) {
			admission.place = i;
			return (true);
		}
	return (false);
}

void
admission_leave(void)
{
	if (admission.place >= 0)
		byte_lock(F_SETLK, F_UNLCK, admission.place);
	admission.place = -1;
}
