/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "base/setting_parse.h"

void
complain(struct arena *a, struct complaints *c, enum complaint_kind kind, const char *setting, const char *fmt, ...)
{
	size_t room = sizeof(c->item) / sizeof(c->item[0]);
	va_list args;

	/* The last place is overwritten, so that a fatal one is never lost among warnings. */
	if (c->len == room && kind != FATAL)
		return;
	if (c->len < room)
		c->len++;

	struct complaint *item = &c->item[c->len - 1];

	item->fatal = kind == FATAL;
	item->not_built = kind == UNBUILT;
	item->setting = setting;
	va_start(args, fmt);
	item->sentence = arena_vprintf(a, fmt, args);
	va_end(args);
}
