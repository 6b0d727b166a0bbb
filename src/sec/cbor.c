/* SPDX-License-Identifier: Apache-2.0 */
#include <cbor.h>
#include <string.h>

#include "base/str.h"
#include "sec/cbor.h"

#define MOST_LEVELS 4
#define MOST_VALUES 256

struct reader {
	struct arena *arena;
	struct bytes rest;
	size_t values; /* that may still come */
};

static void
integer_take(void *context, uint64_t number, bool negative)
{
	struct cbor_value *value = context;

	value->kind = number <= INT64_MAX ? CBOR_INTEGER : CBOR_OTHER;
	if (value->kind == CBOR_INTEGER)
		value->integer = negative ? -1 - (int64_t)number : (int64_t)number;
}

/* libcbor calls another one for each width and sign. */
#define INTEGER_TAKE(name, type, negative)               \
	static void name(void *context, type number)     \
	{                                                \
		integer_take(context, number, negative); \
	}
INTEGER_TAKE(uint8_take, uint8_t, false)
INTEGER_TAKE(uint16_take, uint16_t, false)
INTEGER_TAKE(uint32_take, uint32_t, false)
INTEGER_TAKE(uint64_take, uint64_t, false)
INTEGER_TAKE(negint8_take, uint8_t, true)
INTEGER_TAKE(negint16_take, uint16_t, true)
INTEGER_TAKE(negint32_take, uint32_t, true)
INTEGER_TAKE(negint64_take, uint64_t, true)

static void
bytes_take(void *context, cbor_data data, size_t len)
{
	*(struct cbor_value *)context = (struct cbor_value){ .kind = CBOR_BYTES, .bytes = { data, len } };
}

static void
text_take(void *context, cbor_data data, size_t len)
{
	if (utf8_valid((const char *)data, len))
		*(struct cbor_value *)context = (struct cbor_value){ .kind = CBOR_TEXT, .bytes = { data, len } };
}

static void
array_take(void *context, size_t len)
{
	*(struct cbor_value *)context = (struct cbor_value){ .kind = CBOR_ARRAY, .len = len };
}

static void
map_take(void *context, size_t members)
{
	/* A length that would wrap is beyond all that is taken. */
	*(struct cbor_value *)context = (struct cbor_value){ .kind = CBOR_MAP, .len = members > MOST_VALUES ? SIZE_MAX : 2 * members };
}

static void
other_take(void *context)
{
	((struct cbor_value *)context)->kind = CBOR_OTHER;
}

static void
bool_take(void *context, bool truth)
{
	(void)truth;
	other_take(context);
}

static void
float_take(void *context, float number)
{
	(void)number;
	other_take(context);
}

static void
double_take(void *context, double number)
{
	(void)number;
	other_take(context);
}

/* What is not taken leaves the value without a kind. */
static void
refuse(void *context)
{
	(void)context;
}

static void
tag_refuse(void *context, uint64_t number)
{
	(void)context;
	(void)number;
}

static const struct cbor_callbacks callbacks = {
	.uint8 = uint8_take,
	.uint16 = uint16_take,
	.uint32 = uint32_take,
	.uint64 = uint64_take,
	.negint8 = negint8_take,
	.negint16 = negint16_take,
	.negint32 = negint32_take,
	.negint64 = negint64_take,
	.byte_string = bytes_take,
	.string = text_take,
	.array_start = array_take,
	.map_start = map_take,
	.null = other_take,
	.undefined = other_take,
	.boolean = bool_take,
	.float2 = float_take,
	.float4 = float_take,
	.float8 = double_take,
	.byte_string_start = refuse,
	.string_start = refuse,
	.indef_array_start = refuse,
	.indef_map_start = refuse,
	.indef_break = refuse,
	.tag = tag_refuse,
};

/* A number, text or bytes; of an array or map how long it says that it is. */
static bool
head_read(struct reader *r, struct cbor_value *value)
{
	struct cbor_decoder_result done;

	*value = (struct cbor_value){ 0 };
	done = cbor_stream_decode(r->rest.data, r->rest.len, &callbacks, value);
	if (done.status != CBOR_DECODER_FINISHED || value->kind == CBOR_NOTHING)
		return (false);
	r->rest = (struct bytes){ (const unsigned char *)r->rest.data + done.read, r->rest.len - done.read };
	return (true);
}

static bool
key_equal(const struct cbor_value *one, const struct cbor_value *other)
{
	return (one->kind == other->kind && one->integer == other->integer && bytes_equal(one->bytes, other->bytes));
}

static bool
keys_valid(const struct cbor_value *map)
{
	for (size_t i = 0; i < map->len; i += 2) {
		enum cbor_kind kind = map->item[i].kind;

		if (kind != CBOR_INTEGER && kind != CBOR_TEXT && kind != CBOR_BYTES)
			return (false);
		for (size_t before = 0; before < i; before += 2)
			if (key_equal(&map->item[before], &map->item[i]))
				return (false);
	}
	return (true);
}

static bool value_read(struct reader *, unsigned levels, struct cbor_value *);

/* Memory is only taken for as many values as may come at all. */
static bool
items_read(struct reader *r, unsigned levels, struct cbor_value *value)
{
	struct cbor_value *item;

	if (levels == 0 || value->len > r->values)
		return (false);
	r->values -= value->len;
	value->item = item = arena_new_array(r->arena, struct cbor_value, value->len);
	for (size_t i = 0; i < value->len; i++)
		if (!value_read(r, levels - 1, &item[i]))
			return (false);
	return (value->kind == CBOR_ARRAY || keys_valid(value));
}

static bool
value_read(struct reader *r, unsigned levels, struct cbor_value *value)
{
	const unsigned char *start = r->rest.data;
	size_t before = r->rest.len;

	if (!head_read(r, value))
		return (false);
	if ((value->kind == CBOR_ARRAY || value->kind == CBOR_MAP) && !items_read(r, levels, value))
		return (false);
	value->source = (struct bytes){ start, before - r->rest.len };
	return (true);
}

bool
cbor_read(struct arena *arena, struct bytes bytes, struct cbor_value *value)
{
	struct reader r = { arena, bytes, MOST_VALUES };

	return (value_read(&r, MOST_LEVELS, value));
}

static const struct cbor_value *
member_find(const struct cbor_value *map, const struct cbor_value *key, enum cbor_kind kind)
{
	for (size_t i = 0; map->kind == CBOR_MAP && i < map->len; i += 2)
		if (key_equal(&map->item[i], key))
			return (map->item[i + 1].kind == kind ? &map->item[i + 1] : NULL);
	return (NULL);
}

const struct cbor_value *
cbor_named(const struct cbor_value *map, const char *key, enum cbor_kind kind)
{
	return (member_find(map, &(struct cbor_value){ .kind = CBOR_TEXT, .bytes = { key, strlen(key) } }, kind));
}

const struct cbor_value *
cbor_numbered(const struct cbor_value *map, int64_t key, enum cbor_kind kind)
{
	return (member_find(map, &(struct cbor_value){ .kind = CBOR_INTEGER, .integer = key }, kind));
}
