/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/breached.h"
#include "net/hibp.h"
#include "sec/breached_file.h"

#define PAUSE (60 * INT64_C(1000000))

static bool
digest_look(struct request *r, const unsigned char sha1[SHA1_LEN], bool *known, const char **why)
{
	*known = false;
	if (!str_empty(cfg->postern_password_breached_file)) {
		*why = "POSTERN_PASSWORD_BREACHED_FILE can't be read any more";
		return (breached_file_find(sha1, known));
	}
	return (!cfg->gotrue_password_hibp_enabled || hibp_find(r->arena, sha1, known, why));
}

static usec silent_until;

enum breached
breached_look(struct request *r, const char *password, enum breached_use use)
{
	unsigned char digest[DIGEST_MAX];
	const char *why = NULL;
	bool known, answered;

	if (use == BREACHED_TELLS && clock_now() < silent_until)
		return (BREACHED_UNKNOWN);
	digest_make(DIGEST_SHA1, (struct bytes){ password, strlen(password) }, digest);
	answered = digest_look(r, digest, &known, &why);
	secret_wipe(digest, sizeof(digest));
	if (answered)
		return (known ? BREACHED_YES : BREACHED_NO);
	silent_until = clock_now() + PAUSE;
	log_event(LOG_WARN,
	    cfg->gotrue_password_hibp_fail_closed ? "whether a password is breached can't be found out"
						  : "whether a password is breached can't be found out: it is taken",
	    "error", why, NULL);
	r->failure.cause = why;
	return (BREACHED_UNKNOWN);
}
