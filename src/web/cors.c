/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "web/request.h"

static bool
method_allowed(const char *method)
{
	static const char *const allowed[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(method, allowed[i]) == 0)
			return (true);
	return (false);
}

static bool
header_allowed(struct arena *a, const char *name)
{
	static const char *const known[] = { "accept", "authorization", "content-type", "x-client-info", "x-client-ip", "x-jwt-aud",
		"x-supabase-api-version", "x-use-cookie" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i]) == 0)
			return (true);
	for (char *const *more = cfg->gotrue_cors_allowed_headers; *more != NULL; more++)
		if (strcmp(name, str_lower(a, *more)) == 0)
			return (true);
	return (false);
}

/* Browsers send the names in small letters, sorted, each once, without spaces; nothing else is taken. */
static bool
headers_allowed(struct arena *a, const char *list)
{
	const char *last = "";

	if (*list == '\0' || strs_have(cfg->gotrue_cors_allowed_headers, "*"))
		return (true);
	for (char **name = str_split(a, list, ','); *name != NULL; name++) {
		if (strcmp(last, *name) >= 0 || !header_allowed(a, *name))
			return (false);
		last = *name;
	}
	return (true);
}

bool
cors_preflight(struct request *r)
{
	const char *method = str_or(request_header(r, "Access-Control-Request-Method"), "");
	const char *headers = str_or(request_header(r, "Access-Control-Request-Headers"), "");

	if (strcmp(r->method, "OPTIONS") != 0 || *method == '\0')
		return (false);
	reply_empty(r, 204);
	reply_header(r, "Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
	if (str_empty(request_header(r, "Origin")) || !method_allowed(method) || !headers_allowed(r->arena, headers))
		return (true);
	reply_header(r, "Access-Control-Allow-Origin", "*");
	reply_header(r, "Access-Control-Allow-Methods", method);
	if (*headers != '\0')
		reply_header(r, "Access-Control-Allow-Headers", headers);
	reply_header(r, "Access-Control-Allow-Credentials", "true");
	return (true);
}

void
cors_headers(struct request *r)
{
	reply_header(r, "Vary", "Origin");
	if (str_empty(request_header(r, "Origin")) || !method_allowed(r->method))
		return;
	reply_header(r, "Access-Control-Allow-Origin", "*");
	reply_header(r, "Access-Control-Expose-Headers", "X-Total-Count, Link, X-Supabase-Api-Version");
	reply_header(r, "Access-Control-Allow-Credentials", "true");
}
