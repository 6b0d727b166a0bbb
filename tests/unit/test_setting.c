/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/setting.h"
#include "base/setting_parse.h"
#include "base/str.h"

#define KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
#define WHSEC "v1,whsec_Y29uZm9ybWFuY2UtaG9vay1zZWNyZXQtMDEyMzQ1Njc4OQ=="
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct arena *arena;
static struct complaints complaints;

/* The least that a server starts with. */
static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	clearenv();
	setenv("API_EXTERNAL_URL", "http://api.test", 1);
	setenv("DATABASE_URL", "postgres://u:hunter2@h/d", 1);
	setenv("GOTRUE_SITE_URL", "http://app.test", 1);
	setenv("GOTRUE_JWT_SECRET", "0123456789abcdef0123456789abcdef", 1);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static const struct settings *
load(const char *file)
{
	return (settings_load(arena, file, &complaints));
}

/* The worst one. */
static const struct complaint *
complaint_of(const char *setting)
{
	const struct complaint *found = NULL;

	for (size_t i = 0; i < complaints.len; i++) {
		if (strcmp(complaints.item[i].setting, setting) == 0 && (found == NULL || complaints.item[i].fatal))
			found = &complaints.item[i];
	}
	return (found);
}

static void
assert_fatal(const char *name)
{
	assert_null(load(NULL));
	assert_non_null(complaint_of(name));
	assert_true(complaint_of(name)->fatal);
	assert_non_null(strstr(complaint_of(name)->sentence, name));
}

static void
refuses(const char *name, const char *value)
{
	setenv(name, value, 1);
	assert_fatal(name);
	unsetenv(name);
}

static void
accepts(const char *name, const char *value)
{
	setenv(name, value, 1);
	assert_non_null(load(NULL));
	unsetenv(name);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What is parsed and shown again; "!" when refused. */
struct parse_case {
	const char *text, *shown;
};

static void
parses(const struct setting_type *type, const struct parse_case *c, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct settings any = { 0 }; /* large enough for any type */
		const char *why = type->parse(arena, c[i].text, &any);

		assert_string_equal(why == NULL ? type->show(arena, &any) : "!", c[i].shown);
	}
}

static void
test_bool(void **state)
{
	static const struct parse_case cases[] = { { "1", "true" }, { "t", "true" }, { "T", "true" }, { "TRUE", "true" },
		{ "true", "true" }, { "True", "true" }, { "0", "false" }, { "f", "false" }, { "F", "false" }, { "FALSE", "false" },
		{ "false", "false" }, { "False", "false" }, { "", "!" }, { "yes", "!" }, { "on", "!" }, { "tRUE", "!" }, { " true", "!" },
		{ "2", "!" } };

	(void)state;
	parses(&setting_type_bool, cases, COUNT(cases));
}

static void
test_numbers(void **state)
{
	static const struct parse_case whole[] = { { "0", "0" }, { "-7", "-7" }, { "+7", "7" }, { "0x1f", "31" }, { "0X1F", "31" },
		{ "017", "15" }, { "0o17", "15" }, { "0b101", "5" }, { "1_000", "1000" }, { "0x_1f", "31" },
		{ "9223372036854775807", "9223372036854775807" }, { "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854775808", "!" }, { "", "!" }, { "-", "!" }, { "1.5", "!" }, { "08", "!" }, { "0x", "!" }, { "_1", "!" },
		{ "1_", "!" }, { "1__0", "!" }, { "--1", "!" }, { "+-1", "!" }, { " 1", "!" }, { "1 ", "!" },
		{ "99999999999999999999", "!" } };
	static const struct parse_case unsign[] = { { "0", "0" }, { "86400", "86400" }, { "0x10", "16" }, { "-1", "!" }, { "+1", "!" },
		{ "", "!" } };
	static const struct parse_case real[] = { { "30", "30" }, { "0.0000099", "9.9e-06" }, { "1e3", "1000" }, { ".5", "0.5" },
		{ "5.", "5" }, { "-2", "-2" }, { "0x1p4", "16" }, { "inf", "inf" }, { "0x10", "!" }, { "", "!" }, { "abc", "!" },
		{ "1 ", "!" }, { " 1", "!" }, { "nan", "!" }, { "1e999", "!" }, { "1,5", "!" } };

	(void)state;
	parses(&setting_type_int, whole, COUNT(whole));
	parses(&setting_type_uint, unsign, COUNT(unsign));
	parses(&setting_type_real, real, COUNT(real));
}

