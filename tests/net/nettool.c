/* SPDX-License-Identifier: Apache-2.0 */
/* What net/ offers, as commands for the tests: settings come from the environment, results are one JSON object. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "letter/letter.h"
#include "net/http.h"
#include "net/mime.h"
#include "net/sms_gateway.h"
#include "net/transport.h"
#include "net/webhook.h"

static int
say(struct arena *a, const char *name, const char *value, const char *more)
{
	printf("{%s:%s%s}\n", json_quote(a, name), json_quote(a, value), more);
	return (0);
}

/* http TRUST URL TIMEOUT MAX REDIRECTS [BODY [NAME VALUE]...]; a line on standard input repeats it, with the trust that it names */
static int
tool_http(struct arena *a, char **arg)
{
	static const char *const names[] = { "answered", "bad call", "no name", "not allowed", "no contact", "tls", "timeout", "too big" };
	struct http_call call = { .trust = str_equal(arg[0], "operator") ? HTTP_OPERATOR : HTTP_STRANGER,
		.url = arg[1],
		.max_bytes = (size_t)atol(arg[3]),
		.redirects = atoi(arg[4]),
		.body = arg[5],
		.headers = arg[5] != NULL ? (const char *const *)(arg + 6) : NULL,
		.user = getenv("TOOL_USER"),
		.password = getenv("TOOL_PASSWORD") };
	struct http_answer answer;
	enum http_result result;
	char line[16] = "";

	if (!duration_parse(arg[2], &call.timeout_ns))
		return (2);
	do {
		call.trust = str_starts(line, "stranger") ? HTTP_STRANGER : str_starts(line, "operator") ? HTTP_OPERATOR : call.trust;
		result = http_do(a, &call, &answer);
		say(a, "result", names[result],
		    arena_printf(a, ",\"status\":%d,\"type\":%s,\"body\":%s,\"why\":%s,\"x\":%s", answer.status, json_quote(a, answer.type),
			json_quote(a, answer.body), json_quote(a, answer.why), json_quote(a, http_header(&answer, "x-test"))));
		fflush(stdout);
	} while (fgets(line, sizeof(line), stdin) != NULL);
	return (0);
}

/* mail TO SUBJECT TEXT HTML: builds a letter and sends it by the transport of the settings; "again" as above */
static int
tool_mail(struct arena *a, char **arg)
{
	static const char *const names[] = { "delivered", "later", "refused" };
	struct mime_letter letter = { .to = arg[0],
		.subject = arg[1],
		.text = arg[2],
		.html = arg[3],
		.kind = "invite",
		.date = 1700000000000000,
		.message_id = mime_message_id(a) };
	struct mail mail = { .from = cfg->gotrue_smtp_admin_email, .to = arg[0] };
	const char *why;
	char line[16];

	if (transport_in_use() == NULL)
		return (say(a, "outcome", "nowhere", ""));
	mail.data = mime_build(a, &letter, &mail.len);
	do {
		enum mail_outcome outcome = transport_in_use()->send(a, &mail, &why);

		say(a, "outcome", names[outcome], arena_printf(a, ",\"why\":%s", json_quote(a, why)));
		fflush(stdout);
	} while (fgets(line, sizeof(line), stdin) != NULL);
	return (0);
}

/* probe: what `postern check` asks */
static int
tool_probe(struct arena *a, char **arg)
{
	(void)arg;
	return (say(a, "why", transport_in_use()->probe(a), ""));
}

/* letter NAME LANGUAGES VALUES: renders it; "again" as above */
static int
tool_letter(struct arena *a, char **arg)
{
	json *values = json_parse(a, arg[2], strlen(arg[2]), NULL);
	struct letter letter;
	enum letter_id id;
	char line[16];

	if (!letter_find(arg[0], &id))
		return (2);
	do {
		letter_render(a, id, arg[1], values, &letter);
		say(a, "subject", letter.subject,
		    arena_printf(a, ",\"html\":%s,\"text\":%s,\"type\":%s,\"enabled\":%s", json_quote(a, letter.html),
			json_quote(a, letter.text), json_quote(a, letter_row(id)->message_type), letter_enabled(id) ? "true" : "false"));
		fflush(stdout);
	} while (fgets(line, sizeof(line), stdin) != NULL);
	return (0);
}

/* check NAME FETCH */
static int
tool_check(struct arena *a, char **arg)
{
	enum letter_id id;

	if (!letter_find(arg[0], &id))
		return (2);
	return (say(a, "why", letter_check(a, id, str_equal(arg[1], "fetch")), ""));
}

/* hook URL PAYLOAD SECRET... */
static int
tool_hook(struct arena *a, char **arg)
{
	struct webhook hook = { .url = arg[0], .payload = arg[1], .secrets = arg + 2 };
	struct webhook_failure failure = { 0 };
	json *answer;
	err error = webhook_call(a, &hook, &answer, &failure);

	return (say(a, "code", error == OK ? NULL : error_row(error)->code,
	    arena_printf(a, ",\"status\":%d,\"message\":%s,\"answer\":%s", failure.status, json_quote(a, failure.message),
		answer != NULL ? json_text(a, answer) : "null")));
}

/* sms PHONE TEXT CODE CHANNEL */
static int
tool_sms(struct arena *a, char **arg)
{
	struct text_message m = { arg[0], arg[1], arg[2], arg[3] };
	const char *id, *why;
	bool sent = gateway_send(a, &m, &id, &why);

	return (say(a, "id", id, arena_printf(a, ",\"sent\":%s,\"why\":%s", sent ? "true" : "false", json_quote(a, why))));
}

/* verify PHONE CODE */
static int
tool_verify(struct arena *a, char **arg)
{
	const char *why;
	bool right = gateway_verify(a, arg[0], arg[1], &why);

	return (say(a, "why", why, right ? ",\"right\":true" : ",\"right\":false"));
}

/* gateway: what `postern check` says of it */
static int
tool_gateway(struct arena *a, char **arg)
{
	(void)arg;
	return (say(a, "why", gateway_check(a), arena_printf(a, ",\"verifies\":%s", gateway_verifies() ? "true" : "false")));
}

static const struct tool {
	const char *name;
	int args;
	int (*run)(struct arena *, char **);
} tools[] = {
	{ "http", 5, tool_http },
	{ "mail", 4, tool_mail },
	{ "probe", 0, tool_probe },
	{ "letter", 3, tool_letter },
	{ "check", 2, tool_check },
	{ "hook", 2, tool_hook },
	{ "sms", 4, tool_sms },
	{ "verify", 2, tool_verify },
	{ "gateway", 0, tool_gateway },
};

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	static struct complaints complaints;
	int status = 2;

	signal(SIGPIPE, SIG_IGN);
	if (settings_load(a, NULL, &complaints) == NULL)
		for (size_t i = 0; i < complaints.len; i++)
			fprintf(stderr, "%s: %s\n", complaints.item[i].setting, complaints.item[i].sentence);
	else
		for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
			if (argc >= 2 + tools[i].args && strcmp(argv[1], tools[i].name) == 0)
				status = tools[i].run(a, argv + 2);
	arena_free(a);
	return (status);
}
