/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"

#include <string.h>
#include <unistd.h>

#include "base/setting_parse.h"
#include "base/str.h"

#define NAME_MAX_LENGTH 127

const struct settings *cfg;

const void *
setting_at(size_t offset)
{
	return ((const char *)cfg + offset);
}

const char *
setting_text_at(size_t offset)
{
	return (*(const setting_text *)setting_at(offset));
}

static const struct alias {
	const char *alias, *name;
} alias_table[] = {
#define ALIAS(alias, name) { alias, name },
#include "setting.def"
};

#define ALIASES (sizeof(alias_table) / sizeof(alias_table[0]))

/* One run of settings_load(). */
struct load {
	struct arena *arena;
	struct settings *settings;
	struct complaints *complaints;
	struct setting_source source;
	const char **given_as; /* the name that the value came by, NULL when there is none */
};

/* Names that are looked for when nothing says that the rest of the environment is meant for us. */
static bool
name_is_ours(const char *name)
{
	return (str_starts(name, "GOTRUE_") || (str_starts(name, "POSTERN_") && !str_starts(name, "POSTERN_TEST_")));
}

static bool
name_is_known(const char *name)
{
	for (size_t i = 0; i < setting_row_count; i++) {
		if (strcmp(setting_rows[i].name, name) == 0)
			return (true);
	}
	for (size_t i = 0; i < ALIASES; i++) {
		if (strcmp(alias_table[i].alias, name) == 0)
			return (true);
	}
	return (false);
}

static void
environment_read(struct load *l)
{
	for (char **e = environ; *e != NULL; e++) {
		size_t len = strcspn(*e, "=");
		char *name = arena_strndup(l->arena, *e, len);

		if ((*e)[len] == '=' && (name_is_ours(name) || name_is_known(name)))
			source_put(&l->source, name, arena_strdup(l->arena, *e + len + 1));
	}
}

static void
file_read(struct load *l, const char *file)
{
	const char *why = source_read(&l->source, file);

	if (why != NULL)
		complain(l->arena, l->complaints, FATAL, file, "%s %s.", file, why);
}

/* Levenshtein's distance; too long names are far from everything. */
static size_t
name_distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LENGTH + 1], la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LENGTH || lb > NAME_MAX_LENGTH)
		return (NAME_MAX_LENGTH);
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t changed = diagonal + (a[i - 1] != b[j - 1]);
			size_t moved = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

			diagonal = row[j];
			row[j] = changed < moved ? changed : moved;
		}
	}
	return (row[lb]);
}

/* NULL when none is near enough to be meant. */
static const char *
name_nearest(const char *name)
{
	const char *nearest = NULL;
	size_t best = strlen(name) / 3 + 1;

	for (size_t i = 0; i < setting_row_count; i++) {
		size_t distance = name_distance(name, setting_rows[i].name);

		if (distance < best) {
			best = distance;
			nearest = setting_rows[i].name;
		}
	}
	return (nearest);
}

/* With a prefix too many, or without it (in a file; of the environment nobody knows whom such a name is for); NULL: neither. */
static const char *
name_otherwise(struct arena *a, const char *name)
{
	static const char prefix[] = "GOTRUE_";
	const char *other = str_starts(name, prefix) ? name + strlen(prefix) : arena_printf(a, "%s%s", prefix, name);

	return (name_is_known(other) ? other : NULL);
}

static void
unknown_names(struct load *l)
{
	for (size_t i = 0; i < l->source.len; i++) {
		const char *name = l->source.pair[i].name, *nearest;

		if (name_is_known(name))
			continue;
		nearest = name_otherwise(l->arena, name);
		if (nearest == NULL && !name_is_ours(name))
			continue;
		if (nearest == NULL)
			nearest = name_nearest(name);
		if (nearest != NULL)
			complain(l->arena, l->complaints, WARNING, name, "%s is not a setting: is %s meant?", name, nearest);
		else
			complain(l->arena, l->complaints, WARNING, name, "%s is not a setting and does nothing.", name);
	}
}

/* Of the row's name and its aliases the one that is set: a name of ours goes before one that others have too, the row's before its aliases. */
static const char *
name_in_use(const struct setting_source *source, const char *name)
{
	const char *found = source_get(source, name) != NULL ? name : NULL;

	for (size_t i = 0; i < ALIASES; i++) {
		const char *alias = alias_table[i].alias;

		if (strcmp(alias_table[i].name, name) != 0 || source_get(source, alias) == NULL)
			continue;
		if (found == NULL || (!name_is_ours(found) && name_is_ours(alias)))
			found = alias;
	}
	return (found);
}

static void *
row_member(struct settings *s, const struct setting_row *row)
{
	return ((char *)s + row->offset);
}

