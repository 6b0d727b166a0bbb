/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_H
#define API_API_H

#include "web/request.h"

/* The handlers of route.def; each stands in the file of its room. */
#define ROUTE(method, path, handler, ...) checked err handler(struct request *);
#define MOUNT(path, ...)
#include "route.def"
#undef ROUTE
#undef MOUNT

/* Grants of POST /token that have a file of their own. */
checked err grant_id_token(struct request *);

#endif