static void
test_durations(void **state)
{
	static const struct parse_case cases[] = { { "0", "0s" }, { "300ms", "300ms" }, { "1h30m", "1h30m" }, { "90s", "1m30s" },
		{ "1.5s", "1s500ms" }, { "-1m", "-1m" }, { "100ns", "100ns" }, { "5us", "5us" }, { "", "!" }, { "10", "!" }, { "1d", "!" },
		{ "s", "!" }, { "1h ", "!" } };
	static const struct parse_case maybe[] = { { "10m", "10m" }, { "0", "0s" }, { "", "!" } };

	(void)state;
	parses(&setting_type_duration, cases, COUNT(cases));
	parses(&setting_type_maybe_duration, maybe, COUNT(maybe));
}

static void
test_lists(void **state)
{
	static const struct parse_case list[] = { { "a,b", "a,b" }, { " a, b ", "a,b" }, { "a,,b,", "a,b" }, { "", "" }, { "  ", "" } };
	static const struct parse_case secrets[] = { { "a|b", "a|b" }, { "|a||b|", "a|b" }, { "", "" } };
	static const struct parse_case charsets[] = { { "abc:123", "abc:123" }, { "", "" }, { "::a:", "a" }, { "a\\:b:c", "a\\:b:c" },
		{ "ab\\", "ab\\" }, { "\\::x", "\\::x" } };

	(void)state;
	parses(&setting_type_list, list, COUNT(list));
	parses(&setting_type_secrets, secrets, COUNT(secrets));
	parses(&setting_type_charsets, charsets, COUNT(charsets));
}

static void
test_maps(void **state)
{
	static const struct parse_case map[] = { { "a:1,b:2", "a:1,b:2" }, { "", "" }, { " ", "" }, { "a:1,a:2", "a:2" }, { "a:", "a:" },
		{ "a", "!" }, { "a:1:2", "!" }, { "a:1,", "!" } };
	static const struct parse_case domains[] = { { "custom:x=social, google = social", "custom:x=social,google=social" },
		{ "a=b=c", "a=b=c" }, { "", "" }, { "a", "!" }, { "=b", "!" }, { "a=", "!" } };

	(void)state;
	parses(&setting_type_map, map, COUNT(map));
	parses(&setting_type_domains, domains, COUNT(domains));
}

static void
test_rates_and_times(void **state)
{
	static const struct parse_case rate[] = { { "30", "30" }, { "1.5", "1.5" }, { "0", "0" }, { "30/1m", "30/1m" },
		{ "5/90s", "5/1m30s" }, { "", "!" }, { "a", "!" }, { "1.5/1m", "!" }, { "1/2/3", "!" }, { "1/", "!" }, { "/1m", "!" },
		{ "-1/1m", "!" }, { "4503599627370496/1s", "!" }, { "0x10/1s", "!" }, { "1_0/1s", "!" } };
	static const struct parse_case time[] = { { "2026-11-24T05:55:00Z", "2026-11-24T05:55:00Z" },
		{ " 2026-11-24T06:55:00+01:00 ", "2026-11-24T05:55:00Z" }, { "", "" }, { "tomorrow", "!" }, { "2026-11-24", "!" } };
	struct setting_rate parsed;

	(void)state;
	parses(&setting_type_rate, rate, COUNT(rate));
	parses(&setting_type_time, time, COUNT(time));
	assert_null(setting_type_rate.parse(arena, "100", &parsed));
	assert_false(parsed.burst);
	assert_int_equal(parsed.per_ns, 3600000000000);
	assert_null(setting_type_rate.parse(arena, "100/2s", &parsed));
	assert_true(parsed.burst);
	assert_int_equal(parsed.per_ns, 2000000000);
}

/* setting_reset() relies on it. */
static void
test_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < setting_row_count; i++) {
		const struct setting_row *row = &setting_rows[i];
		struct settings any = { 0 };

		if (row->type != &setting_type_maybe_duration)
			assert_null(row->type->parse(arena, row->fallback, &any));
		assert_true(strlen(row->name) < 128);
		assert_true(str_ends(row->sentence, "."));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(setting_rows[j].name, row->name);
	}
	assert_non_null(load(NULL));
	assert_int_equal(complaints.len, 0);
	assert_int_equal(cfg->gotrue_jwt_exp, 3600);
	assert_string_equal(cfg->gotrue_jwt_admin_roles[0], "service_role");
	assert_false(cfg->gotrue_sessions_timebox.set);
	assert_true(cfg->gotrue_mfa_totp_enroll_enabled);
	assert_false(cfg->provider[PROVIDER_X].enabled);
	assert_string_equal(cfg->db_namespace, "auth");
}

