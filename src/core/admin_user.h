/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ADMIN_USER_H
#define CORE_ADMIN_USER_H

#include "query/row.h"
#include "web/request.h"

/* What operators do to users. */

/* What the client sent; "" when absent, NULL where that may be told apart. */
struct admin_user {
	const char *id, *aud, *role;
	const char *email, *phone;
	const char *password; /* NULL when absent */
	const char *password_hash, *ban_duration;
	const char *user_metadata, *app_metadata; /* objects; NULL when absent */
	bool email_confirm, phone_confirm;
};

/* Both give the user as JSON.  update changes r->user. */
checked err admin_user_create(struct request *, struct admin_user *, const char **text);
checked err admin_user_update(struct request *, struct admin_user *, const char **text);

/* Deletes r->user.  soft: the row stays, without anything that tells who it was. */
checked err admin_user_erase(struct request *, bool soft);

/* How long somebody is banned: Go's durations, or "none". */
struct ban {
	bool given;
	const char *until; /* NULL: no longer banned */
};
checked err ban_read(struct request *, const char *duration, struct ban *); /* 400 validation_failed */

#endif
