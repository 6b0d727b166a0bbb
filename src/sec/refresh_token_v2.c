/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "sec/refresh_token_v2.h"
#include "sec/secret.h"

/* version 0, session id, counter as a varint, HMAC cut to 128 bits, SHA-256 of all that cut to 32 */
#define ID_LEN 16
#define COUNTER_MAX_LEN 10
#define SIGNATURE_LEN 16
#define CHECKSUM_LEN 4
#define TRAILER_LEN (SIGNATURE_LEN + CHECKSUM_LEN)
#define SHORTEST (1 + ID_LEN + 1 + TRAILER_LEN)

/* As Go's binary.Uvarint: padded forms pass, more than 64 bits do not.  Gives the length, 0 for none. */
static size_t
varint_get(const unsigned char *at, size_t len, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len && i < COUNTER_MAX_LEN; i++) {
		*value |= (uint64_t)(at[i] & 0x7f) << (7 * i);
		if (at[i] < 0x80)
			return (i == COUNTER_MAX_LEN - 1 && at[i] > 1 ? 0 : i + 1);
	}
	return (0);
}

static size_t
varint_put(unsigned char *at, uint64_t value)
{
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		at[len++] = (unsigned char)(value | 0x80);
	at[len++] = (unsigned char)value;
	return (len);
}

static bool
checksum_fits(const unsigned char *bytes, size_t len)
{
	unsigned char sum[SHA256_LEN];

	sha256(bytes, len - CHECKSUM_LEN, sum);
	return (secret_equal(sum, bytes + len - CHECKSUM_LEN, CHECKSUM_LEN));
}

static void
id_text(const unsigned char id[ID_LEN], char text[37])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < ID_LEN; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[id[i] >> 4];
		*text++ = digits[id[i] & 15];
	}
	*text = '\0';
}

static unsigned char *
token_decode(struct arena *arena, const char *text, size_t *len)
{
	unsigned char *bytes = base64url_decode(arena, text, len);

	if (bytes == NULL || *len < SHORTEST || bytes[0] != 0 || !checksum_fits(bytes, *len))
		return (NULL);
	return (bytes);
}

bool
refresh_token_v2_parse(struct arena *arena, const char *text, struct refresh_token_v2 *token)
{
	size_t len, counter_len;
	uint64_t counter;
	unsigned char *bytes = token_decode(arena, text, &len);

	if (bytes == NULL)
		return (false);
	counter_len = varint_get(bytes + 1 + ID_LEN, len - 1 - ID_LEN - CHECKSUM_LEN, &counter);
	if (counter_len == 0 || len != 1 + ID_LEN + counter_len + TRAILER_LEN)
		return (false);
	id_text(bytes + 1, token->session_id);
	token->counter = counter > LLONG_MAX ? LLONG_MAX : (long long)counter;
	token->raw = arena_strdup(arena, text);
	return (true);
}

bool
refresh_token_v2_signed(struct arena *arena, const char *text, const unsigned char *key, size_t key_len)
{
	unsigned char mac[SHA256_LEN];
	size_t len;
	unsigned char *bytes = token_decode(arena, text, &len);

	if (bytes == NULL)
		return (false);
	hmac_sha256(key, key_len, bytes, len - TRAILER_LEN, mac);
	return (secret_equal(mac, bytes + len - TRAILER_LEN, SIGNATURE_LEN));
}

char *
refresh_token_v2_encode(struct arena *arena, const struct refresh_token_v2 *token, const unsigned char *key, size_t key_len)
{
	unsigned char bytes[1 + ID_LEN + COUNTER_MAX_LEN + TRAILER_LEN] = { 0 }, hash[SHA256_LEN];
	size_t len = 1 + ID_LEN, id_len;
	unsigned char *id = hex_decode(arena, str_replace(arena, token->session_id, "-", ""), &id_len);

	if (id == NULL || id_len != ID_LEN)
		return (NULL);
	memcpy(bytes + 1, id, ID_LEN);
	len += varint_put(bytes + len, token->counter < 0 ? 0 : (uint64_t)token->counter);
	hmac_sha256(key, key_len, bytes, len, hash);
	memcpy(bytes + len, hash, SIGNATURE_LEN);
	len += SIGNATURE_LEN;
	sha256(bytes, len, hash);
	memcpy(bytes + len, hash, CHECKSUM_LEN);
	return (base64url_encode(arena, bytes, len + CHECKSUM_LEN));
}