static void
test_required(void **state)
{
	static const char *const name[] = { "API_EXTERNAL_URL", "DATABASE_URL", "GOTRUE_SITE_URL", "GOTRUE_JWT_SECRET" };

	(void)state;
	for (size_t i = 0; i < COUNT(name); i++) {
		char *kept = arena_strdup(arena, getenv(name[i]));

		unsetenv(name[i]);
		assert_fatal(name[i]);
		refuses(name[i], "");
		setenv(name[i], kept, 1);
	}
	refuses("API_EXTERNAL_URL", "api.test");
	setenv("API_EXTERNAL_URL", "http://api.test/auth/v1", 1);
	accepts("GOTRUE_DB_DRIVER", "postgres");
	refuses("GOTRUE_DB_DRIVER", "mysql");
}

/* Each by its type. */
static void
test_forms(void **state)
{
	static const char *const url[] = { "API_EXTERNAL_URL", "GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL", "GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI",
		"GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL" };
	static const char *const site[] = { "GOTRUE_SITE_URL", "GOTRUE_EXTERNAL_REDIRECTURL" };
	static const char *const no_url[] = { "\"https://a.test\"", "'https://a.test'", "a.test", "a.test:3000", "localhost:3000",
		"//a.test", "/a", "https:a.test", "https://", "https:///a", "https://a.test,https://b.test", "https://a.test, myapp://b",
		"https://a.test https://b.test", "https://a.test;https://b.test", "https://a .test", "https://a.test:x" };
	static const char *const emails[] = { "Auth <auth@a.test>", "<auth@a.test>", "\"auth@a.test\"", "auth", "@a.test", "auth@", "a@b@c",
		"a@b.test c@d.test" };
	static const char *const hosts[] = { "a.test:25", "smtp://a.test", "smtp://a.test:25", "a.test/", "u@a.test", "[::1]", "'a.test'",
		"a.test, b.test" };
	static const char *const role[] = { "GOTRUE_JWT_ADMIN_GROUP_NAME", "GOTRUE_JWT_DEFAULT_GROUP_NAME", "GOTRUE_JWT_ADMIN_ROLES" };

	(void)state;
	for (size_t i = 0; i < COUNT(no_url); i++) {
		for (size_t j = 0; j < COUNT(url); j++)
			refuses(url[j], no_url[i]);
		for (size_t j = 0; j < COUNT(site); j++)
			refuses(site[j], no_url[i]);
	}
	for (size_t j = 0; j < COUNT(url); j++)
		refuses(url[j], "myapp://");
	setenv("API_EXTERNAL_URL", " https://a.test:1/b?u=https://c&d=/e ", 1);
	setenv("GOTRUE_SITE_URL", " myapp:// ", 1);
	for (size_t i = 0; i < COUNT(emails); i++)
		refuses("GOTRUE_SMTP_ADMIN_EMAIL", emails[i]);
	for (size_t i = 0; i < COUNT(hosts); i++)
		refuses("GOTRUE_SMTP_HOST", hosts[i]);
	accepts("GOTRUE_SMTP_HOST", " mail.a.test ");
	accepts("GOTRUE_SMTP_HOST", "::1");
	refuses("GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES", "a@b.test,c");
	accepts("GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES", "a@b.test, c@d.test ,");
	for (size_t i = 0; i < COUNT(role); i++) {
		refuses(role[i], "\"service_role\"");
		refuses(role[i], "service role");
	}
	refuses("GOTRUE_JWT_DEFAULT_GROUP_NAME", "a,b");
	setenv("GOTRUE_JWT_ADMIN_ROLES", " a, b ,,", 1);
	assert_non_null(load(NULL));
	assert_string_equal(cfg->gotrue_site_url, "myapp://");
	assert_string_equal(cfg->gotrue_jwt_admin_roles[0], "a");
	assert_string_equal(cfg->gotrue_jwt_admin_roles[1], "b");
	assert_null(cfg->gotrue_jwt_admin_roles[2]);
	refuses("DATABASE_URL", "\"postgres://u:hunter2@h/d\"");
	assert_null(strstr(complaint_of("DATABASE_URL")->sentence, "hunter2"));
	refuses("DATABASE_URL", "mysql://h/d");
	accepts("DATABASE_URL", "host=h dbname=d password=p://");
}

