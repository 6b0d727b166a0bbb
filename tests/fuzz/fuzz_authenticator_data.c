/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "sec/authenticator_data.h"

/* What was read lies in the bytes, one part behind the other, and nothing is left over. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	struct authenticator_data data;

	if (authenticator_data_read(arena, (struct bytes){ bytes, len }, &data) == NULL) {
		const uint8_t *end = bytes + AUTHENTICATOR_DATA_LEAST;

		PROMISE(data.rp_id_hash.data == bytes && data.rp_id_hash.len == SHA256_LEN && data.flags == bytes[SHA256_LEN]);
		if ((data.flags & AUTHENTICATOR_AT) != 0) {
			PROMISE(data.aaguid.data == end && data.aaguid.len == AAGUID_LEN);
			PROMISE(data.credential_id.data == end + AAGUID_LEN + 2 && data.credential_id.len >= 1 &&
				data.credential_id.len <= 1023);
			end += AAGUID_LEN + 2 + data.credential_id.len;
			PROMISE(data.public_key.data == end && data.public_key.len >= 1);
			end += data.public_key.len;
		}
		if ((data.flags & AUTHENTICATOR_ED) != 0) {
			PROMISE(data.extensions.data == end && data.extensions.len >= 1);
			end += data.extensions.len;
		}
		PROMISE(end == bytes + len);
	}
	arena_free(arena);
	return (0);
}
