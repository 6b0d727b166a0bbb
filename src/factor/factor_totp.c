/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "factor/factor_part.h"
#include "html/qr.h"
#include "query/factor.h"
#include "sec/secret.h"
#include "sec/totp.h"

/* Authenticator applications. */

/* The host of the site, with its port. */
static const char *
site_name(struct arena *a)
{
	struct url url;

	if (!url_parse(a, cfg->gotrue_site_url, &url))
		return ("");
	return (arena_printf(a, "%s%s%s%s%s", url.bracketed ? "[" : "", url.host, url.bracketed ? "]" : "", url.colon ? ":" : "",
	    url.port));
}

static const char *
account_name(const struct user *u)
{
	return (str_or(u->email, str_or(u->phone, u->id)));
}

/* The reference leaves these two as they are, and so cuts a name that has one. */
static const char *
query_escape(struct arena *a, const char *text)
{
	return (str_replace(a, str_replace(a, url_path_escape(a, text), "&", "%26"), "+", "%2B"));
}

static const char *
key_uri(struct request *r, const char *issuer, const char *secret)
{
	struct arena *a = r->arena;

	return (arena_printf(a, "otpauth://totp/%s:%s?algorithm=SHA1&digits=%d&issuer=%s&period=%d&secret=%s", url_path_escape(a, issuer),
	    url_path_escape(a, account_name(r->user)), TOTP_DIGITS, query_escape(a, issuer), TOTP_PERIOD, secret));
}

err
totp_enroll(struct request *r, struct factor_enrolment *e)
{
	const char *secret = totp_secret(r->arena), *uri = key_uri(r, str_or(e->issuer, site_name(r->arena)), secret);
	const char *code = qr_svg(r->arena, uri);

	if (code == NULL)
		return (fail(r, E_VALIDATION_FAILED, "The issuer is too long for a QR code"));
	e->secret = secret_seal(r->arena, e->id, secret);
	e->shown = json_pairs(r->arena, "#totp", json_pairs(r->arena, "qr_code", code, "secret", secret, "uri", uri, NULL), NULL);
	return (OK);
}

err
totp_compare(struct request *r, const struct factor_challenged *c, struct factor_code *code)
{
	bool reseal;
	const char *secret = secret_unseal(r->arena, r->factor->id, c->secret, &reseal);

	if (secret == NULL)
		return (fail(r, E_UNEXPECTED_FAILURE, "Database error verifying MFA TOTP secret"));
	code->step = totp_step(r->arena, secret, str_trim(r->arena, code->typed), r->now / 1000000);
	code->right = code->step > (cfg->postern_totp_once ? c->step : 0);
	if (!reseal)
		return (OK);
	TRY(factor_hold(r));
	return (factor_reseal(r->db, .id = r->factor->id, .was = c->secret, .secret = secret_seal(r->arena, r->factor->id, secret)));
}
