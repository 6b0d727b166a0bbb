/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "core/audit_list.h"

static const struct {
	const char *scope;
	size_t member;
} scopes[] = {
	{ "author:", offsetof(struct audit_query, who) },
	{ "action:", offsetof(struct audit_query, action) },
	{ "type:", offsetof(struct audit_query, type) },
};

err
audit_query_read(struct request *r, const char *text, struct audit_query *q)
{
	*q = (struct audit_query){ 0 };
	if (str_empty(text))
		return (OK);
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		const char *value = text + strlen(scopes[i].scope);

		if (!str_starts(text, scopes[i].scope))
			continue;
		if (*value != '\0')
			memcpy((char *)q + scopes[i].member, &value, sizeof(value));
		return (OK);
	}
	return (fail(r, E_VALIDATION_FAILED, "Invalid query scope: %s", text));
}
