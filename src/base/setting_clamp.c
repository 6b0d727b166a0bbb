/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting_parse.h"
#include "base/str.h"

#define SECOND INT64_C(1000000000)
#define AT(field) offsetof(struct settings, field)

/* Numbers from low to high become the default. */
static const struct clamp_row {
	size_t offset;
	int64_t low, high;
} clamp_table[] = {
	{ AT(gotrue_jwt_exp), 0, 0 },
	{ AT(gotrue_mailer_otp_exp), 0, 0 },
	{ AT(gotrue_sms_otp_exp), 0, 0 },
	{ AT(gotrue_smtp_max_frequency), 0, 0 },
	{ AT(gotrue_sms_max_frequency), 0, 0 },
	{ AT(gotrue_mfa_phone_max_frequency), 0, 0 },
	{ AT(gotrue_security_captcha_timeout), INT64_MIN, 0 },
	{ AT(gotrue_mailer_otp_length), INT64_MIN, 5 },
	{ AT(gotrue_mailer_otp_length), 11, INT64_MAX },
	{ AT(gotrue_sms_otp_length), INT64_MIN, 5 },
	{ AT(gotrue_sms_otp_length), 11, INT64_MAX },
	{ AT(gotrue_mfa_phone_otp_length), INT64_MIN, 5 },
	{ AT(gotrue_mfa_phone_otp_length), 11, INT64_MAX },
	{ AT(gotrue_password_min_length), INT64_MIN, 5 },
	{ AT(gotrue_mfa_factor_expiry_duration), INT64_MIN, 300 * SECOND - 1 },
	{ AT(gotrue_external_flow_state_expiry_duration), INT64_MIN, 300 * SECOND - 1 },
};

static void
reset_at(struct arena *a, struct settings *s, size_t offset)
{
	for (size_t i = 0; i < setting_row_count; i++) {
		if (setting_rows[i].offset == offset)
			setting_reset(a, s, &setting_rows[i]);
	}
}

/* Numbers of telephones are compared without their plus and spaces. */
static void
test_codes_clamp(struct arena *a, struct setting_pair *pair)
{
	for (; pair->name != NULL; pair++)
		pair->name = str_replace(a, pair->name + (*pair->name == '+'), " ", "");
}

/* The older of the two settings puts a provider into a domain of its own name. */
static void
domains_clamp(struct arena *a, struct settings *s)
{
	char *const *own = s->gotrue_experimental_providers_with_own_linking_domain;
	const struct setting_pair *given = s->gotrue_experimental_provider_linking_domains;
	size_t len = 0;

	while (given[len].name != NULL)
		len++;

	struct setting_pair *all = arena_new_array(a, struct setting_pair, len + strs_len(own) + 1);

	if (len > 0)
		memcpy(all, given, len * sizeof(*all));
	for (; *own != NULL; own++) {
		if (pair_value(all, *own) == NULL)
			all[len++] = (struct setting_pair){ *own, *own };
	}
	s->gotrue_experimental_provider_linking_domains = all;
}

void
settings_clamp(struct arena *a, struct settings *s)
{
	for (size_t i = 0; i < sizeof(clamp_table) / sizeof(clamp_table[0]); i++) {
		const struct clamp_row *row = &clamp_table[i];
		int64_t n = *(const int64_t *)((const char *)s + row->offset);

		if (n >= row->low && n <= row->high)
			reset_at(a, s, row->offset);
	}
	if (s->gotrue_mfa_challenge_expiry_duration < 300)
		reset_at(a, s, AT(gotrue_mfa_challenge_expiry_duration));
	s->gotrue_security_captcha_secret = str_trim(a, s->gotrue_security_captcha_secret);
	test_codes_clamp(a, s->gotrue_sms_test_otp);
	domains_clamp(a, s);
}
