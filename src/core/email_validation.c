/* SPDX-License-Identifier: Apache-2.0 */
#include "core/email_validation.h"

#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "net/dns.h"
#include "net/http.h"

#define SECONDS_MOST 3u
#define SECONDS_SERVICE 2u /* where the name server is asked too */
#define VERDICT_MAX 32     /* bytes of the service's answer that count */
#define GMAIL_NAME_MIN 6

/* Addresses that people type when they have none. */
static const char *const placeholders[] = { "test@gmail.com", "example@gmail.com", "someone@gmail.com", "test@email.com" };

/* RFC 2606, and names that are typed for others. */
static const char *const dead_hosts[] = { "test", "example", "invalid", "local", "localhost", "test.com", "example.com", "example.net",
	"example.org", "gamil.com", "gamai.com", "anonymous.com", "email.com" };
static const char *const dead_endings[] = { ".test", ".example", ".invalid", ".local", ".localhost" };

/* So large that asking for them is a waste. */
static const char *const known_hosts[] = { "gmail.com", "yahoo.com", "hotmail.com", "aol.com", "outlook.com", "comcast.net", "icloud.com",
	"msn.com", "hotmail.co.uk", "sbcglobal.net", "live.com", "yahoo.co.in", "me.com", "att.net", "mail.ru", "bellsouth.net", "cox.net",
	"yahoo.co.uk", "verizon.net" };

#define AMONG(list, text) among(list, sizeof(list) / sizeof((list)[0]), text)

static bool
among(const char *const *list, size_t len, const char *text)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(list[i], text) == 0)
			return (true);
	return (false);
}

/* --- What needs no network --- */

/* RFC 5322's dot-atom, with UTF-8 as Go's net/mail has it. */
static bool
dot_atom(const char *text, size_t len)
{
	bool start = true;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.' ? start : c <= ' ' || c == 0x7F || strchr("()<>[]:;@\\,\"", c) != NULL)
			return (false);
		start = c == '.';
	}
	return (!start);
}

static bool
host_dead(const char *host)
{
	for (size_t i = 0; i < sizeof(dead_endings) / sizeof(dead_endings[0]); i++)
		if (str_ends(host, dead_endings[i]))
			return (true);
	return (AMONG(dead_hosts, host));
}

/* Gives the host, or NULL for an address that is nobody's. */
static const char *
address_host(const char *email)
{
	const char *at = strrchr(email, '@'), *host = at != NULL ? at + 1 : "";
	size_t name = at != NULL ? (size_t)(at - email) : 0;

	if (!dot_atom(email, name) || !dot_atom(host, strlen(host)))
		return (NULL);
	if (AMONG(placeholders, email) || host_dead(host) || (strcmp(host, "gmail.com") == 0 && name < GMAIL_NAME_MIN))
		return (NULL);
	return (host);
}

/* --- What others say --- */

/* The setting names hosts with or without the dot at the end. */
static bool
host_blocked(struct arena *a, json *blocked, const char *host)
{
	for (size_t i = 0; i < json_len(blocked); i++) {
		const char *name = json_string(json_at(blocked, i));

		if (name != NULL && (strcmp(name, host) == 0 || strcmp(arena_printf(a, "%s.", name), host) == 0))
			return (true);
	}
	return (false);
}

static bool
host_passes(struct arena *a, const char *host, unsigned seconds)
{
	const char *setting = cfg->gotrue_mailer_email_validation_blocked_mx;
	json *blocked = json_parse_text(a, setting);
	char **hosts;

	if (strchr(host, '.') == NULL)
		return (false);
	if (AMONG(known_hosts, host))
		return (true);
	if (dns_mail_hosts(a, host, seconds, &hosts) == DNS_NOT_FOUND)
		return (false);
	for (; json_kind(blocked) == JSON_ARRAY && *hosts != NULL; hosts++)
		if (host_blocked(a, blocked, *hosts))
			return (false);
	return (true);
}

struct header_list {
	struct arena *arena;
	const char **pair;
	size_t len;
};

