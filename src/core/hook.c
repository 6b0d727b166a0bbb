/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "core/hook.h"
#include "db/db.h"
#include "net/webhook.h"

#define FUNCTION_LIMIT_NS 2000000000

static const struct hook_row {
	const char *name;
	enum { WITHIN, AUTONOMOUS } function;
	size_t enabled, uri, secrets; /* members of struct settings */
} rows[] = {
#define HOOK(id, setting, name, function, what)                                                     \
	[HOOK_##id] = { name, function, offsetof(struct settings, gotrue_hook_##setting##_enabled), \
		offsetof(struct settings, gotrue_hook_##setting##_uri), offsetof(struct settings, gotrue_hook_##setting##_secrets) },
#include "hook.def"
};

static const char *
hook_uri(enum hook hook)
{
	return (setting_text_at(rows[hook].uri));
}

bool
hook_enabled(enum hook hook)
{
	return (*(const setting_bool *)setting_at(rows[hook].enabled));
}

static char *
payload_complete(struct request *r, enum hook hook, const char *payload)
{
	struct arena *a = r->arena;
	const char *metadata = json_pairs(a, "uuid", uuid_new(a), "time", clock_rfc3339(a, clock_now()), "name", rows[hook].name,
	    "ip_address", str_or(r->address, NULL), NULL);
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_put_raw(&b, "metadata", metadata);
	json_put_members(&b, payload);
	json_object_end(&b);
	return (b.data);
}

/* What the hook says of its own has no code: the reply shows one by its status, the header does not. */
static err
failure_tell(struct request *r, err e, const struct webhook_failure *failure)
{
	bool own = e == E_UNKNOWN;

	(void)fail_as(r, own ? E_UNEXPECTED_FAILURE : e, failure->status, "%s", failure->message);
	if (own)
		r->failure.code = "";
	r->failure.cause = failure->cause;
	return (r->failure.id);
}

/* --- HTTP --- */

static err
call_http(struct request *r, enum hook hook, const char *payload, json **answer)
{
	const struct webhook call = {
		.url = hook_uri(hook), .secrets = *(const setting_secrets *)setting_at(rows[hook].secrets), .payload = payload
	};
	struct webhook_failure failure;
	err e;

	TRY(db_suspend(r->db));
	e = webhook_call(r->arena, &call, answer, &failure);
	if (e != OK)
		return (failure_tell(r, e, &failure));
	return (db_resume(r->db));
}

/* --- Functions in the database --- */

/* pg-functions://postgres/schema/function */
static bool
function_read(struct arena *a, const char *uri, struct db_function *f)
{
	struct url url;
	char **part;

	if (!url_parse(a, uri, &url))
		return (false);
	part = str_split(a, url.path, '/');
	if (strs_len(part) < 3)
		return (false);
	*f = (struct db_function){ .schema = part[1], .name = part[2], .limit_ns = FUNCTION_LIMIT_NS };
	return (true);
}

static err
function_run(struct request *r, enum hook hook, const struct db_function *f, const char *payload, const char **text)
{
	if (rows[hook].function == WITHIN || db_in_transaction(r->db))
		return (db_call(r->db, f, payload, text));
	db_autonomous_begin(r->db);
	TRY(db_call(r->db, f, payload, text));
	return (db_autonomous_end(r->db));
}

static err
function_answer(struct request *r, const char *text, json **answer)
{
	struct webhook_failure failure;
	const char *why = NULL;
	err e;

	if (text == NULL)
		return (OK);
	*answer = json_parse(r->arena, text, strlen(text), &why);
	if (*answer == NULL) {
		r->failure.cause = why;
		return (fail(r, E_UNEXPECTED_FAILURE, "Error unmarshaling JSON output."));
	}
	e = webhook_answer_check(*answer, &failure);
	return (e == OK ? OK : failure_tell(r, e, &failure));
}

static err
call_function(struct request *r, enum hook hook, const char *payload, json **answer)
{
	const char *text = NULL;
	struct db_function f;
	err e;

	if (!function_read(r->arena, hook_uri(hook), &f))
		return (fail(r, E_UNEXPECTED_FAILURE, NULL));
	e = function_run(r, hook, &f, payload, &text);
	if (e == E_UNAVAILABLE)
		return (e);
	if (e != OK) {
		r->failure.cause = db_error(r->db)->message;
		return (fail(r, E_HOOK_FUNCTION, "Error running hook URI: %s", hook_uri(hook)));
	}
	return (function_answer(r, text, answer));
}

/* --- Calls --- */

static const struct {
	const char *scheme;
	checked err (*call)(struct request *, enum hook, const char *payload, json **answer);
} callers[] = {
	{ "http:", call_http },
	{ "https:", call_http },
	{ "pg-functions:", call_function },
};

static err
call_by_scheme(struct request *r, enum hook hook, const char *payload, json **answer)
{
	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		if (str_starts(hook_uri(hook), callers[i].scheme))
			return (callers[i].call(r, hook, payload, answer));
	r->failure.cause = "the hook's URI has no scheme that can be called";
	return (fail(r, E_UNEXPECTED_FAILURE, NULL));
}

static err
not_as_declared(struct request *r)
{
	return (fail(r, E_UNEXPECTED_FAILURE, "Error unmarshaling JSON output."));
}

/*
 * A request that begins anew does not ask again: who counts tries by a hook counts each once.  By this name its answer stands in r->done;
 * NULL: it is not kept.
 */
static char *
kept_as(struct request *r, enum hook hook, const char *payload)
{
	return (rows[hook].function == AUTONOMOUS ? arena_printf(r->arena, "%s %s", rows[hook].name, payload) : NULL);
}

static bool
answered(struct request *r, const char *kept, json **answer)
{
	const char *before = kept != NULL ? query_get(r->done, kept) : NULL;

	if (!str_empty(before))
		*answer = json_parse_text(r->arena, before);
	return (before != NULL);
}

err
hook_call(struct request *r, enum hook hook, const char *payload, json **answer)
{
	const char *kept = kept_as(r, hook, payload);
	uint64_t began = clock_mono_ns();
	err e;

	*answer = NULL;
	if (answered(r, kept, answer))
		return (OK);
	e = call_by_scheme(r, hook, payload_complete(r, hook, payload), answer);
	if (e == OK && *answer != NULL && json_kind(*answer) != JSON_OBJECT && json_kind(*answer) != JSON_NULL)
		e = not_as_declared(r);
	if (e == OK && kept != NULL)
		query_set(r->done, kept, *answer != NULL ? json_text(r->arena, *answer) : "");
	log_event(e == OK ? LOG_INFO : LOG_WARN, e == OK ? "hook ran" : "hook failed", "hook", rows[hook].name, "#duration",
	    arena_printf(r->arena, "%llu", (unsigned long long)(clock_mono_ns() - began)), "error", e == OK ? NULL : r->failure.message,
	    "cause", e == OK ? NULL : r->failure.cause, NULL);
	return (e);
}

/* As Go fills a struct: absent and null leave it, another type is a mistake of the hook. */
static bool
text_read(const json *answer, const char *name, const char **text)
{
	json *value = json_get_nocase(answer, name);

	*text = str_or(json_string(value), "");
	return (json_kind(value) == JSON_NULL || json_kind(value) == JSON_STRING);
}

err
hook_verdict(struct request *r, enum hook hook, const char *payload, struct verdict *v)
{
	const char *decision;
	json *answer, *logout;

	TRY(hook_call(r, hook, payload, &answer));
	logout = json_get_nocase(answer, "should_logout_user");
	if (!text_read(answer, "decision", &decision) || !text_read(answer, "message", &v->message) ||
	    (json_kind(logout) != JSON_NULL && json_kind(logout) != JSON_BOOL))
		return (not_as_declared(r));
	v->rejects = str_equal(decision, "reject");
	v->logout = json_true(logout);
	return (OK);
}

/* --- Users --- */

err
hook_before_user_created(struct request *r, const struct new_user *u)
{
	struct arena *a = r->arena;
	const struct user shown = user_unwritten(a, u, "0001-01-01T00:00:00Z");
	json *answer;

	if (!hook_enabled(HOOK_BEFORE_USER_CREATED))
		return (OK);
	return (hook_call(r, HOOK_BEFORE_USER_CREATED, json_pairs(a, "#user", user_text(a, &shown), NULL), &answer));
}

err
hook_after_user_created(struct request *r, const char *user_json)
{
	json *answer;

	if (!hook_enabled(HOOK_AFTER_USER_CREATED))
		return (OK);
	TRY(db_commit_early(r->db));
	return (hook_call(r, HOOK_AFTER_USER_CREATED, json_pairs(r->arena, "#user", user_json, NULL), &answer));
}
