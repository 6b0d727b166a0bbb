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
	bool blank; /* set to nothing it has its default; numbers and the like must not be empty, as in the reference */
};

/* clang-format off */
#define SETTING_TYPES(TYPE) \
	TYPE(text) TYPE(secret) TYPE(bool) TYPE(int) TYPE(uint) TYPE(real) TYPE(duration) TYPE(maybe_duration) TYPE(list) TYPE(map) \
	TYPE(secret_map) TYPE(domains) TYPE(secrets) TYPE(rate) TYPE(charsets) TYPE(time) \
	TYPE(url) TYPE(site) TYPE(host) TYPE(email) TYPE(emails) TYPE(role) TYPE(roles)
/* clang-format on */

#define TYPE(type) extern const struct setting_type setting_type_##type;
SETTING_TYPES(TYPE)
#undef TYPE

/* What is wrong with a text of some form: words as parse() gives them, NULL for nothing. */
const char *form_url(struct arena *, const char *);  /* of a web server */
const char *form_site(struct arena *, const char *); /* of whatever opens it: myapp:// too */
const char *form_host(struct arena *, const char *); /* or an IP address */
const char *form_email(struct arena *, const char *);
const char *form_role(struct arena *, const char *);

const char *pair_value(const struct setting_pair *, const char *name); /* of pairs that end with a NULL name; NULL without */

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

/* A row of setting.def, or a field of a row of provider.def. */
struct setting_row {
	const char *name, *fallback, *sentence;
	enum setting_state state;
	const struct setting_type *type;
	size_t offset; /* in struct settings */
};
extern const struct setting_row setting_rows[];
extern const size_t setting_row_count;

void setting_reset(struct arena *, struct settings *, const struct setting_row *); /* to its default */

enum complaint_kind { FATAL, WARNING, UNBUILT };
void complain(struct arena *, struct complaints *, enum complaint_kind, const char *setting, const char *fmt, ...) printf_like(5, 6);

/* What the reference makes of values that it does not refuse: minimums, zeroes that mean the default, telephone numbers. */
void settings_clamp(struct arena *, struct settings *);

/* What single values can't tell: settings that must be there, that exclude each other or need one another, and what the reference refuses. */
void settings_check(struct arena *, const struct settings *, struct complaints *);

/* Of these whether factors that people add can be used. */
void settings_check_factors(struct arena *, const struct settings *, struct complaints *);

/* Of these whether browsers can use passkeys and security keys; the reference starts all the same. */
void settings_check_webauthn(struct arena *, const struct settings *, struct complaints *);

#endif
