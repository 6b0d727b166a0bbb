/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/url.h"

struct buf;
struct db;
struct route;
struct claims;
struct user;
struct external_state_by_id;
struct factor_row;

/* What becomes of an error: the form its reply has. */
struct failure {
	err id;                /* what fail() was called for: the words below belong to it alone */
	int status;            /* 0: as error.def */
	const char *code;      /* NULL: as error.def; "": the reply has no X-Sb-Error-Code */
	const char *message;   /* NULL: as error.def */
	const char *extra;     /* an object whose members the reply has, too: {"weak_password":{...}}; NULL: none */
	const char *cause;     /* for the log only */
	const char *challenge; /* WWW-Authenticate; NULL: none */
};

/* One request and its reply; everything in it lives in the arena. */
struct request {
	struct arena *arena;
	struct db *db;
	usec now;             /* when it came: one time for the whole request */
	const char *now_text; /* the same for SQL */

	const char *id; /* request id: GOTRUE_API_REQUEST_ID_HEADER or a new UUID */
	const char *method;
	/* PATH_INFO, decoded: "/user" wherever we are mounted.  An encoded slash stays %2F; what is not UTF-8 is "" and has no route. */
	const char *path;
	const char *address;    /* of the client, as the reference finds it, for people to read; never NULL */
	const char *inet;       /* the same where it is an IP address, for the database; else "" */
	const char *user_agent; /* "" without */
	struct query query;     /* pairs that are not UTF-8 are left out */
	struct query form;      /* of an application/x-www-form-urlencoded body, which is then no longer in body */
	const char *body;
	size_t body_len;
	enum body_state { BODY_WHOLE, BODY_TOO_LARGE, BODY_BROKEN } body_state;
	json *parsed;           /* the body, when params_read() has been here */
	char *const *variables; /* NAME=value of the web server, ends with NULL */
	const struct route *route;
	struct path_arg {
		const char *name, *value;
	} path_arg[2]; /* what {name} segments of the route's path matched; see request_path_arg() */

	/* What gates have found out; NULL until then.  The types belong to core/ and external/. */
	const struct claims *claims;
	const struct user *user;
	const struct factor_row *factor;          /* that the path names */
	const struct external_state_by_id *state; /* that a provider's callback names */
	const char *wanted;                       /* redirect_wanted()'s answer */

	struct query *done; /* see request_did() */
	struct failure failure;
	bool commit_anyway; /* COMMIT_WITH, request_commit_anyway() */
	bool crowded;       /* it may take long, and so do too many others: to be refused */
	bool jitter;        /* the time that the reply takes would tell something: it takes POSTERN_REPLY_JITTER at least */

	struct reply {
		int status;
		const char *type; /* NULL: application/json */
		const char *body;
		size_t len;
		struct query headers;                                     /* ordered; further reply headers */
		struct query cookies;                                     /* by name; see reply_cookie() */
		err (*next)(struct request *, void *state, struct buf *); /* see reply_stream(); NULL: body is all */
		void *state;
	} reply;

	/* Makes the reply to an error, which is complete in failure by then, where JSON is not what the client expects; NULL: JSON. */
	void (*failure_reply)(struct request *, void *arg);
	void *failure_arg;

	void (*committed)(struct request
		*);          /* runs when what was written stands, early or at the end, before the reply is out; may be NULL */
	struct after *after; /* what runs when the reply is out */
};

/*
 * A request header by its name, any case; NULL without.  Proxy is never given.  Always UTF-8: bytes that are not become "?".
 * CGI cannot tell "-" from "_" in names; request_ambiguous() is what a front end lets us know.
 */
const char *request_header(const struct request *, const char *name);

/* lighttpd joins a header that comes twice; two variables of one name then mean that one of them was written with underscores. */
bool request_ambiguous(const struct request *);

/*
 * A cookie by its name; NULL without, and where it comes twice: a site beside us could have set the other one.  Nothing but the bytes that
 * RFC 6265 lets into a value.
 */
const char *request_cookie(const struct request *, const char *name);

