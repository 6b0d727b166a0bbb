/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/limit.h"
#include "db/db.h"
#include "query/limit.h"
#include "query/row.h"
#include "sec/secret.h"
#include "web/peer.h"

#define CLIENT_MAX 128

#define LIMIT_OF(id, setting, per, most, user) \
	static double rate_##id(void)          \
	{                                      \
		return ((double)cfg->setting); \
	}                                      \
	const struct limit limit_##id = { #id, rate_##id, (per), (most), (user) };
#define LIMIT_ROW(id, setting, per, most) LIMIT_OF(id, setting, per, most, false)
#define USER_LIMIT_ROW(id, setting, per, most) LIMIT_OF(id, setting, per, most, true)
#include "limit.def"

/* Who is counted; NULL: nobody is. */
static const char *
client_key(struct request *r)
{
	const char *forwarded = peer_forwarded(r);
	const char *name = cfg->gotrue_rate_limit_header;
	const char *value, *key;

	if (forwarded != NULL)
		return (forwarded);
	if (str_empty(name))
		return (NULL);
	value = request_header(r, name);
	key = str_empty(value) ? "" : str_trim(r->arena, arena_strndup(r->arena, value, strcspn(value, ",")));
	if (str_empty(key)) {
		log_event(LOG_WARN, "the rate limit header has no value: this request is not limited", "header", name, NULL);
		return (NULL);
	}
	return (strlen(key) > CLIENT_MAX ? sha256_hex(r->arena, key) : key); /* an index takes 2,704 bytes at most */
}

err
limit_take(struct request *r, const struct limit *limit)
{
	const char *key, *client = limit->per_user ? r->user->id : client_key(r);
	double rate = limit->rate(), burst = limit->burst > 0 ? limit->burst : rate;
	struct limit_take_one taken;
	err counted;

	if (client == NULL)
		return (OK);
	key = arena_printf(r->arena, "%s %s", limit->name, client);
	if (request_did(r, key))
		return (OK);
	db_autonomous_begin(r->db);
	counted = limit_take_one(r->db, &taken, .key = key, .burst = arena_printf(r->arena, "%.9g", burst),
	    .per_second = arena_printf(r->arena, "%.9g", rate / limit->seconds));
	TRY(counted);
	TRY(db_autonomous_end(r->db));
	if (!taken.allowed)
		return (fail(r, E_OVER_REQUEST_RATE_LIMIT, NULL));
	request_done(r, key);
	return (OK);
}

err
limit_take_message(struct request *r, const char *what, setting_rate rate, bool *allowed)
{
	const char *events = arena_printf(r->arena, "%.9g", rate.events);
	double seconds = (double)rate.per_ns / 1e9;
	struct limit_take_in_span in_span = { 0 };
	struct limit_take_one one = { 0 };
	err counted;

	*allowed = true;
	if (request_did(r, what))
		return (OK);
	db_autonomous_begin(r->db);
	if (rate.burst)
		counted =
		    limit_take_one(r->db, &one, .key = what, .burst = events, .per_second = arena_printf(r->arena, "%.9g", 1 / seconds));
	else
		counted =
		    limit_take_in_span(r->db, &in_span, .key = what, .events = events, .seconds = arena_printf(r->arena, "%.9g", seconds));
	TRY(counted);
	TRY(db_autonomous_end(r->db));
	*allowed = one.allowed || in_span.allowed;
	if (*allowed)
		request_done(r, what);
	return (OK);
}
