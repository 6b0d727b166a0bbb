/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/url.h"
#include "sec/client_data.h"

static const struct {
	const char *name;
	enum json_kind kind;
} members[] = {
	{ "type", JSON_STRING },
	{ "challenge", JSON_STRING },
	{ "origin", JSON_STRING },
	{ "topOrigin", JSON_STRING },
	{ "crossOrigin", JSON_BOOL },
	{ "tokenBinding", JSON_OBJECT },
};

const char *
client_data_read(struct arena *arena, struct bytes bytes, const json **client)
{
	*client = json_parse(arena, bytes.data, bytes.len, NULL);
	if (json_kind(*client) != JSON_OBJECT)
		return ("client data");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		enum json_kind kind = json_kind(json_get_nocase(*client, members[i].name));

		if (kind != JSON_NULL && kind != members[i].kind)
			return (members[i].name);
	}
	return (NULL);
}

static const char *
member(const json *client, const char *name)
{
	return (str_or(json_string(json_get_nocase(client, name)), ""));
}

static const char *
port(const struct url *url)
{
	return (str_equal(url->port, str_equal(url->scheme, "https") ? "443" : "80") ? "" : url->port);
}

/* Of http and https scheme, host and port are the origin; others are compared as they are. */
static bool
origin_equal(struct arena *arena, const char *one, const char *other)
{
	struct url a, b;

	if (!url_parse(arena, one, &a) || !url_web(&a))
		return (str_equal(one, other));
	return (url_parse(arena, other, &b) && str_equal(a.scheme, b.scheme) && str_equal_nocase(a.host, b.host) &&
		str_equal(port(&a), port(&b)));
}

static bool
origin_among(struct arena *arena, const char *origin, char *const *origins)
{
	for (; origins != NULL && *origins != NULL; origins++)
		if (origin_equal(arena, origin, *origins))
			return (true);
	return (false);
}

/* Level 3 knows it no more, older browsers send it. */
static bool
token_binding_known(const json *client)
{
	const json *binding = json_get_nocase(client, "tokenBinding");
	const char *status = member(binding, "status");

	if (json_kind(binding) == JSON_NULL)
		return (true);
	return (str_equal(status, "present") || str_equal(status, "supported") || str_equal(status, "not-supported"));
}

const char *
client_data_verify(struct arena *arena, const json *client, const char *type, const struct webauthn_expected *expected)
{
	if (!str_equal(member(client, "type"), type))
		return ("type");
	if (str_empty(expected->challenge) || !secret_equal_text(member(client, "challenge"), expected->challenge))
		return ("challenge");
	if (!origin_among(arena, member(client, "origin"), expected->origins))
		return ("origin");
	return (token_binding_known(client) ? NULL : "tokenBinding");
}
