/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/arena.h"

/* A growing byte string in an arena; data always ends with NUL (not counted in len).  Start with buf_new(). */
struct buf {
	struct arena *arena;
	char *data;
	size_t len;
	size_t cap;
};

struct buf buf_new(struct arena *);
void buf_put(struct buf *, const void *bytes, size_t len);
void buf_puts(struct buf *, const char *); /* NULL puts nothing */
void buf_putc(struct buf *, char);
void buf_printf(struct buf *, const char *fmt, ...) printf_like(2, 3);

#endif
