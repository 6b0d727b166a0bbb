/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#define AT(stem, use) offsetof(struct settings, gotrue_mfa_##stem##_##use##_enabled)

static const struct {
	size_t enroll, verify;
} types[] = {
#define FACTOR_TYPE(id, type, method, stem, ...) { AT(stem, enroll), AT(stem, verify) },
#include "factor.def"
};

static bool
is_on(const struct settings *s, size_t offset)
{
	return (*(const setting_bool *)((const char *)s + offset));
}

static const char *
name_of(size_t offset)
{
	const struct setting_row *row = setting_rows;

	while (row->offset != offset)
		row++;
	return (row->name);
}

/* A factor that people add and can't use shuts them out, or is no help when they need it. */
void
settings_check_factors(struct arena *a, const struct settings *s, struct complaints *complaints)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *name = name_of(types[i].verify);

		if (is_on(s, types[i].enroll) && !is_on(s, types[i].verify))
			complain(a, complaints, WARNING, name, "%s should be true while %s is: people add what they can't use.", name,
			    name_of(types[i].enroll));
	}
}
