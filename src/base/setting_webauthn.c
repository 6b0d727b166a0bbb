/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#include <string.h>

#include "base/str.h"
#include "base/url.h"

/* The setting that asks for it; NULL: nobody does. */
static const char *
wanted_by(const struct settings *s)
{
	if (s->gotrue_passkey_enabled)
		return ("GOTRUE_PASSKEY_ENABLED");
	if (s->gotrue_mfa_web_authn_enroll_enabled)
		return ("GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED");
	return (s->gotrue_mfa_web_authn_verify_enabled ? "GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED" : NULL);
}

static void
check_there(struct arena *a, const struct settings *s, const char *wanted, struct complaints *complaints)
{
	const struct {
		const char *end, *cure;
		bool missing;
	} part[] = {
		{ "ID", "the domain of the application, such as example.com", str_empty(s->gotrue_webauthn_rp_id) },
		{ "DISPLAY_NAME", "the name that people know it by", str_empty(s->gotrue_webauthn_rp_display_name) },
		{ "ORIGINS", "where its pages are, such as https://app.example.com", s->gotrue_webauthn_rp_origins[0] == NULL },
	};

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		const char *name = arena_printf(a, "GOTRUE_WEBAUTHN_RP_%s", part[i].end);

		if (part[i].missing)
			complain(a, complaints, WARNING, name, "%s must be set while %s is true: %s.", name, wanted, part[i].cure);
	}
}

/* A host, and nothing else of a URL. */
static bool
is_domain(struct arena *a, const char *name)
{
	struct url url;

	return (url_parse(a, arena_printf(a, "https://%s", name), &url) && str_equal(url.host, name) && url_host(&url) != HOST_ODD);
}

/* Apps have origins of other schemes. */
static bool
is_below(struct arena *a, const char *origin, const char *id)
{
	struct url url;

	if (!str_starts(origin, "http://") && !str_starts(origin, "https://"))
		return (true);
	return (url_parse(a, origin, &url) &&
		(str_equal_nocase(url.host, id) || str_ends(arena_printf(a, ".%s", url.host), arena_printf(a, ".%s", id))));
}

static void
check_forms(struct arena *a, const struct settings *s, struct complaints *complaints)
{
	const char *id = s->gotrue_webauthn_rp_id;

	if (!str_empty(id) && !is_domain(a, id))
		complain(a, complaints, WARNING, "GOTRUE_WEBAUTHN_RP_ID",
		    "GOTRUE_WEBAUTHN_RP_ID must be a domain such as example.com, not \"%s\".", id);
	for (char *const *origin = s->gotrue_webauthn_rp_origins; *origin != NULL; origin++)
		if (strchr(*origin, ':') == NULL)
			complain(a, complaints, WARNING, "GOTRUE_WEBAUTHN_RP_ORIGINS",
			    "GOTRUE_WEBAUTHN_RP_ORIGINS must be URLs such as https://app.example.com, not \"%s\".", *origin);
		else if (!str_empty(id) && is_domain(a, id) && !is_below(a, *origin, id))
			complain(a, complaints, WARNING, "GOTRUE_WEBAUTHN_RP_ORIGINS",
			    "GOTRUE_WEBAUTHN_RP_ORIGINS: \"%s\" is not at or below GOTRUE_WEBAUTHN_RP_ID: browsers let it use no passkey "
			    "unless https://%s/.well-known/webauthn names it.",
			    *origin, id);
}

void
settings_check_webauthn(struct arena *a, const struct settings *s, struct complaints *complaints)
{
	const char *wanted = wanted_by(s);

	if (wanted == NULL)
		return;
	check_there(a, s, wanted, complaints);
	check_forms(a, s, complaints);
}
