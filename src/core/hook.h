/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include "base/json.h"
#include "core/user.h"
#include "web/request.h"

/* Calls to the site's own code at fixed points: rows of hook.def. */
enum hook {
#define HOOK(id, ...) HOOK_##id,
#include "hook.def"
	HOOK_COUNT
};

bool hook_enabled(enum hook);

/*
 * Calls the hook and gives its answer: an object, JSON's null, or NULL when it had nothing to say.  payload: the text of a JSON object with at least
 * one member; metadata is put in front of them.  The hook's own error ({"error":{"http_code","message"}}) and failures of the call become
 * errors of the request, with the reference's words.
 *
 * It may be called wherever the request stands: for HTTP the open transaction is left and taken up again behind the call (db_suspend),
 * functions in the database run as their row of hook.def says.
 */
checked err hook_call(struct request *, enum hook, const char *payload, json **answer);

/* Of a hook that decides about a try; strings are "" when absent. */
struct verdict {
	bool rejects, logout;
	const char *message;
};
checked err hook_verdict(struct request *, enum hook, const char *payload, struct verdict *);

/* Asks whether the user may be made.  Before anything of it is written; does nothing where the hook is off. */
checked err hook_before_user_created(struct request *, const struct new_user *);

/*
 * Tells of a new user, as the reply shows them.  Commits first: the user stays whatever the hook answers, and so does what the request had
 * written by then.  Does nothing where the hook is off.
 */
checked err hook_after_user_created(struct request *, const char *user_json);

#endif
