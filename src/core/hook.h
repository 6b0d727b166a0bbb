/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include "base/json.h"
#include "web/request.h"

/* Calls to the site's own code at fixed points: rows of hook.def. */
enum hook {
#define HOOK(id, name, ...) HOOK_##id,
#include "hook.def"
#undef HOOK
	HOOK_COUNT
};

bool hook_enabled(enum hook);

/*
 * Calls the hook with payload (JSON object text without braces' metadata: that is added here) and gives its answer.  HTTP hooks run
 * outside transactions: call before the first write.  Functions in the database run in the request's transaction.
 * The hook's own error ({"error":{"http_code","message"}}) and failures of the call become errors as in the reference.
 */
checked err hook_call(struct request *, enum hook, const char *payload, json **answer);

#endif
