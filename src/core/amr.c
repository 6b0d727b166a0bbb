/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/amr.h"
#include "core/user_json.h"
#include "db/db.h"

struct method_row {
	const char *updated_at, *name;
};

/* Which one it was is known where the user has no other identity. */
static const char *
sso_provider(struct arena *a, const struct user *u)
{
	size_t count;
	const struct identity_row *row = user_identities(a, u, &count);

	return (count == 1 && str_starts(row->provider, "sso:") ? row->provider + strlen("sso:") : NULL);
}

static void
put_method(struct buf *b, const struct user *u, const char *method, usec at)
{
	const char *provider = str_equal(method, "sso/saml") ? sso_provider(b->arena, u) : NULL;

	json_object_begin(b, NULL);
	json_put_text(b, "method", method);
	json_put_number(b, "timestamp", (long long)(at / 1000000));
	json_put_pair(b, "provider", provider);
	json_object_end(b);
}

char *
amr_text(struct arena *a, const struct user *u, const char *methods, const char *latest, usec at)
{
	struct buf b = buf_new(a);
	size_t count;
	const struct method_row *row = db_rows(a, methods, sizeof(*row) / sizeof(char *), &count);

	json_array_begin(&b, NULL);
	if (latest != NULL)
		put_method(&b, u, latest, at);
	while (count-- > 0)
		if (!str_equal(row[count].name, latest))
			put_method(&b, u, row[count].name, clock_timestamptz(row[count].updated_at));
	json_array_end(&b);
	return (b.data);
}

bool
factor_verified(const struct factor_row *factor)
{
	return (str_equal(factor->status, "verified"));
}

bool
user_has_factor(struct arena *a, const struct user *u)
{
	size_t count;
	const struct factor_row *row = user_factors(a, u, &count);

	for (size_t i = 0; i < count; i++)
		if (factor_verified(&row[i]))
			return (true);
	return (false);
}

bool
session_is_aal2(const struct user *u)
{
	return (str_equal(u->session_aal, "aal2"));
}

usec
session_low_aal_end(struct arena *a, const struct user *u)
{
	if (cfg->gotrue_sessions_allow_low_aal.ns <= 0 || session_is_aal2(u) || !user_has_factor(a, u))
		return (0);
	return (u->session_created_at + cfg->gotrue_sessions_allow_low_aal.ns / 1000);
}