/* Of several values of a header the last counts. */
static bool
header_add(void *arg, const char *name, json *values)
{
	struct header_list *list = arg;
	const char *value = json_len(values) > 0 ? json_string(json_at(values, json_len(values) - 1)) : NULL;

	if (value != NULL) {
		list->pair[list->len++] = arena_strdup(list->arena, name);
		list->pair[list->len++] = value;
	}
	return (true);
}

static const char *const *
service_headers(struct arena *a)
{
	const char *setting = cfg->gotrue_mailer_email_validation_service_headers;
	json *given = json_parse_text(a, setting);
	struct header_list list = { .arena = a };

	if (json_kind(given) != JSON_OBJECT)
		given = NULL;
	list.pair = arena_new_array(a, const char *, 2 * json_len(given) + 3);
	if (json_get_nocase(given, "Content-Type") == NULL) {
		list.pair[list.len++] = "Content-Type";
		list.pair[list.len++] = "application/json";
	}
	json_each(given, header_add, &list);
	return (list.pair);
}

/* The first JSON value in the text. */
static json *
json_first(struct arena *a, const char *text, size_t len)
{
	json *value = NULL;

	for (size_t n = 1; n <= len && value == NULL; n++)
		value = json_parse(a, text, n, NULL);
	return (value);
}

/* Only a service that says {"valid":false} is heard. */
static bool
service_passes(struct arena *a, const char *email, unsigned seconds)
{
	struct http_call call = { .trust = HTTP_OPERATOR,
		.url = cfg->gotrue_mailer_email_validation_service_url,
		.method = "POST",
		.headers = service_headers(a),
		.body = json_pairs(a, "email", email, NULL),
		.timeout_ns = seconds * INT64_C(1000000000),
		.redirects = 10 };
	struct http_answer answer;
	json *valid;

	if (http_do(a, &call, &answer) != HTTP_ANSWERED || answer.status / 100 != 2)
		return (true);
	valid = json_get_nocase(json_first(a, answer.body, answer.len < VERDICT_MAX ? answer.len : VERDICT_MAX), "valid");
	return (json_kind(valid) != JSON_BOOL || json_true(valid));
}

static bool
address_passes(struct arena *a, const char *email)
{
	bool look_up = cfg->gotrue_mailer_email_validation_extended, ask = *cfg->gotrue_mailer_email_validation_service_url != '\0';
	const char *host = NULL;

	if (look_up && (host = address_host(email)) == NULL)
		return (false);
	if (ask && !service_passes(a, email, look_up ? SECONDS_SERVICE : SECONDS_MOST))
		return (false);
	return (!look_up || host_passes(a, host, ask ? SECONDS_MOST - SECONDS_SERVICE : SECONDS_MOST));
}

err
email_validation_check(struct request *r, const char *email)
{
	if (address_passes(r->arena, email))
		return (OK);
	return (fail(r, E_EMAIL_ADDRESS_INVALID, "Email address %s is invalid", json_quote(r->arena, email)));
}

/* --- Authorized addresses --- */

/* "+label" between name and "@" does not count. */
static const char *
label_strip(struct arena *a, const char *email)
{
	struct buf out = buf_new(a);

	while (*email != '\0') {
		size_t label = *email == '+' ? strcspn(email + 1, "@") : 0;

		if (label > 0 && email[1 + label] == '@')
			email += 1 + label;
		buf_putc(&out, *email++);
	}
	return (str_or(out.data, ""));
}

err
email_validation_authorized(struct request *r, const char *email)
{
	const char *stripped = str_lower(r->arena, label_strip(r->arena, email));
	char *const *list = cfg->gotrue_external_email_authorized_addresses;

	if (str_empty(email) || *list == NULL)
		return (OK);
	for (; *list != NULL; list++)
		if (str_equal(stripped, str_lower(r->arena, *list)))
			return (OK);
	return (fail(r, E_EMAIL_ADDRESS_NOT_AUTHORIZED, "Email address %s cannot be used as it is not authorized",
	    json_quote(r->arena, email)));
}
