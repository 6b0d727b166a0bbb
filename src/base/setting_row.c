/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

/* clang-format off */
const struct setting_row setting_rows[] = {
#define SETTING(type, field, name, fallback, state, sentence) \
	{ name, fallback, sentence, state, &setting_type_##type, offsetof(struct settings, field) },
#include "setting.def"
#define FIELD(id, type, member, name, fallback, state, sentence) \
	{ "GOTRUE_EXTERNAL_" #id "_" name, fallback, sentence, state, &setting_type_##type, \
	    offsetof(struct settings, provider[PROVIDER_##id].member) },
#define PROVIDER(id, ...) SETTING_PROVIDER_FIELDS(FIELD, id)
#include "provider.def"
#undef PROVIDER
#undef FIELD
};
/* clang-format on */

const size_t setting_row_count = sizeof(setting_rows) / sizeof(setting_rows[0]);

/* The tests parse every default, so this can't fail.  What may be unset has none. */
void
setting_reset(struct arena *a, struct settings *s, const struct setting_row *row)
{
	if (row->type != &setting_type_maybe_duration)
		(void)row->type->parse(a, row->fallback, (char *)s + row->offset);
}
