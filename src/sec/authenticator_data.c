/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/authenticator_data.h"
#include "sec/cbor.h"

#define LONGEST_ID 1023

/* The next bytes; no data when there are not so many, and then nothing is left for what comes behind them. */
static struct bytes
bytes_take(struct bytes *rest, size_t len)
{
	struct bytes taken = { rest->data, len };

	if (len > rest->len)
		return (*rest = (struct bytes){ NULL, 0 });
	*rest = (struct bytes){ (const unsigned char *)rest->data + len, rest->len - len };
	return (taken);
}

/* Big-endian; 0 where the bytes are missing. */
static uint32_t
number_take(struct bytes *rest, size_t len)
{
	struct bytes taken = bytes_take(rest, len);
	uint32_t number = 0;

	for (size_t i = 0; i < taken.len; i++)
		number = number << 8 | ((const unsigned char *)taken.data)[i];
	return (number);
}

/* A CBOR map, as it came; no data when there is none. */
static struct bytes
map_take(struct arena *arena, struct bytes *rest)
{
	struct cbor_value map;

	if (!cbor_read(arena, *rest, &map) || map.kind != CBOR_MAP)
		return ((struct bytes){ NULL, 0 });
	return (bytes_take(rest, map.source.len));
}

static const char *
credential_take(struct arena *arena, struct bytes *rest, struct authenticator_data *data)
{
	size_t id_len;

	data->aaguid = bytes_take(rest, AAGUID_LEN);
	id_len = number_take(rest, 2);
	if (id_len == 0 || id_len > LONGEST_ID)
		return ("credential id length");
	data->credential_id = bytes_take(rest, id_len);
	if (data->credential_id.data == NULL)
		return ("credential id");
	data->public_key = map_take(arena, rest);
	return (data->public_key.data == NULL ? "public key" : NULL);
}

const char *
authenticator_data_read(struct arena *arena, struct bytes bytes, struct authenticator_data *data)
{
	struct bytes rest = bytes;
	const char *why = NULL;

	*data = (struct authenticator_data){ .bytes = bytes };
	if (bytes.len < AUTHENTICATOR_DATA_LEAST)
		return ("authenticator data length");
	data->rp_id_hash = bytes_take(&rest, SHA256_LEN);
	data->flags = (uint8_t)number_take(&rest, 1);
	data->sign_count = number_take(&rest, 4);
	if ((data->flags & AUTHENTICATOR_AT) != 0)
		why = credential_take(arena, &rest, data);
	if (why != NULL)
		return (why);
	if ((data->flags & AUTHENTICATOR_ED) != 0) {
		data->extensions = map_take(arena, &rest);
		if (data->extensions.data == NULL)
			return ("extensions");
	}
	return (rest.len > 0 ? "something behind authenticator data" : NULL);
}
