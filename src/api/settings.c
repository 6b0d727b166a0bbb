/* SPDX-License-Identifier: Apache-2.0 */
/* What the server offers: /settings. */
#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"

static const char *
boolean(bool value)
{
	return (value ? "true" : "false");
}

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

	buf_printf(&b, "{\"external\":{\"anonymous_users\":%s,\"email\":%s,\"phone\":%s",
	    boolean(cfg->gotrue_external_anonymous_users_enabled), boolean(cfg->gotrue_external_email_enabled),
	    boolean(cfg->gotrue_external_phone_enabled));
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		buf_printf(&b, ",\"%s\":%s", shown[i].name, boolean(cfg->provider[shown[i].id].enabled));
	buf_printf(&b, "},\"disable_signup\":%s,\"mailer_autoconfirm\":%s,\"phone_autoconfirm\":%s,\"sms_provider\":%s",
	    boolean(cfg->gotrue_disable_signup), boolean(cfg->gotrue_mailer_autoconfirm), boolean(cfg->gotrue_sms_autoconfirm),
	    json_quote(r->arena, cfg->gotrue_sms_provider));
	buf_printf(&b, ",\"saml_enabled\":%s,\"saml_private_key_next_configured\":%s,\"passkeys_enabled\":%s}",
	    boolean(cfg->gotrue_saml_enabled), boolean(!cfg->gotrue_saml_enabled || *cfg->gotrue_saml_private_key_next != '\0'),
	    boolean(cfg->gotrue_passkey_enabled));
	return (reply_json(r, 200, b.data));
}
