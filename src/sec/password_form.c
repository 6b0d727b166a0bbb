/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "sec/password_form.h"

#define BCRYPT_SALT_LEN 22
#define BCRYPT_HASH_LEN 31

/* The reference's limits for argon2, and those of libargon2 below. */
#define ARGON2_MOST_KIB (1024 * 1024)
#define ARGON2_MOST_PASSES 20
#define ARGON2_MOST_LANES 16
#define ARGON2_KIB_PER_LANE 8
#define ARGON2_LEAST_SALT 8
#define ARGON2_LEAST_HASH 4

/* The reference has none for scrypt and would be killed by a large N: what the settings allow is 4 GiB at once, sixteen times over. */
#define SCRYPT_MOST_LOG_N 24
#define SCRYPT_MOST_R 1024
#define SCRYPT_MOST_P 255
#define SCRYPT_MOST_BYTES ((uint64_t)1 << 32)
#define SCRYPT_MOST_WORK ((uint64_t)1 << 36)

/* Reads a text from left to right; once something does not fit, nothing does. */
struct cursor {
	struct arena *arena;
	const char *at;
	bool fits;
};

static bool
cursor_has(struct cursor *c, const char *literal)
{
	size_t len = strlen(literal);

	if (!c->fits || strncmp(c->at, literal, len) != 0)
		return (false);
	c->at += len;
	return (true);
}

static void
cursor_skip(struct cursor *c, const char *literal)
{
	c->fits = cursor_has(c, literal);
}

static uint64_t
cursor_number(struct cursor *c, uint64_t most)
{
	uint64_t value = 0;
	size_t digits = strspn(c->at, "0123456789");

	c->fits = c->fits && digits > 0;
	for (size_t i = 0; c->fits && i < digits; i++) {
		value = value * 10 + (uint64_t)(*c->at++ - '0');
		c->fits = value <= most;
	}
	return (value);
}

/* base64 up to one of the characters of stop, or the end. */
static struct bytes
cursor_base64(struct cursor *c, const char *stop, bool padded)
{
	struct bytes bytes = { NULL, 0 };
	size_t len = strcspn(c->at, stop);
	char *text = arena_strndup(c->arena, c->at, len);

	if (!c->fits)
		return (bytes);
	c->at += len;
	if (!padded && strchr(text, '=') == NULL)
		text = arena_printf(c->arena, "%s%.*s", text, (int)((4 - len % 4) % 4), "===");
	else if (!padded)
		c->fits = false;
	bytes.data = base64_decode(c->arena, text, &bytes.len);
	c->fits = c->fits && bytes.data != NULL;
	return (bytes);
}

/* Any minor version will do: all mean the same computation to the reference. */
static bool
bcrypt_parse(struct cursor *c, struct password_form *form)
{
	form->kind = PASSWORD_BCRYPT;
	cursor_skip(c, "$2");
	if (c->fits && *c->at != '$' && *c->at != '\0')
		c->at++;
	cursor_skip(c, "$");
	form->cost = cursor_number(c, 31);
	cursor_skip(c, "$");
	if (!c->fits || form->cost < 4 || strlen(c->at) < BCRYPT_SALT_LEN + BCRYPT_HASH_LEN)
		return (false);
	form->salt = (struct bytes){ c->at, BCRYPT_SALT_LEN };
	form->hash = (struct bytes){ c->at + BCRYPT_SALT_LEN, BCRYPT_HASH_LEN };
	return (true);
}

static bool
argon2_parse(struct cursor *c, struct password_form *form)
{
	bool id = cursor_has(c, "$argon2id$");

	form->kind = id ? PASSWORD_ARGON2ID : PASSWORD_ARGON2I;
	if (!id)
		cursor_skip(c, "$argon2i$");
	cursor_skip(c, "v=19$m=");
	form->memory = cursor_number(c, ARGON2_MOST_KIB);
	cursor_skip(c, ",t=");
	form->cost = cursor_number(c, ARGON2_MOST_PASSES);
	cursor_skip(c, ",p=");
	form->lanes = cursor_number(c, ARGON2_MOST_LANES);
	cursor_skip(c, "$");
	form->salt = cursor_base64(c, "$", false);
	cursor_skip(c, "$");
	form->hash = cursor_base64(c, "", false);
	return (c->fits && form->cost > 0 && form->lanes > 0 && form->memory >= ARGON2_KIB_PER_LANE * form->lanes &&
		form->salt.len >= ARGON2_LEAST_SALT && form->hash.len >= ARGON2_LEAST_HASH);
}

static bool
scrypt_bearable(const struct password_form *form)
{
	uint64_t bytes = ((uint64_t)128 << form->cost) * form->memory;

	return (form->cost > 0 && form->memory > 0 && form->lanes > 0 && bytes <= SCRYPT_MOST_BYTES &&
		bytes * form->lanes <= SCRYPT_MOST_WORK);
}

static struct bytes
bytes_join(struct arena *arena, struct bytes a, struct bytes b)
{
	char *joined = arena_alloc(arena, a.len + b.len + 1);

	memcpy(joined, a.data, a.len);
	if (b.len > 0)
		memcpy(joined + a.len, b.data, b.len);
	return ((struct bytes){ joined, a.len + b.len });
}

static bool
fbscrypt_parse(struct cursor *c, struct password_form *form)
{
	struct bytes separator = { NULL, 0 };

	form->kind = PASSWORD_FBSCRYPT;
	cursor_skip(c, "$fbscrypt$v=1,n=");
	form->cost = cursor_number(c, SCRYPT_MOST_LOG_N);
	cursor_skip(c, ",r=");
	form->memory = cursor_number(c, SCRYPT_MOST_R);
	cursor_skip(c, ",p=");
	form->lanes = cursor_number(c, SCRYPT_MOST_P);
	if (cursor_has(c, ",ss="))
		separator = cursor_base64(c, ",$", true);
	if (cursor_has(c, ",sk="))
		form->signer = cursor_base64(c, "$", true);
	cursor_skip(c, "$");
	form->salt = cursor_base64(c, "$", true);
	cursor_skip(c, "$");
	form->hash = cursor_base64(c, "", true);
	if (!c->fits || form->salt.len == 0 || form->hash.len == 0 || !scrypt_bearable(form))
		return (false);
	form->salt = bytes_join(c->arena, form->salt, separator);
	return (true);
}

bool
password_form_parse(struct arena *arena, const char *hash, struct password_form *form)
{
	struct cursor cursor = { arena, hash, true };

	*form = (struct password_form){ 0 };
	if (str_starts(hash, "$argon2"))
		return (argon2_parse(&cursor, form));
	if (str_starts(hash, "$fbscrypt"))
		return (fbscrypt_parse(&cursor, form));
	return (bcrypt_parse(&cursor, form));
}
