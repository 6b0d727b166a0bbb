/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "core/user.h"
#include "db/db.h"
#include "external/linking.h"

#define ATTEMPTS 10

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

/* What is queued happens here, or is begun anew; then the client gets the error. */
static err
refuse(struct linking *l)
{
	const struct failure refusal = l->r->failure;

	l->r->failure = (struct failure){ 0 };
	TRY(user_reload(l->r, &l->out->user));
	l->r->failure = refusal;
	return (COMMIT_WITH(l->r, refusal.id));
}

/* found: what was read of the profile, which no attempt changes. */
static err
attempt(const struct linking *found)
{
	struct linking l = *found;
	const struct sign_in *in = l.in;
	const struct ticket *ticket = in->ticket;
	struct session_origin origin = { .method = in->method };

	*l.out = (struct signed_in){ 0 };
	if (in->target_id != NULL)
		TRY(linking_by_hand(&l));
	else if (!str_empty(in->invite))
		TRY(linking_invited(&l));
	else
		TRY(linking_automatic(&l));
	if (l.refused)
		return (refuse(&l));
	if (ticket != NULL)
		TRY(ticket->spend(l.r, ticket, &l.out->user));
	TRY(user_reload(l.r, &l.out->user));
	if (ticket != NULL && ticket->by_code)
		return (OK);
	l.out->issuing = true;
	if (ticket == NULL && l.out->created)
		origin.signed_up = in->provider;
	return (session_start(l.r, &l.out->user, &origin, &l.out->tokens));
}

/* A trigger of the site, usually. */
static err
write_failed(struct request *r, const struct signed_in *out)
{
	if (r->failure.id == E_DATABASE && r->failure.message != NULL)
		return (E_DATABASE);
	return (fail(r, E_DATABASE, "%s", out->created ? "Database error saving new user" : "Database error updating user"));
}

/* Begun anew here and not where the request began, for what brought them here (a provider's code) is good once. */
static err
attempt_all(const struct linking *found)
{
	struct request *r = found->r;
	const struct request begun = *r;
	const struct ticket *ticket = found->in->ticket;
	err error = attempt(found);

	for (int attempts = 1; error != OK && attempts < ATTEMPTS && db_conflict(r->db); attempts++) {
		request_restart(r, &begun);
		if (ticket != NULL)
			TRY(ticket->check(r, ticket));
		error = attempt(found);
	}
	if (error != OK)
		db_conflict_over(r->db); /* the code is spent */
	return (error == E_DATABASE ? write_failed(r, found->out) : error);
}

err
sign_in(struct request *r, const struct sign_in *in, struct signed_in *out)
{
	struct linking found = { .r = r, .in = in, .out = out };

	*out = (struct signed_in){ 0 };
	found.sub = profile_text(in->profile, "sub");
	if (*found.sub == '\0')
		return (fail(r, E_UNEXPECTED_FAILURE, "error missing provider id"));
	shown_email(&found);
	emails_sort(&found);
	found.data = profile_json(in->profile);
	if (!profile_fits(r->arena, found.data))
		return (fail(r, E_VALIDATION_FAILED, "The profile from the external provider is too large"));
	return (attempt_all(&found));
}
