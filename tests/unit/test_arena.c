/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "fixture.h"

static void
test_memory_is_zeroed_and_aligned(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *memory = arena_alloc(arena, size);

		assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xA5, size);
	}
	arena_free(arena);
}

static void
test_big_objects(void **state)
{
	struct arena *arena = arena_new();
	char *small = arena_strdup(arena, "small"), *big = arena_alloc(arena, 10 << 20);

	(void)state;
	memset(big, 'x', 10 << 20);
	assert_string_equal(arena_strdup(arena, "next"), "next");
	assert_string_equal(small, "small");
	arena_free(arena);
}

static void
test_wiped_memory_is_zero_again(void **state)
{
	struct arena *arena = arena_new();
	char *before = arena_strdup(arena, "secret"), *after;

	(void)state;
	arena_wipe(arena);
	after = arena_alloc(arena, 7);
	assert_ptr_equal(after, before);
	assert_memory_equal(after, "\0\0\0\0\0\0\0", 7);
	arena_free(arena);
}

static char order[8];

static void
note(void *letter)
{
	strcat(order, letter);
}

static void
test_deferred_run_newest_first_and_once(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	arena_defer(arena, note, "a");
	arena_defer(arena, note, "b");
	arena_wipe(arena);
	assert_string_equal(order, "ba");
	arena_free(arena);
	assert_string_equal(order, "ba");
	arena_free(NULL);
}

static void
test_strings(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_null(arena_strdup(arena, NULL));
	assert_null(arena_strndup(arena, NULL, 3));
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
	arena_free(arena);
}

static void
test_buffer_grows(void **state)
{
	struct arena *arena = arena_new();
	struct buf buf = buf_new(arena);

	(void)state;
	assert_string_equal(buf.data, "");
	for (int i = 0; i < 5000; i++) {
		buf_printf(&buf, "%04d", i);
		buf_putc(&buf, ',');
	}
	assert_int_equal(buf.len, 25000);
	assert_int_equal(strlen(buf.data), 25000);
	assert_memory_equal(buf.data + 5 * 4321, "4321,", 5);
	buf_puts(&buf, NULL);
	buf_put(&buf, NULL, 0);
	buf_put(&buf, "a\0b", 3);
	assert_int_equal(buf.len, 25003);
	assert_int_equal(buf.data[buf.len], '\0');
	arena_free(arena);
}

static void
test_buffer_at_its_edges(void **state)
{
	struct arena *arena = arena_new();
	char text[300];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len < sizeof(text); len++) {
		struct buf put = buf_new(arena), printed = buf_new(arena);

		buf_put(&put, text, len);
		buf_printf(&printed, "%.*s", (int)len, text);
		assert_int_equal(strlen(put.data), len);
		assert_string_equal(put.data, printed.data);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_big_objects),
		cmocka_unit_test(test_wiped_memory_is_zero_again),
		cmocka_unit_test(test_deferred_run_newest_first_and_once),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_buffer_grows),
		cmocka_unit_test(test_buffer_at_its_edges),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
