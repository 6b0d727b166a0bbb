/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "core/onetime.h"
#include "core/pkce.h"
#include "core/redirect.h"
#include "db/db.h"
#include "sec/secret.h"

#define LINK_BYTES 28 /* as long as the digests that the reference puts into its links */

/* --- Rows --- */

/* clang-format off */
#define PATH(name) offsetof(struct settings, gotrue_mailer_urlpaths_##name)
const struct onetime_row onetime_rows[ONETIME_COUNT] = {
#define ONETIME(id, text, seconds, then, ...) [ONETIME_##id] = { .word = text, .life = offsetof(struct settings, seconds), __VA_ARGS__ },
#include "onetime.def"
};

/* Columns of auth.users, and members of struct user. */
static const struct {
	const char *name;
	size_t token, sent_at, address;
} kinds[KIND_COUNT] = {
#define KIND(id, column, time, to) \
	[KIND_##id] = { #column, offsetof(struct user, column), offsetof(struct user, time), offsetof(struct user, to) },
#include "onetime.def"
};
/* clang-format on */

bool
onetime_find(const char *word, enum onetime_type *type)
{
	for (*type = 0; *type < ONETIME_COUNT; (*type)++)
		if (!onetime_rows[*type].nonce && str_equal(word, onetime_rows[*type].word))
			return (true);
	return (false);
}

long long
onetime_seconds(enum onetime_type type)
{
	return (*(const setting_int *)setting_at(onetime_rows[type].life));
}

long long
onetime_seconds_longest(void)
{
	long long longest = 0;

	for (enum onetime_type type = 0; type < ONETIME_COUNT; type++)
		if (onetime_seconds(type) > longest)
			longest = onetime_seconds(type);
	return (longest);
}

const char *
onetime_kind_name(enum onetime_kind kind)
{
	return (kinds[kind].name);
}

enum onetime_kind
onetime_kind_find(const char *name)
{
	for (enum onetime_kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
		if (str_equal(name, kinds[kind].name))
			return (kind);
	return (KIND_NONE);
}

const char *
onetime_kind_names(struct arena *a, const enum onetime_kind *list)
{
	char *names[KIND_COUNT] = { NULL };

	for (size_t i = 0; list[i] != KIND_NONE; i++)
		names[i] = arena_strdup(a, kinds[list[i]].name);
	return (db_array(a, names));
}

static const char *
user_text_at(const struct user *u, size_t offset)
{
	return (*(const char *const *)(const void *)((const char *)u + offset));
}

const char *
onetime_token(const struct user *u, enum onetime_kind kind)
{
	return (user_text_at(u, kinds[kind].token));
}

const char *
onetime_address(const struct user *u, enum onetime_kind kind)
{
	return (user_text_at(u, kinds[kind].address));
}

usec
onetime_sent_at(const struct user *u, enum onetime_kind kind)
{
	return (*(const long long *)(const void *)((const char *)u + kinds[kind].sent_at));
}

bool
onetime_expired(const struct request *r, const struct user *u, enum onetime_type type, enum onetime_kind kind)
{
	usec sent_at = onetime_sent_at(u, kind);

	return (sent_at == 0 || r->now > sent_at + onetime_seconds(type) * 1000000);
}

/* --- Secrets --- */

char *
onetime_hash(struct arena *a, const char *address, const char *code)
{
	return (sha224_hex(a, arena_printf(a, "%s%s", address, code)));
}

static char *
prefixed(struct arena *a, bool pkce, const char *text)
{
	return (arena_printf(a, "%s%s", pkce ? "pkce_" : "", text));
}

struct onetime
onetime_of(struct arena *a, const char *address, const char *code, bool pkce)
{
	unsigned char chance[LINK_BYTES];

	secret_random(chance, sizeof(chance));
	return ((struct onetime){ .code = code,
	    .typed = prefixed(a, pkce, onetime_hash(a, address, code)),
	    .link = prefixed(a, pkce, hex_encode(a, chance, sizeof(chance))) });
}

struct onetime
onetime_new(struct arena *a, const char *address, unsigned digits, bool pkce)
{
	return (onetime_of(a, address, secret_otp(a, digits), pkce));
}

/* As the reference: what has no & = # is taken to be encoded already. */
static const char *
redirect_encoded(struct arena *a, const char *url)
{
	return (strpbrk(url, "&=#") != NULL ? url_escape(a, url) : url);
}

char *
onetime_link(struct request *r, enum onetime_type type, const char *secret, const char *to)
{
	struct arena *a = r->arena;
	const struct onetime_row *row = &onetime_rows[type];
	const char *query =
	    arena_printf(a, "token=%s&type=%s&redirect_to=%s", url_escape(a, secret), url_escape(a, row->word), redirect_encoded(a, to));

	return (url_resolve(a, redirect_external_url(r), setting_text_at(row->path), query));
}

err
onetime_store_link(struct request *r, enum onetime_kind kind, const struct user *u, const struct onetime *secret, const char *address)
{
	return (onetime_set(r->db, .id = uuid_new(r->arena), .user_id = u->id, .kind = kinds[kind].name, .hash = secret->link,
	    .relates_to = address, .now = r->now_text));
}

err
onetime_store(struct request *r, enum onetime_type type, const struct user *u, const struct onetime *secret, const char *address)
{
	enum onetime_kind kind = onetime_rows[type].kinds[0];

	TRY(user_set_token(r->db, .id = u->id, .kind = kinds[kind].name, .hash = secret->typed,
	    .invited = type == ONETIME_INVITE ? "t" : "f", .phone = type == ONETIME_PHONE_CHANGE ? address : NULL, .now = r->now_text));
	return (onetime_store_link(r, kind, u, secret, address));
}

err
onetime_by_link(struct request *r, enum onetime_type type, const char *link, struct onetime_holder *holder)
{
	return (onetime_holder(r->db, holder, .link = link, .kinds = onetime_kind_names(r->arena, onetime_rows[type].kinds)));
}

err
onetime_begin_pkce(struct request *r, enum onetime_type type, const struct user *u, const char *challenge, const char *challenge_method)
{
	return (pkce_begin(r, &(const struct pkce){ .provider = onetime_rows[type].pkce,
				  .method = onetime_rows[type].pkce,
				  .user_id = u->id,
				  .challenge = challenge,
				  .challenge_method = challenge_method }));
}
