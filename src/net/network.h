/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include <stdbool.h>

#include <sys/socket.h>

#include "base/arena.h"

/* Which network addresses a URL of a stranger may lead to. */

/* "10.0.0.0/8", "fd00::/8"; without "/" one address.  false when it is neither. */
bool network_valid(const char *cidr);

/* Whether the address lies in one of the networks (a list that ends with NULL; NULL: none).  IPv4 never lies in an IPv6 network or the reverse. */
bool network_within(const struct sockaddr *, char *const *cidrs);

/* What kind of special address it is ("loopback", "private", ...); NULL for one of the public Internet. */
const char *network_special(const struct sockaddr *);

char *network_text(struct arena *, const struct sockaddr *); /* without port; "?" for other families */

/*
 * The addresses of a host, read as Go reads them: a literal is itself (an IPv4 one in IPv6 form is IPv4), anything else is a name for the
 * resolver, also "127.1" and "0x7f000001", which no name server knows.  len 0: it has none.  May take as long as the resolver does.
 */
struct addresses {
	size_t len;
	struct sockaddr_storage *at;
};
struct addresses network_resolve(struct arena *, const char *host);

#endif
