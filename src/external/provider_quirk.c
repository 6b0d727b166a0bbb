/* SPDX-License-Identifier: Apache-2.0 */
/* What single providers do otherwise than all others: the quirks that rows of provider.def name, one function each. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "external/id_token.h"
#include "external/provider_row.h"
#include "sec/secret.h"

static const char *
userinfo_text(const struct exchange *x, const char *path)
{
	return (str_or(json_string(json_path(x->userinfo, path)), ""));
}

static void
set_picture(struct exchange *x, const char *url)
{
	profile_set_text(&x->profile, "picture", url);
	profile_set_text(&x->profile, "avatar_url", url);
}

/* A list of objects with an address each.  Members of a wrong type are not to be relied on: nothing of such a list is. */
static err
emails_take(struct exchange *x, const json *list, const char *verified, const char *primary)
{
	if (json_kind(list) != JSON_ARRAY && json_kind(list) != JSON_NULL)
		return (fail_outside(x->r, "the addresses are not a list"));
	for (size_t i = 0; i < json_len(list); i++) {
		const json *one = json_at(list, i);
		const char *address = json_string(json_get(one, "email"));

		if (!str_empty(address))
			profile_add_email(&x->profile, address, verified != NULL && json_true(json_get(one, verified)),
			    primary != NULL && json_true(json_get(one, primary)));
	}
	return (OK);
}

/* The second call, at a path below the user data. */
static err
emails_get(struct exchange *x, json **answer)
{
	return (exchange_get(x, arena_printf(x->r->arena, "%s/emails", x->p->userinfo), answer));
}

/* Apple answers with a POST of the browser, and knows no parameters but its own. */
err
quirk_form_post(struct exchange *x)
{
	const char *state = query_get(x->params, "state");

	*x->params = query_new(x->r->arena);
	query_set(x->params, "response_type", "code");
	query_set(x->params, "response_mode", "form_post");
	query_set(x->params, "client_id", x->p->client_id);
	query_set(x->params, "redirect_uri", x->p->redirect_uri);
	query_set(x->params, "scope", x->p->scopes);
	query_set(x->params, "state", state);
	return (OK);
}

err
quirk_apple_secret(struct exchange *x)
{
	query_set(x->params, "client_id", x->p->client_id);
	query_set(x->params, "secret", x->p->secret);
	return (OK);
}

/* The name comes with the browser, and only when somebody signs in for the first time. */
err
quirk_apple_name(struct exchange *x)
{
	const char *text = str_or(query_get(x->callback, "user"), ""), *full;

	if (*text == '\0')
		return (OK);
	x->userinfo = json_parse_text(x->r->arena, text);
	if (json_kind(x->userinfo) != JSON_OBJECT)
		return (fail_outside(x->r, "the name that came along is not an object"));
	full = str_trim(x->r->arena,
	    arena_printf(x->r->arena, "%s %s", userinfo_text(x, "name.firstName"), userinfo_text(x, "name.lastName")));
	profile_set_text(&x->profile, "name", full);
	profile_set_text(&x->profile, "full_name", full);
	return (OK);
}

/* The issuer of a tenant is known by the token only; a URL of the setting that names a tenant fixes it. */
err
quirk_azure_issuer(struct exchange *x)
{
	static char *const many[] = { "https://login.microsoftonline.com/common/v2.0",
		"https://login.microsoftonline.com/organizations/v2.0", NULL };
	const char *iss = userinfo_text(x, "iss"), *base = provider_url(x->r->arena, x->p->row, "{}");
	const char *expected = arena_printf(x->r->arena, "%s/v2.0", base);
	bool fixed = (issuer_is_azure(expected) || issuer_is_azure_ciam(expected)) && !strs_have(many, expected);

	x->issuer = iss;
	if (fixed ? !str_equal(iss, expected) : !issuer_is_azure(iss) && !issuer_is_azure_sts(iss) && !issuer_is_azure_ciam(iss))
		return (fail_outside(x->r, "the identity token's issuer \"%s\" is not the tenant's", iss));
	return (OK);
}

err
quirk_bitbucket_emails(struct exchange *x)
{
	json *answer;

	TRY(emails_get(x, &answer));
	return (emails_take(x, json_get(answer, "values"), "is_confirmed", "is_primary"));
}

err
quirk_github_emails(struct exchange *x)
{
	json *answer;

	TRY(emails_get(x, &answer));
	return (emails_take(x, answer, "verified", "primary"));
}

/* GitLab does not say which of the further addresses are confirmed. */
err
quirk_gitlab_emails(struct exchange *x)
{
	json *answer;

	TRY(emails_get(x, &answer));
	return (emails_take(x, answer, NULL, NULL));
}

