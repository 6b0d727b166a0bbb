/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/pkce.h"
#include "core/redirect.h"
#include "core/session.h"
#include "db/db.h"
#include "external/provider_exchange.h"
#include "external/external_state.h"
#include "external/invitation.h"
#include "sec/secret.h"

#define CLIENT_STATE_LIFE ((usec)300 * 1000000)
#define VERIFIER_BYTES 32

/* What is asked of us in the query, on the way there. */
struct authorize_request {
	struct provider provider;
	const char *asked, *invite, *challenge, *method, *referrer;
	const char *verifier, *client_state_id;
};

static const char *
query_text_of(struct request *r, const char *name)
{
	return (str_or(query_get(&r->query, name), ""));
}

/* An invitation's link goes on with a provider. */
static err
invite_check(struct request *r, const char *token)
{
	struct onetime_holder holder;

	if (str_empty(token))
		return (OK);
	TRY(invitation_find(r, token, &holder));
	if (!holder.found)
		return (fail(r, E_USER_NOT_FOUND, "User identified by token not found"));
	return (OK);
}

static err
authorize_request_read(struct request *r, struct authorize_request *q)
{
	q->asked = query_text_of(r, "provider");
	TRY_OUTSIDE(provider_find(r, q->asked, query_text_of(r, "scopes"), &q->provider),
	    fail(r, E_VALIDATION_FAILED, "Unsupported provider: %s", r->failure.message));
	q->invite = query_text_of(r, "invite_token");
	TRY(invite_check(r, q->invite));
	q->referrer = redirect_wanted(r);
	q->challenge = query_text_of(r, "code_challenge");
	q->method = query_text_of(r, "code_challenge_method");
	TRY(pkce_check_challenge(r, q->method, q->challenge));
	q->method = pkce_method_known(r->arena, q->method);
	if (!str_empty(q->challenge) && q->method == NULL)
		return (fail(r, E_VALIDATION_FAILED, "Invalid code_challenge_method"));
	return (OK);
}

static err
authorize_request_write(struct request *r, const struct authorize_request *q, const char *id, const char *target_id)
{
	bool pkce = !str_empty(q->challenge);

	if (q->verifier != NULL)
		TRY(external_verifier_add(r->db, .id = q->client_state_id, .provider = q->provider.name, .verifier = q->verifier,
		    .now = r->now_text));
	return (external_state_add(r->db, .id = id, .provider = q->provider.name, .auth_code = pkce ? uuid_new(r->arena) : NULL,
	    .challenge = pkce ? q->challenge : NULL, .challenge_method = pkce ? q->method : NULL, .referrer = q->referrer,
	    .invite_token = str_empty(q->invite) ? NULL : q->invite, .client_state_id = q->client_state_id, .target_id = target_id,
	    .email_optional = q->provider.email_optional ? "t" : "f", .now = r->now_text));
}

err
external_state_begin(struct request *r, const char *target_id, const char **url)
{
	struct authorize_request q = { 0 };
	struct provider_authorize begin = { .state = uuid_new(r->arena), .client = &r->query };

	TRY(authorize_request_read(r, &q));
	if (q.provider.pkce) {
		q.verifier = secret_token(r->arena, VERIFIER_BYTES);
		q.client_state_id = uuid_new(r->arena);
		begin.challenge = sha256_base64url(r->arena, q.verifier);
	}
	/* Twitter is asked here: only then is anything written. */
	TRY(provider_authorize_url(r, &q.provider, &begin, url));
	if (target_id != NULL)
		TRY(session_still(r));
	return (authorize_request_write(r, &q, begin.state, target_id));
}

/* What a callback says its state is; NULL or "" without. */
static const char *
state_asked(struct request *r)
{
	return (str_equal(r->method, "POST") ? request_form_value(r, "state") : query_get(&r->query, "state"));
}

