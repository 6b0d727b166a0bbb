/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "sec/jwt_claims.h"

/* A number, or a text that is one: the reference takes both. */
static bool
date_get(struct arena *arena, const json *value, double *seconds)
{
	const char *text = json_string(value);

	if (text == NULL)
		return (json_real(value, seconds));
	if (strpbrk(text, " \t\r\n") != NULL)
		return (false);
	return (json_real(json_parse_text(arena, text), seconds));
}

static bool
is_date(struct arena *arena, const json *value)
{
	double seconds;

	return (date_get(arena, value, &seconds));
}

static bool
is_audience(struct arena *arena, const json *value)
{
	(void)arena;
	if (json_kind(value) != JSON_ARRAY)
		return (json_kind(value) == JSON_STRING);
	for (size_t i = 0; i < json_len(value); i++)
		if (json_kind(json_at(value, i)) != JSON_STRING)
			return (false);
	return (true);
}

static bool
is_integer(struct arena *arena, const json *value)
{
	int64_t integer;

	(void)arena;
	return (json_integer(value, &integer));
}

/* What a member may be, if it is there and not null: of the kind, unless a function decides. */
struct shape {
	const char *name;
	enum json_kind kind;
	bool (*fits)(struct arena *, const json *);
};

/* NULL, or the first of the shapes (up to one without name) that its member does not have. */
static const char *
shapes_check(struct arena *arena, const json *object, const struct shape *shape)
{
	for (; shape->name != NULL; shape++) {
		const json *member = json_get_nocase(object, shape->name);

		if (json_kind(member) == JSON_NULL)
			continue;
		if (shape->fits != NULL ? !shape->fits(arena, member) : json_kind(member) != shape->kind)
			return (shape->name);
	}
	return (NULL);
}

/* Texts (older tokens) or objects. */
static bool
is_methods(struct arena *arena, const json *value)
{
	static const struct shape shapes[] = {
		{ "method", JSON_STRING, NULL },
		{ "timestamp", JSON_NUMBER, is_integer },
		{ "provider", JSON_STRING, NULL },
		{ NULL, JSON_NULL, NULL },
	};

	if (json_kind(value) != JSON_ARRAY)
		return (false);
	for (size_t i = 0; i < json_len(value); i++) {
		const json *entry = json_at(value, i);
		enum json_kind kind = json_kind(entry);

		if (kind != JSON_NULL && kind != JSON_STRING && (kind != JSON_OBJECT || shapes_check(arena, entry, shapes) != NULL))
			return (false);
	}
	return (true);
}

const char *
jwt_claims_type(struct arena *arena, const json *claims)
{
	static const struct shape shapes[] = {
		{ "iss", JSON_STRING, NULL },
		{ "sub", JSON_STRING, NULL },
		{ "aud", JSON_STRING, is_audience },
		{ "exp", JSON_NUMBER, is_date },
		{ "nbf", JSON_NUMBER, is_date },
		{ "iat", JSON_NUMBER, is_date },
		{ "jti", JSON_STRING, NULL },
		{ "email", JSON_STRING, NULL },
		{ "phone", JSON_STRING, NULL },
		{ "app_metadata", JSON_OBJECT, NULL },
		{ "user_metadata", JSON_OBJECT, NULL },
		{ "role", JSON_STRING, NULL },
		{ "aal", JSON_STRING, NULL },
		{ "amr", JSON_ARRAY, is_methods },
		{ "session_id", JSON_STRING, NULL },
		{ "is_anonymous", JSON_BOOL, NULL },
		{ "client_id", JSON_STRING, NULL },
		{ "scope", JSON_STRING, NULL },
		{ NULL, JSON_NULL, NULL },
	};

	return (shapes_check(arena, claims, shapes));
}

/* Whole seconds; without the claim, the given ones.  What is out of range of the reference's clock counts as never. */
static double
claim_seconds(struct arena *arena, const json *claims, const char *name, double without)
{
	double seconds;

	if (!date_get(arena, json_get_nocase(claims, name), &seconds))
		return (without);
	return (floor(seconds));
}

const char *
jwt_claims_time(struct arena *arena, const json *claims, usec now)
{
	static const double farthest = 9e18;
	double present = (double)now / 1e6;
	double exp = claim_seconds(arena, claims, "exp", farthest / 2), nbf = claim_seconds(arena, claims, "nbf", 0);
	bool expired = present >= exp || exp >= farthest, early = present < nbf;

	if (expired && early)
		return ("token is expired, token is not valid yet");
	if (expired)
		return ("token is expired");
	return (early ? "token is not valid yet" : NULL);
}
