/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Memory of one request.  Everything that a request allocates lives until arena_wipe(); nothing is freed on the way.
 * Running out of memory aborts the process: the web server or the parent starts another worker.
 */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *); /* NULL is harmless */

/* Runs what was deferred, newest first, overwrites all that was used and keeps a small block for the next request. */
void arena_wipe(struct arena *);

/* Zeroed, aligned for any type, never NULL. */
void *arena_alloc(struct arena *, size_t size);
void *arena_alloc_array(struct arena *, size_t count, size_t size); /* aborts when the product overflows */

/* Copies end with NUL.  A NULL string gives NULL. */
char *arena_strdup(struct arena *, const char *);
char *arena_strndup(struct arena *, const char *, size_t len);
char *arena_printf(struct arena *, const char *fmt, ...) printf_like(2, 3);
char *arena_vprintf(struct arena *, const char *fmt, va_list) printf_like(2, 0);

/* Hands over an object that is not arena memory: release(object) is called by arena_wipe(). */
void arena_defer(struct arena *, void (*release)(void *), void *object);

#define arena_new_object(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, n) ((type *)arena_alloc_array((a), (n), sizeof(type)))

#endif
