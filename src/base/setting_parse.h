/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SETTING_PARSE_H
#define BASE_SETTING_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/setting.h"

/* For base/setting*.c only. */

/*
 * A type of settings.  parse() writes a setting_<type> to out and gives NULL, or says what is wrong with the text: words that go on after
 * "GOTRUE_X ".  show() is its inverse in one usual form.
 */
struct setting_type {
	const char *name; /* as the manual has it */
	const char *(*parse)(struct arena *, const char *text, void *out);
	char *(*show)(struct arena *, const void *value);
	bool masked;
};

#define SETTING_TYPES(TYPE) \
	TYPE(text) TYPE(secret) TYPE(bool) TYPE(int) TYPE(uint) TYPE(real) TYPE(duration) TYPE(maybe_duration) TYPE(list) TYPE(map) TYPE(secret_map) \
	TYPE(domains) TYPE(secrets) TYPE(rate) TYPE(charsets) TYPE(time)

#define TYPE(type) extern const struct setting_type setting_type_##type;
SETTING_TYPES(TYPE)
#undef TYPE

/* Names and values as they came; a later one of the same name takes the place of an earlier one. */
struct setting_source {
	struct arena *arena;
	struct setting_pair *pair;
	size_t len, cap;
};
void source_put(struct setting_source *, const char *name, const char *value);
const char *source_get(const struct setting_source *, const char *name); /* NULL without */

/* Adds what the text of a settings file says.  Gives NULL, or what is wrong, with the line. */
const char *source_parse(struct setting_source *, const char *text, size_t len);
const char *source_read(struct setting_source *, const char *file);

#endif
