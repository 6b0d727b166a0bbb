/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/hook.h"
#include "core/sms.h"
#include "db/db.h"
#include "html/template.h"
#include "net/sms_gateway.h"

/* --- By the hook --- */

/* The user as they will be when the code is stored. */
static err
user_shown(struct request *r, const struct user *u, const struct sms *sms, const char **text)
{
	TRY(user_json(r, u, text));
	if (!sms->mfa && sms->type == ONETIME_PHONE_CHANGE)
		*text = user_json_with(r->arena, *text, "new_phone", sms->phone);
	return (OK);
}

static err
deliver_by_hook(struct request *r, const struct user *u, const struct sms *sms)
{
	const char *shown, *type = sms->mfa ? "mfa" : NULL;
	const char *data = json_pairs(r->arena, "otp", sms->code, "phone", sms->phone, "sms_type", type, NULL);
	json *answer;

	TRY(user_shown(r, u, sms, &shown));
	return (hook_call(r, HOOK_SEND_SMS, json_pairs(r->arena, "#user", shown, "#sms", data, NULL), &answer));
}

/* --- By a gateway --- */

static err
gateway_ready(struct request *r, const char *words)
{
	const char *why = gateway_check(r->arena);

	if (why == NULL)
		return (OK);
	r->failure.cause = why;
	return (fail(r, E_UNEXPECTED_FAILURE, "%s", words));
}

/* What is sent: the template, with the code.  NULL for a template that is refused; *why says where. */
static const char *
sms_text(struct arena *a, const char *template, const char *code, const char **why)
{
	const struct template *parsed = template_parse(a, template, strlen(template), TEMPLATE_TEXT, why);
	const char *values = json_pairs(a, "Code", code, NULL);

	return (parsed == NULL ? NULL : template_render(a, parsed, json_parse_text(a, values), why));
}

static err
unsent(struct request *r, const struct sms *sms, const char *why)
{
	if (!sms->mfa)
		return (fail(r, E_SMS_SEND_FAILED, "Error sending %s OTP to provider: %s", onetime_rows[sms->type].sms, why));
	r->failure.cause = why;
	return (fail(r, E_UNEXPECTED_FAILURE, "error sending message"));
}

static err
deliver_by_gateway(struct request *r, const struct sms *sms, const char **message_id)
{
	struct text_message m = { .phone = sms->phone, .code = sms->code, .channel = sms->channel };
	const char *why = NULL;
	bool sent;

	TRY(gateway_ready(r, sms->mfa ? "Failed to get SMS provider" : "Unable to get SMS provider"));
	m.text = sms_text(r->arena, sms->mfa ? cfg->gotrue_mfa_phone_template : cfg->gotrue_sms_template, sms->code, &why);
	if (m.text == NULL) {
		r->failure.cause = why;
		return (fail(r, E_UNEXPECTED_FAILURE, "error generating sms template"));
	}
	TRY(db_suspend(r->db));
	sent = gateway_send(r->arena, &m, message_id, &why);
	if (!sent)
		return (unsent(r, sms, why));
	return (db_resume(r->db));
}

err
sms_deliver(struct request *r, const struct user *u, const struct sms *sms, const char **message_id)
{
	*message_id = "";
	if (hook_enabled(HOOK_SEND_SMS))
		return (deliver_by_hook(r, u, sms));
	return (deliver_by_gateway(r, sms, message_id));
}

err
sms_check_channel(struct request *r, const char *channel)
{
	if (hook_enabled(HOOK_SEND_SMS) || gateway_takes_channel(channel))
		return (OK);
	return (fail(r, E_VALIDATION_FAILED,
	    "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used "
	    "as the provider."));
}

/* --- Codes that are not ours --- */

bool
sms_provider_verifies(void)
{
	return (gateway_verifies());
}

err
sms_provider_check(struct request *r, const char *phone, const char *code)
{
	const char *why = NULL, *spent = arena_printf(r->arena, "code %s %s", phone, code);

	if (request_did(r, spent))
		return (OK);
	TRY(gateway_ready(r, "Unable to get SMS provider"));
	TRY(db_suspend(r->db));
	if (!gateway_verify(r->arena, phone, code, &why)) {
		r->failure.cause = why;
		return (fail(r, E_OTP_EXPIRED, NULL));
	}
	request_done(r, spent);
	return (db_resume(r->db));
}

const char *
sms_test_code(struct request *r, const char *phone)
{
	if (cfg->gotrue_sms_test_otp_valid_until != 0 && r->now >= cfg->gotrue_sms_test_otp_valid_until)
		return (NULL);
	for (const struct setting_pair *pair = cfg->gotrue_sms_test_otp; pair->name != NULL; pair++)
		if (str_equal(address_phone(r->arena, pair->name), phone))
			return (str_empty(pair->value) ? NULL : pair->value);
	return (NULL);
}

/* --- Checks --- */

const char *
sms_template_check(struct arena *a)
{
	const char *why = NULL;

	if (sms_text(a, cfg->gotrue_sms_template, "123456", &why) == NULL)
		return (arena_printf(a, "GOTRUE_SMS_TEMPLATE, %s", why));
	if (sms_text(a, cfg->gotrue_mfa_phone_template, "123456", &why) == NULL)
		return (arena_printf(a, "GOTRUE_MFA_PHONE_TEMPLATE, %s", why));
	return (NULL);
}

const char *
sms_gateway_check(struct arena *a)
{
	const char *why = hook_enabled(HOOK_SEND_SMS) ? NULL : gateway_check(a);

	if (why == NULL)
		return (NULL);
	if (cfg->gotrue_external_phone_enabled && !cfg->gotrue_sms_autoconfirm)
		return (arena_printf(a, "%s: messages go nowhere, so nobody can confirm a phone number.", why));
	if (cfg->gotrue_mfa_phone_verify_enabled)
		return (arena_printf(a, "%s: messages go nowhere, so nobody can use a phone as a second factor.", why));
	return (NULL);
}
