/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_CUSTOM_URL_H
#define EXTERNAL_CUSTOM_URL_H

#include "base/arena.h"

/*
 * Why a URL may not stand in a custom provider's row, in the reference's words; NULL when it may.  Asks the resolver.
 * Addresses within POSTERN_HTTP_PRIVATE_NETWORKS are fine.  What really protects us is net/http.h, which looks again at each connection.
 */
const char *custom_url_refusal(struct arena *, const char *url);

#endif
