/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "db/db.h"
#include "web/gateway.h"
#include "web/peer.h"

#define BODY_MAX ((size_t)1 << 20)
#define REQUEST_ID_MAX 200

/* The value of NAME=value when the entry is of that name. */
static const char *
variable_value(const char *entry, const char *name, size_t len)
{
	return (strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL);
}

/* The first of several, as Go's Header.Get: nginx gives repeated headers one by one.  "" without. */
static const char *
variable(const struct request *r, const char *name)
{
	size_t len = strlen(name);
	const char *value;

	for (char *const *entry = r->variables; *entry != NULL; entry++)
		if ((value = variable_value(*entry, name, len)) != NULL)
			return (value);
	return ("");
}

/* Proxies and programs in Latin-1 exist, and the database takes nothing but UTF-8. */
static const char *
utf8_forced(struct arena *a, const char *text)
{
	char *copy;

	if (utf8_valid(text, strlen(text)))
		return (text);
	copy = arena_strdup(a, text);
	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return (copy);
}

/* CGI has Content-Type and Content-Length without HTTP_. */
static const char *
header_variable(struct arena *a, const char *name)
{
	bool content = strcasecmp(name, "Content-Type") == 0 || strcasecmp(name, "Content-Length") == 0;
	char *text = arena_printf(a, "%s%s", content ? "" : "HTTP_", name);

	for (char *c = text; *c != '\0'; c++)
		*c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
	return (text);
}

const char *
request_header(const struct request *r, const char *name)
{
	const char *wanted, *value;
	size_t len;

	if (strcasecmp(name, "Proxy") == 0)
		return (NULL);
	wanted = header_variable(r->arena, name);
	len = strlen(wanted);
	for (char *const *entry = r->variables; *entry != NULL; entry++)
		if ((value = variable_value(*entry, wanted, len)) != NULL)
			return (utf8_forced(r->arena, value));
	return (NULL);
}

