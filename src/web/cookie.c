/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "web/request.h"

/* RFC 6265 section 4.1.1: what a value may hold. */
static bool
value_sound(const char *value)
{
	for (; *value != '\0'; value++)
		if ((unsigned char)*value <= 0x20 || (unsigned char)*value >= 0x7F || strchr("\",;\\", *value) != NULL)
			return (false);
	return (true);
}

/* Of one Cookie header; how often the name is there is counted. */
static int
cookie_count(struct arena *a, const char *header, const char *name, const char **value)
{
	size_t len = strlen(name);
	int found = 0;

	for (char **pair = str_split(a, header, ';'); *pair != NULL; pair++) {
		const char *text = str_trim(a, *pair);

		if (strncmp(text, name, len) != 0 || text[len] != '=')
			continue;
		*value = text + len + 1;
		found++;
	}
	return (found);
}

/* Some web servers hand several headers on one by one. */
const char *
request_cookie(const struct request *r, const char *name)
{
	static const char variable[] = "HTTP_COOKIE=";
	const char *value = NULL;
	int found = 0;

	for (char *const *entry = r->variables; *entry != NULL; entry++)
		if (str_starts(*entry, variable))
			found += cookie_count(r->arena, *entry + strlen(variable), name, &value);
	return (found == 1 && value_sound(value) ? value : NULL);
}

void
reply_cookie(struct request *r, const struct cookie *c)
{
	struct buf line = buf_new(r->arena);

	buf_printf(&line, "%s=%s; Path=%s", c->name, c->value != NULL && value_sound(c->value) ? c->value : "", c->path);
	if (c->domain != NULL)
		buf_printf(&line, "; Domain=%s", c->domain);
	if (c->value == NULL)
		buf_puts(&line, "; Max-Age=0");
	else if (c->max_age > 0)
		buf_printf(&line, "; Max-Age=%lld", c->max_age);
	buf_printf(&line, "%s; HttpOnly; SameSite=Lax", c->secure ? "; Secure" : "");
	query_set(&r->reply.cookies, c->name, line.data);
}
