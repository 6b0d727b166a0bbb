/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_DB_URL_H
#define DB_DB_URL_H

#include "base/arena.h"

/*
 * DATABASE_URL as libpq takes it.  Parameters that libpq knows pass as they are; words of other programs (pool_max_conns ...) are
 * dropped and named in *meaningless ("a, b"; NULL when there are none; meaningless itself may be NULL); every other parameter is a
 * server setting and becomes part of options=-c name=value.  What is no postgres:// URL (host=... dbname=...) passes unchanged.
 */
char *db_conninfo(struct arena *, const char *url, const char **meaningless);

#endif
