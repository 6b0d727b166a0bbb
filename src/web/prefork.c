/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/gateway.h"
#include "web/listener.h"
#include "web/server.h"

#define MS UINT64_C(1000000)
#define TURN_MS 25         /* while something is going on */
#define SETTLED (100 * MS) /* a new worker that has lived so long lets an old one go */
#define QUICK (1000 * MS)  /* who dies earlier is started again with back-off */
#define BACK_OFF_FIRST (100 * MS)
#define BACK_OFF_MOST (10000 * MS)
#define DRAIN (30000 * MS) /* how long a child may take at the end */

enum role { WORKER, HELPER };

/* What children tell the parent, in memory that they share with it. */
struct mark {
	atomic_bool in_request;
};

static struct mark *own_mark; /* NULL: not a child of a parent of ours */

struct child {
	pid_t pid; /* 0: a free place */
	enum role role;
	unsigned generation; /* the reload whose settings it has */
	uint64_t born;
	uint64_t kill_at; /* 0: it was not told to end */
};

struct back_off {
	uint64_t wait, until;
};

struct parent {
	const struct prefork *plan;
	struct listener listener;
	struct child *child;
	struct mark *mark; /* one a child */
	size_t places;
	unsigned generation;
	struct back_off back_off[2]; /* by role */
	int signals;
	sigset_t mask; /* as it was before */
	bool stopping;
};

/* What the kernel keeps for us: signals wait in a descriptor, so that the loop can never miss one. */
static int
signals_open(sigset_t *before)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, before) != 0)
		return (-1);
	return (signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/* The terminal's Ctrl-C goes to everybody; only the parent acts on it, so that requests in hand are finished. */
static void
child_signals(const struct parent *p)
{
	static const int plain[] = { SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		signal(plain[i], SIG_DFL);
	signal(SIGINT, SIG_IGN);
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
}

void
prefork_in_request(bool in_request)
{
	if (own_mark != NULL)
		own_mark->in_request = in_request;
}

static _Noreturn void
child_run(struct parent *p, enum role role, pid_t parent)
{
	const struct prefork *plan = p->plan;
	int input = role == WORKER ? p->listener.fd : open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* An orphan ends by itself; it may have become one before it asked for that. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(0);
	child_signals(p);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0)
		exit(1);
	close(input);
	if (role != WORKER)
		close(p->listener.fd);
	close(p->signals);
	exit(role == WORKER ? plan->child(plan->arg) : plan->helper(plan->arg));
}

static void
back_off_longer(struct back_off *b, uint64_t now)
{
	b->wait = b->wait == 0 ? BACK_OFF_FIRST : b->wait * 2;
	if (b->wait > BACK_OFF_MOST)
		b->wait = BACK_OFF_MOST;
	b->until = now + b->wait;
}

static void
child_start(struct parent *p, enum role role, uint64_t now)
{
	struct child *place = p->child;
	pid_t parent = getpid(), pid;

	if (now < p->back_off[role].until)
		return;
	while (place < p->child + p->places && place->pid != 0)
		place++;
	if (place == p->child + p->places)
		return; /* so many still end that there is no room; the next turn tries again */
	own_mark = &p->mark[place - p->child];
	own_mark->in_request = false;
	pid = fork();
	if (pid == 0)
		child_run(p, role, parent);
	if (pid < 0) {
		log_line(LOG_ERROR, "no new process can be started: %s", strerror(errno));
		back_off_longer(&p->back_off[role], now);
		return;
	}
	*place = (struct child){ .pid = pid, .role = role, .generation = p->generation, .born = now };
}

/* A worker whose work others take over needs not empty the queue first. */
static void
child_end(struct child *c, uint64_t now, bool replaced)
{
	if (c->kill_at != 0)
		return;
	kill(c->pid, replaced && c->role == WORKER ? SIGUSR1 : SIGTERM);
	c->kill_at = now + DRAIN;
}

/* Whoever ends without having been told to. */
static void
child_lost(struct parent *p, const struct child *c, int status, uint64_t now)
{
	static const char *const names[] = { "worker", "helper" };
	struct back_off *b = &p->back_off[c->role];

	if (WIFSIGNALED(status))
		log_line(LOG_WARN, "%s %d was ended by signal %d", names[c->role], (int)c->pid, WTERMSIG(status));
	else
		log_line(LOG_WARN, "%s %d ended with status %d", names[c->role], (int)c->pid, WEXITSTATUS(status));
	if (p->mark[c - p->child].in_request)
		return; /* it was good enough to begin one */
	if (now - c->born < QUICK)
		back_off_longer(b, now);
	else
		b->wait = 0;
}

static void
children_reap(struct parent *p, uint64_t now)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < p->places; i++) {
			struct child *c = &p->child[i];

			if (c->pid != pid)
				continue;
			if (c->kill_at == 0)
				child_lost(p, c, status, now);
			c->pid = 0;
		}
}

