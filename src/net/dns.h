/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/arena.h"

/* Questions about a domain's mail that a name server answers. */

enum dns_result {
	DNS_FOUND,
	DNS_NOT_FOUND, /* the name server says so */
	DNS_UNKNOWN,   /* no answer in time, or none that can be understood */
};

/*
 * The host names of its mail exchangers, "mx.example.com." each; without any, the addresses of the host itself.  *hosts ends with NULL.
 * The domain is taken as it is, without the search list.  Blocks for up to so many whole seconds.
 */
checked enum dns_result dns_mail_hosts(struct arena *, const char *domain, unsigned seconds, char ***hosts);

#endif
