/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

/* The rules are those of Go's strconv and of the decoders that the reference gives to envconfig. */

static const char *
parse_text(struct arena *a, const char *text, void *out)
{
	*(const char **)out = arena_strdup(a, text);
	return (NULL);
}

static char *
show_text(struct arena *a, const void *value)
{
	return (arena_strdup(a, *(const char *const *)value));
}

/* The reference's split: blanks and empty items stay. */
static char **
split(struct arena *a, const char *text)
{
	return (str_empty(str_trim(a, text)) ? arena_new_array(a, char *, 1) : str_split(a, text, ','));
}

/* An empty item would take who has none: a token without role, for one. */
static const char *
parse_list(struct arena *a, const char *text, void *out)
{
	char **item = split(a, text);
	size_t kept = 0;

	for (size_t i = 0; item[i] != NULL; i++) {
		item[kept] = str_trim(a, item[i]);
		if (*item[kept] != '\0')
			kept++;
	}
	item[kept] = NULL;
	*(char ***)out = item;
	return (NULL);
}

static char *
strs_join(struct arena *a, char *const *item, const char *between)
{
	struct buf b = buf_new(a);

	for (size_t i = 0; item[i] != NULL; i++) {
		if (i > 0)
			buf_puts(&b, between);
		buf_puts(&b, item[i]);
	}
	return (b.data);
}

static char *
show_list(struct arena *a, const void *value)
{
	return (strs_join(a, *(char *const *const *)value, ","));
}

static const char *
parse_secrets(struct arena *a, const char *text, void *out)
{
	char **item = str_split(a, text, '|');
	size_t kept = 0;

	for (size_t i = 0; item[i] != NULL; i++) {
		if (*item[i] != '\0')
			item[kept++] = item[i];
	}
	item[kept] = NULL;
	*(char ***)out = item;
	return (NULL);
}

static char *
show_secrets(struct arena *a, const void *value)
{
	return (strs_join(a, *(char *const *const *)value, "|"));
}

/* Of two pairs of one name the last counts, as in a Go map. */
const char *
pair_value(const struct setting_pair *pair, const char *name)
{
	for (; pair->name != NULL; pair++)
		if (strcmp(pair->name, name) == 0)
			return (pair->value);
	return (NULL);
}

static void
pairs_put(struct setting_pair *pair, const char *name, const char *value)
{
	while (pair->name != NULL && strcmp(pair->name, name) != 0)
		pair++;
	*pair = (struct setting_pair){ name, value };
}

static const char *
parse_map(struct arena *a, const char *text, void *out)
{
	char **item = split(a, text);
	struct setting_pair *pair;

	pair = arena_new_array(a, struct setting_pair, strs_len(item) + 1);
	for (size_t i = 0; item[i] != NULL; i++) {
		char **half = str_split(a, item[i], ':');

		if (strs_len(half) != 2)
			return ("must be written name:value,name:value");
		pairs_put(pair, half[0], half[1]);
	}
	*(struct setting_pair **)out = pair;
	return (NULL);
}

/* With "=", since names of custom providers have a colon. */
static const char *
parse_domains(struct arena *a, const char *text, void *out)
{
	static const char wrong[] = "must be written provider=domain,provider=domain";
	char **item = split(a, str_trim(a, text));
	struct setting_pair *pair;

	pair = arena_new_array(a, struct setting_pair, strs_len(item) + 1);
	for (size_t i = 0; item[i] != NULL; i++) {
		char *equals = strchr(item[i], '=');

		if (equals == NULL)
			return (wrong);

		char *name = str_trim(a, arena_strndup(a, item[i], (size_t)(equals - item[i])));
		char *domain = str_trim(a, equals + 1);

		if (*name == '\0' || *domain == '\0')
			return (wrong);
		pairs_put(pair, name, domain);
	}
	*(struct setting_pair **)out = pair;
	return (NULL);
}

static char *
pairs_join(struct arena *a, const struct setting_pair *pair, char between)
{
	struct buf b = buf_new(a);

	for (size_t i = 0; pair[i].name != NULL; i++)
		buf_printf(&b, "%s%s%c%s", i > 0 ? "," : "", pair[i].name, between, pair[i].value);
	return (b.data);
}

static char *
show_map(struct arena *a, const void *value)
{
	return (pairs_join(a, *(const struct setting_pair *const *)value, ':'));
}

