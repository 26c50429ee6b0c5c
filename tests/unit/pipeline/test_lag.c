#include "gtids.h"
#include "pipeline/lag.h"
#include "test.h"

static void durable(struct lag *l, struct position position)
{
    lag_durable(l, &position);
}

static void nothing_pending_is_no_lag(void **state)
{
    (void)state;
    struct lag l = {0};
    assert_int_equal(lag_ms(&l, 1000000), 0);
}

static void the_oldest_pending_commit_counts(void **state)
{
    (void)state;
    struct lag l = {0};
    lag_received(&l, position_integer(1), 1000000);
    lag_received(&l, position_integer(2), 3000000);
    assert_int_equal(lag_ms(&l, 4000000), 3000);
    durable(&l, position_integer(1));
    assert_int_equal(lag_ms(&l, 4000000), 1000);
    durable(&l, position_integer(2));
    assert_int_equal(lag_ms(&l, 4000000), 0);
}

static void more_marks_than_room_keep_the_oldest(void **state)
{
    (void)state;
    struct lag l = {0};
    for (uint64_t i = 1; i <= 3 * LAG_MARKS; i++) {
        lag_received(&l, position_integer(i), (int64_t)i * 1000);
    }
    assert_int_equal(lag_ms(&l, 10000 * 1000), 9999);
    durable(&l, position_integer(3 * LAG_MARKS - 1));
    assert_true(lag_ms(&l, 10000 * 1000) > 0);
    durable(&l, position_integer(3 * LAG_MARKS));
    assert_int_equal(lag_ms(&l, 10000 * 1000), 0);
}

static void a_source_clock_ahead_of_ours_is_no_lag(void **state)
{
    (void)state;
    struct lag l = {0};
    lag_received(&l, position_integer(1), 5000000);
    assert_int_equal(lag_ms(&l, 4000000), 0);
}

static void a_set_counts_until_it_is_durable_in_every_part(void **state)
{
    (void)state;
    struct lag l = {0};
    lag_received(&l, gtids(SERVER_A ":1-5"), 1000000);
    lag_received(&l, gtids(SERVER_A ":1-5," SERVER_B ":1"), 2000000);
    durable(&l, gtids(SERVER_A ":1-4," SERVER_B ":1"));
    assert_int_equal(lag_ms(&l, 4000000), 3000);
    durable(&l, gtids(SERVER_A ":1-9"));
    assert_int_equal(lag_ms(&l, 4000000), 2000);
    durable(&l, gtids(SERVER_A ":1-9," SERVER_B ":1"));
    assert_int_equal(lag_ms(&l, 4000000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_pending_is_no_lag),
        cmocka_unit_test(the_oldest_pending_commit_counts),
        cmocka_unit_test(more_marks_than_room_keep_the_oldest),
        cmocka_unit_test(a_source_clock_ahead_of_ours_is_no_lag),
        cmocka_unit_test(a_set_counts_until_it_is_durable_in_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
