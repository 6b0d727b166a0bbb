/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "core/onetime.h"
#include "core/redirect.h"
#include "sec/secret.h"

#define LINK_BYTES 28 /* as long as the digests that the reference puts into its links */

char *
onetime_hash(struct arena *a, const char *address, const char *code)
{
	return (sha224_hex(a, arena_printf(a, "%s%s", address, code)));
}

static char *
prefixed(struct arena *a, bool pkce, const char *text)
{
	return (arena_printf(a, "%s%s", pkce ? "pkce_" : "", text));
}

struct onetime
onetime_of(struct arena *a, const char *address, const char *code, bool pkce)
{
	unsigned char chance[LINK_BYTES];

	secret_random(chance, sizeof(chance));
	return ((struct onetime){ .code = code,
	    .typed = prefixed(a, pkce, onetime_hash(a, address, code)),
	    .link = prefixed(a, pkce, hex_encode(a, chance, sizeof(chance))) });
}

struct onetime
onetime_new(struct arena *a, const char *address, unsigned digits, bool pkce)
{
	return (onetime_of(a, address, secret_otp(a, digits), pkce));
}

/* As the reference: what has no & = # is taken to be encoded already. */
static const char *
redirect_encoded(struct arena *a, const char *url)
{
	return (strpbrk(url, "&=#") != NULL ? url_escape(a, url) : url);
}

char *
onetime_link(struct request *r, const char *path, const char *secret, const char *type, const char *to)
{
	struct arena *a = r->arena;
	const char *query =
	    arena_printf(a, "token=%s&type=%s&redirect_to=%s", url_escape(a, secret), url_escape(a, type), redirect_encoded(a, to));

	return (url_resolve(a, redirect_external_url(r), path, query));
}
