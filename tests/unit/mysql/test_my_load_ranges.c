#include "source/mysql/load_parts.h"
#include "test.h"

static const __int128 unsigned_max = UINT64_MAX;

/* Cuts, and looks that the ranges hold each key once. Returns how many there are. */
static uint32_t cut(__int128 from, __int128 to, uint64_t rows, uint32_t count, __int128 *bounds)
{
    uint32_t n = my_load_ranges(from, to, rows, count, bounds);
    assert_true(n >= 1 && n <= MY_LOAD_RANGES_MAX);
    assert_true(bounds[0] == from);
    assert_true(bounds[n] == to + 1);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(bounds[i] < bounds[i + 1]);
    }
    return n;
}

static void a_small_table_is_one_range(void **state)
{
    (void)state;
    __int128 bounds[MY_LOAD_RANGES_MAX + 1];
    assert_int_equal(cut(1, 1000000, 0, 4, bounds), 1);
    assert_int_equal(cut(1, 1000000, 39999, 4, bounds), 1);
    assert_int_equal(cut(7, 7, 1000000, 4, bounds), 1);
}

static void a_large_table_has_eight_ranges_for_each_connection(void **state)
{
    (void)state;
    __int128 bounds[MY_LOAD_RANGES_MAX + 1];
    assert_int_equal(cut(1, 100000000, 100000000, 4, bounds), 32);
    assert_int_equal(cut(1, 100000000, 100000000, 1, bounds), 8);
    assert_int_equal(cut(1, 100000000, 100000000, 16, bounds), 128);
    assert_int_equal(cut(1, 200000, 200000, 16, bounds), 10);
}

static void there_are_no_more_ranges_than_keys(void **state)
{
    (void)state;
    __int128 bounds[MY_LOAD_RANGES_MAX + 1];
    assert_int_equal(cut(-1, 3, 1000000, 4, bounds), 5);
}

static void ranges_differ_by_one_key_at_most(void **state)
{
    (void)state;
    __int128 bounds[MY_LOAD_RANGES_MAX + 1];
    uint32_t n = cut(-1234567, 7654321, 100000000, 4, bounds);
    __int128 width = bounds[1] - bounds[0];
    for (uint32_t i = 0; i < n; i++) {
        __int128 own = bounds[i + 1] - bounds[i];
        assert_true(own - width <= 1 && width - own <= 1);
    }
}

static void the_whole_width_of_both_kinds_of_integers_is_cut(void **state)
{
    (void)state;
    __int128 bounds[MY_LOAD_RANGES_MAX + 1];
    assert_int_equal(cut(0, unsigned_max, UINT64_MAX, 16, bounds), 128);
    assert_int_equal(cut(INT64_MIN, INT64_MAX, UINT64_MAX, 16, bounds), 128);
    assert_int_equal(cut(INT64_MIN, unsigned_max, UINT64_MAX, 16, bounds), 128);
    assert_int_equal(cut(unsigned_max - 1, unsigned_max, UINT64_MAX, 16, bounds), 2);
}

static void a_range_is_a_condition_on_the_key(void **state)
{
    (void)state;
    struct my_load_plan plan = {.key = "i`d", .range_count = 2};
    plan.bounds[0] = INT64_MIN;
    plan.bounds[1] = 0;
    plan.bounds[2] = unsigned_max + 1;
    struct buf sql = {0};
    my_load_append_range(&sql, &plan, 0);
    assert_string_equal(buf_text(&sql), " WHERE `i``d` BETWEEN -9223372036854775808 AND -1");
    buf_clear(&sql);
    my_load_append_range(&sql, &plan, 1);
    assert_string_equal(buf_text(&sql), " WHERE `i``d` BETWEEN 0 AND 18446744073709551615");
    buf_clear(&sql);
    plan.key = NULL;
    my_load_append_range(&sql, &plan, 0);
    assert_string_equal(buf_text(&sql), "");
    buf_release(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_table_is_one_range),
        cmocka_unit_test(a_large_table_has_eight_ranges_for_each_connection),
        cmocka_unit_test(there_are_no_more_ranges_than_keys),
        cmocka_unit_test(ranges_differ_by_one_key_at_most),
        cmocka_unit_test(the_whole_width_of_both_kinds_of_integers_is_cut),
        cmocka_unit_test(a_range_is_a_condition_on_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
