/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_CAPTCHA_H
#define NET_CAPTCHA_H

#include "base/arena.h"

enum captcha_verdict {
	CAPTCHA_PASSED,
	CAPTCHA_FAILED,  /* *words: the codes that say why, joined by ", " */
	CAPTCHA_UNKNOWN, /* no answer that can be read; *words: one sentence for the log */
};

/* Asks the provider of GOTRUE_SECURITY_CAPTCHA_* about the token of a client with this address.  A token is good once. */
checked enum captcha_verdict captcha_ask(struct arena *, const char *token, const char *address, const char **words);

#endif
