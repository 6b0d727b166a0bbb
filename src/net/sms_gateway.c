/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sms_gateway.h"

#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "net/http.h"

/* A request of a gateway: always a POST of a form. */
struct asking {
	const char *url;
	const char *user, *password; /* HTTP Basic; NULL: none */
	const char *authorization;   /* a header; NULL: none */
	struct query form;
};

/* An answer: what is not JSON has a NULL body. */
struct reading {
	struct arena *arena;
	int status;
	json *body;
	const struct text_message *message;
	const char *id, *why;
};

static const char *
text_at(const json *value, const char *path)
{
	return (str_or(json_string(json_path(value, path)), ""));
}

/* Gateways change between 30004 and "30004" for one member. */
static const char *
word_at(struct arena *a, const json *value, const char *path)
{
	json *at = json_path(value, path);

	return (json_kind(at) == JSON_STRING ? json_string(at) : at != NULL && json_kind(at) != JSON_NULL ? json_text(a, at) : "");
}

static bool
refuse(struct reading *r, char *why)
{
	r->why = why;
	return (false);
}

static bool
is_number(const char *s)
{
	size_t len;

	s += *s == '+';
	len = strspn(s, "0123456789 ");
	return (*s >= '1' && *s <= '9' && s[len] == '\0' && len >= 2);
}

static void
twilio_ask(struct arena *a, const struct text_message *m, struct asking *ask)
{
	const char *sender = cfg->gotrue_sms_twilio_message_service_sid, *content = cfg->gotrue_sms_twilio_content_sid;
	bool whatsapp = str_equal(m->channel, "whatsapp");

	ask->url = arena_printf(a, "https://api.twilio.com/2010-04-01/Accounts/%s/Messages.json", cfg->gotrue_sms_twilio_account_sid);
	ask->user = cfg->gotrue_sms_twilio_account_sid;
	ask->password = cfg->gotrue_sms_twilio_auth_token;
	if (whatsapp && is_number(sender))
		sender = arena_printf(a, "whatsapp:%s", sender);
	query_add(&ask->form, "To", arena_printf(a, "%s+%s", whatsapp ? "whatsapp:" : "", m->phone));
	query_add(&ask->form, "Channel", m->channel);
	query_add(&ask->form, "From", sender);
	if (whatsapp && *content != '\0') {
		query_add(&ask->form, "ContentSid", content);
		query_add(&ask->form, "ContentVariables", json_pairs(a, "1", m->code, NULL));
	} else
		query_add(&ask->form, "Body", m->text);
}

/* Twilio's form of an error, of both its services. */
static bool
twilio_refused(struct reading *r)
{
	if (r->status == 200 || r->status == 201)
		return (false);
	r->why = arena_printf(r->arena, "%s More information: %s", text_at(r->body, "message"), text_at(r->body, "more_info"));
	return (true);
}

static bool
twilio_read(struct reading *r)
{
	const char *status = text_at(r->body, "status");

	if (twilio_refused(r))
		return (false);
	r->id = text_at(r->body, "sid");
	if (str_equal(status, "failed") || str_equal(status, "undelivered"))
		return (refuse(r, arena_printf(r->arena, "twilio error: %s %s for message %s", text_at(r->body, "error_message"),
				      word_at(r->arena, r->body, "error_code"), r->id)));
	return (true);
}

static void
verify_ask(struct arena *a, const char *what, const char *phone, struct asking *ask)
{
	ask->url = arena_printf(a, "https://verify.twilio.com/v2/Services/%s/%s", cfg->gotrue_sms_twilio_verify_message_service_sid, what);
	ask->user = cfg->gotrue_sms_twilio_verify_account_sid;
	ask->password = cfg->gotrue_sms_twilio_verify_auth_token;
	query_add(&ask->form, "To", arena_printf(a, "+%s", phone));
}

static void
twilio_verify_ask(struct arena *a, const struct text_message *m, struct asking *ask)
{
	verify_ask(a, "Verifications", m->phone, ask);
	query_add(&ask->form, "Channel", m->channel);
}

static bool
twilio_verify_read(struct reading *r)
{
	if (twilio_refused(r))
		return (false);
	r->id = text_at(r->body, "sid");
	return (true);
}