static char *
show_domains(struct arena *a, const void *value)
{
	return (pairs_join(a, *(const struct setting_pair *const *)value, '='));
}

static const char *
parse_charsets(struct arena *a, const char *text, void *out)
{
	char **part = str_split(a, text, ':');
	size_t kept = 0, len = strs_len(part);

	for (size_t i = 0; i < len; i++) {
		size_t end = strlen(part[i]);

		if (end > 0 && part[i][end - 1] == '\\' && i + 1 < len) {
			part[i][end - 1] = '\0';
			part[i] = arena_printf(a, "%s:%s", part[i], part[i + 1]);
			part[i + 1] = arena_strdup(a, "");
		}
	}
	for (size_t i = 0; i < len; i++) {
		if (*part[i] != '\0')
			part[kept++] = part[i];
	}
	part[kept] = NULL;
	*(char ***)out = part;
	return (NULL);
}

static char *
show_charsets(struct arena *a, const void *value)
{
	char *const *set = *(char *const *const *)value;
	struct buf b = buf_new(a);

	for (size_t i = 0; set[i] != NULL; i++)
		buf_printf(&b, "%s%s", i > 0 ? ":" : "", str_replace(a, set[i], ":", "\\:"));
	return (b.data);
}

static const char *
parse_time(struct arena *a, const char *text, void *out)
{
	const char *trimmed = str_trim(a, text);

	*(int64_t *)out = 0;
	if (*trimmed == '\0' || clock_parse_rfc3339(trimmed, out))
		return (NULL);
	return ("must be a time such as 2030-01-31T12:00:00Z");
}

static char *
show_time(struct arena *a, const void *value)
{
	int64_t at = *(const int64_t *)value;

	return (at == 0 ? arena_strdup(a, "") : clock_rfc3339(a, at));
}

static const char *
parse_formed(struct arena *a, const char *text, void *out, const char *(*fault)(struct arena *, const char *))
{
	const char *trimmed = str_trim(a, text);

	*(const char **)out = trimmed;
	return (*trimmed == '\0' ? NULL : fault(a, trimmed));
}

static const char *
parse_formed_list(struct arena *a, const char *text, void *out, const char *(*fault)(struct arena *, const char *))
{
	const char *why = parse_list(a, text, out);

	for (char *const *item = *(char ***)out; *item != NULL && why == NULL; item++)
		why = fault(a, *item);
	return (why);
}

#define FORMED(type, parse, form)                                                     \
	static const char *parse_##type(struct arena *a, const char *text, void *out) \
	{                                                                             \
		return (parse(a, text, out, form));                                   \
	}

FORMED(url, parse_formed, form_url)
FORMED(site, parse_formed, form_site)
FORMED(host, parse_formed, form_host)
FORMED(email, parse_formed, form_email)
FORMED(role, parse_formed, form_role)
FORMED(emails, parse_formed_list, form_email)
FORMED(roles, parse_formed_list, form_role)

const struct setting_type setting_type_text = { "text", parse_text, show_text, false, true };
const struct setting_type setting_type_secret = { "secret", parse_text, show_text, true, false };
const struct setting_type setting_type_list = { "list", parse_list, show_list, false, true };
const struct setting_type setting_type_map = { "map", parse_map, show_map, false, false };
const struct setting_type setting_type_secret_map = { "secret map", parse_map, show_map, true, false };
const struct setting_type setting_type_domains = { "map with =", parse_domains, show_domains, false, false };
const struct setting_type setting_type_secrets = { "secrets", parse_secrets, show_secrets, true, false };
const struct setting_type setting_type_charsets = { "character sets", parse_charsets, show_charsets, false, false };
const struct setting_type setting_type_time = { "time", parse_time, show_time, false, false };
const struct setting_type setting_type_url = { "URL", parse_url, show_text, false, true };
const struct setting_type setting_type_site = { "URL of any scheme", parse_site, show_text, false, true };
const struct setting_type setting_type_host = { "host", parse_host, show_text, false, true };
const struct setting_type setting_type_email = { "e-mail address", parse_email, show_text, false, true };
const struct setting_type setting_type_emails = { "list of e-mail addresses", parse_emails, show_list, false, true };
const struct setting_type setting_type_role = { "role", parse_role, show_text, false, true };
const struct setting_type setting_type_roles = { "list of roles", parse_roles, show_list, false, true };
