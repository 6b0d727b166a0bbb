/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_CBOR_H
#define SEC_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "sec/secret.h"

/*
 * CBOR (RFC 8949) as the reference's library takes it of authenticators: lengths are definite, there are no tags, the keys of a map are numbers, texts
 * or bytes and none is there twice; lengths and keys need not be in CTAP2's canonical form.  4 levels of arrays and maps, 256 values.
 */
enum cbor_kind {
	CBOR_NOTHING, /* what a map has not; only such a value has no kind */
	CBOR_INTEGER,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_OTHER, /* booleans, null, floating point, numbers beyond int64_t */
};

struct cbor_value {
	enum cbor_kind kind;
	int64_t integer;
	struct bytes bytes;            /* of a text (UTF-8) or bytes */
	size_t len;                    /* of an array; of a map, twice its members */
	const struct cbor_value *item; /* its values; of a map key, value, key, value ... */
	struct bytes source;           /* what it was read from */
};

/* Reads one value; source.len says where it ends.  False when there is none.  It points into the bytes. */
bool cbor_read(struct arena *, struct bytes, struct cbor_value *);

/* The member of a map with that key, if it is of that kind; else NULL. */
const struct cbor_value *cbor_named(const struct cbor_value *map, const char *key, enum cbor_kind);
const struct cbor_value *cbor_numbered(const struct cbor_value *map, int64_t key, enum cbor_kind);

#endif
