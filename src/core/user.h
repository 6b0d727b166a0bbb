/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_USER_H
#define CORE_USER_H

#include "core/user_json.h"
#include "query/row.h"
#include "query/user.h"
#include "web/request.h"

/* A user to be made.  Texts may be NULL; metadata is JSON text. */
struct new_user {
	const char *id, *aud, *role;
	const char *email, *phone;
	const char *password;      /* as stored */
	const char *provider;      /* of the identity that is made with it; NULL: none (anonymous) */
	const char *user_metadata; /* what the client sent along */
	bool sso;
	bool invited; /* the identity does not share the user's metadata: somebody else made the user */
};

/* The data of the identity that is made with a user: what the client sent along, but for what is said of identities by us. */
char *user_identity_data(struct arena *, const struct new_user *);

/* Queues the rows: user and, with a provider, the identity; the user's metadata then is the identity's data. */
checked err user_create(struct request *, const struct new_user *);

/* The app_metadata of who has these: no provider, one, or two. */
char *user_providers(struct arena *, const char *first, const char *second);

/* One who is not, or not yet, in the database, for user_text(); at: the times. */
struct user user_unwritten(struct arena *, const struct new_user *, const char *at);

/* What is known of a user who is queued only. */
struct user user_queued(struct arena *, const struct new_user *);

/*
 * A user that an operator invites: a new id unless there is one, provider email, an identity that does not share the metadata; u is what
 * will be known of them.  The before_user_created hook is asked.
 */
checked err user_create_invited(struct request *, const struct new_user *, struct user *u);

/* Queues the merge of metadata, objects' texts or NULL: 400 validation_failed for what would be larger than POSTERN_METADATA_MAX then. */
checked err user_merge(struct request *, const char *id, const char *user_metadata, const char *app_metadata);

/* The identity of an address of a user's own: made, or told of it. */
struct own_identity {
	const char *id; /* of the row, if one is made; NULL: a new one */
	const char *provider, *address;
	bool verified;
};
checked err user_identity_put(struct request *, const char *user_id, const struct own_identity *);

/* Queues that a user goes, with everything of theirs.  soft: the row stays, without anything that tells who it was.  Behind user_hold(). */
checked err user_erase(struct request *, const char *id, bool soft);

/* Who holds an address or number in the default linking domain; found is false when nobody does.  except: an id, or NULL. */
checked err user_find_email(struct request *, const char *email, const char *aud, const char *except, struct user *);

/* The user again, as the database has it now. */
checked err user_reload(struct request *, struct user *);

/* The same after a change of address or number: 422 when somebody else came to have it meanwhile.  words: of other errors of the database. */
checked err user_reload_changed(struct request *, struct user *, const char *words);

/* How others are told of the user: user_text(), or of one who is only queued yet, what the database makes of it (it opens a transaction). */
checked err user_json(struct request *, const struct user *, const char **text);

/* An object's text with one member, a string, set. */
char *user_json_with(struct arena *, const char *text, const char *name, const char *value);

#endif