static bool
verify_check_read(struct reading *r)
{
	if (twilio_refused(r))
		return (false);
	if (str_equal(text_at(r->body, "status"), "approved") && json_true(json_get(r->body, "valid")))
		return (true);
	return (refuse(r,
	    arena_printf(r->arena, "twilio verification error: %s %s", text_at(r->body, "error_message"), text_at(r->body, "status"))));
}

static void
messagebird_ask(struct arena *a, const struct text_message *m, struct asking *ask)
{
	ask->url = "https://rest.messagebird.com/messages";
	ask->authorization = arena_printf(a, "AccessKey %s", cfg->gotrue_sms_messagebird_access_key);
	query_add(&ask->form, "originator", cfg->gotrue_sms_messagebird_originator);
	query_add(&ask->form, "body", m->text);
	query_add(&ask->form, "recipients", m->phone);
	query_add(&ask->form, "type", "sms");
	query_add(&ask->form, "datacoding", "unicode");
}

static bool
messagebird_read(struct reading *r)
{
	int64_t sent = 0;

	if (r->status == 400 || r->status == 401 || r->status == 403 || r->status == 422)
		return (refuse(r, arena_strdup(r->arena, text_at(r->body, "errors.0.description"))));
	r->id = text_at(r->body, "id");
	if (!json_integer(json_path(r->body, "recipients.totalSentCount"), &sent) || sent == 0)
		return (refuse(r, arena_strdup(r->arena, "messagebird error: total sent count is 0")));
	return (true);
}

static void
textlocal_ask(struct arena *a, const struct text_message *m, struct asking *ask)
{
	(void)a;
	ask->url = "https://api.textlocal.in/send";
	query_add(&ask->form, "sender", cfg->gotrue_sms_textlocal_sender);
	query_add(&ask->form, "apikey", cfg->gotrue_sms_textlocal_api_key);
	query_add(&ask->form, "message", m->text);
	query_add(&ask->form, "numbers", m->phone);
}

/* Its code 80 means that the text does not fit a registered template, so the text is told. */
static bool
textlocal_read(struct reading *r)
{
	const char *code = word_at(r->arena, r->body, "errors.0.code"), *words = text_at(r->body, "errors.0.message");

	if (str_equal(text_at(r->body, "status"), "success"))
		return (true);
	if (str_equal(code, "80"))
		return (refuse(r,
		    arena_printf(r->arena, "textlocal error: %s (code: %s) template message: %s", words, code, r->message->text)));
	return (refuse(r,
	    arena_printf(r->arena, "textlocal error: %s (code: %s) message %s", words, code, word_at(r->arena, r->body, "messages.0.id"))));
}

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return (false);
	return (true);
}

static void
vonage_ask(struct arena *a, const struct text_message *m, struct asking *ask)
{
	(void)a;
	ask->url = "https://rest.nexmo.com/sms/json";
	query_add(&ask->form, "from", cfg->gotrue_sms_vonage_from);
	query_add(&ask->form, "to", m->phone);
	query_add(&ask->form, "text", m->text);
	query_add(&ask->form, "api_key", cfg->gotrue_sms_vonage_api_key);
	query_add(&ask->form, "api_secret", cfg->gotrue_sms_vonage_api_secret);
	if (!is_ascii(m->text))
		query_add(&ask->form, "type", "unicode");
}

static bool
vonage_read(struct reading *r)
{
	const char *status = text_at(r->body, "messages.0.status");

	if (json_len(json_get(r->body, "messages")) == 0)
		return (refuse(r, arena_strdup(r->arena, "vonage error: Internal Error")));
	r->id = text_at(r->body, "messages.0.message-id");
	if (!str_equal(status, "0"))
		return (refuse(r, arena_printf(r->arena, "vonage error: %s (status: %s) for message %s",
				      text_at(r->body, "messages.0.error-text"), status, r->id)));
	return (true);
}

