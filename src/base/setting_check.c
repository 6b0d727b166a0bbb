/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/str.h"
#include "base/url.h"

#define KEY_BYTES 32
#define SECRET_LEAST 32 /* RFC 7518 3.2 */

struct check {
	struct arena *arena;
	const struct settings *s;
	struct complaints *complaints;
};

#define JITTER_MOST INT64_C(1000000000) /* ns: a worker sleeps so long */
#define LOCKOUT_LEAST INT64_C(60000000000)
#define LOCKOUT_MOST INT64_C(86400000000000)
#define AT(field) offsetof(struct settings, field)

/* Numbers outside are refused. */
struct range_row {
	size_t offset;
	const char *name;
	int64_t low, high;
};
static const struct range_row range_table[] = {
	{ AT(gotrue_security_refresh_token_algorithm_version), "GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION", 0, 2 },
	{ AT(gotrue_security_refresh_token_upgrade_percentage), "GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE", 0, 100 },
	{ AT(postern_scrypt_log_n), "POSTERN_SCRYPT_LOG_N", 10, 20 },
	{ AT(postern_scrypt_r), "POSTERN_SCRYPT_R", 1, 32 },
	{ AT(postern_scrypt_p), "POSTERN_SCRYPT_P", 1, 16 },
	{ AT(postern_bcrypt_cost), "POSTERN_BCRYPT_COST", 4, 31 },
	{ AT(postern_metadata_max), "POSTERN_METADATA_MAX", 1024, 16777216 },
	{ AT(postern_otp_max_attempts), "POSTERN_OTP_MAX_ATTEMPTS", 0, 1000 },
	{ AT(postern_mfa_max_attempts), "POSTERN_MFA_MAX_ATTEMPTS", 0, 1000 },
	{ AT(gotrue_smtp_port), "GOTRUE_SMTP_PORT", 0, 65535 },
	{ AT(gotrue_password_hibp_bloom_items), "GOTRUE_PASSWORD_HIBP_BLOOM_ITEMS", 1, 100000000 },
};

/* While there are recovery codes. */
static const struct range_row recovery_table[] = {
	{ AT(gotrue_mfa_recovery_codes_count), "GOTRUE_MFA_RECOVERY_CODES_COUNT", 4, 16 },
	{ AT(gotrue_mfa_recovery_codes_code_length), "GOTRUE_MFA_RECOVERY_CODES_CODE_LENGTH", 13, 32 },
	{ AT(gotrue_mfa_recovery_codes_max_verify_attempts), "GOTRUE_MFA_RECOVERY_CODES_MAX_VERIFY_ATTEMPTS", 3, 15 },
};

static const char gateway_words[] =
#define SMS(name, ...) "|" #name
#include "sms.def"
    ;

/* Words of a closed set; empty is always allowed. */
static const struct choice_row {
	size_t offset;
	const char *name, *words;
	enum complaint_kind kind;
} choice_table[] = {
	{ AT(gotrue_db_driver), "GOTRUE_DB_DRIVER", "postgres", FATAL },
	{ AT(gotrue_log_level), "GOTRUE_LOG_LEVEL", "panic|fatal|error|warn|warning|info|debug|trace", FATAL },
	{ AT(postern_password_hash), "POSTERN_PASSWORD_HASH", "scrypt|bcrypt", FATAL },
	{ AT(postern_account_delete), "POSTERN_ACCOUNT_DELETE", "off|soft|hard", FATAL },
	{ AT(postern_mail_transport), "POSTERN_MAIL_TRANSPORT", "smtp|sendmail|maildir|none", FATAL },
	{ AT(postern_smtp_tls), "POSTERN_SMTP_TLS", "require|opportunistic|off|implicit", FATAL },
	/* The reference finds out when the first message is due. */
	{ AT(gotrue_sms_provider), "GOTRUE_SMS_PROVIDER", gateway_words + 1, WARNING },
};