/* What {name} of the route's path stands for; NULL when the path has no such segment. */
const char *request_path_arg(const struct request *, const char *name);

/* A form or query value as Go's r.FormValue, where the reference takes it so: the form body's first, then the query's; "" without. */
const char *request_form_value(struct request *, const char *name);

/*
 * What was done for good, whatever becomes of the request: a limit taken, a nonce spent.  Whoever does such a thing notes it, and does it
 * no more when the request has to begin anew.
 */
bool request_did(const struct request *, const char *what);
void request_done(struct request *, const char *what);

/*
 * Begins anew from a point, which is a copy of the request: what was written since is taken back, and all that the request had become is
 * forgotten (headers, failure, what gates found, what was to run after), but for what was done for good.
 */
void request_restart(struct request *, const struct request *point);

/*
 * The one reader of parameters: the JSON body into a struct, as Go's encoding/json fills one.  Whatever the content type says;
 * names without regard to case, the last of two wins, null is absent, unknown ones are ignored.  What is absent stays zero.
 * A body over 1 MB is 413, anything else that does not fit 400 bad_json.
 *
 *	static const struct param fields[] = {
 *		PARAM(struct signup, text, email), PARAM(struct signup, raw_object, data), PARAM_END };
 *	TRY(params_read(r, fields, &signup));
 */
enum param_type {
	PARAM_text,       /* const char *: never NULL after reading; "" when absent */
	PARAM_maybe_text, /* const char *: NULL when absent */
	PARAM_boolean,    /* bool */
	PARAM_maybe_bool, /* const bool * */
	PARAM_integer,    /* int64_t */
	PARAM_real,       /* double */
	PARAM_strings,    /* char **, ends with NULL; NULL when absent */
	PARAM_raw_object, /* const char *: the object's text as it came (compact, numbers kept); NULL when absent */
	PARAM_value,      /* json *: anything; NULL when absent or null */
	PARAM_nested,     /* a struct inside, with fields of its own */
};
struct param {
	const char *name;
	enum param_type type;
	size_t offset;
	const struct param *nested;
};
#define PARAM(of, type, member)                                   \
	{                                                         \
#member, PARAM_##type, offsetof(of, member), NULL \
	}
#define PARAM_NAMED(of, type, member, name)                    \
	{                                                      \
		name, PARAM_##type, offsetof(of, member), NULL \
	}
#define PARAM_NESTED(of, member, fields)                            \
	{                                                           \
#member, PARAM_nested, offsetof(of, member), fields \
	}
#define PARAM_END                         \
	{                                 \
		NULL, PARAM_text, 0, NULL \
	}
checked err params_read(struct request *, const struct param *, void *into);
checked err params_read_optional(struct request *, const struct param *, void *into); /* a request without a body has none of them */

/*
 * The other reader: a form (&r->form) or the URL's query (&r->query) into such a struct.  Names are exact, unknown ones are ignored; an
 * empty value is as good as none (RFC 6749 section 3.1), and what is absent stays zero.  A text is taken as it is, "strings" are all of a name,
 * booleans and numbers are written as in JSON; objects have no place in forms.  400 validation_failed for what does not fit, and for a
 * name that comes twice and is no list.
 */
checked err form_read(struct request *, const struct query *pairs, const struct param *, void *into);

/*
 * Errors.  fail() gives its id back, so that a handler says `return (fail(r, E_USER_BANNED, NULL))`.  fmt NULL: the row's message.
 * fail_as() has another status than the row.  fail_oauth() is the {"error","error_description"} form (400).
 * failure.extra and failure.cause are left alone: set them before or after.
 */
err fail(struct request *, err, const char *fmt, ...) printf_like(3, 4);
err fail_as(struct request *, err, int status, const char *fmt, ...) printf_like(4, 5);
err fail_oauth(struct request *, const char *error, const char *description);

/*
 * The same error with another status and WWW-Authenticate: the scheme with names and values, up to a NULL name (RFC 9110 section 11.6.1):
 *
 *	return (fail_challenge(r, fail_oauth(r, "invalid_client", NULL), 401, "Basic", "realm", "postern", NULL));
 */