static const struct gateway {
	const char *name;
	bool whatsapp, verifies;
	void (*ask)(struct arena *, const struct text_message *, struct asking *);
	bool (*read)(struct reading *);
} gateways[] = {
#define SMS(name, whatsapp, verifies) { #name, whatsapp, verifies, name##_ask, name##_read },
#include "sms.def"
};

static const struct gateway *
gateway_in_use(void)
{
	for (size_t i = 0; i < sizeof(gateways) / sizeof(gateways[0]); i++)
		if (str_equal(gateways[i].name, cfg->gotrue_sms_provider))
			return (&gateways[i]);
	return (NULL);
}

/* Asks, and reads the answer with the gateway's reader. */
static bool
gateway_speak(struct asking *ask, bool (*read)(struct reading *), struct reading *r)
{
	struct arena *a = r->arena;
	const char *headers[] = { "Content-Type", "application/x-www-form-urlencoded", ask->authorization != NULL ? "Authorization" : NULL,
		ask->authorization, NULL };
	struct http_call call = { .trust = HTTP_OPERATOR,
		.url = ask->url,
		.method = "POST",
		.headers = headers,
		.body = query_text(&ask->form),
		.user = ask->user,
		.password = ask->password };
	struct http_answer answer;

	if (http_do(a, &call, &answer) != HTTP_ANSWERED)
		return (refuse(r, arena_strdup(a, answer.why)));
	r->status = answer.status;
	r->body = json_parse(a, answer.body, answer.len, NULL);
	if (json_kind(r->body) != JSON_OBJECT)
		return (refuse(r, arena_printf(a, "the gateway answered with status %d and something that is not JSON", answer.status)));
	return (read(r));
}

bool
gateway_send(struct arena *a, const struct text_message *m, const char **id, const char **why)
{
	const struct gateway *g = gateway_in_use();
	struct asking ask = { .form = query_new(a) };
	struct reading r = { .arena = a, .message = m, .id = "" };
	bool sent = false;

	if (g == NULL)
		r.why = arena_printf(a, "sms Provider %s could not be found", cfg->gotrue_sms_provider);
	else if (!gateway_takes_channel(m->channel))
		r.why = arena_printf(a, "channel type \"%s\" is not supported for %s", m->channel, g->name);
	else {
		g->ask(a, m, &ask);
		sent = gateway_speak(&ask, g->read, &r);
	}
	*id = r.id;
	*why = r.why;
	return (sent);
}

bool
gateway_verify(struct arena *a, const char *phone, const char *code, const char **why)
{
	struct asking ask = { .form = query_new(a) };
	struct reading r = { .arena = a };
	bool right;

	verify_ask(a, "VerificationCheck", phone, &ask);
	query_add(&ask.form, "Code", code);
	right = gateway_speak(&ask, verify_check_read, &r);
	*why = r.why;
	return (right);
}

bool
gateway_known(void)
{
	return (gateway_in_use() != NULL);
}

bool
gateway_takes_channel(const char *channel)
{
	const struct gateway *g = gateway_in_use();

	return (str_equal(channel, "sms") || (str_equal(channel, "whatsapp") && g != NULL && g->whatsapp));
}

bool
gateway_verifies(void)
{
	return (gateway_in_use() != NULL && gateway_in_use()->verifies);
}

/* What each gateway can't do without. */
const char *
gateway_check(struct arena *a)
{
	const struct {
		const char *gateway, *setting, *value;
	} needs[] = {
#define SMS_NEEDS(gateway, type, member, name, sentence) { #gateway, name, cfg->gotrue_sms_##gateway##_##member },
#include "sms.def"
	};

	if (str_empty(cfg->gotrue_sms_provider))
		return ("GOTRUE_SMS_PROVIDER must be set, or GOTRUE_HOOK_SEND_SMS_ENABLED");
	if (!gateway_known())
		return (arena_printf(a, "GOTRUE_SMS_PROVIDER: there is no gateway \"%s\"", cfg->gotrue_sms_provider));
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (str_equal(needs[i].gateway, cfg->gotrue_sms_provider) && *needs[i].value == '\0')
			return (arena_printf(a, "GOTRUE_SMS_%s is needed for GOTRUE_SMS_PROVIDER=%s", needs[i].setting, needs[i].gateway));
	return (NULL);
}