/* Names with a prefix too many, or without. */
static void
test_hints(void **state)
{
	static const char *const hint[][2] = { { "GOTRUE_API_EXTERNAL_URL", "API_EXTERNAL_URL" }, { "GOTRUE_DATABASE_URL", "DATABASE_URL" },
		{ "GOTRUE_DB_NAMESPACE", "DB_NAMESPACE" }, { "GOTRUE_PORT", "PORT" } };
	char path[] = "/tmp/test_setting.XXXXXX";

	(void)state;
	for (size_t i = 0; i < COUNT(hint); i++) {
		setenv(hint[i][0], "x", 1);
		assert_non_null(load(NULL));
		assert_non_null(complaint_of(hint[i][0]));
		assert_non_null(strstr(complaint_of(hint[i][0])->sentence, arena_printf(arena, " %s meant", hint[i][1])));
	}
	close(mkstemp(path));
	write_file(path, "SITE_URL=https://a.test\nOTHER=1\n");
	assert_non_null(load(path));
	assert_non_null(strstr(complaint_of("SITE_URL")->sentence, "GOTRUE_SITE_URL"));
	assert_null(complaint_of("OTHER"));
	unlink(path);
}

static void
test_empty(void **state)
{
	(void)state;
	accepts("GOTRUE_SMTP_USER", "");
	setenv("GOTRUE_MAILER_URLPATHS_INVITE", "", 1);
	setenv("GOTRUE_JWT_ADMIN_ROLES", "", 1);
	assert_non_null(load(NULL));
	assert_string_equal(cfg->gotrue_mailer_urlpaths_invite, "/verify");
	assert_string_equal(cfg->gotrue_jwt_admin_roles[1], "supabase_admin");
	refuses("GOTRUE_DISABLE_SIGNUP", "");
	refuses("GOTRUE_JWT_EXP", "");
	refuses("GOTRUE_SESSIONS_TIMEBOX", "");
	refuses("GOTRUE_RATE_LIMIT_EMAIL_SENT", "");
}

static void
test_clamp(void **state)
{
	(void)state;
	setenv("GOTRUE_PASSWORD_MIN_LENGTH", "3", 1);
	setenv("GOTRUE_MAILER_OTP_LENGTH", "12", 1);
	setenv("GOTRUE_SMS_OTP_LENGTH", "8", 1);
	setenv("GOTRUE_SMTP_MAX_FREQUENCY", "0s", 1);
	setenv("GOTRUE_JWT_EXP", "0", 1);
	setenv("GOTRUE_EXTERNAL_FLOW_STATE_EXPIRY_DURATION", "10s", 1);
	setenv("GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION", "1", 1);
	setenv("GOTRUE_SMS_TEST_OTP", "+1 555 0100:123456,49555:1", 1);
	setenv("GOTRUE_EXPERIMENTAL_PROVIDERS_WITH_OWN_LINKING_DOMAIN", "github,google", 1);
	setenv("GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS", "google=social", 1);
	assert_non_null(load(NULL));
	assert_int_equal(cfg->gotrue_password_min_length, 6);
	assert_int_equal(cfg->gotrue_mailer_otp_length, 6);
	assert_int_equal(cfg->gotrue_sms_otp_length, 8);
	assert_int_equal(cfg->gotrue_smtp_max_frequency, 60000000000);
	assert_int_equal(cfg->gotrue_jwt_exp, 3600);
	assert_int_equal(cfg->gotrue_external_flow_state_expiry_duration, 300000000000);
	assert_true(cfg->gotrue_mfa_challenge_expiry_duration >= 300);
	assert_string_equal(cfg->gotrue_sms_test_otp[0].name, "15550100");
	assert_string_equal(cfg->gotrue_experimental_provider_linking_domains[0].value, "social");
	assert_string_equal(cfg->gotrue_experimental_provider_linking_domains[1].name, "github");
	assert_string_equal(cfg->gotrue_experimental_provider_linking_domains[1].value, "github");
	assert_null(cfg->gotrue_experimental_provider_linking_domains[2].name);
}