static const struct required_row {
	size_t offset;
	const char *name, *cure;
} required_table[] = {
	{ AT(api_external_url), "API_EXTERNAL_URL", "the URL that browsers reach this server by, such as https://example.com/auth/v1" },
	{ AT(database_url), "DATABASE_URL", "where the database is, such as postgres://user:password@host/database" },
	{ AT(gotrue_site_url), "GOTRUE_SITE_URL", "the URL of the application, such as https://example.com" },
	{ AT(gotrue_jwt_secret), "GOTRUE_JWT_SECRET", "a random secret, such as openssl rand -hex 32 prints" },
};

static const struct hook_settings {
	size_t enabled, uri, secrets;
	const char *uri_name, *secrets_name;
} hook_table[] = {
#define HOOK(id, field, ...)                                                                                                              \
	{ AT(gotrue_hook_##field##_enabled), AT(gotrue_hook_##field##_uri), AT(gotrue_hook_##field##_secrets), "GOTRUE_HOOK_" #id "_URI", \
		"GOTRUE_HOOK_" #id "_SECRETS" },
#include "hook.def"
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define refuse(c, setting, ...) complain((c)->arena, (c)->complaints, FATAL, setting, __VA_ARGS__)
#define warn(c, setting, ...) complain((c)->arena, (c)->complaints, WARNING, setting, __VA_ARGS__)

static const void *
member(const struct settings *s, size_t offset)
{
	return ((const char *)s + offset);
}

static int64_t
number_at(const struct settings *s, size_t offset)
{
	return (*(const int64_t *)member(s, offset));
}

static const char *
text_at(const struct settings *s, size_t offset)
{
	return (*(const char *const *)member(s, offset));
}

/* A value that was refused has been taken away. */
static bool
is_refused(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->complaints->len; i++)
		if (c->complaints->item[i].fatal && strcmp(c->complaints->item[i].setting, name) == 0)
			return (true);
	return (false);
}

static void
check_required(struct check *c)
{
	for (size_t i = 0; i < COUNT(required_table); i++) {
		const struct required_row *row = &required_table[i];

		if (str_empty(text_at(c->s, row->offset)) && !is_refused(c, row->name))
			refuse(c, row->name, "%s must be set: %s.", row->name, row->cure);
	}
}

static void
check_secret(struct check *c)
{
	size_t len = strlen(c->s->gotrue_jwt_secret);

	if (len > 0 && len < SECRET_LEAST)
		warn(c, "GOTRUE_JWT_SECRET",
		    "GOTRUE_JWT_SECRET has only %zu of the %d characters that keep it from being guessed: take what openssl rand -hex 32 "
		    "prints.",
		    len, SECRET_LEAST);
}

static void
check_keys(struct check *c)
{
	if (!str_empty(c->s->gotrue_jwt_keys) && !str_empty(c->s->postern_jwt_keys_file))
		refuse(c, "POSTERN_JWT_KEYS_FILE", "POSTERN_JWT_KEYS_FILE and GOTRUE_JWT_KEYS exclude each other: take one of them away.");
}

static void
check_range(struct check *c, const struct range_row *row)
{
	int64_t n = number_at(c->s, row->offset);

	if (n < row->low || n > row->high)
		refuse(c, row->name, "%s must be from %lld to %lld, not %lld.", row->name, (long long)row->low, (long long)row->high,
		    (long long)n);
}

static void
check_ranges(struct check *c)
{
	for (size_t i = 0; i < COUNT(range_table); i++)
		check_range(c, &range_table[i]);
	if (c->s->postern_smtp_timeout <= 0)
		refuse(c, "POSTERN_SMTP_TIMEOUT", "POSTERN_SMTP_TIMEOUT must be longer than 0.");
	if (c->s->postern_reply_jitter < 0 || c->s->postern_reply_jitter > JITTER_MOST)
		refuse(c, "POSTERN_REPLY_JITTER", "POSTERN_REPLY_JITTER must be from 0s to 1s.");
}

static void
check_recovery_codes(struct check *c)
{
	int64_t lockout = c->s->gotrue_mfa_recovery_codes_lockout_duration;

	if (!c->s->gotrue_mfa_recovery_codes_enroll_enabled && !c->s->gotrue_mfa_recovery_codes_verify_enabled)
		return;
	for (size_t i = 0; i < COUNT(recovery_table); i++)
		check_range(c, &recovery_table[i]);
	if (lockout < LOCKOUT_LEAST || lockout > LOCKOUT_MOST)
		refuse(c, "GOTRUE_MFA_RECOVERY_CODES_LOCKOUT_DURATION",
		    "GOTRUE_MFA_RECOVERY_CODES_LOCKOUT_DURATION must be from 1m to 24h.");
}

static bool
word_is_among(struct arena *a, const char *word, const char *words)
{
	return (str_empty(word) || strs_have(str_split(a, words, '|'), word));
}

static void
check_choices(struct check *c)
{
	for (size_t i = 0; i < COUNT(choice_table); i++) {
		const struct choice_row *row = &choice_table[i];
		const char *word = text_at(c->s, row->offset);

		/* Levels of the log may be written in capitals. */
		if (row->offset == AT(gotrue_log_level))
			word = str_lower(c->arena, word);
		if (!word_is_among(c->arena, word, row->words))
			complain(c->arena, c->complaints, row->kind, row->name, "%s must be one of %s, not \"%s\".", row->name,
			    str_replace(c->arena, row->words, "|", ", "), word);
	}
}

/* As libpq takes it; what it makes of anything else is hard to understand. */
static void
check_database(struct check *c)
{
	const char *url = c->s->database_url, *scheme_end = url + strspn(url, "abcdefghijklmnopqrstuvwxyz");
	bool ours = str_starts(url, "postgres://") || str_starts(url, "postgresql://");

	if (*url == '"' || *url == '\'' || (!ours && str_starts(scheme_end, "://")))
		refuse(c, "DATABASE_URL", "DATABASE_URL must be a URL such as postgres://user:password@host/database, without quotes.");
}

static void
check_patterns(struct check *c)
{
	for (char *const *pattern = c->s->gotrue_uri_allow_list; *pattern != NULL; pattern++) {
		if (glob_compile(c->arena, *pattern, "./") == NULL)
			refuse(c, "GOTRUE_URI_ALLOW_LIST",
			    "GOTRUE_URI_ALLOW_LIST has a pattern with a [ that is not closed or holds no set such as [abc] or [a-z]: "
			    "\"%s\".",
			    *pattern);
	}
}

static void
check_confirmation(struct check *c)
{
	if (c->s->gotrue_mailer_autoconfirm && c->s->gotrue_mailer_allow_unverified_email_sign_ins)
		refuse(c, "GOTRUE_MAILER_AUTOCONFIRM",
		    "GOTRUE_MAILER_AUTOCONFIRM and GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS exclude each other: switch one of them "
		    "off.");
}

static void
check_captcha(struct check *c)
{
	const struct settings *s = c->s;

	if (!s->gotrue_security_captcha_enabled)
		return;
	if (!word_is_among(c->arena, s->gotrue_security_captcha_provider, "hcaptcha|turnstile"))
		refuse(c, "GOTRUE_SECURITY_CAPTCHA_PROVIDER", "GOTRUE_SECURITY_CAPTCHA_PROVIDER must be hcaptcha or turnstile, not \"%s\".",
		    s->gotrue_security_captcha_provider);
	if (str_empty(s->gotrue_security_captcha_secret))
		refuse(c, "GOTRUE_SECURITY_CAPTCHA_SECRET",
		    "GOTRUE_SECURITY_CAPTCHA_SECRET must be set to the secret of the captcha provider while "
		    "GOTRUE_SECURITY_CAPTCHA_ENABLED is true.");
}

static void
check_bloom(struct check *c)
{
	double wrong = c->s->gotrue_password_hibp_bloom_false_positives;

	if (!(wrong >= 1e-12 && wrong <= 0.5))
		refuse(c, "GOTRUE_PASSWORD_HIBP_BLOOM_FALSE_POSITIVES",
		    "GOTRUE_PASSWORD_HIBP_BLOOM_FALSE_POSITIVES must be from 0.000000000001 to 0.5, not %g.", wrong);
}

static bool
key_is_good(struct arena *a, const char *text)
{
	size_t len;

	return (base64url_decode(a, text, &len) != NULL && len == KEY_BYTES);
}

#define ENCRYPTION "GOTRUE_SECURITY_DB_ENCRYPTION_"

static void
check_encryption_key(struct check *c)
{
	const struct settings *s = c->s;
	const char *id = s->gotrue_security_db_encryption_encryption_key_id;

	if (str_empty(id))
		refuse(c, ENCRYPTION "ENCRYPTION_KEY_ID", "%sENCRYPTION_KEY_ID must be set: the name of the key that encrypts.",
		    ENCRYPTION);
	if (!key_is_good(c->arena, s->gotrue_security_db_encryption_encryption_key))
		refuse(c, ENCRYPTION "ENCRYPTION_KEY", "%sENCRYPTION_KEY must be 32 bytes as base64url without padding.", ENCRYPTION);
	if (str_empty(pair_value(s->gotrue_security_db_encryption_decryption_keys, id)))
		refuse(c, ENCRYPTION "DECRYPTION_KEYS", "%sDECRYPTION_KEYS must have the key that encrypts too: \"%s\".", ENCRYPTION, id);
}

static void
check_encryption(struct check *c)
{
	const struct setting_pair *key = c->s->gotrue_security_db_encryption_decryption_keys;

	if (c->s->gotrue_security_db_encryption_encrypt)
		check_encryption_key(c);
	for (; key->name != NULL; key++) {
		if (!key_is_good(c->arena, key->value))
			refuse(c, ENCRYPTION "DECRYPTION_KEYS",
			    "%sDECRYPTION_KEYS has a key \"%s\" that is not 32 bytes as base64url without padding.", ENCRYPTION, key->name);
	}
}

static void
check_sessions(struct check *c)
{
	const struct {
		const char *name;
		setting_maybe_duration limit;
	} row[] = {
		{ "GOTRUE_SESSIONS_TIMEBOX", c->s->gotrue_sessions_timebox },
		{ "GOTRUE_SESSIONS_INACTIVITY_TIMEOUT", c->s->gotrue_sessions_inactivity_timeout },
		{ "GOTRUE_SESSIONS_ALLOW_LOW_AAL", c->s->gotrue_sessions_allow_low_aal },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		if (row[i].limit.set && row[i].limit.ns <= 0)
			refuse(c, row[i].name, "%s must be longer than 0; leave it unset for no limit.", row[i].name);
	}
}

static bool
is_sql_name(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
	size_t len = strspn(s, letters);

	return (len >= 1 && len <= 63 && s[len] == '\0' && strchr("0123456789", *s) == NULL);
}

static const char *
function_path_fault(struct arena *a, const char *path)
{
	char **part = str_split(a, path, '/');

	if (strs_len(part) < 3 || !is_sql_name(part[1]) || !is_sql_name(part[2]))
		return ("must name a function as pg-functions://postgres/schema/function");
	return (NULL);
}

static const char *
hook_uri_fault(struct arena *a, const char *uri)
{
	static char *const here[] = { "localhost", "127.0.0.1", "::1", "host.docker.internal", NULL };
	struct url url;

	if (!url_parse(a, uri, &url))
		return ("must be a URL");
	if (strcmp(url.scheme, "pg-functions") == 0)
		return (function_path_fault(a, url.path));
	if (strcmp(url.scheme, "https") == 0)
		return (NULL);
	if (strcmp(url.scheme, "http") != 0)
		return ("must begin with pg-functions:, https: or http:");
	return (strs_have(here, url.host) ? NULL : "may be http: only for localhost, 127.0.0.1, ::1 and host.docker.internal");
}

static size_t
base64_span(const char *s)
{
	return (strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="));
}

/* Forms of Standard Webhooks; what follows a long enough symmetric key is not looked at, as in the reference. */
static bool
hook_secret_is_good(const char *secret)
{
	static const char symmetric[] = "v1,whsec_", public[] = "v1a,whpk_", private[] = ":whsk_";
	size_t len;

	if (str_starts(secret, symmetric))
		return (base64_span(secret + strlen(symmetric)) >= 32);
	if (!str_starts(secret, public))
		return (false);
	secret += strlen(public);
	len = base64_span(secret);
	if (len < 44 || !str_starts(secret + len, private))
		return (false);
	secret += len + strlen(private);
	len = base64_span(secret);
	return (len >= 44 && secret[len] == '\0');
}

static void
check_hook(struct check *c, const struct hook_settings *hook)
{
	const char *uri = text_at(c->s, hook->uri), *fault;

	if (*uri == '\0') {
		if (*(const bool *)member(c->s, hook->enabled))
			warn(c, hook->uri_name, "%s must be set while its hook is enabled: calls of it fail.", hook->uri_name);
		return;
	}
	fault = hook_uri_fault(c->arena, uri);
	if (fault != NULL) {
		refuse(c, hook->uri_name, "%s %s, not \"%s\".", hook->uri_name, fault, uri);
		return;
	}
	if (str_starts(uri, "pg-functions:"))
		return;
	for (char *const *secret = *(char *const *const *)member(c->s, hook->secrets); *secret != NULL; secret++) {
		if (!hook_secret_is_good(*secret))
			refuse(c, hook->secrets_name, "%s must be v1,whsec_ and base64, or v1a,whpk_...:whsk_..., separated by |.",
			    hook->secrets_name);
	}
}

static void
check_hooks(struct check *c)
{
	for (size_t i = 0; i < COUNT(hook_table); i++)
		check_hook(c, &hook_table[i]);
}

/* The reference starts, and refuses who comes by such a provider. */
static void
check_provider(struct check *c, const char *id, const struct provider_settings *p)
{
	const struct {
		const char *end;
		bool missing;
	} part[] = {
		{ "CLIENT_ID", p->client_id[0] == NULL },
		{ "SECRET", *p->secret == '\0' },
		{ "REDIRECT_URI", *p->redirect_uri == '\0' },
	};

	for (size_t i = 0; i < COUNT(part); i++) {
		const char *name = arena_printf(c->arena, "GOTRUE_EXTERNAL_%s_%s", id, part[i].end);

		if (p->enabled && part[i].missing)
			warn(c, name, "%s must be set while GOTRUE_EXTERNAL_%s_ENABLED is true: nobody can sign in by it.", name, id);
	}
}

static void
check_providers(struct check *c)
{
	static const char *const id[] = {
#define PROVIDER(id, ...) [PROVIDER_##id] = #id,
#include "provider.def"
#undef PROVIDER
	};

	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		check_provider(c, id[i], &c->s->provider[i]);
}

void
settings_check(struct arena *a, const struct settings *s, struct complaints *complaints)
{
	static void (*const check[])(struct check *) = {
		check_required,
		check_secret,
		check_keys,
		check_ranges,
		check_recovery_codes,
		check_choices,
		check_database,
		check_patterns,
		check_confirmation,
		check_captcha,
		check_bloom,
		check_encryption,
		check_sessions,
		check_hooks,
		check_providers,
	};
	struct check c = { a, s, complaints };

	for (size_t i = 0; i < COUNT(check); i++)
		check[i](&c);
	settings_check_factors(a, s, complaints);
	settings_check_webauthn(a, s, complaints);
}
