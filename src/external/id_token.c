/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "external/id_token.h"

#define GOOGLE "https://accounts.google.com"

/* --- Issuers --- */

bool
issuer_is_apple(const char *iss)
{
	return (str_equal(iss, "https://appleid.apple.com") || str_equal(iss, "https://account.apple.com"));
}

/* The length of a tenant or host label at the start of text. */
static size_t
name_len(const char *text)
{
	return (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"));
}

/* prefix, a name, suffix. */
static bool
name_between(const char *text, const char *prefix, const char *suffix)
{
	size_t len;

	if (!str_starts(text, prefix))
		return (false);
	len = name_len(text + strlen(prefix));
	return (len > 0 && str_equal(text + strlen(prefix) + len, suffix));
}

bool
issuer_is_azure(const char *iss)
{
	return (name_between(iss, "https://login.microsoftonline.com/", "/v2.0"));
}

bool
issuer_is_azure_sts(const char *iss)
{
	return (name_between(iss, "https://sts.windows.net/", "/"));
}

bool
issuer_is_azure_ciam(const char *iss)
{
	static const char domain[] = ".ciamlogin.com";
	const char *host, *end;

	if (!str_starts(iss, "https://"))
		return (false);
	host = iss + strlen("https://");
	end = strstr(host, domain);
	if (end == NULL || end == host || name_len(host) < (size_t)(end - host) + strlen(domain))
		return (false);
	return (name_between(end, ".ciamlogin.com/", "/v2.0"));
}

bool
id_token_issuer_fits(const struct provider *p, const char *iss)
{
	if (str_empty(iss))
		return (false);
	if (issuer_is_apple(p->issuer))
		return (issuer_is_apple(iss));
	return (str_equal(p->issuer, iss) || (str_equal(p->issuer, GOOGLE) && str_equal(iss, "accounts.google.com")));
}

/* --- What their claims mean --- */

static const char *
claim_text(const struct exchange *x, const char *name)
{
	return (str_or(json_string(json_get(x->userinfo, name)), ""));
}

static err
more_google(struct exchange *x)
{
	const char *domain = claim_text(x, "hd");

	if (*domain != '\0')
		query_set(&x->profile.claims, "custom_claims", json_pairs(x->r->arena, "hd", domain, NULL));
	return (OK);
}

/* As Go's strconv.ParseBool; -1 when it is neither. */
static int
bool_parse(const char *text)
{
	static char *const yes[] = { "1", "t", "T", "TRUE", "true", "True", NULL };
	static char *const no[] = { "0", "f", "F", "FALSE", "false", "False", NULL };

	return (strs_have(yes, text) ? 1 : strs_have(no, text) ? 0 : -1);
}

/* LinkedIn says in words whether the address is verified. */
static err
more_linkedin(struct exchange *x)
{
	int verified = bool_parse(claim_text(x, "email_verified"));

	if (verified < 0)
		return (fail_outside(x->r, "email_verified of the identity token is not a text that says yes or no"));
	if (*claim_text(x, "email") != '\0')
		profile_add_email(&x->profile, claim_text(x, "email"), verified == 1, true);
	return (OK);
}

static err
more_vercel(struct exchange *x)
{
	const char *global = claim_text(x, "global_user_id");
	const char *sub = *global == '\0' ? NULL : arena_printf(x->r->arena, "global_user_id:%s", global);

	profile_set_text(&x->profile, "sub", sub);
	profile_set_text(&x->profile, "provider_id", sub);
	profile_add_email(&x->profile, claim_text(x, "user_email"), true, true);
	return (OK);
}

/* Azure writes xms_edov now as a boolean, now as a text; without it the address counts as verified. */
static bool
azure_email_verified(const json *edov)
{
	if (json_kind(edov) == JSON_NULL)
		return (true);
	return (json_true(edov) || str_equal(json_string(edov), "1") || str_equal(json_string(edov), "true"));
}

static err
more_azure(struct exchange *x)
{
	static char *const dropped[] = { "aud", "iss", "iat", "nbf", "exp", "c_hash", "at_hash", "aio", "nonce", "rh", "uti", "jti", "ver",
		"sub", "name", "preferred_username", NULL };
	struct buf b = buf_new(x->r->arena);

	json_object_begin(&b, NULL);
	json_put_except(&b, x->userinfo, dropped);
	json_object_end(&b);
	query_set(&x->profile.claims, "custom_claims", b.data);
	if (*claim_text(x, "email") != '\0')
		profile_add_email(&x->profile, claim_text(x, "email"), azure_email_verified(json_get(x->userinfo, "xms_edov")), true);
	return (OK);
}

/* A boolean that may be written as a text: "true", "false", or NULL when it is there and neither. */
static const char *
apple_private(const json *value)
{
	int word = bool_parse(str_or(json_string(value), ""));

	if (json_kind(value) == JSON_BOOL)
		return (json_boolean(json_true(value)));
	return (word < 0 ? NULL : json_boolean(word == 1));
}

static err
more_apple(struct exchange *x)
{
	const json *private = json_get(x->userinfo, "is_private_email"), *auth_time = json_get(x->userinfo, "auth_time");
	const char *transfer = claim_text(x, "transfer_sub");
	const char *custom;

	if (json_kind(private) != JSON_NULL && apple_private(private) == NULL)
		return (fail_outside(x->r, "is_private_email of the identity token is not a boolean"));
	custom = json_pairs(x->r->arena, "#is_private_email", json_kind(private) == JSON_NULL ? NULL : apple_private(private), "#auth_time",
	    json_number(auth_time), "transfer_sub", str_or(transfer, NULL), NULL);
	if (!str_equal(custom, "{}"))
		query_set(&x->profile.claims, "custom_claims", custom);
	profile_add_email(&x->profile, claim_text(x, "email"), true, true);
	return (OK);
}

static err
more_standard(struct exchange *x)
{
	const char *email;

	if (!profile_read(&x->profile, x->userinfo))
		return (fail_outside(x->r, "the identity token's claims are not what OpenID Connect says"));
	email = profile_text(&x->profile, "email");
	if (*email != '\0')
		profile_add_email(&x->profile, email, str_equal(query_get(&x->profile.claims, "email_verified"), "true"), true);
	return (OK);
}

/* Snapchat's addresses are verified whatever it says. */
static err
more_snapchat(struct exchange *x)
{
	TRY(more_standard(x));
	for (size_t i = 0; i < x->profile.emails; i++)
		x->profile.email[i].verified = true;
	return (OK);
}

/* Readers of claims: rows as those of provider.def, found by the issuer. */
static const struct provider_row readers[] = {
	{ .name = GOOGLE,
	    .claims = "iss sub name full_name=name picture avatar_url=picture provider_id=sub",
	    .email = "email",
	    .verified = "verified_email|email_verified",
	    .more = more_google },
	{ .name = "https://www.linkedin.com/oauth",
	    .claims = "iss sub name=given_name+family_name given_name family_name locale picture provider_id=sub",
	    .more = more_linkedin },
	{ .name = "https://kauth.kakao.com",
	    .claims = "iss sub name=nickname preferred_username=nickname picture provider_id=sub",
	    .email = "email",
	    .verified = "yes" },
	{ .name = "https://marketplace.vercel.com",
	    .claims = "iss sub name=user_name picture=user_avatar_url provider_id=sub",
	    .more = more_vercel },
	{ .name = "https://www.facebook.com", .claims = "iss sub name picture provider_id=sub", .email = "email", .verified = "yes" },
	{ .name = "https://accounts.snapchat.com/accounts/oauth2/token", .more = more_snapchat },
};
static const struct provider_row reader_azure = { .claims = "iss sub full_name=name preferred_username provider_id=sub",
	.more = more_azure };
static const struct provider_row reader_apple = { .claims = "iss sub provider_id=sub", .more = more_apple };
static const struct provider_row reader_standard = { .more = more_standard };

static const struct provider_row *
reader_of(const char *iss)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (str_equal(readers[i].name, iss))
			return (&readers[i]);
	return (issuer_is_azure(iss) ? &reader_azure : issuer_is_apple(iss) ? &reader_apple : &reader_standard);
}