/* Discord's pictures are at places that are made of what it says. */
err
quirk_discord_name(struct exchange *x)
{
	struct arena *a = x->r->arena;
	const char *number = userinfo_text(x, "discriminator"), *hash = userinfo_text(x, "avatar");
	char *end;
	long n = strtol(number, &end, 10);

	profile_set_text(&x->profile, "name", arena_printf(a, "%s#%s", userinfo_text(x, "username"), number));
	if (*hash != '\0') {
		set_picture(x, arena_printf(a, "https://cdn.discordapp.com/avatars/%s/%s.%s", userinfo_text(x, "id"), hash,
				   str_starts(hash, "a_") ? "gif" : "png"));
	} else if (*number == '\0' || *end != '\0') {
		return (fail_outside(x->r, "the discriminator is not a number"));
	} else {
		set_picture(x, arena_printf(a, "https://cdn.discordapp.com/embed/avatars/%ld.png", n % 5));
	}
	return (OK);
}

/* Facebook wants to see that whoever has the token also has the secret. */
err
quirk_appsecret_proof(struct exchange *x)
{
	unsigned char mac[SHA256_LEN];

	hmac_sha256(x->p->secret, strlen(x->p->secret), x->token.access, strlen(x->token.access), mac);
	x->call.url = arena_printf(x->r->arena, "%s&appsecret_proof=%s", x->call.url, hex_encode(x->r->arena, mac, sizeof(mac)));
	return (OK);
}

/* What a realm's mappers add are claims of the house. */
err
quirk_keycloak_claims(struct exchange *x)
{
	static char *const known[] = { "name", "sub", "email", "email_verified", NULL };
	struct buf b = buf_new(x->r->arena);

	json_object_begin(&b, NULL);
	json_put_except(&b, x->userinfo, known);
	json_object_end(&b);
	query_set(&x->profile.claims, "custom_claims", b.data);
	return (OK);
}

/* A name in the language that its bearer prefers. */
static const char *
linkedin_localized(const struct exchange *x, const char *name)
{
	const json *n = json_get(x->userinfo, name), *locale = json_get(n, "preferredLocale");
	const char *key = arena_printf(x->r->arena, "%s_%s", str_or(json_string(json_get(locale, "language")), ""),
	    str_or(json_string(json_get(locale, "country")), ""));

	return (json_string(json_get(json_get(n, "localized"), key)));
}

/* LinkedIn of old: localized names, a picture deep inside, the address by a call of its own. */
err
quirk_linkedin_name(struct exchange *x)
{
	struct arena *a = x->r->arena;
	const char *url =
	    provider_url(a, x->p->row, "{https://api.linkedin.com}/v2/emailAddress?q=members&projection=(elements*(handle~))");
	const char *given = linkedin_localized(x, "firstName"), *family = linkedin_localized(x, "lastName"), *full, *address;
	json *answer;

	if (given == NULL || family == NULL)
		return (fail_outside(x->r, "the name is not there in the preferred language"));
	TRY(exchange_get(x, url, &answer));
	if (json_len(json_get(answer, "elements")) == 0)
		return (fail_outside(x->r, "the answer has no address"));
	full = str_trim(a, arena_printf(a, "%s %s", given, family));
	profile_set_text(&x->profile, "name", full);
	profile_set_text(&x->profile, "full_name", full);
	set_picture(x, json_string(json_path(x->userinfo, "profilePicture.displayImage~.elements.0.identifiers.0.identifier")));
	address = json_string(json_path(answer, "elements.0.handle~.emailAddress"));
	if (!str_empty(address))
		profile_add_email(&x->profile, address, true, true);
	return (OK);
}

static void
add_header(struct exchange *x, const char *name, const char *value)
{
	x->headers[2] = name;
	x->headers[3] = value;
}

err
quirk_notion_version(struct exchange *x)
{
	add_header(x, "Notion-Version", "2021-08-16");
	return (OK);
}

/* Twitch wants to know who asks. */
err
quirk_client_id_header(struct exchange *x)
{
	add_header(x, "Client-Id", x->p->client_id);
	return (OK);
}

/* The largest of the pictures. */
err
quirk_spotify_picture(struct exchange *x)
{
	const json *images = json_get(x->userinfo, "images");
	const char *largest = NULL;
	double most = -1;

	for (size_t i = 0; i < json_len(images); i++) {
		const json *one = json_at(images, i);
		double width = 0, height = 0;

		(void)json_real(json_get(one, "width"), &width);
		(void)json_real(json_get(one, "height"), &height);
		if (width * height > most) {
			most = width * height;
			largest = json_string(json_get(one, "url"));
		}
	}
	set_picture(x, largest);
	return (OK);
}

err
quirk_x_profile(struct exchange *x)
{
	profile_set_text(&x->profile, "profile", arena_printf(x->r->arena, "https://x.com/%s", userinfo_text(x, "data.username")));
	return (OK);
}

/* Who signs in to Zoom by mail (login_type 100) may not have proven the address. */
err
quirk_zoom_email(struct exchange *x)
{
	const char *address = userinfo_text(x, "email");
	int64_t verified = 0;

	(void)json_integer(json_get(x->userinfo, "verified"), &verified);
	if (*address != '\0')
		profile_add_email(&x->profile, address, strcmp(userinfo_text(x, "login_type"), "100") != 0 || verified != 0, true);
	return (OK);
}
