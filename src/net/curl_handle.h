/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_CURL_HANDLE_H
#define NET_CURL_HANDLE_H

#include <curl/curl.h>

/*
 * The process's handle for one use; NULL without memory.  A handle holds connections, TLS sessions and names, so each use has its own, and
 * a mailer with many letters keeps its connection.  A child must not speak on its parent's connections: it gets new handles, and leaves
 * the old ones alone, for closing them would speak too.
 */
enum curl_use { CURL_HTTP_STRANGER, CURL_HTTP_OPERATOR, CURL_SMTP, CURL_USES };
CURL *curl_handle(enum curl_use);

#endif
