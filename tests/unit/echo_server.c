/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "web/admission.h"
#include "web_double.h"

/*
 * What tests/web serves behind real web servers.  echo_server LISTEN WORKERS pre-forks; on a FastCGI socket it is a worker, with CGI variables
 * a CGI program.  /slow needs a place, /abort ends the process.  HUP fails when the file $ECHO_BAD exists, and makes workers that
 * die at once when $ECHO_DEADLY does.
 */
static char generation[16] = "0";

static err
echo(struct request *r)
{
	const char *ms = query_get(&r->query, "sleep");

	if (ms != NULL)
		usleep((useconds_t)atoi(ms) * 1000);
	reply_cookie(r, &(struct cookie){ .name = "a", .value = "1", .path = "/" });
	reply_cookie(r, &(struct cookie){ .name = "b", .value = request_cookie(r, "b"), .path = "/", .max_age = 60 });
	return (reply_json(r, 200,
	    json_pairs(r->arena, "method", r->method, "path", r->path, "address", r->address, "body", r->body, "generation", generation,
		"pid", arena_printf(r->arena, "%d", (int)getpid()), "authorization", request_header(r, "Authorization"), "proxy",
		request_header(r, "Proxy"), "forwarded", request_header(r, "X-Forwarded-For"), "redirect", request_header(r, "redirect_to"),
		"grant_type", request_form_value(r, "grant_type"), "value", query_get(&r->query, "value"), "agent", r->user_agent, NULL)));
}

static void
handle(struct request *r)
{
	err error;

	if (cors_preflight(r))
		return;
	cors_headers(r);
	if (str_equal(r->path, "/abort"))
		abort();
	error = str_equal(r->path, "/missing") ? E_USER_NOT_FOUND : r->crowded ? E_UNAVAILABLE : echo(r);
	if (error != OK)
		reply_failure(r, error);
}

static bool
slow(struct request *r)
{
	return (str_equal(r->path, "/slow"));
}

static const struct server server = { NULL, handle, slow };

static int
worker(void *arg)
{
	(void)arg;
	if (getenv("ECHO_DEADLY") != NULL && access(getenv("ECHO_DEADLY"), F_OK) == 0)
		return (3);
	return (server_fastcgi(&server));
}

static int
helper(void *arg)
{
	(void)arg;
	pause();
	return (0);
}

static bool
reload(void *arg)
{
	(void)arg;
	if (getenv("ECHO_BAD") != NULL && access(getenv("ECHO_BAD"), F_OK) == 0)
		return (false);
	snprintf(generation, sizeof(generation), "%d", atoi(generation) + 1);
	return (true);
}

int
main(int argc, char **argv)
{
	struct prefork prefork = { .mode = 0660, .child = worker, .helper = helper, .reload = reload };

	cfg = &double_settings;
	if (server_is_fastcgi())
		return (server_fastcgi(&server));
	if (server_is_cgi())
		return (server_cgi(&server));
	if (argc != 3)
		return (2);
	admission_open(admission_memory());
	prefork.listen = argv[1];
	prefork.workers = atoi(argv[2]);
	return (server_prefork(&prefork));
}
