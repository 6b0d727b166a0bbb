/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "route.h"
#include "api/api.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "core/gate.h"
#include "core/limit.h"
#include "db/db.h"
#include "external/external_state.h"
#include "factor/factor.h"
#include "sec/jwt.h"

#define RUNS 4 /* nearly always the second does; a user who goes and comes again may need a third */

/* The words of route.def. */
/* clang-format off */
#define OPEN { NULL, NULL }
#define MOUNTED { NULL, NULL }
#define AAL2(status, words) { gate_aal2, &(const struct aal2_refusal){ status, words } }
#define ADMIN { gate_admin, NULL }
#define BEARER { gate_bearer, NULL }
#define MEMBER { gate_member, NULL }
#define MAY_ENROLL(type) { gate_may_enroll, type }
#define MAY_VERIFY(type) { gate_may_verify, type }
#define MANAGED_USER { gate_managed_user, NULL }
#define CAPTCHA { gate_captcha, NULL }
#define CUSTOM_PROVIDER { gate_custom_provider, NULL }
#define FACTOR { gate_factor, NULL }
#define OFFERED(id) { gate_offered, &offer_##id }
#define EMAIL_PROVIDER { gate_email_provider, NULL }
#define MANUAL_LINKING { gate_manual_linking, NULL }
#define EXTERNAL_STATE { gate_external_state, NULL }
#define PLACE { gate_place, NULL }
#define PASSKEYS { gate_passkeys, NULL }
#define NOT_ANONYMOUS { gate_not_anonymous, NULL }
#define NOT_CLIENT { gate_not_client, NULL }
#define NOT_SSO { gate_not_sso, NULL }
#define PASSKEYS_AAL2 AAL2(403, "AAL2 session is required to manage passkeys when MFA is enabled")
#define OAUTH_SERVER { gate_oauth_server, NULL }
#define LIMIT(id) { gate_limit, &limit_##id }
/* clang-format on */

const struct route route_table[] = {
#define ROUTE(method, path, handler, ...) { method, path, handler, { __VA_ARGS__ } },
#define MOUNT(path, ...) { NULL, path, NULL, { __VA_ARGS__ } },
#include "route.def"
};
const size_t route_count = sizeof(route_table) / sizeof(route_table[0]);

/* Matches segment by segment; what {name} stands for goes to arg.  What of the path is left, or NULL where the pattern does not fit. */
static const char *
path_match(struct arena *a, const char *pattern, const char *path, struct path_arg arg[2])
{
	int args = 0;

	while (*pattern != '\0') {
		if (*pattern == '{') {
			size_t len = strcspn(path, "/"), name = strcspn(pattern, "}");

			if (len == 0 || args == 2)
				return (NULL);
			arg[args].name = arena_strndup(a, pattern + 1, name - 1);
			arg[args++].value = arena_strndup(a, path, len);
			path += len;
			pattern += name + 1;
		} else if (*pattern++ != *path++) {
			return (NULL);
		}
	}
	return (path);
}

/* The first that the path is at or below; its arguments go to arg. */
static const struct route *
mount_find(struct arena *a, const char *path, struct path_arg arg[2])
{
	const char *rest;

	for (size_t i = 0; i < route_count; i++) {
		if (route_table[i].method != NULL || (rest = path_match(a, route_table[i].path, path, arg)) == NULL)
			continue;
		if (*rest == '\0' || *rest == '/')
			return (&route_table[i]);
	}
	return (NULL);
}

static const struct route *
mount_of(struct request *r)
{
	struct path_arg arg[2] = { { NULL, NULL }, { NULL, NULL } };
	const struct route *mount = mount_find(r->arena, r->path, arg);

	if (mount != NULL)
		memcpy(r->path_arg, arg, sizeof(arg));
	return (mount);
}

/* The path without the one slash that may end it below a mount. */
static const char *
path_canonical(struct request *r, const struct route *mount)
{
	size_t len = strlen(r->path);

	if (mount != NULL && len > 1 && r->path[len - 1] == '/' && r->path[len - 2] != '/')
		return (arena_strndup(r->arena, r->path, len - 1));
	return (r->path);
}

static bool
is_offered(const struct route *row)
{
	for (size_t i = 0; i < GATES_MAX; i++)
		if (row->gate[i].pass == gate_offered)
			return (((const struct offer *)row->gate[i].arg)->offered());
	return (true);
}

