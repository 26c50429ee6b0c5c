#include "gtids.h"
#include "pipeline/epoch.h"
#include "test.h"

static struct epoch make_epoch(void)
{
    return (struct epoch){.interval_ms = 1000,
                          .rows_max = 100,
                          .bytes_max = 1 << 20,
                          .changed_ms = 0,
                          .ended_ms = 0,
                          .position = position_integer(10)};
}

static void add_rows(struct epoch *e, uint32_t rows)
{
    struct schema *schema = schema_new(0);
    schema_seal(schema);
    struct batch *batch = batch_new(schema, 0, rows);
    batch->row_count = rows;
    epoch_add(e, &(struct event){.kind = EVENT_BATCH, .batch = batch});
    batch_release(batch);
    schema_release(schema);
}

static void a_burst_after_a_quiet_time_ends_its_epoch_at_once(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    add_rows(&e, 1);
    assert_true(epoch_is_due(&e, position_integer(11), 5000));
}

static void barriers_without_changes_do_not_delay_a_burst(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    (void)epoch_end(&e, position_integer(20), PHASE_STREAMING, 0, 4999);
    add_rows(&e, 1);
    assert_true(epoch_is_due(&e, position_integer(21), 5000));
}

static void changes_wait_for_the_interval(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    add_rows(&e, 1);
    (void)epoch_end(&e, position_integer(20), PHASE_STREAMING, 0, 5000);
    add_rows(&e, 1);
    assert_false(epoch_is_due(&e, position_integer(21), 5999));
    assert_true(epoch_is_due(&e, position_integer(21), 6000));
}

static void full_rows_do_not_wait(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    add_rows(&e, 1);
    (void)epoch_end(&e, position_integer(20), PHASE_STREAMING, 0, 5000);
    add_rows(&e, 100);
    assert_true(epoch_is_full(&e));
    assert_true(epoch_is_due(&e, position_integer(21), 5001));
}

static void a_moving_stream_without_changes_ends_epochs_too(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    assert_true(epoch_is_due(&e, position_integer(11), 1000));
    assert_false(epoch_is_due(&e, position_integer(11), 999));
}

static void a_resting_stream_ends_none(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    assert_false(epoch_is_due(&e, position_integer(10), 100000));
}

static void ending_counts_up_and_empties(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    add_rows(&e, 100);
    struct barrier b = epoch_end(&e, position_integer(30), PHASE_LOADING, 7, 100);
    assert_int_equal(b.epoch, 1);
    assert_int_equal(b.position.integer, 30);
    assert_int_equal(b.phase, PHASE_LOADING);
    assert_int_equal(b.commit_time_us, 7);
    assert_false(epoch_is_full(&e));
    assert_int_equal(epoch_end(&e, position_integer(31), PHASE_STREAMING, 7, 101).epoch, 2);
}

static void a_set_that_gained_a_transaction_has_moved(void **state)
{
    (void)state;
    struct epoch e = make_epoch();
    struct barrier b = epoch_end(&e, gtids("0-1-5," SERVER_A ":1-9"), PHASE_STREAMING, 0, 0);
    assert_position(b.position, SERVER_A ":1-9,0-1-5");
    assert_false(epoch_is_due(&e, gtids(SERVER_A ":1-9,0-2-5"), 100000));
    assert_true(epoch_is_due(&e, gtids(SERVER_A ":1-9:11,0-1-5"), 100000));
    assert_true(epoch_is_due(&e, gtids(SERVER_A ":1-9,0-1-6"), 100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_after_a_quiet_time_ends_its_epoch_at_once),
        cmocka_unit_test(barriers_without_changes_do_not_delay_a_burst),
        cmocka_unit_test(changes_wait_for_the_interval),
        cmocka_unit_test(full_rows_do_not_wait),
        cmocka_unit_test(a_moving_stream_without_changes_ends_epochs_too),
        cmocka_unit_test(a_resting_stream_ends_none),
        cmocka_unit_test(ending_counts_up_and_empties),
        cmocka_unit_test(a_set_that_gained_a_transaction_has_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
