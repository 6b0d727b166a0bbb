/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/audit.h"
#include "core/claims.h"
#include "query/audit.h"
#include "query/row.h"

static const struct {
	const char *action, *type;
	enum { PLAIN, ADDRESSED } address;
} actions[] = {
#define AUDIT(id, action, type, address) { action, type, address },
#include "audit.def"
};

static char *
audit_payload(struct request *r, const struct user *actor, enum audit_action action, const char *traits)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_text(&b, "actor_id", str_or(actor->id, UUID_NIL));
	json_put_bool(&b, "actor_via_sso", actor->sso);
	json_put_text(&b, "actor_username", str_or(actor->phone, str_or(actor->email, "")));
	json_put_text(&b, "action", actions[action].action);
	json_put_text(&b, "log_type", actions[action].type);
	json_put_raw(&b, "actor_name", actor->full_name);
	json_put_raw(&b, "traits", traits);
	json_object_end(&b);
	return (b.data);
}

const char *
audit_traits(struct arena *a, const struct user *u, const char *provider)
{
	return (json_pairs(a, "user_id", u->id, "#user_email", json_quote(a, u->email), "#user_phone", json_quote(a, u->phone), "provider",
	    provider, NULL));
}

const char *
audit_address(const struct request *r, enum audit_action action)
{
	if (!cfg->postern_audit_address && actions[action].address == PLAIN)
		return ("");
	return (r->inet);
}

const char *
audit_text(struct request *r, const struct user *actor, enum audit_action action, const char *traits)
{
	const char *payload = audit_payload(r, actor, action, traits);

	log_event(LOG_INFO, "audit_event", "#auth_audit_event", payload, "ip_address", r->address, NULL);
	return (cfg->gotrue_audit_log_disable_postgres ? NULL : payload);
}

err
audit(struct request *r, const struct user *actor, enum audit_action action, const char *traits)
{
	const char *payload = audit_text(r, actor, action, traits);

	if (payload == NULL)
		return (OK);
	return (audit_add(r->db, .id = uuid_new(r->arena), .payload = payload, .address = audit_address(r, action)));
}

err
audit_admin(struct request *r, enum audit_action action, const char *traits)
{
	const struct user admin = { .role = r->claims->role, .email = r->claims->role };

	return (audit(r, &admin, action, traits));
}
