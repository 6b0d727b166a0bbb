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

	buf_printf(&b, "{\"actor_id\":%s,\"actor_via_sso\":%s,\"actor_username\":%s,\"action\":\"%s\",\"log_type\":\"%s\"",
	    json_quote(r->arena, str_or(actor->id, UUID_NIL)), actor->sso ? "true" : "false",
	    json_quote(r->arena, str_or(actor->phone, str_or(actor->email, ""))), actions[action].action, actions[action].type);
	if (actor->full_name != NULL)
		buf_printf(&b, ",\"actor_name\":%s", actor->full_name);
	if (traits != NULL)
		buf_printf(&b, ",\"traits\":%s", traits);
	buf_putc(&b, '}');
	return (b.data);
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
