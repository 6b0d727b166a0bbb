/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_USER_LIST_H
#define CORE_USER_LIST_H

#include "web/request.h"

/*
 * Replies with a page of the users of the audience that the request means, as its query asks for it.  By number (headers Link and
 * X-Total-Count), or, where GOTRUE_EXPERIMENTAL_CURSOR_PAGINATION_ENABLED, by cursor.  400 validation_failed for what is not understood.
 *
 * sort      created_at, created_at asc, created_at desc
 * filter    part of the e-mail address, or of the full name whatever the case; as LIKE and ILIKE read it
 * email     ours: exactly this address, whatever the case
 * phone     ours: exactly this number
 */
checked err user_list(struct request *);

#endif