static void
children_kill(struct parent *p, uint64_t now)
{
	for (size_t i = 0; i < p->places; i++) {
		struct child *c = &p->child[i];

		if (c->pid == 0 || c->kill_at == 0 || now < c->kill_at)
			continue;
		log_line(LOG_WARN, "process %d does not end and is killed", (int)c->pid);
		kill(c->pid, SIGKILL);
		c->kill_at = UINT64_MAX;
	}
}

/* What is there of a role: those that go on, one of them that has old settings, whether all new ones have settled. */
struct census {
	int staying;
	struct child *outdated;
	bool settled;
};

static struct census
census_take(struct parent *p, enum role role, uint64_t now)
{
	struct census census = { .settled = true };

	for (size_t i = 0; i < p->places; i++) {
		struct child *c = &p->child[i];

		if (c->pid == 0 || c->role != role || c->kill_at != 0)
			continue;
		census.staying++;
		if (c->generation != p->generation)
			census.outdated = c;
		else if (now - c->born < SETTLED)
			census.settled = false;
	}
	return (census);
}

/*
 * One step towards what ought to be.  Workers are rolled over one by one: a new one comes first, and only when it has settled an old one
 * goes, so that new settings that kill the workers cost nothing but a place more.  True: there is more to do soon.
 */
static bool
workers_tend(struct parent *p, uint64_t now)
{
	int wanted = p->plan->workers;
	struct census census;

	while ((census = census_take(p, WORKER, now)).staying < wanted) {
		child_start(p, WORKER, now);
		if (census_take(p, WORKER, now).staying == census.staying)
			return (true);
	}
	if (census.outdated == NULL)
		return (false);
	if (census.staying == wanted)
		child_start(p, WORKER, now);
	else if (census.settled)
		child_end(census.outdated, now, true);
	return (true);
}

static bool
helper_tend(struct parent *p, uint64_t now)
{
	struct census census = census_take(p, HELPER, now);

	if (p->plan->helper == NULL)
		return (false);
	if (census.staying == 0)
		child_start(p, HELPER, now);
	else if (census.outdated != NULL)
		child_end(census.outdated, now, true);
	return (census.staying == 0 || census.outdated != NULL);
}

static size_t
children_count(const struct parent *p, bool ending)
{
	size_t count = 0;

	for (size_t i = 0; i < p->places; i++)
		count += p->child[i].pid != 0 && (!ending || p->child[i].kill_at != 0);
	return (count);
}

static void
parent_stop(struct parent *p, uint64_t now)
{
	if (p->stopping)
		return;
	p->stopping = true;
	log_line(LOG_INFO, "no new requests are taken; waiting for those that have come");
	listener_close(&p->listener);
	poll(NULL, 0, TURN_MS); /* who has just found the socket's name is let in */
	for (size_t i = 0; i < p->places; i++)
		if (p->child[i].pid != 0)
			child_end(&p->child[i], now, false);
}

static void
parent_reload(struct parent *p)
{
	if (p->stopping || (p->plan->reload != NULL && !p->plan->reload(p->plan->arg)))
		return;
	p->generation++;
	memset(p->back_off, 0, sizeof(p->back_off));
	log_line(LOG_INFO, "new workers take over");
}

static void
signals_take(struct parent *p, uint64_t now)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGHUP)
			parent_reload(p);
		else if (info.ssi_signo != SIGCHLD)
			parent_stop(p, now);
}

static void
parent_loop(struct parent *p)
{
	struct pollfd waiting = { .fd = p->signals, .events = POLLIN };
	bool busy = true;

	while (!p->stopping || children_count(p, false) > 0) {
		uint64_t now;

		poll(&waiting, 1, busy ? TURN_MS : -1);
		now = clock_mono_ns();
		children_reap(p, now);
		signals_take(p, now);
		children_kill(p, now);
		busy = children_count(p, true) > 0;
		if (p->stopping)
			continue;
		busy = workers_tend(p, now) || busy;
		busy = helper_tend(p, now) || busy;
	}
}

int
server_prefork(const struct prefork *plan)
{
	struct parent p = { .plan = plan, .places = (size_t)plan->workers * 3 + 3 };
	struct arena *arena;

	if (listener_open(&p.listener, plan->listen, plan->mode) != 0)
		return (1);
	p.signals = signals_open(&p.mask);
	p.mark = mmap(NULL, p.places * sizeof(*p.mark), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p.signals < 0 || p.mark == MAP_FAILED) {
		log_line(LOG_ERROR, "the server cannot start: %s", strerror(errno));
		listener_close(&p.listener);
		return (1);
	}
	arena = arena_new();
	p.child = arena_new_array(arena, struct child, p.places);
	log_line(LOG_INFO, "listening on %s with %d workers", plan->listen, plan->workers);
	parent_loop(&p);
	sigprocmask(SIG_SETMASK, &p.mask, NULL);
	close(p.signals);
	munmap(p.mark, p.places * sizeof(*p.mark));
	arena_free(arena);
	return (0);
}
