/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/custom_claims.h"
#include "core/hook.h"

#define T(kind) (1U << TYPE_##kind)

/* JSON Schema's, by the names that it has in sentences. */
enum type { TYPE_null, TYPE_boolean, TYPE_integer, TYPE_number, TYPE_string, TYPE_array, TYPE_object, TYPE_COUNT };

static const char *const type_names[] = { "null", "boolean", "integer", "number", "string", "array", "object" };

static const char *const required[] = { "aud", "exp", "iat", "sub", "email", "phone", "role", "aal", "session_id", "is_anonymous" };

static const struct {
	const char *claim;
	unsigned types;
} typed[] = {
	{ "aud", T(string) | T(array) },
	{ "exp", T(integer) },
	{ "jti", T(string) },
	{ "iat", T(integer) },
	{ "iss", T(string) },
	{ "nbf", T(integer) },
	{ "sub", T(string) },
	{ "email", T(string) },
	{ "phone", T(string) },
	{ "app_metadata", T(object) },
	{ "user_metadata", T(object) },
	{ "role", T(string) },
	{ "aal", T(string) },
	{ "amr", T(array) },
	{ "session_id", T(string) },
	{ "client_id", T(string) },
};

static enum type
type_of(const json *value)
{
	static const enum type kinds[] = { [JSON_NULL] = TYPE_null,
		[JSON_BOOL] = TYPE_boolean,
		[JSON_STRING] = TYPE_string,
		[JSON_ARRAY] = TYPE_array,
		[JSON_OBJECT] = TYPE_object };
	double number;

	if (json_kind(value) != JSON_NUMBER)
		return (kinds[json_kind(value)]);
	return (json_real(value, &number) && floor(number) == number ? TYPE_integer : TYPE_number);
}

static const char *
types_text(struct arena *a, unsigned types)
{
	char *names[TYPE_COUNT + 1] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types & 1U << i)
			names[n++] = arena_strdup(a, type_names[i]);
	return (n == 1 ? names[0] : arena_printf(a, "[%s]", str_join(a, names, ",")));
}

static void
complain_of_type(struct buf *out, const char *where, unsigned expected, const json *value)
{
	buf_printf(out, "- %s: Invalid type. Expected: %s, given: %s\n", where, types_text(out->arena, expected),
	    type_names[type_of(value)]);
}

static void
methods_check(struct buf *out, const json *amr)
{
	for (size_t i = 0; i < json_len(amr); i++) {
		const char *where = arena_printf(out->arena, "amr.%zu", i);
		const json *method = json_at(amr, i);

		if (json_kind(method) == JSON_STRING || json_kind(method) == JSON_OBJECT)
			continue;
		buf_printf(out, "- %s: Must validate at least one schema (anyOf)\n", where);
		complain_of_type(out, where, T(string), method);
	}
}

/* One line for each thing that is wrong. */
static void
claims_check(struct buf *out, const json *claims)
{
	if (json_kind(claims) != JSON_OBJECT) {
		complain_of_type(out, "(root)", T(object), claims);
		return;
	}
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (json_get(claims, required[i]) == NULL)
			buf_printf(out, "- (root): %s is required\n", required[i]);
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		json *value = json_get(claims, typed[i].claim);

		if (value != NULL && (1U << type_of(value) & typed[i].types) == 0)
			complain_of_type(out, typed[i].claim, typed[i].types, value);
	}
	if (json_kind(json_get(claims, "amr")) == JSON_ARRAY)
		methods_check(out, json_get(claims, "amr"));
}

/* The reference has no code for these. */
static err
refuse(struct request *r, const char *words)
{
	(void)fail(r, E_UNEXPECTED_FAILURE, "%s", words);
	r->failure.code = "";
	return (E_UNEXPECTED_FAILURE);
}

err
custom_claims(struct request *r, const char *user_id, const char *method, const char **claims)
{
	struct arena *a = r->arena;
	struct buf wrong = buf_new(a);
	json *answer, *given;
	const char *text;

	if (!hook_enabled(HOOK_CUSTOM_ACCESS_TOKEN))
		return (OK);
	TRY(hook_call(r, HOOK_CUSTOM_ACCESS_TOKEN,
	    json_pairs(a, "user_id", user_id, "#claims", *claims, "#authentication_method", json_quote(a, method), NULL), &answer));
	given = json_get(answer, "claims");
	if (answer != NULL && given == NULL)
		return (refuse(r, "output claims field is missing"));
	if ((json_kind(given) != JSON_OBJECT && json_kind(given) != JSON_NULL) || !json_numbers_fit(given))
		return (fail(r, E_UNEXPECTED_FAILURE, "Error unmarshaling JSON output."));
	claims_check(&wrong, given);
	if (wrong.len > 0)
		return (refuse(r, arena_printf(a, "output claims do not conform to the expected schema: \n%s", wrong.data)));
	text = json_text(a, given);
	if (strlen(text) > strlen(*claims) + (size_t)cfg->postern_metadata_max)
		return (refuse(r,
		    arena_printf(a, "output claims are more than %lld bytes larger than the input", (long long)cfg->postern_metadata_max)));
	*claims = text;
	return (OK);
}
