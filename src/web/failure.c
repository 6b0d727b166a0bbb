/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "db/db.h"
#include "web/request.h"

#define API_VERSION "X-Supabase-Api-Version"
#define API_VERSION_2024 "2024-01-01"

static void
failure_set(struct request *r, err error, int status, const char *message)
{
	r->failure.id = error;
	r->failure.status = status;
	r->failure.code = NULL;
	r->failure.message = message;
	r->failure.challenge = NULL;
}

err
fail(struct request *r, err error, const char *fmt, ...)
{
	const char *message = NULL;
	va_list args;

	va_start(args, fmt);
	if (fmt != NULL)
		message = arena_vprintf(r->arena, fmt, args);
	va_end(args);
	failure_set(r, error, 0, message);
	return (error);
}

err
fail_as(struct request *r, err error, int status, const char *fmt, ...)
{
	const char *message = NULL;
	va_list args;

	va_start(args, fmt);
	if (fmt != NULL)
		message = arena_vprintf(r->arena, fmt, args);
	va_end(args);
	failure_set(r, error, status, message);
	return (error);
}

err
fail_outside(struct request *r, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	failure_set(r, E_OUTSIDE, 0, NULL);
	r->failure.cause = arena_vprintf(r->arena, why, args);
	va_end(args);
	return (E_OUTSIDE);
}

err
fail_oauth(struct request *r, const char *error, const char *description)
{
	failure_set(r, E_OAUTH, 0, description);
	r->failure.code = error;
	return (E_OAUTH);
}

/* RFC 6750 section 3 has neither quotes nor backslashes there. */
static void
challenge_put(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (value = str_or(value, ""); *value != '\0'; value++)
		buf_putc(out, *value == '"' ? '\'' : *value == '\\' || (unsigned char)*value >= 0x7F ? '?' : *value);
	buf_putc(out, '"');
}

err
fail_challenge(struct request *r, err error, int status, const char *scheme, ...)
{
	struct buf out = buf_new(r->arena);
	const char *name;
	va_list pairs;

	if (r->failure.id != error)
		failure_set(r, error, status, NULL);
	buf_puts(&out, scheme);
	va_start(pairs, scheme);
	for (const char *comma = " "; (name = va_arg(pairs, const char *)) != NULL; comma = ", ") {
		buf_puts(&out, comma);
		challenge_put(&out, name, va_arg(pairs, const char *));
	}
	va_end(pairs);
	r->failure.status = status;
	r->failure.challenge = out.data;
	return (error);
}

static bool
digits(const char *text, int count, int *number)
{
	*number = 0;
	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)text[i]))
			return (false);
		*number = *number * 10 + text[i] - '0';
	}
	return (true);
}

/* YYYY-MM-DD and a day of the calendar. */
static bool
date_valid(const char *text)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;
	bool leap;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
		return (false);
	if (!digits(text, 4, &year) || !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day))
		return (false);
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return (month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap));
}

/* There are two forms of errors; any date from 2024 on asks for the later. */
static bool
version_2024(const struct request *r)
{
	const char *asked = str_or(request_header(r, API_VERSION), "");

	return (date_valid(asked) && strcmp(asked, API_VERSION_2024) >= 0);
}

int
sqlstate_status(const char *sqlstate)
{
	static const char *const shown[] = { "P0001", "23000", "23001", "23502", "23503", "23505", "23514", "23P01" };
	int status;

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (str_equal(sqlstate, shown[i]))
			return (500);
	if (!str_starts(sqlstate, "PT") || strlen(sqlstate) != 5 || !digits(sqlstate + 2, 3, &status))
		return (0);
	/* A status that HTTP has not would be dropped by the web server. */
	return (status >= 200 && status < 600 ? status : status == 0 ? 0 : 500);
}

static const char *
body_oauth(struct request *r)
{
	struct buf out = buf_new(r->arena);

	json_object_begin(&out, NULL);
	json_put_text(&out, "error", str_or(r->failure.code, ""));
	json_put_filled(&out, "error_description", r->failure.message);
	json_object_end(&out);
	return (out.data);
}

