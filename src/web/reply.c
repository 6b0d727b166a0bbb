/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "html/escape.h"
#include "html/pages.h"
#include "html/template.h"
#include "web/gateway.h"

static const char *
status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} table[] = { { 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 302, "Found" }, { 303, "See Other" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 409, "Conflict" }, { 413, "Request Entity Too Large" }, { 422, "Unprocessable Entity" }, { 429, "Too Many Requests" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return (table[i].words);
	return ("Status");
}

void
reply_header(struct request *r, const char *name, const char *value)
{
	query_set(&r->reply.headers, name, arena_strdup(r->arena, value));
}

void
reply_retry_after(struct request *r, long long seconds)
{
	reply_header(r, "Retry-After", arena_printf(r->arena, "%lld", seconds));
}

static err
reply_set(struct request *r, int status, const char *type, const char *body)
{
	r->reply.status = status;
	r->reply.type = type;
	r->reply.body = body;
	r->reply.len = body != NULL ? strlen(body) : 0;
	r->reply.next = NULL;
	return (OK);
}

err
reply_json(struct request *r, int status, const char *text)
{
	return (reply_set(r, status, NULL, text));
}

err
reply_empty(struct request *r, int status)
{
	return (reply_set(r, status, NULL, NULL));
}

err
reply_text(struct request *r, int status, const char *type, const char *text)
{
	return (reply_set(r, status, type, text));
}

err
reply_stream(struct request *r, const char *type, const char *head, err (*next)(struct request *, void *, struct buf *), void *state)
{
	TRY(reply_set(r, 200, type, head));
	r->reply.next = next;
	r->reply.state = state;
	return (OK);
}

/* A header is ASCII; what the URL has beyond is escaped, as Go does. */
static const char *
location_escape(struct arena *a, const char *url)
{
	struct buf out = buf_new(a);

	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7F)
			buf_printf(&out, "%%%02x", (unsigned char)*c);
		else
			buf_putc(&out, *c);
	return (str_or(out.data, ""));
}

err
reply_html(struct request *r, int status, const char *template, const char *values)
{
	struct arena *a = r->arena;
	const char *why, *text = NULL;
	const struct template *t = template_parse(a, template, strlen(template), TEMPLATE_PAGE, &why);

	if (t != NULL)
		text = template_render(a, t, json_parse_text(a, values), &why);
	if (text == NULL) {
		r->failure.cause = why;
		return (fail(r, E_UNEXPECTED_FAILURE, NULL));
	}
	reply_header(r, "Referrer-Policy", "no-referrer");
	reply_header(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	return (reply_text(r, status, "text/html; charset=utf-8", text));
}

static const char *
html_escape(struct arena *a, const char *text)
{
	struct buf out = buf_new(a);

	escape_put(&out, ESCAPE_HTML_PLAIN, text);
	return (str_or(out.data, ""));
}

/* Browsers follow; the page is for the rest.  Go gives it to GET alone.  What a web server lets through no header becomes a page itself. */
err
reply_redirect(struct request *r, int status, const char *location)
{
	const char *url = location_escape(r->arena, location);

	if (cfg->postern_redirect_max > 0 && strlen(url) > (size_t)cfg->postern_redirect_max)
		return (reply_html(r, 200, page_redirect, json_pairs(r->arena, "To", url, NULL)));
	reply_header(r, "Location", url);
	if (strcmp(r->method, "GET") != 0)
		return (reply_empty(r, status));
	return (reply_set(r, status, "text/html; charset=utf-8",
	    arena_printf(r->arena, "<a href=\"%s\">%s</a>.\n\n", html_escape(r->arena, url), status_words(status))));
}

/* Nobody brings along a header of his own. */
static void
header_put(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s: ", name);
	for (; *value != '\0'; value++)
		buf_putc(out, (unsigned char)*value < 0x20 || *value == 0x7F ? ' ' : *value);
	buf_puts(out, "\r\n");
}

struct buf
reply_bytes(struct request *r)
{
	const struct reply *reply = &r->reply;
	struct buf out = buf_new(r->arena);

	buf_printf(&out, "Status: %d %s\r\n", reply->status, status_words(reply->status));
	if (reply->body != NULL)
		buf_printf(&out, "Content-Type: %s\r\n", reply->type != NULL ? reply->type : "application/json");
	if (reply->status != 204 && reply->status != 304 && reply->next == NULL)
		buf_printf(&out, "Content-Length: %zu\r\n", reply->len);
	/* Most answers carry tokens or a person's data; what may be kept says so itself. */
	if (query_get(&reply->headers, "Cache-Control") == NULL)
		buf_puts(&out, "Cache-Control: no-store\r\n");
	buf_puts(&out, "X-Content-Type-Options: nosniff\r\n");
	for (size_t i = 0; i < reply->headers.len; i++)
		header_put(&out, reply->headers.pair[i].name, reply->headers.pair[i].value);
	for (size_t i = 0; i < reply->cookies.len; i++)
		header_put(&out, "Set-Cookie", reply->cookies.pair[i].value);
	buf_puts(&out, "\r\n");
	if (reply->body != NULL && strcmp(r->method, "HEAD") != 0)
		buf_put(&out, reply->body, reply->len);
	return (out);
}