static void
test_aliases(void **state)
{
	(void)state;
	setenv("PORT", "9999", 1);
	setenv("GOTRUE_DB_DB_NAMESPACE", "other", 1);
	setenv("DB_NAMESPACE", "auth", 1);
	setenv("SECRETS", "somebody|elses", 1);
	setenv("GOTRUE_WEBAUTHN_RP_ID", "wins.test", 1);
	setenv("RP_ID", "loses.test", 1);
	setenv("GOTRUE_API_API_EXTERNAL_URL", "http://wins.test", 1);
	setenv("POSTERN_OTP_MAX_TRIES", "7", 1);
	assert_non_null(load(NULL));
	assert_string_equal(cfg->gotrue_api_port, "9999");
	assert_null(complaint_of("PORT"));
	assert_string_equal(cfg->db_namespace, "other");
	assert_string_equal(cfg->gotrue_webauthn_rp_id, "wins.test");
	assert_string_equal(cfg->api_external_url, "http://wins.test");
	assert_string_equal(cfg->gotrue_hook_send_sms_secrets[1], "elses");
	assert_int_equal(cfg->postern_otp_max_attempts, 7);
	setenv("POSTERN_OTP_MAX_ATTEMPTS", "5", 1);
	assert_non_null(load(NULL));
	assert_int_equal(cfg->postern_otp_max_attempts, 5);
}

/* A setting that got another name: the old one is good, and gives way to the new one. */
static void
test_renamed(void **state)
{
	(void)state;
	setenv("POSTERN_REPLY_BLUR", "7ms", 1);
	assert_non_null(load(NULL));
	assert_null(complaint_of("POSTERN_REPLY_BLUR"));
	assert_int_equal(cfg->postern_reply_jitter, 7000000);
	setenv("POSTERN_REPLY_JITTER", "9ms", 1);
	assert_non_null(load(NULL));
	assert_int_equal(cfg->postern_reply_jitter, 9000000);
}

static void
test_unknown(void **state)
{
	(void)state;
	setenv("GOTRUE_MAILER_AUTOCONFIRMED", "true", 1);
	setenv("GOTRUE_RATE_LIMIT_OAUTH_DYNAMIC_CLIENT_REGISTER", "5", 1);
	setenv("POSTERN_SCRIPT_P", "5", 1);
	setenv("GOTRUE_ZZZZZZZZZZZZ", "1", 1);
	setenv("POSTERN_TEST_WORKERS", "4", 1);
	setenv("SOMETHING_ELSE", "4", 1);
	assert_non_null(load(NULL));
	assert_int_equal(complaints.len, 4);
	assert_non_null(strstr(complaint_of("GOTRUE_MAILER_AUTOCONFIRMED")->sentence, "GOTRUE_MAILER_AUTOCONFIRM meant"));
	assert_non_null(strstr(complaint_of("GOTRUE_RATE_LIMIT_OAUTH_DYNAMIC_CLIENT_REGISTER")->sentence, "GOTRUE_RATE_LIMIT_O_AUTH_"));
	assert_non_null(strstr(complaint_of("POSTERN_SCRIPT_P")->sentence, "POSTERN_SCRYPT_P"));
	assert_null(strstr(complaint_of("GOTRUE_ZZZZZZZZZZZZ")->sentence, "meant"));
	assert_false(complaint_of("POSTERN_SCRIPT_P")->fatal);
}

static void
test_states(void **state)
{
	(void)state;
	setenv("GOTRUE_TRACING_ENABLED", "true", 1);
	setenv("GOTRUE_METRICS_ENABLED", "false", 1);
	setenv("GOTRUE_SAML_ENABLED", "true", 1);
	setenv("GOTRUE_SAML_PRIVATE_KEY", "x", 1);
	setenv("GOTRUE_OAUTH_SERVER_ENABLED", "false", 1);
	setenv("GOTRUE_OAUTH_SERVER_DEFAULT_SCOPE", "openid", 1);
	setenv("GOTRUE_CUSTOM_OAUTH_ENABLED", "false", 1);
	setenv("GOTRUE_RATE_LIMIT_SSO", "30.0", 1);
	setenv("GOTRUE_RATE_LIMIT_WEB3", "31", 1);
	assert_non_null(load(NULL));
	assert_int_equal(complaints.len, 3);
	assert_false(complaint_of("GOTRUE_TRACING_ENABLED")->not_built);
	assert_true(complaint_of("GOTRUE_SAML_ENABLED")->not_built);
	assert_true(complaint_of("GOTRUE_RATE_LIMIT_WEB3")->not_built);
}

static void
test_short_secret(void **state)
{
	(void)state;
	assert_non_null(load(NULL));
	assert_null(complaint_of("GOTRUE_JWT_SECRET"));
	setenv("GOTRUE_JWT_SECRET", "at least 32 random characters", 1);
	assert_non_null(load(NULL));
	assert_non_null(strstr(complaint_of("GOTRUE_JWT_SECRET")->sentence, "only 29 of the 32"));
}

