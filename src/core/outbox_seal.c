/* SPDX-License-Identifier: Apache-2.0 */
#include "core/outbox_seal.h"

#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "sec/secret.h"

#define KEY_LEN 32
#define KEY_ID_LEN 8

/* The secrets in order of use: those of the setting, then the one that is always there. */
static const char *
key_source(size_t i)
{
	size_t given = strs_len(cfg->postern_queue_keys);

	if (i < given)
		return (cfg->postern_queue_keys[i]);
	return (i == given ? cfg->gotrue_jwt_secret : NULL);
}

static void
key_make(const char *source, unsigned char key[KEY_LEN])
{
	hkdf_sha256(source, strlen(source), "postern outbox", key, KEY_LEN);
}

static const char *
key_name(struct arena *a, const char *source)
{
	unsigned char name[KEY_ID_LEN];

	hkdf_sha256(source, strlen(source), "postern outbox key id", name, sizeof(name));
	return (hex_encode(a, name, sizeof(name)));
}

/* Who may write the table could otherwise have another's link sent to an address of his own. */
static struct bytes
row_bound(struct arena *a, const struct sealed_row *row)
{
	const char *text = arena_printf(a, "%s\n%s\n%s", row->id, row->letter, row->recipient);

	return ((struct bytes){ text, strlen(text) });
}

static void
row_seal(struct arena *a, struct sealed_row *row, const char *text)
{
	const char *source = key_source(0);
	unsigned char key[KEY_LEN];
	struct bytes sealed;

	key_make(source, key);
	sealed = gcm_seal(a, key, row_bound(a, row), (struct bytes){ text, strlen(text) });
	secret_wipe(key, sizeof(key));
	row->key_id = key_name(a, source);
	row->sealed = hex_encode(a, sealed.data, sealed.len);
}

static const char *
key_source_named(struct arena *a, const char *name)
{
	const char *source;

	for (size_t i = 0; (source = key_source(i)) != NULL; i++)
		if (str_equal(key_name(a, source), name))
			return (source);
	return (NULL);
}

static struct bytes
row_open(struct arena *a, const struct sealed_row *row)
{
	const char *source = key_source_named(a, row->key_id);
	unsigned char key[KEY_LEN], *sealed;
	struct bytes plain = { NULL, 0 };
	size_t len;

	if (source == NULL || (sealed = hex_decode(a, row->sealed, &len)) == NULL)
		return (plain);
	key_make(source, key);
	plain = gcm_open(a, key, row_bound(a, row), (struct bytes){ sealed, len });
	secret_wipe(key, sizeof(key));
	return (plain);
}

bool
outbox_reseal(struct arena *a, struct sealed_row *row)
{
	struct bytes plain = row_open(a, row);

	if (plain.data != NULL)
		row_seal(a, row, plain.data);
	return (plain.data != NULL);
}

const char *
outbox_key(struct arena *a)
{
	return (key_name(a, key_source(0)));
}

bool
outbox_key_known(struct arena *a, const char *key_id)
{
	return (key_source_named(a, key_id) != NULL);
}

/* Two lines of JSON, the language and the values: one object of both would be a level too deep for the deepest metadata. */
static const char *
content_text(struct arena *a, const char *language, const char *values)
{
	return (arena_printf(a, "%s\n%s", json_quote(a, language), values));
}

void
outbox_seal(struct arena *a, struct sealed_row *row, const char *language, const char *values)
{
	row_seal(a, row, content_text(a, language, values));
}

bool
outbox_unseal(struct arena *a, const struct sealed_row *row, struct letter_content *content)
{
	struct bytes plain = row_open(a, row);
	const char *first = plain.data, *second = first != NULL ? memchr(first, '\n', plain.len) : NULL;

	if (second == NULL)
		return (false);
	content->language = json_string(json_parse(a, first, (size_t)(second - first), NULL));
	content->values = json_parse(a, second + 1, plain.len - (size_t)(second + 1 - first), NULL);
	return (content->values != NULL);
}
