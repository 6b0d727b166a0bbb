/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_JWS_H
#define SEC_JWS_H

#include "base/arena.h"
#include "sec/jwk.h"
#include "sec/secret.h"

/* RFC 7515 and 7518: signatures with keys. */
struct jws_method;

const struct jws_method *jws_method(const char *alg);            /* NULL when the reference's library does not know it either */
const struct jws_method *jws_signing_method(const struct jwk *); /* for the key's alg; NULL when the key can't sign with it */
const char *jws_name(const struct jws_method *);

/* NULL when the signature is the key's; else what is wrong, in the words of the reference. */
const char *jws_check(struct arena *, const struct jws_method *, struct jwk *, struct bytes text, struct bytes signature);
/* Whether it is the public key's signature, in the form that all but JOSE have: ECDSA's two numbers are DER. */
bool jws_signed(const struct jws_method *, struct jwk *, struct bytes text, struct bytes signature);
/* No data when the key's numbers make no sense: to be tried once, when it is loaded. */
struct bytes jws_sign(struct arena *, const struct jws_method *, struct jwk *, struct bytes text);

#endif
