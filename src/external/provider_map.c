/* SPDX-License-Identifier: Apache-2.0 */
/* How a row of provider.def reads what its provider says. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "external/provider_row.h"

/* A path may be the name of one member that has dots in it. */
static const json *
path_find(const json *userinfo, const char *path)
{
	const json *whole = json_get(userinfo, path);

	return (whole != NULL ? whole : json_path(userinfo, path));
}

/* "" when it is absent; NULL when it is no text, or no integer after '#'. */
static const char *
text_at(const struct exchange *x, const char *path)
{
	bool number = *path == '#';
	const json *value = path_find(x->userinfo, path + number);
	int64_t integer;

	if (json_kind(value) == JSON_NULL)
		return (number ? "0" : "");
	if (number && json_integer(value, &integer))
		return (json_number(value));
	if (!number && json_string(value) != NULL)
		return (json_string(value));
	return (x->p->row != NULL && x->p->row->lenient ? "" : NULL);
}

/* a+b: joined by a blank, which does not stand alone. */
static const char *
texts_at(const struct exchange *x, const char *paths)
{
	struct arena *a = x->r->arena;
	const char *plus = strchr(paths, '+'), *first, *second;

	if (plus == NULL)
		return (text_at(x, paths));
	first = text_at(x, arena_strndup(a, paths, (size_t)(plus - paths)));
	second = text_at(x, plus + 1);
	if (first == NULL || second == NULL)
		return (NULL);
	return (str_trim(a, arena_printf(a, "%s %s", first, second)));
}

/* Splits "claim=path"; a bare path names the claim, without its mark. */
static const char *
claim_split(struct arena *a, const char *word, const char **path)
{
	const char *equals = strchr(word, '=');

	*path = equals != NULL ? equals + 1 : word;
	if (equals != NULL)
		return (arena_strndup(a, word, (size_t)(equals - word)));
	return (word + (*word == '#' || *word == '@'));
}

static err
claims_map(struct exchange *x, const char *list)
{
	struct arena *a = x->r->arena;

	for (char **word = str_split(a, list, ' '); list != NULL && *word != NULL; word++) {
		const char *path, *name = claim_split(a, *word, &path), *text = texts_at(x, path);

		if (text == NULL)
			return (fail_outside(x->r, "%s of the user data has not its type", path));
		profile_set_text(&x->profile, name, text);
	}
	return (OK);
}

static err
custom_map(struct exchange *x, const char *list)
{
	struct arena *a = x->r->arena;
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	for (char **word = str_split(a, list, ' '); *word != NULL; word++) {
		const char *path, *name = claim_split(a, *word, &path), *text = NULL;

		if (*path != '@' && (text = text_at(x, path)) == NULL)
			return (fail_outside(x->r, "%s of the user data has not its type", path));
		if (*path == '@')
			json_put(&b, name, path_find(x->userinfo, path + 1));
		else if (*path == '#')
			json_put_raw(&b, name, text);
		else
			json_put_text(&b, name, text);
	}
	json_object_end(&b);
	query_set(&x->profile.claims, "custom_claims", b.data);
	return (OK);
}

static err
true_at(struct exchange *x, const char *path, bool *is)
{
	const json *value;

	*is = *path == '?' && !str_empty(text_at(x, path + 1));
	if (*path == '?')
		return (OK);
	value = path_find(x->userinfo, path);
	*is = json_true(value);
	if (json_kind(value) != JSON_BOOL && json_kind(value) != JSON_NULL && !x->p->row->lenient)
		return (fail_outside(x->r, "%s of the user data is not a boolean", path));
	return (OK);
}

static err
verified_map(struct exchange *x, const char *rule, bool *verified)
{
	size_t len = strcspn(str_or(rule, ""), "&|");
	bool one, other;

	*verified = !str_empty(rule);
	if (str_empty(rule) || strcmp(rule, "yes") == 0)
		return (OK);
	TRY(true_at(x, arena_strndup(x->r->arena, rule, len), &one));
	*verified = one;
	if (rule[len] == '\0')
		return (OK);
	TRY(true_at(x, rule + len + 1, &other));
	*verified = rule[len] == '&' ? one && other : one || other;
	return (OK);
}

static err
email_map(struct exchange *x, const struct provider_row *row)
{
	const char *address = text_at(x, row->email);
	bool verified;

	TRY(verified_map(x, row->verified, &verified));
	if (address == NULL)
		return (fail_outside(x->r, "the address in the user data is not a text"));
	if (*address != '\0')
		profile_add_email(&x->profile, address, verified, true);
	return (OK);
}

err
provider_map(struct exchange *x)
{
	const struct provider_row *row = x->p->row;

	if (json_kind(x->userinfo) != JSON_OBJECT)
		return (fail_outside(x->r, "the user data are not an object"));
	profile_set_text(&x->profile, "iss", provider_url(x->r->arena, row, row->iss));
	TRY(claims_map(x, row->claims));
	if (row->custom != NULL)
		TRY(custom_map(x, row->custom));
	if (row->more != NULL)
		TRY(row->more(x));
	return (row->email == NULL ? OK : email_map(x, row));
}
