/* SPDX-License-Identifier: Apache-2.0 */
#include "external/linking.h"

#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/owner.h"
#include "core/onetime.h"
#include "core/user.h"
#include "db/db.h"
#include "external/linking_part.h"
#include "external/external_state.h"
#include "query/identity.h"
#include "query/linking.h"
#include "query/onetime.h"

#define TRIES 10

/* --- What the three ways share --- */

err
linking_begin(struct linking *l)
{
	struct arena *a = l->r->arena;
	const struct profile *p = l->in->profile;
	char **names = arena_new_array(a, char *, p->emails + 4);
	size_t len = 0;

	names[len++] = arena_printf(a, "identity %s %s", l->in->provider, l->sub);
	if (l->in->state != NULL)
		names[len++] = arena_printf(a, "state %s", l->in->state->id);
	if (l->in->target_id != NULL)
		names[len++] = arena_printf(a, "user %s", l->in->target_id);
	for (size_t i = 0; i < p->emails; i++)
		names[len++] = arena_printf(a, "email %s", str_lower(a, p->email[i].address));
	TRY(linking_lock(l->r->db, .names = db_array(a, names)));
	return (user_hold(l->r->db, .id = l->in->user.id));
}

err
linking_audit(struct linking *l, const struct user *u, const char *identity_id)
{
	return (audit(l->r, u, AUDIT_IDENTITY_LINKED,
	    json_pairs(l->r->arena, "identity_id", identity_id, "provider", l->in->provider, "provider_id", l->sub, NULL)));
}

err
linking_add_identity(struct linking *l, const struct user *u)
{
	l->identity_id = uuid_new(l->r->arena);
	return (identity_add(l->r->db, .id = l->identity_id, .provider_id = l->sub, .user_id = u->id, .provider = l->in->provider,
	    .data = l->data, .now = l->r->now_text));
}

err
linking_disown_others(struct linking *l, const struct user *u)
{
	TRY(owner_settle(l->r, u,
	    &(const struct proven){ .provider = l->in->provider, .decided = true, .identity_id = l->identity_id, .metadata = l->data }));
	return (user_refresh_providers(l->r->db, .id = u->id, .now = l->r->now_text));
}

err
linking_send_confirmation(struct linking *l, bool asks)
{
	struct user *u = &l->in->user;

	TRY(onetime_may_send(l->r, ONETIME_SIGNUP, u));
	if (!l->in->created)
		TRY(user_reload(l->r, u));
	TRY(onetime_send(l->r, ONETIME_SIGNUP, u, false));
	return (asks ? owner_wait(l->r, u->id, NULL, l->identity_id) : OK);
}

/* --- The whole --- */

/* What identity_data says of the address: the primary one, else the last. */
static void
shown_email(struct linking *l)
{
	struct profile *p = l->in->profile;
	const struct profile_email *shown = NULL;

	for (size_t i = 0; i < p->emails && (shown == NULL || !shown->primary); i++)
		shown = &p->email[i];
	l->shown_verified = shown != NULL && shown->verified;
	query_set(&p->claims, "email_verified", l->shown_verified ? "true" : "false");
	profile_set_text(p, "email", str_lower(l->r->arena, shown != NULL ? shown->address : profile_text(p, "email")));
}

/* Which addresses count. */
static void
emails_sort(struct linking *l)
{
	const struct profile *p = l->in->profile;
	char **verified = arena_new_array(l->r->arena, char *, p->emails + 1);
	size_t len = 0;

	l->email = "";
	for (size_t i = 0; i < p->emails; i++) {
		char *address = str_lower(l->r->arena, p->email[i].address);
		/* What is not ASCII joins nobody: the database may take two such addresses for one. */
		bool counts = str_ascii(address) && (p->email[i].verified || cfg->gotrue_mailer_autoconfirm);

		if (counts)
			verified[len++] = address;
		if (p->email[i].primary) {
			l->email = address;
			l->email_verified = p->email[i].verified;
			l->email_counts = counts;
		}
	}
	l->verified = db_array(l->r->arena, verified);
}

