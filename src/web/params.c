/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "web/request.h"

#define BODY_MAX_TEXT "1048576"

/* One object on its way into a struct. */
struct filling {
	struct arena *arena;
	const struct param *fields;
	char *into;
	const char *wrong; /* what did not fit, in words */
	bool large;        /* it is too long */
};

static const struct param *
field_find(const struct param *fields, const char *key)
{
	for (const struct param *f = fields; f->name != NULL; f++)
		if (strcmp(f->name, key) == 0)
			return (f);
	for (const struct param *f = fields; f->name != NULL; f++)
		if (str_equal_nocase(f->name, key))
			return (f);
	return (NULL);
}

static bool
take_text(struct arena *a, json *value, void *slot)
{
	const char *text = json_string(value);

	(void)a;
	if (text != NULL)
		memcpy(slot, &text, sizeof(text));
	return (text != NULL);
}

static bool
take_boolean(struct arena *a, json *value, void *slot)
{
	(void)a;
	*(bool *)slot = json_true(value);
	return (json_kind(value) == JSON_BOOL);
}

static bool
take_maybe_bool(struct arena *a, json *value, void *slot)
{
	bool *set = arena_new_object(a, bool);

	memcpy(slot, &set, sizeof(set));
	return (take_boolean(a, value, set));
}

static bool
take_integer(struct arena *a, json *value, void *slot)
{
	(void)a;
	return (json_kind(value) == JSON_NUMBER && json_integer(value, slot));
}

static bool
take_real(struct arena *a, json *value, void *slot)
{
	(void)a;
	return (json_kind(value) == JSON_NUMBER && json_real(value, slot));
}

static bool
take_strings(struct arena *a, json *value, void *slot)
{
	size_t len = json_len(value);
	const char **list;

	if (json_kind(value) != JSON_ARRAY)
		return (false);
	list = arena_new_array(a, const char *, len + 1);
	for (size_t i = 0; i < len; i++) {
		json *item = json_at(value, i);

		list[i] = json_kind(item) == JSON_NULL ? "" : json_string(item);
		if (list[i] == NULL)
			return (false);
	}
	memcpy(slot, &list, sizeof(list));
	return (true);
}

static bool
take_raw_object(struct arena *a, json *value, void *slot)
{
	const char *text;

	if (json_kind(value) != JSON_OBJECT || !json_numbers_fit(value))
		return (false);
	text = json_text(a, value);
	memcpy(slot, &text, sizeof(text));
	return (true);
}

static bool
take_value(struct arena *a, json *value, void *slot)
{
	(void)a;
	memcpy(slot, &value, sizeof(value));
	return (json_numbers_fit(value));
}

/* What null leaves behind: the pointers forget, the others keep what they have. */
static const struct {
	const char *wanted;
	bool (*take)(struct arena *, json *, void *slot);
	bool pointer;
} kinds[] = {
	[PARAM_text] = { "a string", take_text, false },
	[PARAM_maybe_text] = { "a string", take_text, true },
	[PARAM_boolean] = { "true or false", take_boolean, false },
	[PARAM_maybe_bool] = { "true or false", take_maybe_bool, true },
	[PARAM_integer] = { "a whole number", take_integer, false },
	[PARAM_real] = { "a number", take_real, false },
	[PARAM_strings] = { "a list of strings", take_strings, true },
	[PARAM_raw_object] = { "an object with numbers in range", take_raw_object, true },
	[PARAM_value] = { "a value with numbers in range", take_value, true },
	[PARAM_nested] = { "an object", NULL, false },
};

static bool fill_member(void *arg, const char *key, json *value);

static bool
fill_nested(struct filling *outer, const struct param *field, json *value)
{
	struct filling inner = { outer->arena, field->nested, outer->into + field->offset, NULL, false };

	if (json_kind(value) != JSON_OBJECT)
		return (false);
	json_each(value, fill_member, &inner);
	outer->wrong = inner.wrong;
	outer->large = inner.large;
	return (true);
}

static bool
fill_member(void *arg, const char *key, json *value)
{
	struct filling *f = arg;
	const struct param *field = field_find(f->fields, key);
	char *slot;
	bool fits;

	if (field == NULL)
		return (true);
	slot = f->into + field->offset;
	if (json_kind(value) == JSON_NULL) {
		if (kinds[field->type].pointer)
			memset(slot, 0, sizeof(void *));
		return (true);
	}
	fits = field->type == PARAM_nested ? fill_nested(f, field, value) : kinds[field->type].take(f->arena, value, slot);
	if (!fits)
		f->wrong = arena_printf(f->arena, "%s must be %s", field->name, kinds[field->type].wanted);
	f->large = fits && field->type == PARAM_raw_object && json_written(value) > (size_t)cfg->postern_metadata_max;
	if (f->large)
		f->wrong =
		    arena_printf(f->arena, "%s must not be larger than %lld bytes", field->name, (long long)cfg->postern_metadata_max);
	return (f->wrong == NULL);
}

