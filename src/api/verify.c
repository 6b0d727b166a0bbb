/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /verify: links and codes come back. */
#include <string.h>

#include "api/api.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/address.h"
#include "core/pkce.h"
#include "core/onetime.h"
#include "core/redirect.h"
#include "core/session.h"
#include "core/verify.h"
#include "html/pages.h"

#define HALF_DONE "Confirmation link accepted. Please proceed to confirm link sent to the other email"

/* What GET /verify has besides the verification. */
struct link {
	struct verification v;
	const char *to; /* where the browser goes */
	bool pkce;
};

/* --- GET: a browser follows a link --- */

static err
link_finish(struct request *r, struct link *l)
{
	struct tokens t = { 0 };
	struct query extra = query_new(r->arena);
	const char *code;

	if (l->pkce) {
		TRY(pkce_code(r, l->v.user.id, l->v.pkce, &code));
		return (reply_redirect(r, 303, redirect_with(r->arena, l->to, "code", code)));
	}
	TRY(session_start(r, &l->v.user, &(const struct session_origin){ .method = "otp" }, &t));
	query_add(&extra, "type", onetime_rows[l->v.type].word);
	return (reply_redirect(r, 303, tokens_redirect(r, &t, l->to, &extra)));
}

static err
link_run(struct request *r, struct link *l)
{
	TRY(verify_link(r, &l->v));
	TRY(verify_apply(r, &l->v));
	if (l->v.half_done)
		return (reply_redirect(r, 303, redirect_message(r->arena, l->to, HALF_DONE, l->pkce)));
	return (link_finish(r, l));
}

static err
link_follow(struct request *r)
{
	struct link l = { .v = { .word = request_form_value(r, "type"), .hash = request_form_value(r, "token"), .token = "" } };

	if (str_empty(l.v.word))
		return (fail(r, E_VALIDATION_FAILED, "Verify requires a verification type"));
	if (str_empty(l.v.hash))
		return (fail(r, E_VALIDATION_FAILED, "Verify requires a token or a token hash"));
	l.to = redirect_wanted(r);
	l.pkce = str_starts(l.v.hash, "pkce_");
	redirect_errors(r, &(const struct error_redirect){ .status = 303, .url = l.to, .query = l.pkce, .fragment = true });
	return (link_run(r, &l));
}

/* Programs that look into mails follow links, but press no buttons: the button sends the same URL as POST. */
static err
reply_button(struct request *r)
{
	TRY(reply_html(r, 200, page_confirm, NULL));
	reply_header(r, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
	return (OK);
}

struct button {
	const char *confirm;
};

static const struct param button_fields[] = { PARAM(struct button, text, confirm), PARAM_END };

static err
button_read(struct request *r, bool *pressed)
{
	struct button button;

	*pressed = false;
	if (!cfg->postern_verify_confirm_page)
		return (OK);
	TRY(form_read(r, &r->form, button_fields, &button));
	*pressed = str_equal(button.confirm, "yes");
	return (OK);
}

/* GET /verify */
err
verify_get(struct request *r)
{
	return (cfg->postern_verify_confirm_page ? reply_button(r) : link_follow(r));
}

/* --- POST: an app sends what the user typed or followed --- */

struct verify_params {
	const char *type, *token, *token_hash, *email, *phone, *redirect_to;
};

static const struct param verify_fields[] = {
	PARAM(struct verify_params, text, type),
	PARAM(struct verify_params, text, token),
	PARAM(struct verify_params, text, token_hash),
	PARAM(struct verify_params, text, email),
	PARAM(struct verify_params, text, phone),
	PARAM(struct verify_params, text, redirect_to),
	PARAM_END,
};

/* The code with its address becomes the hash under which it would be stored. */
static err
typed_hash(struct request *r, struct verify_params *p)
{
	if (!str_empty(p->phone) && str_empty(p->email)) {
		TRY(address_check_phone(r, &p->phone));
		p->token_hash = onetime_hash(r->arena, p->phone, p->token);
	} else if (str_empty(p->phone) && !str_empty(p->email)) {
		if (address_check_email(r, &p->email) != OK)
			return (fail_as(r, E_VALIDATION_FAILED, 422, "Invalid email format"));
		p->token_hash = onetime_hash(r->arena, p->email, p->token);
	} else {
		return (fail(r, E_VALIDATION_FAILED, "Only an email address or phone number should be provided on verify"));
	}
	return (OK);
}

static err
verify_check(struct request *r, struct verify_params *p)
{
	if (str_empty(p->type))
		return (fail(r, E_VALIDATION_FAILED, "Verify requires a verification type"));
	if (str_empty(p->token) == str_empty(p->token_hash))
		return (fail(r, E_VALIDATION_FAILED, "Verify requires either a token or a token hash"));
	if (!str_empty(p->token))
		return (typed_hash(r, p));
	if (!str_empty(p->email) || !str_empty(p->phone) || !str_empty(p->redirect_to))
		return (fail(r, E_VALIDATION_FAILED, "Only the token_hash and type should be provided"));
	return (OK);
}

/* POST /verify */
err
verify_post(struct request *r)
{
	struct verify_params p = { 0 };
	struct verification v = { 0 };
	struct tokens t = { 0 };
	bool pressed;

	TRY(button_read(r, &pressed));
	if (pressed)
		return (link_follow(r));
	TRY(params_read(r, verify_fields, &p));
	TRY(verify_check(r, &p));
	v = (struct verification){ .word = p.type, .token = p.token, .hash = p.token_hash, .email = p.email, .phone = p.phone };
	if (str_empty(p.token))
		TRY(verify_link(r, &v));
	else
		TRY(verify_code(r, &v));
	TRY(verify_apply(r, &v));
	if (v.half_done)
		return (reply_json(r, 200, json_pairs(r->arena, "msg", HALF_DONE, "code", "200", NULL)));
	TRY(session_start(r, &v.user, &(const struct session_origin){ .method = "otp" }, &t));
	return (reply_tokens(r, &t));
}
