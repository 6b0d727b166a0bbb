/* SPDX-License-Identifier: Apache-2.0 */
#include "core/outbox.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/mailer.h"
#include "db/db.h"
#include "net/mime.h"
#include "net/transport.h"
#include "query/outbox.h"
#include "sec/secret.h"

#define KEY_LEN 32
#define KEY_ID_LEN 8

static struct {
	enum wake by;
	int pipe;
} waking = { WAKE_NOTIFY, -1 };

void
outbox_wake_by(enum wake by, int pipe)
{
	waking.by = by;
	waking.pipe = pipe;
}

/* --- Keys --- */

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

/* Two lines of JSON, the language and the values: one object of both would be a level too deep for the deepest metadata. */
static const char *
content_text(struct arena *a, const char *language, const char *values)
{
	return (arena_printf(a, "%s\n%s", json_quote(a, language), values));
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

/* --- Writing --- */

/* One language of the user's choice, or the browser's list; NULL without either. */
static const char *
letter_language(struct request *r, const struct user *u)
{
	static const char *const names[] = { "language", "locale", "lang" };
	json *metadata = u->user_metadata != NULL ? json_parse(r->arena, u->user_metadata, strlen(u->user_metadata), NULL) : NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *language = json_string(json_get(metadata, names[i]));

		if (!str_empty(language))
			return (language);
	}
	return (request_header(r, "Accept-Language"));
}

/* Waking is a hint: a full pipe has hints enough, and the mailer looks by itself. */
static void
mailer_wake_late(struct request *r, void *unused)
{
	(void)unused;
	if (waking.by == WAKE_CHILD)
		mailer_start_child();
	else if (outbox_notify(r->db) != OK)
		log_line(LOG_DEBUG, "the mailer was not woken; it looks by itself");
}

/* A byte costs the client nothing; what costs more waits until the client has the reply. */
static void
mailer_wake(struct request *r)
{
	const struct timespec grace = { .tv_sec = cfg->postern_mail_grace / 1000000000, .tv_nsec = cfg->postern_mail_grace % 1000000000 };

	if (waking.by == WAKE_PIPE)
		(void)!write(waking.pipe, "", 1);
	else
		after(r, mailer_wake_late, NULL);
	if (cfg->postern_mail_grace > 0)
		nanosleep(&grace, NULL);
}

err
outbox_add(struct request *r, const struct user *u, const struct letter_order *order)
{
	struct arena *a = r->arena;
	struct sealed_row row = { .id = uuid_new(a), .letter = letter_row(order->letter)->name, .recipient = order->to };

	if (transport_in_use() == NULL)
		return (OK);
	row_seal(a, &row, content_text(a, letter_language(r, u), order->values));
	TRY(outbox_put(r->db, .id = row.id, .letter = row.letter, .user_id = u->id, .kind = order->kind, .hash = order->hash,
	    .recipient = row.recipient, .key_id = row.key_id, .sealed = row.sealed, .message_id = mime_message_id(a), .now = r->now_text));
	r->committed = mailer_wake;
	return (OK);
}
