/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "external/profile.h"

#define EMAILS_MAX 100
#define INDEXED_MAX 255 /* characters of an address or an id: what the columns take, and their indexes */

struct profile
profile_new(struct arena *a)
{
	return ((struct profile){ .claims = query_new(a), .email = arena_new_array(a, struct profile_email, EMAILS_MAX) });
}

void
profile_add_email(struct profile *p, const char *address, bool verified, bool primary)
{
	if (p->emails < EMAILS_MAX)
		p->email[p->emails++] = (struct profile_email){ address, verified, primary };
}

void
profile_set_text(struct profile *p, const char *claim, const char *value)
{
	if (!str_empty(value))
		query_set(&p->claims, claim, json_quote(p->claims.arena, value));
}

const char *
profile_text(const struct profile *p, const char *claim)
{
	const char *text = query_get(&p->claims, claim);
	const char *plain = NULL;

	if (text != NULL)
		plain = json_string(json_parse_text(p->claims.arena, text));
	return (plain != NULL ? plain : "");
}

/* The types of claims.  Each puts the value, or leaves it out; false when it has another type. */

static bool
take_text(struct profile *p, const char *name, const json *value)
{
	const char *text = json_string(value);

	if (text != NULL)
		profile_set_text(p, name, text);
	return (text != NULL);
}

static bool
take_bool(struct profile *p, const char *name, const json *value)
{
	query_set(&p->claims, name, json_true(value) ? "true" : "false");
	return (json_kind(value) == JSON_BOOL);
}

static bool
take_number(struct profile *p, const char *name, const json *value)
{
	double number;

	if (json_kind(value) != JSON_NUMBER || !json_real(value, &number))
		return (false);
	if (number < 0 || number > 0)
		query_set(&p->claims, name, json_number(value));
	return (true);
}

static bool
take_texts(struct profile *p, const char *name, const json *value)
{
	for (size_t i = 0; i < json_len(value); i++)
		if (json_string(json_at(value, i)) == NULL && json_kind(json_at(value, i)) != JSON_NULL)
			return (false);
	query_set(&p->claims, name, json_text(p->claims.arena, value));
	return (json_kind(value) == JSON_ARRAY);
}

static bool
take_audience(struct profile *p, const char *name, const json *value)
{
	if (json_string(value) == NULL)
		return (take_texts(p, name, value));
	query_set(&p->claims, name, arena_printf(p->claims.arena, "[%s]", json_text(p->claims.arena, value)));
	return (true);
}

static bool
take_object(struct profile *p, const char *name, const json *value)
{
	query_set(&p->claims, name, json_text(p->claims.arena, value));
	return (json_kind(value) == JSON_OBJECT);
}

#define FARTHEST 253402300799.0 /* the end of the year 9999 */

static bool
take_time(struct profile *p, const char *name, const json *value)
{
	const char *text = json_string(value);
	double seconds;
	usec at;

	if (json_real(value, &seconds) && seconds > -62135596800.0 && seconds < FARTHEST)
		at = (usec)seconds * 1000000;
	else if (text == NULL || (*text != '\0' && !clock_parse_rfc3339(text, &at)))
		return (false);
	else if (*text == '\0')
		at = CLOCK_YEAR_1; /* Go's zero time */
	query_set(&p->claims, name, json_quote(p->claims.arena, clock_rfc3339(p->claims.arena, at)));
	return (true);
}

static const struct {
	const char *name;
	bool (*take)(struct profile *, const char *name, const json *);
} known[] = {
	{ "iss", take_text },
	{ "sub", take_text },
	{ "aud", take_audience },
	{ "iat", take_number },
	{ "exp", take_number },
	{ "name", take_text },
	{ "family_name", take_text },
	{ "given_name", take_text },
	{ "middle_name", take_text },
	{ "nickname", take_text },
	{ "preferred_username", take_text },
	{ "profile", take_text },
	{ "picture", take_text },
	{ "website", take_text },
	{ "gender", take_text },
	{ "birthdate", take_text },
	{ "zoneinfo", take_text },
	{ "locale", take_text },
	{ "updated_at", take_time },
	{ "email", take_text },
	{ "email_verified", take_bool },
	{ "phone", take_text },
	{ "phone_verified", take_bool },
	{ "custom_claims", take_object },
	{ "full_name", take_text },
	{ "avatar_url", take_text },
	{ "slug", take_text },
	{ "provider_id", take_text },
	{ "user_name", take_text },
};

bool
profile_read(struct profile *p, const json *claims)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const json *value = json_get_nocase(claims, known[i].name);

		if (json_kind(value) != JSON_NULL && !known[i].take(p, known[i].name, value))
			return (false);
	}
	return (json_kind(claims) == JSON_OBJECT);
}

char *
profile_json(const struct profile *p)
{
	struct buf b = buf_new(p->claims.arena);

	json_object_begin(&b, NULL);
	json_put_bool(&b, "email_verified", false);
	json_put_bool(&b, "phone_verified", false);
	for (size_t i = 0; i < p->claims.len; i++)
		json_put_raw(&b, p->claims.pair[i].name, p->claims.pair[i].value);
	json_object_end(&b);
	return (b.data);
}

bool
profile_fits(struct arena *a, const char *text)
{
	const json *data = json_parse_text(a, text);

	return (data != NULL && json_numbers_fit(data) && json_written(data) <= (size_t)cfg->postern_metadata_max &&
		utf8_count(json_string(json_get(data, "sub"))) <= INDEXED_MAX &&
		utf8_count(json_string(json_get(data, "email"))) <= INDEXED_MAX);
}
