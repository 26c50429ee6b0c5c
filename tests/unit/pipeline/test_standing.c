#include "base/clock.h"
#include "base/log.h"
#include "gtids.h"
#include "pipeline/standing.h"
#include "test.h"

static struct sink_config sinks[2] = {{.type = "delta"}, {.type = "stdout"}};
static const struct pipeline_config config = {
    .name = "shop", .sinks = sinks, .sink_count = 2, .detach_after_ms = 1000};

static int64_t now_us;
static struct standing *standing;

static struct position at(uint64_t v)
{
    return position_integer(v);
}

static int begin(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_ERROR, false);
    now_us = 1000000;
    clock_fake(&now_us);
    standing = standing_new(&config);
    return 0;
}

static int end(void **state)
{
    (void)state;
    standing_free(&standing);
    clock_fake(NULL);
    return 0;
}

static void pass_ms(int64_t ms)
{
    now_us += ms * 1000;
}

static bool has_caught_up(void)
{
    return standing_has_caught_up(standing, 1, clock_monotonic_ms(), 5000);
}

static void tell(uint64_t received)
{
    standing_tell(standing, &(struct progress_view){.received = at(received)});
}

static void detach(void)
{
    standing_detach(standing, 1, &(struct error){.kind = ERROR_RETRY, .message = "no room"});
}

static void sinks_are_named_by_type_and_place(void **state)
{
    (void)state;
    assert_string_equal(standing_of(standing, 0).label, "delta-0");
    assert_string_equal(standing_of(standing, 1).label, "stdout-1");
    assert_int_equal(standing_of(standing, 1).state, SINK_ATTACHED);
}

static void each_sink_has_a_lag_of_its_own(void **state)
{
    (void)state;
    standing_durable(standing, 0, at(10));
    standing_durable(standing, 1, at(10));
    standing_expect(standing, at(20), now_us);
    pass_ms(300);
    standing_durable(standing, 0, at(20));
    assert_int_equal(standing_of(standing, 0).lag_ms, 0);
    assert_int_equal(standing_of(standing, 1).lag_ms, 300);
    assert_int_equal(standing_lag_ms(standing), 300);
    standing_durable(standing, 1, at(25));
    assert_int_equal(standing_lag_ms(standing), 0);
}

static void what_a_new_run_reads_again_is_owed_once(void **state)
{
    (void)state;
    for (uint64_t run = 0; run < 100; run++) { /* more than there are marks */
        standing_expect(standing, at(10), now_us);
        standing_expect(standing, at(20), now_us);
        pass_ms(10);
    }
    standing_expect(standing, at(30), now_us);
    standing_durable(standing, 0, at(20));
    assert_int_equal(standing_of(standing, 0).lag_ms, 0);
    pass_ms(10);
    assert_int_equal(standing_of(standing, 0).lag_ms, 10);
    assert_int_equal(standing_of(standing, 1).lag_ms, 1010);
}

static void a_sink_has_caught_up_when_it_holds_all_that_was_received(void **state)
{
    (void)state;
    tell(50);
    standing_durable(standing, 1, at(10));
    detach();
    pass_ms(2000);
    assert_false(has_caught_up());
    standing_durable(standing, 1, at(50));
    assert_true(has_caught_up());
}

static void a_sink_has_caught_up_when_it_is_little_behind(void **state)
{
    (void)state;
    tell(50);
    standing_durable(standing, 1, at(10));
    detach();
    pass_ms(2000);
    assert_false(has_caught_up());
    pass_ms(6000);
    tell(100);
    standing_durable(standing, 1, at(50));
    assert_false(has_caught_up()); /* there the reader was too long ago */
    pass_ms(4000);
    tell(150);
    standing_durable(standing, 1, at(99));
    assert_false(has_caught_up());
    standing_durable(standing, 1, at(100));
    assert_true(has_caught_up());
}

static void a_sink_stays_detached_for_a_while(void **state)
{
    (void)state;
    detach();
    assert_false(has_caught_up());
    pass_ms(999);
    assert_false(has_caught_up());
    pass_ms(1);
    assert_true(has_caught_up());
}

static void a_failure_is_kept_with_its_way_back(void **state)
{
    (void)state;
    struct error err = {0};
    detach();
    assert_true(standing_check(standing, &err)); /* that one may pass */
    standing_fail(standing, 1, &(struct error){.kind = ERROR_LOST, .message = "gone"});
    assert_int_equal(standing_of(standing, 1).state, SINK_FAILED);
    assert_false(standing_check(standing, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_string_equal(err.message,
                        "gone; \"leat reload shop\" makes the tables equal to the source again");
    standing_attach(standing, 1);
    assert_true(standing_check(standing, &err));
}

static void what_the_reader_tells_is_told(void **state)
{
    (void)state;
    assert_int_equal(standing_told(standing).received.kind, POSITION_NONE);
    standing_tell(standing, &(struct progress_view){.received = gtids(SERVER_A ":1-9"),
                                                    .durable = gtids(SERVER_A ":1-7"),
                                                    .acknowledged = gtids(SERVER_A ":1-5")});
    struct progress_view told = standing_told(standing);
    assert_position(told.received, SERVER_A ":1-9");
    assert_position(told.durable, SERVER_A ":1-7");
    assert_position(told.acknowledged, SERVER_A ":1-5");
}

static void a_sink_has_caught_up_in_every_part_of_a_set(void **state)
{
    (void)state;
    struct position received = gtids(SERVER_A ":1-9," SERVER_B ":1-5");
    standing_tell(standing, &(struct progress_view){.received = received});
    detach();
    pass_ms(2000);
    standing_durable(standing, 1, gtids(SERVER_A ":1-9"));
    assert_false(has_caught_up());
    standing_durable(standing, 1, gtids(SERVER_B ":1-5")); /* neither goes back */
    assert_position(standing_of(standing, 1).durable, SERVER_A ":1-9," SERVER_B ":1-5");
    assert_true(has_caught_up());
}

static void sets_that_a_new_run_reads_again_are_owed_once(void **state)
{
    (void)state;
    standing_expect(standing, gtids(SERVER_A ":1-9," SERVER_B ":1-5"), now_us);
    pass_ms(10);
    standing_expect(standing, gtids(SERVER_A ":1-9," SERVER_B ":1-4"), now_us);
    standing_durable(standing, 0, gtids(SERVER_A ":1-9," SERVER_B ":1-4"));
    assert_int_equal(standing_of(standing, 0).lag_ms, 10);
    standing_durable(standing, 0, gtids(SERVER_A ":1-9," SERVER_B ":1-5"));
    assert_int_equal(standing_of(standing, 0).lag_ms, 0);
}

#define standing_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        standing_test(sinks_are_named_by_type_and_place),
        standing_test(each_sink_has_a_lag_of_its_own),
        standing_test(what_a_new_run_reads_again_is_owed_once),
        standing_test(a_sink_has_caught_up_when_it_holds_all_that_was_received),
        standing_test(a_sink_has_caught_up_when_it_is_little_behind),
        standing_test(a_sink_stays_detached_for_a_while),
        standing_test(a_failure_is_kept_with_its_way_back),
        standing_test(what_the_reader_tells_is_told),
        standing_test(a_sink_has_caught_up_in_every_part_of_a_set),
        standing_test(sets_that_a_new_run_reads_again_are_owed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