static const char *
body_database(struct arena *a, const struct db_error *e)
{
	struct buf out = buf_new(a);

	json_object_begin(&out, NULL);
	json_put_text(&out, "code", e->sqlstate);
	json_put_text(&out, "message", str_or(e->message, ""));
	json_put_filled(&out, "hint", e->hint);
	json_put_filled(&out, "detail", e->detail);
	json_object_end(&out);
	return (out.data);
}

static const char *
body_first(struct request *r, const char *code, bool with_id)
{
	const struct failure *f = &r->failure;
	struct buf out = buf_new(r->arena);

	json_object_begin(&out, NULL);
	json_put_number(&out, "code", f->status);
	json_put_filled(&out, "error_code", code);
	json_put_text(&out, "msg", f->message);
	if (with_id && f->status >= 500)
		json_put_filled(&out, "error_id", r->id);
	json_put_members(&out, f->extra);
	json_object_end(&out);
	return (out.data);
}

static const char *
body_2024(struct request *r, const char *code)
{
	struct buf out = buf_new(r->arena);

	json_object_begin(&out, NULL);
	json_put_text(&out, "code", code);
	json_put_text(&out, "message", r->failure.message);
	json_put_members(&out, r->failure.extra);
	json_object_end(&out);
	return (out.data);
}

void
failure_complete(struct request *r, err error)
{
	const struct error_row *row = error_row(error);
	struct failure *f = &r->failure;

	if (f->id != error)
		*f = (struct failure){ .id = error, .cause = f->cause };
	if (f->status == 0)
		f->status = row->status;
	if (f->code == NULL)
		f->code = row->code;
	if (f->message == NULL)
		f->message = row->message;
}

static void
reply_database(struct request *r, const struct db_error *e, bool later)
{
	int status = later ? 0 : sqlstate_status(e->sqlstate);

	r->failure.cause =
	    arena_printf(r->arena, "%s: %s (SQLSTATE %s)", r->failure.message, str_or(e->message, ""), str_or(e->sqlstate, "?"));
	reply_header(r, "X-Sb-Error-Code", r->failure.code);
	if (status != 0)
		reply_json(r, status, body_database(r->arena, e));
	else
		reply_json(r, r->failure.status, later ? body_2024(r, r->failure.code) : body_first(r, r->failure.code, true));
}

static void
reply_api(struct request *r, bool later, bool handled)
{
	const struct failure *f = &r->failure;
	const char *code = str_or(f->code, f->status == 500 ? "unexpected_failure" : "unknown");

	/* The reference forgets the header in the later form of weak_password. */
	if (handled && !str_empty(f->code) && !(later && f->id == E_WEAK_PASSWORD))
		reply_header(r, "X-Sb-Error-Code", f->code);
	reply_json(r, f->status, later ? body_2024(r, code) : body_first(r, code, handled));
}

/* What a statement of ours asserts, postern.assert(), is the client's mistake where it is about metadata. */
static err
asserted(struct request *r, err error)
{
	const struct db_error *e = error == E_DATABASE ? db_error(r->db) : NULL;

	if (e == NULL || !str_equal(e->sqlstate, "PO001") || !str_equal(e->message, "metadata"))
		return (error);
	return (fail(r, E_VALIDATION_FAILED, "Metadata must not be larger than %lld bytes", (long long)cfg->postern_metadata_max));
}

void
reply_failure(struct request *r, err said)
{
	err error = asserted(r, said);
	bool later = version_2024(r);
	const struct db_error *e = error == E_DATABASE || error == E_HOOK_FUNCTION ? db_error(r->db) : NULL;
	bool handled = error != E_UNEXPECTED_FAILURE || (r->failure.id == error && r->failure.message != NULL);

	if (!r->commit_anyway && !db_kept(r->db)) {
		r->after = NULL;
		r->reply.cookies.len = 0;
	}
	failure_complete(r, error);
	if (r->failure_reply != NULL) {
		r->failure_reply(r, r->failure_arg);
		return;
	}
	if (later)
		reply_header(r, API_VERSION, API_VERSION_2024);
	if (r->failure.challenge != NULL)
		reply_header(r, "WWW-Authenticate", r->failure.challenge);
	if (error == E_UNAVAILABLE)
		reply_retry_after(r, 1);
	if (error == E_OAUTH)
		reply_json(r, r->failure.status, body_oauth(r));
	else if (e != NULL)
		reply_database(r, e, later);
	else
		reply_api(r, later, handled);
}
