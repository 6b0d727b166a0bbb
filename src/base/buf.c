/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct buf
buf_new(struct arena *arena)
{
	struct buf buf = { .arena = arena, .cap = 64 };

	buf.data = arena_alloc(arena, buf.cap);
	return (buf);
}

static void
buf_reserve(struct buf *buf, size_t more)
{
	size_t cap = buf->cap;
	char *data;

	if (more < cap - buf->len)
		return;
	while (more >= cap - buf->len) {
		if (__builtin_mul_overflow(cap, 2, &cap)) {
			cap = SIZE_MAX; /* arena_alloc() refuses it */
			break;
		}
	}
	data = arena_alloc(buf->arena, cap);
	memcpy(data, buf->data, buf->len);
	buf->data = data;
	buf->cap = cap;
}

void
buf_put(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_puts(struct buf *buf, const char *text)
{
	if (text != NULL)
		buf_put(buf, text, strlen(text));
}

void
buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len <= 0)
		return;
	buf_reserve(buf, (size_t)len);
	va_start(args, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
}
