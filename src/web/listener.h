/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_LISTENER_H
#define WEB_LISTENER_H

#include <sys/types.h>

/* The listening socket of the pre-forking parent: "unix:PATH" or "HOST:PORT" ("[::1]:9000", ":9000" for all addresses). */
struct listener {
	int fd;
	const char *path; /* of a unix socket, else NULL */
	dev_t device;     /* what was bound there, so that nobody else's socket is removed */
	ino_t inode;
};

/* Gives -1 and logs a sentence when it cannot be had.  mode: of a unix socket. */
int listener_open(struct listener *, const char *listen, int mode);

/* No new connections: closes it and removes the socket's name. */
void listener_close(struct listener *);

#endif
