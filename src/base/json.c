/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_check.h"
#include "base/number.h"
#include "base/str.h"
#include "base/utf8.h"

#define LEVELS 100

/*
 * json-c's own null is a NULL pointer, which could not be told from "not there", and its numbers forget their text.
 * So null is a boolean with this mark as its user data, and every number is a double that carries its text.
 */
static char null_mark[] = "null";

struct parser {
	struct arena *arena;
	struct json_scan scan;
	enum json_token token; /* the one to be looked at next */
	int level;
};

static json *value_parse(struct parser *);

static json *
made(json *value)
{
	if (value == NULL) {
		fputs("postern: out of memory\n", stderr);
		abort();
	}
	return (value);
}

static void
advance(struct parser *parser)
{
	parser->token = json_scan_next(&parser->scan);
}

static json *
refuse(struct parser *parser, json *half, const char *why)
{
	if (parser->token != JSON_BAD && parser->token != JSON_END)
		parser->scan.why = why;
	parser->token = JSON_BAD;
	json_object_put(half);
	return (NULL);
}

static json *
null_new(void)
{
	json *value = made(json_object_new_boolean(0));

	json_object_set_userdata(value, null_mark, NULL);
	return (value);
}

static json *
number_new(struct parser *parser)
{
	char *text = number_kept(parser->arena, parser->scan.word, parser->scan.word_len);

	return (made(json_object_new_double_s(0, text)));
}

/* The member's name, then the colon. */
static char *
name_parse(struct parser *parser)
{
	char *name;

	if (parser->token != JSON_WORD_STRING)
		return (NULL);
	name = arena_strndup(parser->arena, parser->scan.string.data, parser->scan.string.len);
	advance(parser);
	if (parser->token != JSON_COLON)
		return (NULL);
	advance(parser);
	return (name);
}

static bool
member_parse(struct parser *parser, json *object)
{
	char *name = name_parse(parser);
	json *value;

	if (name == NULL) {
		refuse(parser, NULL, "a member needs a name in quotes and a colon");
		return (false);
	}
	value = value_parse(parser);
	if (value == NULL)
		return (false);
	/* The last of two wins and stands where it came. */
	json_object_object_del(object, name);
	if (json_object_object_add(object, name, value) != 0)
		made(NULL);
	return (true);
}

static bool
element_parse(struct parser *parser, json *array)
{
	json *value = value_parse(parser);

	if (value == NULL)
		return (false);
	if (json_object_array_add(array, value) != 0)
		made(NULL);
	return (true);
}

/* Behind the opening bracket up to and with the closing one. */
static json *
items_parse(struct parser *parser, json *whole, bool (*item_parse)(struct parser *, json *), char close)
{
	if (parser->token == JSON_CLOSE && parser->scan.mark == close) {
		advance(parser);
		return (whole);
	}
	for (;;) {
		if (!item_parse(parser, whole))
			return (refuse(parser, whole, ""));
		if (parser->token == JSON_CLOSE && parser->scan.mark == close)
			break;
		if (parser->token != JSON_COMMA)
			return (refuse(parser, whole, "a comma or the closing bracket is missing"));
		advance(parser);
	}
	advance(parser);
	return (whole);
}

static json *
container_parse(struct parser *parser)
{
	bool object = parser->scan.mark == '{';
	json *whole;

	if (++parser->level > LEVELS)
		return (refuse(parser, NULL, "too many levels"));
	advance(parser);
	if (object)
		whole = items_parse(parser, made(json_object_new_object()), member_parse, '}');
	else
		whole = items_parse(parser, made(json_object_new_array()), element_parse, ']');
	parser->level--;
	return (whole);
}

static json *
scalar_new(struct parser *parser)
{
	switch (parser->token) {
	case JSON_WORD_NULL:
		return (null_new());
	case JSON_WORD_TRUE:
	case JSON_WORD_FALSE:
		return (made(json_object_new_boolean(parser->token == JSON_WORD_TRUE)));
	case JSON_WORD_NUMBER:
		return (number_new(parser));
	case JSON_WORD_STRING:
		return (made(json_object_new_string_len(parser->scan.string.data, (int)parser->scan.string.len)));
	default:
		return (NULL);
	}
}

static json *
value_parse(struct parser *parser)
{
	json *value;

	if (parser->token == JSON_OPEN)
		return (container_parse(parser));
	value = scalar_new(parser);
	if (value == NULL)
		return (refuse(parser, NULL, "a value is missing"));
	advance(parser);
	return (value);
}

/* json-c frees without overwriting, and a body may hold a password. */
static void
strings_wipe(json *value)
{
	if (json_object_get_type(value) == json_type_string) {
		explicit_bzero((char *)json_object_get_string(value), (size_t)json_object_get_string_len(value));
	} else if (json_object_get_type(value) == json_type_array) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			strings_wipe(json_object_array_get_idx(value, i));
	} else if (json_object_get_type(value) == json_type_object) {
		struct lh_entry *entry;

		lh_foreach(json_object_get_object(value), entry)
		{
			strings_wipe((json *)lh_entry_v(entry));
		}
	}
}