err
id_token_map(struct request *r, const struct id_token *t, struct profile *profile)
{
	const struct provider p = { .row = reader_of(t->issuer) };
	struct exchange x = { .r = r, .p = &p, .userinfo = t->claims, .profile = *profile };
	err error = provider_map(&x);

	*profile = x.profile;
	return (error);
}

/* --- At the end of a sign-in --- */

static bool
audience_fits(const struct provider *p, const struct id_token *t)
{
	if (strs_have(t->audience, p->client_id))
		return (true);
	for (size_t i = 0; p->row == NULL && p->audiences != NULL && p->audiences[i] != NULL; i++)
		if (strs_have(t->audience, p->audiences[i]))
			return (true);
	return (false);
}

static err
token_verify(struct exchange *x, const struct id_token *t)
{
	bool apple = issuer_is_apple(x->issuer);
	const struct issuer issuer = { .url = x->issuer,
		.trust = x->p->trust,
		.lax = apple,
		.discovery_url = str_equal(x->issuer, x->p->issuer) ? x->p->discovery_url : NULL };

	if (apple && !issuer_is_apple(t->issuer))
		return (fail_outside(x->r, "the identity token is not Apple's"));
	TRY(issuer_verify(x->r, &issuer, t));
	return (audience_fits(x->p, t) ? OK : fail_outside(x->r, "the identity token is for another client"));
}

err
id_token_profile(struct exchange *x)
{
	struct id_token t;
	const char *why;

	if (!id_token_read(x->r->arena, x->token.id_token, &t, &why))
		return (fail_outside(x->r, "%s", why));
	x->userinfo = t.claims;
	if (x->p->row != NULL && x->p->row->at_id_token != NULL)
		TRY(x->p->row->at_id_token(x));
	TRY(token_verify(x, &t));
	TRY(id_token_map(x->r, &t, &x->profile));
	if (x->p->row != NULL && *t.at_hash != '\0' && !id_token_fits(x->r->arena, &t, x->token.access))
		return (fail_outside(x->r, "the identity token belongs to another access token"));
	return (OK);
}
