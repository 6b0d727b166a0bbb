/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_CUSTOM_DISCOVERY_H
#define EXTERNAL_CUSTOM_DISCOVERY_H

#include "web/request.h"

/*
 * What an issuer says of itself, for its row in auth.custom_oauth_providers: fetched, compared with the issuer's name and complete, else 400
 * with the reference's words.  discovery_url NULL or "": the issuer's well-known place.  Goes over the network.
 */
checked err custom_discovery_fetch(struct request *, const char *issuer, const char *discovery_url, const char **document);

#endif
