/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include <stdbool.h>

#include "web/request.h"

/*
 * The ways in.  Each reads a request, calls handle(r), which leaves a reply in r, writes it, then runs what was queued by after().
 * handle must have r->arena and r->db and gets method, path, query, headers and body filled in.
 */
struct server {
	struct db *db;
	void (*handle)(struct request *);
	/* Whether it may take long: then it has a place of web/admission.h, or r->crowded.  NULL: none does. */
	bool (*slow)(struct request *);
};

/* A worker on a listening FastCGI socket on fd 0: until TERM or USR1, then ends after the request in hand.  Exit status. */
int server_fastcgi(const struct server *);

/* One CGI request from the environment and standard input.  Exit status. */
int server_cgi(const struct server *);

bool server_is_fastcgi(void); /* fd 0 is a listening socket */
bool server_is_cgi(void);     /* GATEWAY_INTERFACE and REQUEST_METHOD are set */

/*
 * The pre-forking parent: binds listen ("unix:PATH" or "HOST:PORT"), forks workers, each of which gets the socket as fd 0 and
 * runs child(arg).  Dead workers are replaced (with back-off when they die at once).  TERM and INT drain; HUP calls reload(arg):
 * OK makes new workers take over one by one, otherwise the old ones stay.  helper (may be NULL) is one more process kept alive beside them.
 */
struct prefork {
	const char *listen;
	int workers;
	int mode; /* of a unix socket */
	int (*child)(void *arg);
	int (*helper)(void *arg);
	bool (*reload)(void *arg);
	void *arg;
};
int server_prefork(const struct prefork *);

#endif
