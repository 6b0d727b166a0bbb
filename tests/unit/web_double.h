/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_DOUBLE_H
#define WEB_DOUBLE_H

/* cmocka.h, which comes first, has a macro of this name. */
#undef fail

#include "base/setting.h"
#include "web/gateway.h"

/* Stands in for the database, so that tests of web/ need none: link it instead of db/. */
extern struct db_error double_error; /* what db_error() gives; sqlstate NULL: nothing */
extern bool double_kept;             /* what db_kept() gives */
extern struct settings double_settings;

/* A request as a web server would hand it over; variables ends with NULL. */
struct request *double_request(struct arena *, char *const *variables, const char *body, size_t len);

#endif