err
external_state_find(struct request *r, const char *state, struct external_state_by_id *found)
{
	const char *id;

	if (str_empty(state))
		return (fail(r, E_BAD_OAUTH_CALLBACK, NULL));
	if ((id = uuid_parse(r->arena, state)) == NULL)
		return (fail(r, E_BAD_OAUTH_STATE, NULL));
	TRY_DB(r, external_state_by_id(r->db, found, .id = id), "Error loading flow state");
	if (!found->found)
		return (fail(r, E_BAD_OAUTH_STATE, "OAuth state not found or expired"));
	if (r->now > found->created_at + cfg->gotrue_external_flow_state_expiry_duration / 1000)
		return (fail(r, E_BAD_OAUTH_STATE, "OAuth state has expired"));
	if (!str_empty(found->challenge) && found->used)
		return (fail(r, E_FLOW_STATE_ALREADY_USED, NULL));
	if (found->target_gone)
		return (fail_as(r, E_USER_NOT_FOUND, 422, "Linking target user not found"));
	return (OK);
}

/* --- As a ticket --- */

struct held {
	const struct external_state_by_id *state;
	const char *access, *refresh;
};

static err
ticket_check(struct request *r, const struct ticket *t)
{
	const struct held *held = t->holds;
	struct external_state_by_id again;

	return (external_state_find(r, held->state->id, &again));
}

/* PKCE keeps it for the code. */
static err
ticket_spend(struct request *r, const struct ticket *t, const struct user *u)
{
	const struct held *held = t->holds;

	if (!t->by_code)
		return (external_state_end(r->db, .id = held->state->id));
	return (external_state_claim(r->db, .id = held->state->id, .user_id = u->id, .token = held->access, .refresh_token = held->refresh,
	    .now = r->now_text));
}

struct ticket
external_state_ticket(struct request *r, const struct external_state_by_id *state, const char *access, const char *refresh)
{
	struct held *held = arena_new_object(r->arena, struct held);

	*held = (struct held){ state, access, refresh };
	return ((struct ticket){ .lock = arena_printf(r->arena, "state %s", state->id),
	    .by_code = !str_empty(state->challenge),
	    .holds = held,
	    .check = ticket_check,
	    .spend = ticket_spend });
}

/* --- The way on to the provider --- */

err
external_state_verifier(struct request *r, const struct external_state_by_id *state, const struct provider *p, const char **verifier)
{
	struct external_verifier_take taken = { 0 };
	err ended;

	*verifier = NULL;
	if (state->client_state_id == NULL)
		return (p->pkce ? fail(r, E_OAUTH_INVALID_STATE, "OAuth PKCE code verifier missing") : OK);
	db_autonomous_begin(r->db);
	TRY_DB(r, external_verifier_take(r->db, &taken, .id = state->client_state_id), "Failed to find OAuth state");
	ended = db_autonomous_end(r->db);
	TRY(ended);
	if (!taken.found)
		return (fail(r, E_OAUTH_CLIENT_STATE_NOT_FOUND, NULL));
	if (!str_equal(taken.provider, state->provider))
		return (fail(r, E_OAUTH_INVALID_STATE, NULL));
	if (r->now > taken.created_at + CLIENT_STATE_LIFE)
		return (fail(r, E_OAUTH_CLIENT_STATE_EXPIRED, NULL));
	*verifier = taken.verifier;
	return (OK);
}

err
external_state_fail(struct request *r, int status, const char *words)
{
	return (fail_oauth(r, str_or(redirect_error_word(status), "server_error"), words));
}

err
gate_external_state(struct request *r, const void *unused)
{
	struct external_state_by_id *state = arena_new_object(r->arena, struct external_state_by_id);

	(void)unused;
	redirect_errors(r, &(const struct error_redirect){ .status = 303, .url = cfg->gotrue_site_url, .query = true, .always = true });
	TRY(external_state_find(r, state_asked(r), state));
	r->state = state;
	return (OK);
}