static const void *
row_value(const struct settings *s, const struct setting_row *row)
{
	return ((const char *)s + row->offset);
}

static void
row_load(struct load *l, const struct setting_row *row, const char *name)
{
	const char *text = name != NULL ? source_get(&l->source, name) : NULL;
	const char *why;

	setting_reset(l->arena, l->settings, row);
	if (text == NULL || (*text == '\0' && row->type->blank))
		return;
	why = row->type->parse(l->arena, text, row_member(l->settings, row));
	if (why == NULL)
		return;
	if (row->type->masked)
		complain(l->arena, l->complaints, FATAL, name, "%s %s.", name, why);
	else
		complain(l->arena, l->complaints, FATAL, name, "%s %s, not \"%s\".", name, why, text);
	setting_reset(l->arena, l->settings, row);
}

static bool
row_differs(struct arena *a, const struct settings *s, const struct setting_row *row)
{
	/* A switch that is off turns nothing on, whatever its default. */
	if (row->type == &setting_type_bool && !*(const bool *)row_value(s, row))
		return (false);

	struct settings *pristine = arena_new_object(a, struct settings);

	setting_reset(a, pristine, row);
	return (strcmp(row->type->show(a, row_value(s, row)), row->type->show(a, row_value(pristine, row))) != 0);
}

/* The switch GOTRUE_X_ENABLED that rules over GOTRUE_X_..., if it is of a feature to come; NULL without. */
static const struct setting_row *
row_switch(const struct setting_row *row)
{
	static const char end[] = "ENABLED";

	for (size_t i = 0; i < setting_row_count; i++) {
		const struct setting_row *other = &setting_rows[i];
		size_t len = strlen(other->name);

		if (other == row || other->state != NOT_BUILT || !str_ends(other->name, "_ENABLED"))
			continue;
		if (strncmp(row->name, other->name, len - strlen(end)) == 0)
			return (other);
	}
	return (NULL);
}

/* A feature speaks once: by its switch when it has one. */
static bool
row_is_silent(struct arena *a, const struct settings *s, const struct setting_row *row)
{
	const struct setting_row *ruler = row_switch(row);

	return (ruler != NULL && (!*(const bool *)row_value(s, ruler) || row_differs(a, s, ruler)));
}

static void
row_judge(struct load *l, const struct setting_row *row, const char *name)
{
	/* PORT, SECRETS and their like may be meant for somebody else. */
	if (row->state == LIVE || name == NULL || !name_is_ours(name) || !row_differs(l->arena, l->settings, row))
		return;
	if (row->state == NO_EFFECT)
		complain(l->arena, l->complaints, WARNING, name, "%s has no effect here. %s", name, row->sentence);
	else if (!row_is_silent(l->arena, l->settings, row))
		complain(l->arena, l->complaints, UNBUILT, name, "%s is known but not built yet. %s", name, row->sentence);
}

static void
rows_load(struct load *l)
{
	for (size_t i = 0; i < setting_row_count; i++) {
		l->given_as[i] = name_in_use(&l->source, setting_rows[i].name);
		row_load(l, &setting_rows[i], l->given_as[i]);
	}
	settings_clamp(l->arena, l->settings);
	for (size_t i = 0; i < setting_row_count; i++)
		row_judge(l, &setting_rows[i], l->given_as[i]);
}

static bool
any_fatal(const struct complaints *c)
{
	for (size_t i = 0; i < c->len; i++) {
		if (c->item[i].fatal)
			return (true);
	}
	return (false);
}

const struct settings *
settings_load(struct arena *a, const char *file, struct complaints *complaints)
{
	struct load *l = arena_new_object(a, struct load);

	complaints->len = 0;
	l->arena = a;
	l->settings = arena_new_object(a, struct settings);
	l->complaints = complaints;
	l->source.arena = a;
	l->given_as = arena_new_array(a, const char *, setting_row_count);
	environment_read(l);
	if (file != NULL)
		file_read(l, file);
	unknown_names(l);
	rows_load(l);
	settings_check(a, l->settings, complaints);
	if (any_fatal(complaints))
		return (NULL);
	cfg = l->settings;
	return (cfg);
}

void
settings_each(struct arena *a, const struct settings *s, void (*call)(void *arg, const struct setting_view *), void *arg)
{
	for (size_t i = 0; i < setting_row_count; i++) {
		const struct setting_row *row = &setting_rows[i];
		const char *value = row->type->show(a, row_value(s, row));
		struct setting_view view = {
			.name = row->name,
			.type = row->type->name,
			.value = row->type->masked && *value != '\0' ? "(set)" : value,
			.fallback = row->fallback,
			.sentence = row->sentence,
			.state = row->state,
		};

		call(arg, &view);
	}
}
