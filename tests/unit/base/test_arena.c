#include <string.h>

#include "base/arena.h"
#include "test.h"

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct arena a = {0};
    uint8_t *all[2000];
    for (size_t i = 0; i < 2000; i++) {
        all[i] = arena_alloc(&a, i % 97 + 1);
        assert_int_equal((uintptr_t)all[i] % 16, 0);
        memset(all[i], (int)(i & 0xFF), i % 97 + 1);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t j = 0; j < i % 97 + 1; j++) {
            assert_int_equal(all[i][j], i & 0xFF);
        }
    }
    arena_release(&a);
}

static void a_large_allocation_leaves_the_small_chunk_in_use(void **state)
{
    (void)state;
    struct arena a = {0};
    uint8_t *small = arena_alloc(&a, 16);
    memset(arena_alloc(&a, 3 << 20), 1, 3 << 20);
    uint8_t *next = arena_alloc(&a, 16);
    assert_ptr_equal(next, small + 16);
    assert_in_range(a.bytes, 3 << 20, (3 << 20) + 8192);
    arena_release(&a);
}

static void zeroed_memory_is_zero_even_after_reuse(void **state)
{
    (void)state;
    struct arena a = {0};
    memset(arena_alloc(&a, 4000), 0xAA, 4000);
    arena_release(&a);
    const uint8_t *p = arena_zalloc(&a, 4000);
    for (size_t i = 0; i < 4000; i++) {
        assert_int_equal(p[i], 0);
    }
    arena_release(&a);
}

static void strings_are_copied_and_terminated(void **state)
{
    (void)state;
    struct arena a = {0};
    char source[] = "abcdef";
    const char *copy = arena_string(&a, source, 3);
    source[0] = 'X';
    assert_string_equal(copy, "abc");
    assert_string_equal(arena_string(&a, NULL, 0), "");
    assert_string_equal(arena_format(&a, "%s-%05d", "v", 42), "v-00042");
    assert_memory_equal(arena_copy(&a, "\0\1\2", 3), "\0\1\2", 3);
    arena_release(&a);
}

static int order[3];
static int order_count;

static void note(void *arg)
{
    order[order_count++] = *(int *)arg;
}

static void deferred_calls_run_newest_first_before_the_memory_goes(void **state)
{
    (void)state;
    struct arena a = {0};
    order_count = 0;
    for (int i = 0; i < 3; i++) {
        arena_defer(&a, note, arena_copy(&a, &i, sizeof(i)));
    }
    arena_release(&a);
    assert_int_equal(order_count, 3);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[2], 0);
    assert_int_equal(a.bytes, 0);
    assert_null(a.chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_large_allocation_leaves_the_small_chunk_in_use),
        cmocka_unit_test(zeroed_memory_is_zero_even_after_reuse),
        cmocka_unit_test(strings_are_copied_and_terminated),
        cmocka_unit_test(deferred_calls_run_newest_first_before_the_memory_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