err fail_challenge(struct request *, err, int status, const char *scheme, ...) __attribute__((sentinel));

/*
 * What somebody outside (a provider, an issuer, a token) says does not hold, or they say nothing: E_OUTSIDE; why goes to failure.cause, for the
 * log.  Whoever knows what the client is told of it says so, with fail() or TRY_OUTSIDE.
 */
err fail_outside(struct request *, const char *why, ...) printf_like(2, 3);
#define TRY_OUTSIDE(call, told)                \
	do {                                   \
		err try_outside_ = (call);     \
		if (try_outside_ == E_OUTSIDE) \
			return (told);         \
		if (try_outside_ != OK)        \
			return (try_outside_); \
	} while (0)

/* A database error gets the words the reference gives it here; every other error passes as it is. */
#define TRY_DB(r, call, words)                                         \
	do {                                                           \
		err try_db_ = (call);                                  \
		if (try_db_ == E_DATABASE)                             \
			return (fail((r), E_DATABASE, "%s", (words))); \
		if (try_db_ != OK)                                     \
			return (try_db_);                              \
	} while (0)

/* What is written stands, whatever becomes of the request; COMMIT_WITH: the client gets this error all the same. */
void request_commit_anyway(struct request *);
#define COMMIT_WITH(r, error) (request_commit_anyway(r), (error))

/*
 * Turns an error into the reply, after commit or rollback: in the form of X-Supabase-Api-Version, with X-Sb-Error-Code and error_id.
 * E_UNEXPECTED_FAILURE without words is the reference's unhandled error, which has neither.  E_DATABASE shows what a trigger raised
 * (SQLSTATE P0001, some of class 23, PTnnn).  Unless something of the request stands, drops its cookies and what was queued by after().
 */
void reply_failure(struct request *, err);

/* Fills in what fail() left to error.def; its words count only for the error that they were said about. */
void failure_complete(struct request *, err);

/* The HTTP status of what a trigger or constraint says, if clients may read it; 0 otherwise. */
int sqlstate_status(const char *sqlstate);

/* CORS: a preflight is answered here (true); any other request gets its headers. */
bool cors_preflight(struct request *);
void cors_headers(struct request *);

/* Replies; each gives OK. */
err reply_json(struct request *, int status, const char *text);
err reply_empty(struct request *, int status); /* 204 and its like */
err reply_redirect(struct request *, int status, const char *location);
err reply_text(struct request *, int status, const char *type, const char *text);

/*
 * A page: a template of html/pages.h with its values, an object as JSON (NULL: none).  It may load nothing and stand in no frame, and where
 * its links lead nobody learns of its URL; a handler that needs more sets another Content-Security-Policy afterwards.
 */
err reply_html(struct request *, int status, const char *template, const char *values);

void reply_header(struct request *, const char *name, const char *value); /* set; control characters become spaces */
void reply_retry_after(struct request *, long long seconds);

/* A cookie of the reply, out of reach of scripts and of other sites' POST; of two of a name the last counts.  An error drops them all. */
struct cookie {
	const char *name, *value;  /* NULL: the browser shall forget it */
	const char *path, *domain; /* domain NULL: for this host alone */
	long long max_age;         /* seconds; 0: until the browser closes */
	bool secure;
};
void reply_cookie(struct request *, const struct cookie *);

/*
 * A reply whose body goes on behind its head, so that a long answer is never whole in memory; type as in struct reply.  next() is called
 * when the head is out and the transaction over: it puts the next piece into the buffer, nothing when there is none; NULL: the head is all.
 * r->arena is then the piece's own; state lives in the request's.  After an error the connection is cut, so that half an answer never
 * looks whole.
 */
err reply_stream(struct request *, const char *type, const char *head, err (*next)(struct request *, void *state, struct buf *),
    void *state);

/* Runs call(r, arg) after the reply is out and the transaction committed; not at all where nothing of a failed request stands. */
void after(struct request *, void (*call)(struct request *, void *), void *arg);

#endif
