/* SPDX-License-Identifier: Apache-2.0 */
#include "net/curl_handle.h"

#include <string.h>
#include <unistd.h>

CURL *
curl_handle(enum curl_use use)
{
	static CURL *handle[CURL_USES];
	static pid_t owner;

	if (owner != getpid()) {
		memset(handle, 0, sizeof(handle));
		owner = getpid();
	}
	if (handle[use] == NULL)
		handle[use] = curl_easy_init();
	return (handle[use]);
}