static void
value_release(void *value)
{
	strings_wipe(value);
	json_object_put(value);
}

json *
json_parse(struct arena *arena, const char *text, size_t len, const char **why)
{
	struct parser parser = { .arena = arena, .scan = json_scan_start(arena, text, len) };
	json *value = NULL;

	if (len > INT32_MAX)
		parser.scan.why = "too long";
	else {
		advance(&parser);
		value = value_parse(&parser);
	}
	if (value != NULL && parser.token != JSON_END)
		value = refuse(&parser, value, "something follows the value");
	if (value != NULL)
		arena_defer(arena, value_release, value);
	else if (why != NULL)
		*why = arena_printf(arena, "%s at byte %zu", parser.scan.why, parser.scan.at);
	return (value);
}

json *
json_parse_text(struct arena *arena, const char *text)
{
	return (text == NULL ? NULL : json_parse(arena, text, strlen(text), NULL));
}

enum json_kind
json_kind(const json *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return (json_object_get_userdata((json *)value) == null_mark ? JSON_NULL : JSON_BOOL);
	case json_type_double:
		return (JSON_NUMBER);
	case json_type_string:
		return (JSON_STRING);
	case json_type_array:
		return (JSON_ARRAY);
	case json_type_object:
		return (JSON_OBJECT);
	default:
		return (JSON_NULL);
	}
}

json *
json_get(const json *object, const char *key)
{
	json *value = NULL;

	if (json_kind(object) == JSON_OBJECT)
		json_object_object_get_ex(object, key, &value);
	return (value);
}

json *
json_get_nocase(const json *object, const char *key)
{
	json *found = NULL;
	struct lh_entry *entry;

	if (json_kind(object) != JSON_OBJECT)
		return (NULL);
	lh_foreach(json_object_get_object(object), entry)
	{
		json *value = (json *)lh_entry_v(entry);

		/* A null leaves alone what another spelling has given. */
		if (str_equal_nocase(lh_entry_k(entry), key) && (found == NULL || json_kind(value) != JSON_NULL))
			found = value;
	}
	return (found);
}

/* One step of a path: a member's name or an index. */
static json *
step_into(const json *value, const char *name)
{
	char *end;
	unsigned long index;

	if (json_kind(value) != JSON_ARRAY)
		return (json_get(value, name));
	if (*name < '0' || *name > '9')
		return (NULL);
	index = strtoul(name, &end, 10);
	return (*end == '\0' ? json_at(value, index) : NULL);
}

json *
json_path(const json *value, const char *dotted)
{
	char name[128];
	size_t len;

	for (; value != NULL; dotted += len + 1) {
		len = strcspn(dotted, ".");
		if (len >= sizeof(name))
			return (NULL);
		memcpy(name, dotted, len);
		name[len] = '\0';
		value = step_into(value, name);
		if (dotted[len] == '\0')
			break;
	}
	return ((json *)value);
}

size_t
json_len(const json *value)
{
	if (json_kind(value) == JSON_ARRAY)
		return (json_object_array_length(value));
	if (json_kind(value) == JSON_OBJECT)
		return ((size_t)json_object_object_length(value));
	return (0);
}

json *
json_at(const json *array, size_t index)
{
	return (index < json_len(array) && json_kind(array) == JSON_ARRAY ? json_object_array_get_idx(array, index) : NULL);
}

const char *
json_string(const json *value)
{
	return (json_kind(value) == JSON_STRING ? json_object_get_string((json *)value) : NULL);
}

bool
json_true(const json *value)
{
	return (json_kind(value) == JSON_BOOL && json_object_get_boolean(value));
}

const char *
json_number(const json *value)
{
	return (json_kind(value) == JSON_NUMBER ? json_object_get_userdata((json *)value) : NULL);
}

bool
json_integer(const json *value, int64_t *integer)
{
	const char *text = json_number(value);
	char *end;
	long long number;

	if (text == NULL)
		return (false);
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return (false);
	*integer = number;
	return (true);
}

bool
json_real(const json *value, double *real)
{
	const char *text = json_number(value);
	double number;

	if (text == NULL)
		return (false);
	number = strtod(text, NULL);
	if (!isfinite(number))
		return (false);
	*real = number;
	return (true);
}

void
json_each(const json *object, bool (*call)(void *, const char *key, json *value), void *arg)
{
	struct lh_entry *entry;

	if (json_kind(object) != JSON_OBJECT)
		return;
	lh_foreach(json_object_get_object(object), entry)
	{
		if (!call(arg, lh_entry_k(entry), (json *)lh_entry_v(entry)))
			break;
	}
}

static bool
member_fits(void *fits, const char *key, json *value)
{
	(void)key;
	return (*(bool *)fits = json_numbers_fit(value));
}

bool
json_numbers_fit(const json *value)
{
	bool fits = true;
	double real;

	if (json_kind(value) == JSON_NUMBER)
		return (json_real(value, &real));
	for (size_t i = 0; json_kind(value) == JSON_ARRAY && i < json_len(value) && fits; i++)
		fits = json_numbers_fit(json_at(value, i));
	json_each(value, member_fits, &fits);
	return (fits);
}