/* The state ends with what is written; PKCE keeps it for the code. */
static err
state_spend(struct linking *l)
{
	const struct sign_in *in = l->in;

	if (in->state == NULL)
		return (OK);
	if (str_empty(in->state->challenge))
		return (external_state_end(l->r->db, .id = in->state->id));
	return (external_state_claim(l->r->db, .id = in->state->id, .user_id = in->user.id, .token = in->access,
	    .refresh_token = in->refresh, .now = l->r->now_text));
}

static err
sign_in_try(struct linking *l)
{
	struct sign_in *in = l->in;
	bool pkce = in->state != NULL && !str_empty(in->state->challenge);
	const struct failure none = { 0 };

	l->refused = in->issuing = false;
	if (in->target_id != NULL)
		TRY(linking_by_hand(l));
	else if (!str_empty(in->invite))
		TRY(linking_invited(l));
	else
		TRY(linking_automatic(l));
	if (l->refused) {
		const struct failure refusal = l->r->failure;

		l->r->failure = none;
		TRY(user_reload(l->r, &in->user)); /* what is queued happens here, or is begun anew */
		l->r->failure = refusal;
		return (COMMIT_WITH(l->r, refusal.id));
	}
	TRY(state_spend(l));
	TRY(user_reload(l->r, &in->user));
	if (pkce)
		return (OK);
	in->issuing = true;
	return (session_start(l->r, &in->user,
	    &(const struct session_origin){ .method = "oauth", .signed_up = in->state == NULL && in->created ? in->provider : NULL },
	    &in->tokens));
}

enum conflict { NO_CONFLICT, SNAPSHOT_CHANGED, STATE_GONE };

/* Whether somebody else has written what this write rests on. */
static enum conflict
conflict(const struct request *r, err error)
{
	const struct db_error *e = db_error(r->db);

	if (error == E_DATABASE && str_equal(e->sqlstate, "PO001"))
		return (str_equal(e->message, "state") ? STATE_GONE : SNAPSHOT_CHANGED);
	/* Who does not wait for our locks: POST /signup and its like.  Begun anew here, for the provider's code is good once. */
	return (db_conflict(r->db) ? SNAPSHOT_CHANGED : NO_CONFLICT);
}

/* What somebody hears who comes later. */
static err
state_gone(struct request *r, const struct sign_in *in)
{
	struct external_state_by_id again;

	TRY(external_state_find(r, in->state->id, &again));
	return (fail(r, E_BAD_OAUTH_STATE, "OAuth state not found or expired"));
}

/* A trigger of the site, usually. */
static err
write_failed(struct request *r, const struct sign_in *in)
{
	if (r->failure.id == E_DATABASE && r->failure.message != NULL)
		return (E_DATABASE);
	return (fail(r, E_DATABASE, "%s", in->created ? "Database error saving new user" : "Database error updating user"));
}

err
sign_in(struct request *r, struct sign_in *in)
{
	struct linking l = { .r = r, .in = in };
	enum conflict how;
	const struct request begun = *r;
	err error;

	l.sub = profile_text(in->profile, "sub");
	if (*l.sub == '\0')
		return (fail(r, E_UNEXPECTED_FAILURE, "error missing provider id"));
	shown_email(&l);
	emails_sort(&l);
	l.data = profile_json(in->profile);
	if (!profile_fits(r->arena, l.data))
		return (fail(r, E_VALIDATION_FAILED, "The profile from the external provider is too large"));
	for (int tries = 0;; tries++) {
		error = sign_in_try(&l);
		how = conflict(r, error);
		if (how == NO_CONFLICT || tries == TRIES)
			return (error == E_DATABASE ? write_failed(r, in) : error);
		request_restart(r, &begun);
		if (how == STATE_GONE)
			return (state_gone(r, in));
	}
}
