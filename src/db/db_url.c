/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/url.h"
#include "db/db_url.h"

/* What pgx, pop, Prisma and their like read from the URL for themselves; besides everything that starts with pool_. */
static const char *const foreign[] = { "connection_limit", "default_query_exec_mode", "description_cache_capacity", "max_protocol_version",
	"min_protocol_version", "pgbouncer", "prefer_simple_protocol", "schema", "socket_timeout", "statement_cache_capacity",
	"statement_cache_mode", "uselibpqcompat" };

struct parts {
	struct buf query, options, meaningless;
};

static bool
is_foreign(const char *name)
{
	if (str_starts(name, "pool_"))
		return (true);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		if (strcmp(name, foreign[i]) == 0)
			return (true);
	return (false);
}

/* libpq itself is asked: the list grows with its versions.  ssl=true is a special case of its URLs. */
static bool
is_libpq(const char *name)
{
	bool found = strcmp(name, "ssl") == 0;
	PQconninfoOption *list = PQconndefaults();

	for (PQconninfoOption *o = list; o != NULL && o->keyword != NULL && !found; o++)
		found = strcmp(o->keyword, name) == 0;
	PQconninfoFree(list);
	return (found);
}

static bool
is_setting(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return (false);
	return (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] == '\0');
}

static void
option_add(struct buf *options, const char *name, const char *value)
{
	buf_printf(options, "%s-c %s=", options->len > 0 ? " " : "", name);
	for (; *value != '\0'; value++) {
		if (isspace((unsigned char)*value) || *value == '\\')
			buf_putc(options, '\\');
		buf_putc(options, *value);
	}
}

/* libpq does not read + as a blank, so url_escape() will not do. */
static void
put_escaped(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text))
			buf_putc(b, *text);
		else
			buf_printf(b, "%%%02X", (unsigned char)*text);
	}
}

static void
query_put(struct buf *query, const char *name, const char *value)
{
	buf_printf(query, "%c%s=", query->len > 0 ? '&' : '?', name);
	put_escaped(query, value);
}

static void
parameter_sort(struct parts *p, const char *name, const char *value)
{
	if (strcmp(name, "options") == 0)
		buf_printf(&p->options, "%s%s", p->options.len > 0 ? " " : "", value);
	else if (is_libpq(name))
		query_put(&p->query, name, value);
	else if (is_foreign(name) || !is_setting(name))
		buf_printf(&p->meaningless, "%s%s", p->meaningless.len > 0 ? ", " : "", name);
	else
		option_add(&p->options, name, value);
}

char *
db_conninfo(struct arena *a, const char *url, const char **meaningless)
{
	struct parts p = { buf_new(a), buf_new(a), buf_new(a) };
	const char *question = strchr(url, '?');
	struct query q;

	if (meaningless != NULL)
		*meaningless = NULL;
	if (question == NULL || (!str_starts(url, "postgres://") && !str_starts(url, "postgresql://")))
		return (arena_strdup(a, url));
	q = query_parse(a, question + 1);
	for (size_t i = 0; i < q.len; i++)
		parameter_sort(&p, q.pair[i].name, q.pair[i].value);
	if (p.options.len > 0)
		query_put(&p.query, "options", p.options.data);
	if (meaningless != NULL && p.meaningless.len > 0)
		*meaningless = p.meaningless.data;
	return (arena_printf(a, "%.*s%s", (int)(question - url), url, p.query.len > 0 ? p.query.data : ""));
}
