/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT _Alignof(max_align_t)
/* Far below what size arithmetic could overflow at, far above what a request may need. */
#define LARGEST ((size_t)1 << 40)

struct block {
	struct block *next;
	size_t size, used;
	max_align_t bytes[];
};

struct deferred {
	struct deferred *next;
	void (*release)(void *);
	void *object;
};

/* The first block is the one that survives arena_wipe(); the newest of ordinary size is filled next. */
struct arena {
	struct block *first, *fill;
	struct deferred *deferred;
};

static void *
memory_or_abort(size_t size)
{
	void *memory = calloc(1, size);

	if (memory == NULL) {
		fputs("postern: out of memory\n", stderr);
		abort();
	}
	return (memory);
}

static struct block *
block_new(size_t size)
{
	struct block *block = memory_or_abort(sizeof(struct block) + size);

	block->size = size;
	return (block);
}

static void *
block_take(struct block *block, size_t size)
{
	void *taken = (char *)block->bytes + block->used;

	block->used += size;
	return (taken);
}

static void
block_wipe(struct block *block)
{
	explicit_bzero(block->bytes, block->used);
	block->used = 0;
}

struct arena *
arena_new(void)
{
	struct arena *arena = memory_or_abort(sizeof(*arena));

	arena->first = arena->fill = block_new(BLOCK_SIZE);
	return (arena);
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_wipe(arena);
	free(arena->first);
	free(arena);
}

void
arena_wipe(struct arena *arena)
{
	/* A release may allocate or defer again: so the list is asked anew each time. */
	while (arena->deferred != NULL) {
		struct deferred *deferred = arena->deferred;

		arena->deferred = deferred->next;
		deferred->release(deferred->object);
	}
	for (struct block *block = arena->first->next, *next; block != NULL; block = next) {
		next = block->next;
		block_wipe(block);
		free(block);
	}
	block_wipe(arena->first);
	arena->first->next = NULL;
	arena->fill = arena->first;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct block *block;

	if (size > LARGEST) {
		fputs("postern: unreasonable allocation\n", stderr);
		abort();
	}
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (size <= arena->fill->size - arena->fill->used)
		return (block_take(arena->fill, size));
	block = block_new(size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE);
	block->next = arena->first->next;
	arena->first->next = block;
	/* A big object has a block of its own, and the rest of the current one stays in use. */
	if (block->size == BLOCK_SIZE)
		arena->fill = block;
	return (block_take(block, size));
}

void *
arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		total = SIZE_MAX;
	return (arena_alloc(arena, total));
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return (text == NULL ? NULL : arena_strndup(arena, text, strlen(text)));
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy;

	if (text == NULL)
		return (NULL);
	copy = arena_alloc(arena, len + 1);
	memcpy(copy, text, len);
	return (copy);
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = arena_vprintf(arena, fmt, args);
	va_end(args);
	return (text);
}

char *
arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0) {
		fputs("postern: a text of 2 GB, or a bad format\n", stderr);
		abort();
	}
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	return (text);
}

void
arena_defer(struct arena *arena, void (*release)(void *), void *object)
{
	struct deferred *deferred = arena_new_object(arena, struct deferred);

	*deferred = (struct deferred){ arena->deferred, release, object };
	arena->deferred = deferred;
}