/* Whether the row is the path's, and stands below the same mount: {name} is not what a mount of its own has as a word. */
static bool
row_fits(struct arena *a, const struct route *row, const struct route *mount, const char *path, struct path_arg arg[2])
{
	struct path_arg unused[2];
	const char *rest;

	memset(arg, 0, 2 * sizeof(*arg));
	rest = path_match(a, row->path, path, arg);
	return (rest != NULL && *rest == '\0' && mount_find(a, row->path, unused) == mount && is_offered(row));
}

/* The row for method and path, or NULL; *allow then has the methods that the path has, in order. */
static const struct route *
route_find(struct request *r, const struct route *mount, const char **allow)
{
	static const char *const methods[] = { "DELETE", "GET", "PATCH", "POST", "PUT" };
	const char *path = path_canonical(r, mount);
	struct buf list = buf_new(r->arena);
	struct path_arg arg[2];

	for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++)
		for (size_t i = 0; i < route_count; i++) {
			const struct route *row = &route_table[i];

			if (row->method == NULL || strcmp(row->method, methods[m]) != 0 || !row_fits(r->arena, row, mount, path, arg))
				continue;
			if (strcmp(r->method, row->method) == 0) {
				memcpy(r->path_arg, arg, sizeof(arg));
				return (row);
			}
			buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", row->method);
			break;
		}
	*allow = list.len > 0 ? list.data : NULL;
	return (NULL);
}

static err
gates_pass(struct request *r, const struct route *row)
{
	for (size_t i = 0; i < GATES_MAX && row->gate[i].pass != NULL; i++)
		TRY(row->gate[i].pass(r, row->gate[i].arg));
	return (OK);
}

static err
refuse_unrouted(struct request *r, const char *allow)
{
	if (allow == NULL)
		return (reply_text(r, 404, "text/plain; charset=utf-8", "404 page not found\n"));
	reply_header(r, "Allow", allow);
	return (reply_empty(r, 405));
}

static err
request_route(struct request *r)
{
	const struct route *mount = mount_of(r);
	const char *allow = NULL;

	r->route = route_find(r, mount, &allow);
	if (mount != NULL)
		TRY(gates_pass(r, mount));
	if (r->route == NULL)
		return (refuse_unrouted(r, allow));
	TRY(gates_pass(r, r->route));
	return (r->route->handler(r));
}

/* All of it, to the end of its transaction. */
static err
request_run(struct request *r)
{
	err error = request_route(r), commit = OK;

	if (error == OK || r->commit_anyway)
		commit = db_commit(r->db);
	else
		db_rollback(r->db);
	if (db_kept(r->db) && r->committed != NULL)
		r->committed(r);
	if (commit == OK)
		return (error);
	/* What the client was to be told rests on what is not there now. */
	r->commit_anyway = false;
	r->failure = (struct failure){ 0 };
	return (commit);
}

/* Somebody else was in the way, and no handler has told the client so, as that a name is taken. */
static bool
is_conflict(struct request *r, err error)
{
	return ((error == E_CONFLICT || error_row(error)->status >= 500) && db_conflict(r->db));
}

/* Anew from what the client sent, where somebody else was in the way: then it is as if the request came only now. */
static err
request_settle(struct request *r)
{
	const struct request sent = *r;
	err error = request_run(r);

	for (int runs = 1; error != OK && runs < RUNS && is_conflict(r, error); runs++) {
		log_event(LOG_INFO, "the request begins anew", "error", db_error(r->db)->message, NULL);
		request_restart(r, &sent);
		error = request_run(r);
	}
	return (error);
}

static bool
has_place(const struct route *row)
{
	for (size_t i = 0; row != NULL && i < GATES_MAX; i++)
		if (row->gate[i].pass == gate_place)
			return (true);
	return (false);
}

bool
dispatch_slow(struct request *r)
{
	const struct route *mount = mount_of(r);
	const char *allow;

	return ((has_place(mount) || has_place(route_find(r, mount, &allow))) && gate_slow(r));
}

void
dispatch(struct request *r)
{
	err error;

	if (cors_preflight(r))
		return;
	jwt_keys_follow();
	cors_headers(r);
	error = request_settle(r);
	if (error != OK)
		reply_failure(r, error);
}
