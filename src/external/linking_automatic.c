/* SPDX-License-Identifier: Apache-2.0 */
/* Whose identity this is when nobody has said so: known, joined by a verified address, or somebody new. */
#include <string.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/claims.h"
#include "core/hook.h"
#include "core/linking_domain.h"
#include "core/onetime.h"
#include "core/owner.h"
#include "core/user.h"
#include "db/db.h"
#include "external/linking.h"
#include "query/linking.h"
#include "query/onetime.h"

/* The look, and what is decided by it. */
struct decision {
	struct linking_look seen;
	const char *aud, *domain, *domains;
	const char *email; /* the address that counts now; "" none */
	bool creates, links;
	struct new_user fresh;
};

static err
decision_look(struct linking *l, struct decision *d)
{
	struct request *r = l->r;

	d->aud = claims_audience(r);
	d->domain = linking_domain_of(l->in->provider);
	d->domains = linking_domains(r->arena);
	TRY(linking_look(r->db, &d->seen, .provider = l->in->provider, .sub = l->sub, .emails = l->verified, .email = l->email,
	    .aud = d->aud, .domains = d->domains, .domain = d->domain));
	d->creates = str_equal(d->seen.decision, "create");
	d->links = str_equal(d->seen.decision, "link");
	d->email = l->email;
	if (str_equal(d->seen.decision, "exists"))
		d->email = d->seen.user.email;
	else if (d->creates && !l->email_counts && d->seen.taken)
		d->email = ""; /* somebody else has it, and nothing shows that it is the same person */
	if (str_equal(d->seen.decision, "multiple"))
		return (fail(r, E_UNEXPECTED_FAILURE,
		    "Multiple accounts with the same email address in the same linking domain detected: %s", d->domain));
	return (OK);
}

/* Somebody new, as far as they are known before they are written. */
static err
decision_prepare_user(struct linking *l, struct decision *d)
{
	struct request *r = l->r;

	if (cfg->gotrue_disable_signup)
		return (fail(r, E_SIGNUP_DISABLED, NULL));
	d->fresh = (struct new_user){ .id = uuid_new(r->arena),
		.aud = d->aud,
		.role = cfg->gotrue_jwt_default_group_name,
		.email = d->email,
		.provider = l->in->provider,
		.user_metadata = l->data,
		.sso = !str_equal(d->domain, "default") };
	TRY(hook_before_user_created(r, &d->fresh));
	l->out->user = user_queued(r->arena, &d->fresh);
	return (OK);
}

static err
write_new_user(struct linking *l, const struct decision *d)
{
	struct request *r = l->r;

	if (l->email_counts)
		TRY(linking_yield(r->db, .email = d->email, .aud = d->aud, .now = r->now_text));
	TRY(user_add(r->db, .id = d->fresh.id, .aud = d->aud, .role = d->fresh.role, .email = d->email, .password = "",
	    .app_metadata = user_providers(r->arena, l->in->provider, NULL), .user_metadata = l->data, .drop_nulls = "t",
	    .sso = d->fresh.sso ? "t" : "f", .anonymous = "f", .now = r->now_text));
	return (linking_add_identity(l, &l->out->user));
}

static err
write_known_user(struct linking *l, const struct decision *d)
{
	struct request *r = l->r;
	const struct user *u = &l->out->user;

	l->identity_id = d->seen.identity_id;
	if (d->links)
		TRY(linking_add_identity(l, u));
	else
		TRY(linking_renew(r->db, .id = l->identity_id, .data = l->data, .now = r->now_text));
	TRY(user_merge_metadata(r->db, .id = u->id, .user_metadata = l->data, .now = r->now_text));
	TRY(user_refresh_providers(r->db, .id = u->id, .now = r->now_text));
	return (d->links ? linking_audit(l, u, l->identity_id) : OK);
}

static err
confirm(struct linking *l)
{
	struct request *r = l->r;
	const struct user *u = &l->out->user;

	TRY(audit(r, u, AUDIT_SIGNED_UP, json_pairs(r->arena, "provider", l->in->provider, NULL)));
	return (linking_confirm(l, u));
}

/* A letter goes out; without a setting that says otherwise there is no session before it is answered. */
static err
ask_to_confirm(struct linking *l, const struct decision *d)
{
	struct request *r = l->r;
	const char *name = l->in->provider;
	bool sent = !str_empty(d->email);

	if (sent)
		TRY(linking_send_confirmation(l, d->creates || d->links));
	if (cfg->gotrue_mailer_allow_unverified_email_sign_ins)
		return (OK);
	if (sent)
		return (linking_refuse_unverified(l, E_PROVIDER_EMAIL_NEEDS_VERIFICATION));
	l->refused = true;
	(void)fail(r, E_PROVIDER_EMAIL_NEEDS_VERIFICATION, "Unverified email with %s. Verify the email with %s in order to sign in", name,
	    name);
	return (OK);
}

/* A provider's proof of one address is none of another one that the account has; an account without any has nothing else to prove. */
static bool
is_proven(const struct linking *l, const char *email)
{
	const struct profile *p = l->in->profile;

	if (cfg->gotrue_mailer_autoconfirm || (str_empty(email) && l->email_verified))
		return (true);
	for (size_t i = 0; i < p->emails; i++)
		if (p->email[i].verified && str_equal_nocase(p->email[i].address, email))
			return (true);
	return (false);
}

err
linking_automatic(struct linking *l)
{
	struct decision d = { 0 };
	struct request *r = l->r;
	struct user *u = &l->out->user;
	const char *full_name = query_get(&l->in->profile->claims, "full_name");
	bool proven;

	TRY(decision_look(l, &d));
	*u = d.seen.user;
	if (d.creates)
		TRY(decision_prepare_user(l, &d));
	if (u->banned)
		return (fail(r, E_USER_BANNED, NULL));
	if (full_name != NULL)
		u->full_name = full_name;
	l->out->created = d.creates;
	l->out->before = d.creates ? NULL : user_text(r->arena, u);
	TRY(linking_begin(l));
	TRY(linking_assert_unchanged(r->db, .provider = l->in->provider, .sub = l->sub, .emails = l->verified, .email = l->email,
	    .aud = d.aud, .domains = d.domains, .domain = d.domain, .snapshot = d.seen.snapshot));
	TRY(d.creates ? write_new_user(l, &d) : write_known_user(l, &d));
	if (u->email_confirmed || (l->in->email_optional && str_empty(d.email)))
		return (audit(r, u, AUDIT_LOGIN, json_pairs(r->arena, "provider", l->in->provider, NULL)));
	TRY(owner_move(r, u, d.aud));
	proven = is_proven(l, u->email);
	if (proven || d.creates)
		TRY(linking_disown_others(l, u));
	if (d.creates && str_empty(d.email)) /* nothing is proven of the address that somebody else has */
		return (cfg->gotrue_mailer_autoconfirm ? confirm(l) : ask_to_confirm(l, &d));
	return (proven ? confirm(l) : ask_to_confirm(l, &d));
}
