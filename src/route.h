/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stddef.h>

#include "web/request.h"

/* A gate stands before the handler and may refuse. */
struct gate {
	checked err (*pass)(struct request *, const void *arg);
	const void *arg;
};

#define GATES_MAX 6

/* A row of route.def; a MOUNT has neither method nor handler. */
struct route {
	const char *method;
	const char *path;
	checked err (*handler)(struct request *);
	struct gate gate[GATES_MAX];
};

extern const struct route route_table[];
extern const size_t route_count;

/* Whether it may hash a password or wait for somebody outside: a PLACE stands before it. */
bool dispatch_slow(struct request *);

/* Finds the route, runs gates and handler, ends the transaction; the reply is in r->reply whatever happens. */
void dispatch(struct request *);

#endif
