/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_LINK_PART_H
#define DB_LINK_PART_H

#include "db/link.h"

#define MS UINT64_C(1000000)

/* What link.c, which makes connections, shares with link_exchange.c, which speaks over them. */
struct link {
	struct arena *arena; /* as old as the link */
	const char *conninfo, *schema;
	PGconn *conn;
	bool greeted; /* the session's settings have travelled */
	bool unnamed; /* a pooler sits between: nothing stays prepared */
	const struct db_statement **known;
	size_t known_len, known_cap;
	struct outage *outage;
	uint64_t limit, wait, deadline;
};

/* Whether there is a connection now; *why when there is none. */
bool link_ready(struct link *, struct arena *, const char **why);

/* poll() for events until the deadline; 0: for ever. */
bool socket_wait(PGconn *, short events, uint64_t deadline);

#endif
