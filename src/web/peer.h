/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_PEER_H
#define WEB_PEER_H

#include "web/request.h"

/*
 * The client's address: the first of Sb-Forwarded-For when the setting trusts it and it is one, else the first of X-Forwarded-For that
 * is an address, else REMOTE_ADDR.  In canonical form; "" when the web server tells none.
 */
const char *peer_address(const struct request *);

/* The first of Sb-Forwarded-For where the setting trusts it and it is an address; NULL otherwise. */
const char *peer_forwarded(const struct request *);

/* The canonical form of an IPv4 or IPv6 address as Go's net.IP prints it; NULL when it is none. */
const char *peer_canonical(struct arena *, const char *);

#endif
