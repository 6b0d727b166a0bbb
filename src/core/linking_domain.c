/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/linking_domain.h"
#include "db/db.h"

#define DEFAULT "default"

static setting_domains
domains(void)
{
	return (cfg->gotrue_experimental_provider_linking_domains);
}

const char *
linking_domain_of(const char *provider)
{
	const char *domain = DEFAULT;

	for (setting_domains d = domains(); d->name != NULL; d++)
		if (str_equal(d->name, provider))
			domain = d->value;
	return (domain);
}

char *
linking_domains(struct arena *a)
{
	struct buf out = buf_new(a);

	json_object_begin(&out, NULL);
	for (setting_domains d = domains(); d->name != NULL; d++)
		json_put_text(&out, d->name, d->value);
	json_object_end(&out);
	return (out.data);
}

const char *
linking_domains_own(struct arena *a)
{
	size_t len = 0;
	char **names;

	for (setting_domains d = domains(); d->name != NULL; d++)
		len++;
	names = arena_new_array(a, char *, len + 1);
	len = 0;
	for (setting_domains d = domains(); d->name != NULL; d++)
		if (!str_equal(d->value, DEFAULT))
			names[len++] = arena_strdup(a, d->name);
	return (db_array(a, names));
}
