/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/json.h"
#include "base/str.h"
#include "core/list.h"

#define BATCH 500

struct list *
list_new(struct request *r, uint64_t size, uint64_t skip)
{
	struct list *list = arena_new_object(r->arena, struct list);

	list->left = size;
	list->skip = skip;
	return (list);
}

void
list_pass(struct list *list, const char *created_at, const char *id)
{
	list->rows++;
	snprintf(list->last_created_at, sizeof(list->last_created_at), "%s", str_or(created_at, ""));
	snprintf(list->last_id, sizeof(list->last_id), "%s", id);
}

void
list_row(struct list *list, struct buf *out, const char *created_at, const char *id)
{
	if (list->shown++ > 0)
		buf_putc(out, ',');
	list_pass(list, created_at, id);
}

/*
 * Where less came than was asked for there are no more, but for rows without created_at.  Elsewhere the total proves nothing: rows come
 * and go.
 */
static err
batch_read(struct request *r, struct list *list, struct buf *out)
{
	uint64_t before = list->rows, got;
	bool whole, undated;

	list->most = list->left < BATCH ? list->left : BATCH;
	TRY(list->read(r, list, out));
	got = list->rows - before;
	list->skip += got;
	whole = got == list->most;
	undated = !whole && list->undated_last && list->created_at != NULL && list->skip < (uint64_t)list->total;
	list->left = whole || undated ? list->left - got : 0;
	list->created_at = undated || *list->last_created_at == '\0' ? NULL : list->last_created_at;
	list->id = list->last_id;
	if (list->left == 0)
		buf_puts(out, list->end);
	return (OK);
}

/* Where none of many rows is shown, white space says that there may be more. */
static err
list_next(struct request *r, void *state, struct buf *out)
{
	struct list *list = state;

	while (list != NULL && list->left == 0)
		list = list->then;
	if (list == NULL)
		return (OK);
	TRY(batch_read(r, list, out));
	if (out->len == 0)
		buf_putc(out, '\n');
	return (OK);
}

struct buf
list_begin(struct arena *a, const char *name)
{
	struct buf b = buf_new(a);

	json_object_begin(&b, NULL);
	json_array_begin(&b, name);
	return (b);
}

void
list_then(struct list *list, struct arena *a, const char *name, struct list *then)
{
	struct buf end = buf_new(a);

	json_array_end(&end);
	json_array_begin(&end, name);
	list->end = end.data;
	list->then = then;
}

err
list_reply(struct request *r, struct list *list, const char *head)
{
	struct buf out = buf_new(r->arena);

	buf_puts(&out, head);
	TRY(batch_read(r, list, &out));
	return (reply_stream(r, NULL, out.data, list->left > 0 || list->then != NULL ? list_next : NULL, list));
}
