/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "core/audit.h"
#include "core/onetime.h"
#include "core/owner.h"
#include "core/user.h"
#include "db/db.h"
#include "external/linking.h"
#include "query/identity.h"
#include "query/linking.h"
#include "query/onetime.h"

err
linking_begin(struct linking *l)
{
	struct arena *a = l->r->arena;
	const struct profile *p = l->in->profile;
	char **names = arena_new_array(a, char *, p->emails + 4);
	size_t len = 0;

	names[len++] = arena_printf(a, "identity %s %s", l->in->provider, l->sub);
	if (l->in->ticket != NULL)
		names[len++] = arena_strdup(a, l->in->ticket->lock);
	if (l->in->target_id != NULL)
		names[len++] = arena_printf(a, "user %s", l->in->target_id);
	for (size_t i = 0; i < p->emails; i++)
		names[len++] = arena_printf(a, "email %s", str_lower(a, p->email[i].address));
	TRY(linking_lock(l->r->db, .names = db_array(a, names)));
	return (user_hold(l->r->db, .id = l->out->user.id));
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
	struct user *u = &l->out->user;

	TRY(onetime_may_send(l->r, ONETIME_SIGNUP, u));
	if (!l->out->created)
		TRY(user_reload(l->r, u));
	TRY(onetime_send(l->r, ONETIME_SIGNUP, u, false));
	return (asks ? owner_wait(l->r, u->id, NULL, l->identity_id) : OK);
}

err
linking_refuse_unverified(struct linking *l, err error)
{
	const char *name = l->in->provider;

	l->refused = true;
	(void)fail(l->r, error, "Unverified email with %s. A confirmation email has been sent to your %s email", name, name);
	return (OK);
}

err
linking_confirm(struct linking *l, const struct user *u)
{
	TRY(user_confirm_email(l->r->db, .id = u->id, .now = l->r->now_text));
	return (onetime_clear(l->r->db, .user_id = u->id));
}