static void
test_checks(void **state)
{
	(void)state;
	refuses("POSTERN_SLOW_REQUESTS", "-1");
	refuses("GOTRUE_SMTP_PORT", "65536");
	refuses("GOTRUE_LOG_LEVEL", "loud");
	accepts("GOTRUE_LOG_LEVEL", "WARN");
	refuses("POSTERN_PASSWORD_HASH", "md5");
	refuses("POSTERN_SCRYPT_LOG_N", "30");
	refuses("POSTERN_BCRYPT_COST", "3");
	refuses("GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION", "3");
	refuses("GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE", "101");
	refuses("GOTRUE_SESSIONS_TIMEBOX", "0");
	refuses("GOTRUE_SESSIONS_INACTIVITY_TIMEOUT", "-1s");
	refuses("GOTRUE_URI_ALLOW_LIST", "http://[a,http://b");
	refuses("GOTRUE_URI_ALLOW_LIST", "http://[b-a]x/");
	accepts("GOTRUE_URI_ALLOW_LIST", " http://a ,,\thttp://[b] ,");
	assert_string_equal(cfg->gotrue_uri_allow_list[0], "http://a");
	assert_string_equal(cfg->gotrue_uri_allow_list[1], "http://[b]");
	assert_null(cfg->gotrue_uri_allow_list[2]);
	refuses("GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL", "nowhere");
	accepts("GOTRUE_EXTERNAL_GITHUB_ENABLED", "true");
	setenv("GOTRUE_MAILER_AUTOCONFIRM", "true", 1);
	setenv("GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS", "true", 1);
	assert_fatal("GOTRUE_MAILER_AUTOCONFIRM");
}

static void
test_captcha(void **state)
{
	(void)state;
	setenv("GOTRUE_SECURITY_CAPTCHA_ENABLED", "true", 1);
	assert_fatal("GOTRUE_SECURITY_CAPTCHA_SECRET");
	setenv("GOTRUE_SECURITY_CAPTCHA_SECRET", " s ", 1);
	assert_non_null(load(NULL));
	assert_string_equal(cfg->gotrue_security_captcha_secret, "s");
	accepts("GOTRUE_SECURITY_CAPTCHA_TIMEOUT", "-1s");
	assert_int_equal(cfg->gotrue_security_captcha_timeout, 10000000000);
	refuses("GOTRUE_SECURITY_CAPTCHA_PROVIDER", "nobody");
}

/* What is out of range matters only while there are any. */
static void
test_recovery_codes(void **state)
{
	static const struct {
		const char *name, *least, *most, *below, *above;
	} range[] = {
		{ "GOTRUE_MFA_RECOVERY_CODES_COUNT", "4", "16", "3", "17" },
		{ "GOTRUE_MFA_RECOVERY_CODES_CODE_LENGTH", "13", "32", "12", "33" },
		{ "GOTRUE_MFA_RECOVERY_CODES_MAX_VERIFY_ATTEMPTS", "3", "15", "2", "16" },
		{ "GOTRUE_MFA_RECOVERY_CODES_LOCKOUT_DURATION", "1m", "24h", "59s", "24h1s" },
	};
	static const char *const enabled[] = { "GOTRUE_MFA_RECOVERY_CODES_ENROLL_ENABLED", "GOTRUE_MFA_RECOVERY_CODES_VERIFY_ENABLED" };

	(void)state;
	for (size_t i = 0; i < COUNT(range); i++)
		accepts(range[i].name, range[i].below);
	for (size_t e = 0; e < COUNT(enabled); e++) {
		setenv(enabled[e], "true", 1);
		for (size_t i = 0; i < COUNT(range); i++) {
			accepts(range[i].name, range[i].least);
			accepts(range[i].name, range[i].most);
			refuses(range[i].name, range[i].below);
			refuses(range[i].name, range[i].above);
		}
		unsetenv(enabled[e]);
	}
	setenv(enabled[0], "true", 1);
	setenv("GOTRUE_MFA_RECOVERY_CODES_COUNT", "0", 1);
	assert_null(load(NULL));
	assert_string_equal(complaint_of("GOTRUE_MFA_RECOVERY_CODES_COUNT")->sentence,
	    "GOTRUE_MFA_RECOVERY_CODES_COUNT must be from 4 to 16, not 0.");
}

