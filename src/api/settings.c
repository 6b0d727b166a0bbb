/* SPDX-License-Identifier: Apache-2.0 */
/* What the server offers: /settings. */
#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"

/* The providers that the reference shows here, under the names that it gives them; it leaves out the newest. */
static const struct {
	enum provider_id id;
	const char *name;
} shown[] = {
	{ PROVIDER_APPLE, "apple" },
	{ PROVIDER_AZURE, "azure" },
	{ PROVIDER_BITBUCKET, "bitbucket" },
	{ PROVIDER_DISCORD, "discord" },
	{ PROVIDER_FACEBOOK, "facebook" },
	{ PROVIDER_FIGMA, "figma" },
	{ PROVIDER_FLY, "fly" },
	{ PROVIDER_GITHUB, "github" },
	{ PROVIDER_GITLAB, "gitlab" },
	{ PROVIDER_GOOGLE, "google" },
	{ PROVIDER_KAKAO, "kakao" },
	{ PROVIDER_KEYCLOAK, "keycloak" },
	{ PROVIDER_LINKEDIN, "linkedin" },
	{ PROVIDER_LINKEDIN_OIDC, "linkedin_oidc" },
	{ PROVIDER_NOTION, "notion" },
	{ PROVIDER_SLACK, "slack" },
	{ PROVIDER_SLACK_OIDC, "slack_oidc" },
	{ PROVIDER_SNAPCHAT, "snapchat" },
	{ PROVIDER_SPOTIFY, "spotify" },
	{ PROVIDER_TWITCH, "twitch" },
	{ PROVIDER_TWITTER, "twitter" },
	{ PROVIDER_WORKOS, "workos" },
	{ PROVIDER_ZOOM, "zoom" },
};

/* GET /settings: what a sign-in page has to know.  Where SAML is off the reference says that a next key is configured, and so do we. */
err
settings_get(struct request *r)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_object_begin(&b, "external");
	json_put_bool(&b, "anonymous_users", cfg->gotrue_external_anonymous_users_enabled);
	json_put_bool(&b, "email", cfg->gotrue_external_email_enabled);
	json_put_bool(&b, "phone", cfg->gotrue_external_phone_enabled);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		json_put_bool(&b, shown[i].name, cfg->provider[shown[i].id].enabled);
	json_object_end(&b);
	json_put_bool(&b, "disable_signup", cfg->gotrue_disable_signup);
	json_put_bool(&b, "mailer_autoconfirm", cfg->gotrue_mailer_autoconfirm);
	json_put_bool(&b, "phone_autoconfirm", cfg->gotrue_sms_autoconfirm);
	json_put_text(&b, "sms_provider", cfg->gotrue_sms_provider);
	json_put_bool(&b, "saml_enabled", cfg->gotrue_saml_enabled);
	json_put_bool(&b, "saml_private_key_next_configured", !cfg->gotrue_saml_enabled || *cfg->gotrue_saml_private_key_next != '\0');
	json_put_bool(&b, "passkeys_enabled", cfg->gotrue_passkey_enabled);
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}
