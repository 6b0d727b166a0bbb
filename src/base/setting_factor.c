/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A factor that people add and can't use shuts them out, or is no help when they need it. */
void
settings_check_factors(struct arena *a, const struct settings *s, struct complaints *complaints)
{
	const struct {
		const char *name;
		bool enroll, verify;
	} type[] = {
		{ "TOTP", s->gotrue_mfa_totp_enroll_enabled, s->gotrue_mfa_totp_verify_enabled },
		{ "PHONE", s->gotrue_mfa_phone_enroll_enabled, s->gotrue_mfa_phone_verify_enabled },
		{ "WEB_AUTHN", s->gotrue_mfa_web_authn_enroll_enabled, s->gotrue_mfa_web_authn_verify_enabled },
		{ "RECOVERY_CODES", s->gotrue_mfa_recovery_codes_enroll_enabled, s->gotrue_mfa_recovery_codes_verify_enabled },
	};

	for (size_t i = 0; i < COUNT(type); i++) {
		const char *name = arena_printf(a, "GOTRUE_MFA_%s_VERIFY_ENABLED", type[i].name);

		if (type[i].enroll && !type[i].verify)
			complain(a, complaints, WARNING, name,
			    "%s should be true while GOTRUE_MFA_%s_ENROLL_ENABLED is: people add what "
			    "they can't use.",
			    name, type[i].name);
	}
}
