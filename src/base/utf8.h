/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define UTF8_REPLACEMENT 0xFFFD

/*
 * Reads one code point of the len > 0 bytes.  Gives how many bytes it takes, or 0 when they are not strict UTF-8; the
 * code point is then UTF8_REPLACEMENT, and one byte is to be skipped, as Go does.
 */
size_t utf8_read(const char *, size_t len, uint32_t *);
void utf8_put(struct buf *, uint32_t);
bool utf8_is_space(uint32_t); /* as Go's unicode.IsSpace */

#endif