static void
test_factors(void **state)
{
	(void)state;
	setenv("GOTRUE_MFA_RECOVERY_CODES_ENROLL_ENABLED", "true", 1);
	assert_non_null(load(NULL));
	assert_string_equal(complaint_of("GOTRUE_MFA_RECOVERY_CODES_VERIFY_ENABLED")->sentence,
	    "GOTRUE_MFA_RECOVERY_CODES_VERIFY_ENABLED should be true while GOTRUE_MFA_RECOVERY_CODES_ENROLL_ENABLED is: people add what "
	    "they "
	    "can't use.");
	accepts("GOTRUE_MFA_RECOVERY_CODES_VERIFY_ENABLED", "true");
	assert_null(complaint_of("GOTRUE_MFA_RECOVERY_CODES_VERIFY_ENABLED"));
}

static void
test_encryption(void **state)
{
	(void)state;
	refuses("GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS", "a:short");
	accepts("GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS", "a:" KEY);
	setenv("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT", "true", 1);
	assert_fatal("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID");
	setenv("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID", "a", 1);
	assert_fatal("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY");
	setenv("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY", KEY, 1);
	refuses("GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS", "b:" KEY);
	accepts("GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS", "b:" KEY ",a:" KEY);
}

static void
test_hooks(void **state)
{
	static const char uri[] = "GOTRUE_HOOK_SEND_SMS_URI", secrets[] = "GOTRUE_HOOK_SEND_SMS_SECRETS";

	(void)state;
	accepts(uri, "pg-functions://postgres/public/hook_token");
	accepts(uri, "https://hooks.test/x");
	accepts(uri, "http://127.0.0.1:4444/hooks/send-sms");
	accepts(uri, "http://[::1]/x");
	refuses(uri, "http://hooks.test/x");
	refuses(uri, "ftp://hooks.test/x");
	refuses(uri, "pg-functions://postgres/public");
	refuses(uri, "pg-functions://postgres/public/0x;drop");
	setenv(uri, "https://hooks.test/x", 1);
	accepts(secrets, WHSEC);
	accepts(secrets, WHSEC "|v1a,whpk_" KEY "A:whsk_" KEY "A");
	refuses(secrets, "v1,whsec_short");
	refuses(secrets, WHSEC "|plain");
	refuses(secrets, "v1a,whpk_" KEY "A");
	assert_null(strstr(complaint_of(secrets)->sentence, KEY));
}

static void
test_file(void **state)
{
	char path[] = "/tmp/test_setting.XXXXXX";

	(void)state;
	close(mkstemp(path));
	write_file(path,
	    "\xEF\xBB\xBFGOTRUE_JWT_AUD=from file\r\n  # a comment\r\n\r\nexport GOTRUE_SITE_URL = 'http://file.test' # "
	    "here\r\nGOTRUE_JWT_EXP: 60\r\n");
	setenv("GOTRUE_JWT_AUD", "from the environment", 1);
	assert_non_null(load(path));
	assert_string_equal(cfg->gotrue_jwt_aud, "from file");
	assert_string_equal(cfg->gotrue_site_url, "http://file.test");
	assert_int_equal(cfg->gotrue_jwt_exp, 60);
	write_file(path, "GOTRUE_SITE_URL=\n");
	assert_null(load(path));
	write_file(path, "\n\nnot a setting\n");
	assert_null(load(path));
	assert_non_null(strstr(complaint_of(path)->sentence, "line 3"));
	unlink(path);
	assert_null(load(path));
	assert_non_null(strstr(complaint_of(path)->sentence, "can't be read"));
	assert_null(load("/"));
}

/* The value of A after the text was read; "!" when it was refused. */
static const char *
file_value(const char *text)
{
	struct setting_source source = { .arena = arena };

	if (source_parse(&source, text, strlen(text)) != NULL)
		return ("!");
	return (source_get(&source, "A"));
}