/* Absent text is "" and never NULL. */
static void
fill_empty(const struct param *fields, char *into)
{
	static const char *const empty = "";

	for (const struct param *f = fields; f->name != NULL; f++)
		if (f->type == PARAM_text)
			memcpy(into + f->offset, &empty, sizeof(empty));
		else if (f->type == PARAM_nested)
			fill_empty(f->nested, into + f->offset);
}

static err
refuse(struct request *r, const char *why)
{
	return (fail(r, E_BAD_JSON, "Could not parse request body as JSON: %s", why));
}

static checked err
body_check(struct request *r)
{
	if (r->body_state == BODY_TOO_LARGE)
		return (fail(r, E_REQUEST_ENTITY_TOO_LARGE, "Request body too large (max %s bytes)", BODY_MAX_TEXT));
	if (r->body_state == BODY_BROKEN)
		return (fail(r, E_UNEXPECTED_FAILURE, "Could not read body into byte slice"));
	return (OK);
}

/* The body is parsed once, however many read it. */
static checked err
body_parse(struct request *r)
{
	const char *why = NULL;

	if (r->parsed != NULL)
		return (OK);
	TRY(body_check(r));
	if (r->body_len == 0)
		return (refuse(r, "unexpected end of JSON input"));
	r->parsed = json_parse(r->arena, r->body, r->body_len, &why);
	return (r->parsed == NULL ? refuse(r, str_or(why, "it is not JSON")) : OK);
}

err
params_read(struct request *r, const struct param *fields, void *into)
{
	struct filling filling = { r->arena, fields, into, NULL, false };

	fill_empty(fields, into);
	TRY(body_parse(r));
	if (json_kind(r->parsed) == JSON_NULL)
		return (OK);
	if (json_kind(r->parsed) != JSON_OBJECT)
		return (refuse(r, "it must be an object"));
	json_each(r->parsed, fill_member, &filling);
	if (filling.large)
		return (fail(r, E_VALIDATION_FAILED, "%s", filling.wrong));
	return (filling.wrong != NULL ? refuse(r, filling.wrong) : OK);
}

err
params_read_optional(struct request *r, const struct param *fields, void *into)
{
	if (r->body_len > 0 || r->body_state != BODY_WHOLE)
		return (params_read(r, fields, into));
	fill_empty(fields, into);
	return (OK);
}

/* --- Forms --- */

/* The values of a name that are not empty, ends with NULL. */
static const char **
form_values(const struct query *pairs, const char *name)
{
	const char **values = arena_new_array(pairs->arena, const char *, pairs->len + 1);
	size_t len = 0;

	for (size_t i = 0; i < pairs->len; i++)
		if (str_equal(pairs->pair[i].name, name) && *pairs->pair[i].value != '\0')
			values[len++] = pairs->pair[i].value;
	return (values);
}

static bool
form_take(struct arena *a, const struct param *field, const char *text, void *slot)
{
	json *value;

	switch (field->type) {
	case PARAM_text:
	case PARAM_maybe_text:
		memcpy(slot, &text, sizeof(text));
		return (true);
	case PARAM_boolean:
	case PARAM_maybe_bool:
	case PARAM_integer:
	case PARAM_real:
		value = json_parse_text(a, text);
		return (value != NULL && kinds[field->type].take(a, value, slot));
	default:
		return (false);
	}
}

static err
form_field(struct request *r, const struct query *pairs, const struct param *field, char *slot)
{
	const char **values = form_values(pairs, field->name);

	if (*values == NULL)
		return (OK);
	if (field->type == PARAM_strings)
		memcpy(slot, &values, sizeof(values));
	else if (values[1] != NULL)
		return (fail(r, E_VALIDATION_FAILED, "%s must not be given twice", field->name));
	else if (!form_take(r->arena, field, *values, slot))
		return (fail(r, E_VALIDATION_FAILED, "%s must be %s", field->name, kinds[field->type].wanted));
	return (OK);
}

err
form_read(struct request *r, const struct query *pairs, const struct param *fields, void *into)
{
	fill_empty(fields, into);
	if (pairs == &r->form)
		TRY(body_check(r));
	for (const struct param *f = fields; f->name != NULL; f++)
		TRY(form_field(r, pairs, f, (char *)into + f->offset));
	return (OK);
}
