/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_ISSUER_H
#define EXTERNAL_ISSUER_H

#include "net/oidc.h"
#include "web/request.h"

/*
 * Issuers of identity tokens: their documents and keys, fetched when needed and kept in postern.oidc_cache for
 * GOTRUE_EXTERNAL_OIDC_PROVIDER_CACHE_TTL; old ones serve while an issuer does not answer.  One worker fetches at a time.
 * Never while a transaction is open.
 */
struct issuer {
	const char *url;
	const char *discovery_url; /* NULL: the usual place below url */
	enum http_trust trust;
	bool lax; /* its document may have another name in it */
};

/* fail_outside() when there is none. */
checked err issuer_document(struct request *, const struct issuer *, struct oidc_document *);

/* Signature, name and times of a token of this issuer: fail_outside() when they do not hold. */
checked err issuer_verify(struct request *, const struct issuer *, const struct id_token *);

/* Forgets what is kept of it: its provider's row has changed. */
checked err issuer_forget(struct request *, const char *url);

#endif
