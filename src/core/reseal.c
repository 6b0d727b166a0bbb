/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reseal.h"

#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/outbox_seal.h"
#include "sec/secret.h"

#define PASSES 50 /* over rows that somebody else is at */
#define PAUSE_NS 100000000
#define LETTERS "outbox.sealed"

/* Rows on their way back. */
struct batch {
	struct arena *arena;
	const char *place;
	char after[sizeof(UUID_NIL)]; /* the last that was read; "" at first */
	size_t read;
	long long written;
	struct buf rows;
	struct resealed *result;
};

static void
batch_note(struct batch *b, size_t read, const char *last)
{
	b->read = read;
	snprintf(b->after, sizeof(b->after), "%s", last);
}

static void
row_write(struct batch *b, const char *id, const char *was, const char *sealed, const char *key_id)
{
	json_put_raw(&b->rows, NULL, json_pairs(b->arena, "id", id, "was", was, "sealed", sealed, "key_id", key_id, NULL));
	b->written++;
}

static void
column_reseal(struct batch *b, const struct sealed_columns *row)
{
	bool outdated;
	const char *plain = secret_unseal(b->arena, row->id, row->stored, &outdated), *sealed;

	if (plain == NULL) {
		b->result->unreadable++;
		return;
	}
	if (!outdated)
		return;
	sealed = secret_seal(b->arena, row->id, plain);
	if (row->room > 0 && utf8_count(sealed) > (size_t)row->room)
		b->result->too_long++;
	else
		row_write(b, row->id, row->stored, sealed, NULL);
}

static err
columns_read(struct db *db, struct batch *b)
{
	struct sealed_columns_rows page;

	TRY(sealed_columns(db, &page, .place = b->place, .key = cfg->gotrue_security_db_encryption_encryption_key_id,
	    .after = str_or(b->after, NULL)));
	for (size_t i = 0; i < page.len; i++)
		column_reseal(b, &page.row[i]);
	batch_note(b, page.len, page.len > 0 ? page.row[page.len - 1].id : "");
	return (OK);
}

static void
letter_reseal(struct batch *b, const struct sealed_letters *letter)
{
	struct sealed_row row = { letter->id, letter->letter, letter->recipient, letter->key_id, letter->sealed };

	if (outbox_reseal(b->arena, &row))
		row_write(b, letter->id, letter->sealed, row.sealed, row.key_id);
	else
		b->result->unreadable++;
}

static err
letters_read(struct db *db, struct batch *b)
{
	struct sealed_letters_rows page;

	TRY(sealed_letters(db, &page, .key = outbox_key(b->arena), .after = str_or(b->after, NULL)));
	for (size_t i = 0; i < page.len; i++)
		letter_reseal(b, &page.row[i]);
	batch_note(b, page.len, page.len > 0 ? page.row[page.len - 1].id : "");
	return (OK);
}

static err
batch_run(struct db *db, struct batch *b)
{
	struct reseal done;

	b->written = 0;
	b->rows = buf_new(b->arena);
	json_array_begin(&b->rows, NULL);
	TRY(str_equal(b->place, LETTERS) ? letters_read(db, b) : columns_read(db, b));
	json_array_end(&b->rows);
	if (b->written == 0)
		return (OK);
	TRY(reseal(db, &done, .place = b->place, .rows = b->rows.data));
	b->result->sealed += done.count;
	b->result->busy += b->written - done.count;
	return (OK);
}

/* Once over all rows; what a batch needed goes with it. */
static err
pass_run(struct db *db, struct arena *a, const char *place, struct resealed *result)
{
	struct batch b = { .arena = arena_new(), .place = place, .result = result };
	err error;

	*result = (struct resealed){ .sealed = result->sealed };
	db_arena(db, b.arena);
	while ((error = batch_run(db, &b)) == OK && b.read > 0)
		arena_wipe(b.arena);
	db_arena(db, a);
	arena_free(b.arena);
	return (error);
}

err
reseal_place(struct db *db, struct arena *a, const char *place, struct resealed *result)
{
	const struct timespec pause = { 0, PAUSE_NS };

	*result = (struct resealed){ 0 };
	TRY(pass_run(db, a, place, result));
	for (int i = 1; i < PASSES && result->busy > 0; i++) {
		nanosleep(&pause, NULL);
		TRY(pass_run(db, a, place, result));
	}
	return (OK);
}

bool
reseal_key_known(struct arena *a, const struct sealed_counts *rows)
{
	if (str_equal(rows->place, LETTERS))
		return (outbox_key_known(a, rows->key_id));
	return (rows->key_id == NULL || secret_key_known(rows->key_id));
}