static void
test_quotes(void **state)
{
	static const struct parse_case cases[] = { { "A=b", "b" }, { "A=b c # d", "b c" }, { "A=b#c", "b#c" }, { "A=b # c # d", "b # c" },
		{ "A=#b", "#b" }, { "A=  b  ", "b" }, { "A=", "" }, { "A=\nB=c", "" }, { "A='b # \"c\" \\n'", "b # \"c\" \\n" },
		{ "A=\"b\\nc\"", "b\nc" }, { "A=\"b\\\"c\\\\d\"", "b\"c\\d" },
		{ "A=\"[{\\\"kty\\\":\\\"oct\\\"}]\" # x", "[{\"kty\":\"oct\"}]" }, { "A=\"\\$b ${C}\"", "$b ${C}" }, { "A=\\$b", "$b" },
		{ "A=[{\"kty\":\"oct\"}]", "[{\"kty\":\"oct\"}]" }, { "A='b\nc'\nB=d", "b\nc" }, { "A=b\nA=c", "c" }, { "export A=b", "b" },
		{ "exportA=b\nA=c", "c" }, { "A='b", "!" }, { "A=\"b\\\"", "!" }, { "A", "!" }, { "=b", "!" }, { "A b=c", "!" },
		{ "A-B=c", "!" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(file_value(cases[i].text), cases[i].shown);
	assert_non_null(source_parse(&(struct setting_source){ .arena = arena }, "A=\0", 3));
}

static void
never_shows(void *arg, const struct setting_view *view)
{
	(void)arg;
	assert_null(strstr(view->value, "hunter2"));
	if (strcmp(view->name, "GOTRUE_SMTP_PASS") == 0 || strcmp(view->name, "GOTRUE_SMS_TEST_OTP") == 0)
		assert_string_equal(view->value, "(set)");
	if (strcmp(view->name, "GOTRUE_SAML_PRIVATE_KEY") == 0)
		assert_string_equal(view->value, "");
}

static void
test_masked(void **state)
{
	static const char *const secret[] = { "GOTRUE_SMTP_PASS", "GOTRUE_JWT_SECRET", "GOTRUE_EXTERNAL_X_SECRET",
		"GOTRUE_HOOK_SEND_SMS_SECRETS" };

	(void)state;
	for (size_t i = 0; i < COUNT(secret); i++)
		setenv(secret[i], "hunter2", 1);
	setenv("GOTRUE_SMS_TEST_OTP", "1:hunter2", 1);
	settings_each(arena, load(NULL), never_shows, NULL);
	setenv("GOTRUE_SMS_TEST_OTP", "hunter2", 1);
	assert_null(load(NULL));
	for (size_t i = 0; i < complaints.len; i++)
		assert_null(strstr(complaints.item[i].sentence, "hunter2"));
}

/* However many warnings there are, a mistake is still told. */
static void
test_many_complaints(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		setenv(arena_printf(arena, "GOTRUE_ZZZZZZZZ_%d", i), "1", 1);
	setenv("GOTRUE_JWT_EXP", "never", 1);
	assert_fatal("GOTRUE_JWT_EXP");
}

static void
test_cfg_stays(void **state)
{
	const struct settings *before = load(NULL);

	(void)state;
	assert_ptr_equal(cfg, before);
	refuses("GOTRUE_JWT_EXP", "never");
	assert_ptr_equal(cfg, before);
}

static const char *
sentence_of(const char *name)
{
	for (size_t i = 0; i < setting_row_count; i++) {
		if (strcmp(setting_rows[i].name, name) == 0)
			return (setting_rows[i].sentence);
	}
	fail_msg("no setting %s", name);
	return (NULL);
}

/* The sentence is written by hand, sms.def is the table. */
static void
test_gateways(void **state)
{
	static const char *const gateway[] = {
#define SMS(name, ...) #name,
#include "sms.def"
	};
	const char *sentence = str_replace(arena, sentence_of("GOTRUE_SMS_PROVIDER"), ".", "");
	char **word = str_split(arena, str_replace(arena, sentence, ",", ""), ' ');

	(void)state;
	for (size_t i = 0; i < sizeof(gateway) / sizeof(gateway[0]); i++)
		assert_true(strs_have(word, gateway[i]));
}

static void
test_manual(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	settings_manual(f);
	fclose(f);
	for (size_t i = 0; i < setting_row_count; i++) {
		if (!str_starts(setting_rows[i].name, "GOTRUE_EXTERNAL_"))
			assert_non_null(strstr(text, arena_printf(arena, ".It Ev %s ", setting_rows[i].name)));
	}
	free(text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_bool),
		TEST(test_numbers),
		TEST(test_durations),
		TEST(test_lists),
		TEST(test_forms),
		TEST(test_hints),
		TEST(test_maps),
		TEST(test_rates_and_times),
		TEST(test_defaults),
		TEST(test_required),
		TEST(test_empty),
		TEST(test_clamp),
		TEST(test_aliases),
		TEST(test_renamed),
		TEST(test_unknown),
		TEST(test_states),
		TEST(test_short_secret),
		TEST(test_checks),
		TEST(test_captcha),
		TEST(test_recovery_codes),
		TEST(test_factors),
		TEST(test_encryption),
		TEST(test_hooks),
		TEST(test_file),
		TEST(test_quotes),
		TEST(test_masked),
		TEST(test_many_complaints),
		TEST(test_cfg_stays),
		TEST(test_gateways),
		TEST(test_manual),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
