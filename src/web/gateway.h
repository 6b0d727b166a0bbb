/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_GATEWAY_H
#define WEB_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/server.h"

/* A whole reply that goes out later, while the worker goes on with others. */
struct held {
	const char *bytes;
	size_t len;
	uint64_t due; /* as clock_mono_ns() */
};

/* What CGI and FastCGI have in common: variables, a body to read, a place to write to.  Only for web/. */
struct gateway {
	char *const *variables;
	size_t (*read)(void *io, char *into, size_t len);       /* 0: the end */
	bool (*write)(void *io, const char *bytes, size_t len); /* false: nobody reads it any more */
	void (*finish)(void *io);                               /* the reply is complete: nobody waits any longer */
	void (*cut)(void *io);                                  /* instead: it never will be, and the client shall see that */
	bool (*hold)(void *io, const struct held *); /* instead of write and finish; false: it can't be done.  NULL: it never can */
	void *io;
};

/*
 * One request from its variables to the wiped arena.  false: it may wait, there is no place for it (web/admission.h) and nothing was done.
 * One that waits no longer is refused without a place, and one that is late needs not even look for it.
 */
enum patience { WAITS, WAITS_NO_LONGER, IS_LATE };
bool gateway_serve(const struct server *, struct arena *, const struct gateway *, enum patience);

/* For the parent, who starts a worker again at once that died within a request: another that comes may not be what killed it. */
void prefork_in_request(bool);

/* Its steps. */
struct request *request_open(struct arena *, struct db *, char *const *variables);
void request_read_body(struct request *, const struct gateway *);
struct buf reply_bytes(struct request *); /* header and body as CGI wants them */

#endif