bool
request_ambiguous(const struct request *r)
{
	if (!str_starts(variable(r, "SERVER_SOFTWARE"), "lighttpd"))
		return (false);
	for (char *const *one = r->variables; *one != NULL; one++) {
		size_t len = strcspn(*one, "=");

		if (!str_starts(*one, "HTTP_"))
			continue;
		for (char *const *other = one + 1; *other != NULL; other++)
			if (variable_value(*other, *one, len) != NULL)
				return (true);
	}
	return (false);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	c = (char)tolower((unsigned char)c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* The byte of %XX; -1 when it is no escape or one that a C string cannot hold. */
static int
escape_value(const char *at, const char *end)
{
	int high, low;

	if (end - at < 3 || at[0] != '%')
		return (-1);
	high = hex_value(at[1]);
	low = hex_value(at[2]);
	return (high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low);
}

static const char *
path_decode(struct arena *a, const char *text, size_t len, bool keep_slash)
{
	struct buf out = buf_new(a);
	const char *end = text + len;

	while (text < end) {
		int byte = escape_value(text, end);

		if (byte < 0)
			buf_putc(&out, *text);
		else if (byte == '/' && keep_slash)
			buf_puts(&out, "%2F");
		else
			buf_putc(&out, (char)byte);
		text += byte < 0 ? 1 : 3;
	}
	return (str_or(out.data, ""));
}

/*
 * PATH_INFO comes decoded, and with it %2F has become a separator.  REQUEST_URI still has it, and is believed when it is the
 * same path: a web server may have rewritten it.
 */
static const char *
path_with_slashes(const struct request *r, const char *script, const char *path)
{
	const char *uri = variable(r, "REQUEST_URI");
	size_t len = strcspn(uri, "?#");
	const char *kept = path_decode(r->arena, uri, len, true);

	if (strstr(kept, "%2F") == NULL)
		return (path);
	if (strcmp(path_decode(r->arena, uri, len, false), arena_printf(r->arena, "%s%s", script, path)) != 0)
		return (path);
	return (str_starts(kept, script) ? kept + strlen(script) : path);
}

/* Where the web server sets no PATH_INFO (nginx by default), the whole path is the script's name. */
static const char *
path_of(const struct request *r)
{
	const char *script = variable(r, "SCRIPT_NAME");
	const char *path = variable(r, "PATH_INFO");

	if (*path == '\0') {
		path = script;
		script = "";
	}
	if (*path == '\0') {
		const char *uri = variable(r, "REQUEST_URI");

		path = path_decode(r->arena, uri, strcspn(uri, "?#"), false);
	}
	path = path_with_slashes(r, script, path);
	return (utf8_valid(path, strlen(path)) ? path : "");
}

static struct query
query_utf8(struct query query)
{
	size_t kept = 0;

	for (size_t i = 0; i < query.len; i++) {
		struct query_pair pair = query.pair[i];

		if (utf8_valid(pair.name, strlen(pair.name)) && utf8_valid(pair.value, strlen(pair.value)))
			query.pair[kept++] = pair;
	}
	query.len = kept;
	return (query);
}

static const char *
request_id(const struct request *r)
{
	const char *header = cfg->gotrue_api_request_id_header;
	const char *given = str_empty(header) ? NULL : request_header(r, header);

	return (str_empty(given) || strlen(given) > REQUEST_ID_MAX ? uuid_new(r->arena) : given);
}

/* libfcgi takes its variables back when the reply is out, and what comes after still reads them. */
static char *const *
variables_keep(struct arena *a, char *const *given)
{
	size_t len = strs_len(given);
	char **kept = arena_new_array(a, char *, len + 1);

	for (size_t i = 0; i < len; i++)
		kept[i] = arena_strdup(a, given[i]);
	return (kept);
}

struct request *
request_open(struct arena *arena, struct db *db, char *const *variables)
{
	struct request *r = arena_new_object(arena, struct request);

	r->arena = arena;
	r->db = db;
	r->done = arena_new_object(arena, struct query);
	*r->done = query_new(arena);
	r->variables = variables_keep(arena, variables);
	r->now = clock_now();
	r->now_text = clock_rfc3339(arena, r->now);
	r->id = request_id(r);
	r->method = variable(r, "REQUEST_METHOD");
	r->path = path_of(r);
	r->address = peer_address(r);
	r->inet = str_or(peer_canonical(r->arena, r->address), "");
	r->user_agent = str_or(request_header(r, "User-Agent"), "");
	r->query = query_utf8(query_parse(arena, variable(r, "QUERY_STRING")));
	r->form = query_new(arena);
	r->body = "";
	r->reply.headers = query_new(arena);
	r->reply.cookies = query_new(arena);
	return (r);
}

/* Go's ParseForm takes the body away for these methods only, whatever the parameters of the type. */
static bool
request_is_form(const struct request *r)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const char *given = str_trim(r->arena, variable(r, "CONTENT_TYPE"));
	size_t len = strcspn(given, "; \t");

	if (strcmp(r->method, "POST") != 0 && strcmp(r->method, "PUT") != 0 && strcmp(r->method, "PATCH") != 0)
		return (false);
	return (len == sizeof(type) - 1 && strncasecmp(given, type, len) == 0);
}

/* Reads all there is, also what is not kept: a web server that cannot get rid of the body might not read the reply. */
static unsigned long long
body_collect(struct buf *body, const struct gateway *gateway)
{
	unsigned long long total = 0;
	char chunk[8192];
	size_t got;

	while ((got = gateway->read(gateway->io, chunk, sizeof(chunk))) > 0) {
		total += got;
		if (total <= BODY_MAX)
			buf_put(body, chunk, got);
	}
	explicit_bzero(chunk, sizeof(chunk));
	return (total);
}

void
request_read_body(struct request *r, const struct gateway *gateway)
{
	struct buf body = buf_new(r->arena);
	unsigned long long total = body_collect(&body, gateway);

	if (total > BODY_MAX)
		r->body_state = BODY_TOO_LARGE;
	else if (total < strtoull(variable(r, "CONTENT_LENGTH"), NULL, 10))
		r->body_state = BODY_BROKEN;
	if (r->body_state != BODY_WHOLE || body.len == 0)
		return;
	if (request_is_form(r)) {
		r->form = query_utf8(query_parse(r->arena, body.data));
		return;
	}
	r->body = body.data;
	r->body_len = body.len;
}

const char *
request_form_value(struct request *r, const char *name)
{
	const char *value = query_get(&r->form, name);

	if (value == NULL)
		value = query_get(&r->query, name);
	return (value != NULL ? value : "");
}

const char *
request_path_arg(const struct request *r, const char *name)
{
	for (size_t i = 0; i < sizeof(r->path_arg) / sizeof(r->path_arg[0]); i++)
		if (str_equal(r->path_arg[i].name, name))
			return (r->path_arg[i].value);
	return (NULL);
}

bool
request_did(const struct request *r, const char *what)
{
	return (query_get(r->done, what) != NULL);
}

void
request_done(struct request *r, const char *what)
{
	query_set(r->done, what, "");
}

void
request_restart(struct request *r, const struct request *point)
{
	db_rollback(r->db);
	*r = *point;
}

void
request_commit_anyway(struct request *r)
{
	r->commit_anyway = true;
}
