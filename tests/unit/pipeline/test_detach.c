/* Several sinks on one source, each at its own position. */
#include "fake_world.h"

static struct sink_config sink_configs[SINKS_MAX];
static struct pipeline_config config;
static struct pipeline *p; /* that the test runs */

static int begin(void **state)
{
    (void)state;
    world_begin();
    for (uint32_t i = 0; i < SINKS_MAX; i++) {
        sink_configs[i] = (struct sink_config){
            .type = "fake",
            .commit = {.interval_ms = 5, .rows = 1000000, .bytes = (uint64_t)1 << 30}};
    }
    config = (struct pipeline_config){
        .name = "shop",
        .source = {.type = "fake"},
        .sinks = sink_configs,
        .sink_count = 2,
        .state_dir = "/nowhere",
        .memory_bytes = (uint64_t)64 << 20,
        .heartbeat_ms = 900000,
        .on_sink_failure = SINK_FAILURE_DETACH,
        .detach_after_ms = 100,
        .retry = {.attempts = 1000, .delay_ms = 1, .delay_max_ms = 5},
    };
    return 0;
}

static int end(void **state)
{
    (void)state;
    pipeline_free(&p); /* of a test that failed */
    world_end();
    return 0;
}

static void start(void)
{
    change(10);
    p = pipeline_start(&config, &(struct pipeline_options){0});
    for (uint32_t i = 0; i < config.sink_count; i++) {
        await(pipeline_status(p).state == PIPELINE_STREAMING && holds_everything(i));
    }
}

static enum sink_state state_of(uint32_t sink)
{
    return pipeline_sink_status(p, sink).state;
}

/* Everything is everywhere, once, and acknowledged; then the pipeline ends well. */
static void settle(void)
{
    for (uint32_t i = 0; i < config.sink_count; i++) {
        await(state_of(i) == SINK_ATTACHED && holds_everything(i));
    }
    await(is_acknowledged(world.head));
    pipeline_stop(p);
    struct error err = {0};
    if (!pipeline_wait(p, &err)) {
        fail_msg("%s", err.message);
    }
    pipeline_free(&p);
    for (uint32_t i = 0; i < config.sink_count; i++) {
        assert_each_row_once(i);
    }
}

static void a_failing_sink_is_detached_caught_up_and_taken_back(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(state_of(1) == SINK_DETACHED);
    for (int i = 0; i < 20; i++) {
        change(10);
        await(holds_everything(0));
    }
    assert_int_equal(state_of(1), SINK_DETACHED);
    assert_int_equal(position_of(1), 10);
    assert_int_equal(pipeline_status(p).state, PIPELINE_STREAMING);
    behave(1, WELL);
    change(10);
    settle();
    assert_true(world.aside_count > 0);
}

static void nothing_is_acknowledged_that_a_detached_sink_does_not_hold(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_FAILS);
    change(100);
    await(state_of(1) == SINK_DETACHED);
    change(100);
    await(newest_in(pipeline_sink_status(p, 0).durable) == 210);
    assert_int_equal(newest_in(pipeline_sink_status(p, 1).durable), 10);
    assert_int_equal(acknowledged(), 10);
    assert_int_equal(pipeline_sink_status(p, 0).lag_ms, 0);
    assert_true(pipeline_sink_status(p, 1).lag_ms >= config.detach_after_ms);
    behave(1, WELL);
    settle();
}

static void as_many_attempts_as_are_allowed_detach_too(void **state)
{
    (void)state;
    config.detach_after_ms = 500;
    config.retry.attempts = 3;
    start();
    behave(1, COMMIT_FAILS);
    int64_t began_ms = clock_monotonic_ms();
    change(1);
    await(state_of(1) == SINK_DETACHED);
    assert_true(clock_monotonic_ms() - began_ms < config.detach_after_ms);
    /* Alone it is tried for as long as it takes. */
    uint32_t opened = atomic_load(&world.sinks[1].opened);
    await(atomic_load(&world.sinks[1].opened) > opened + 5);
    assert_int_equal(state_of(1), SINK_DETACHED);
    behave(1, WELL);
    settle();
}

static void a_slow_sink_does_not_hold_the_others_up_for_long(void **state)
{
    (void)state;
    config.memory_bytes = 12; /* queues hold one batch */
    start();
    behave(1, WRITE_BLOCKS);
    change(2000);
    await(state_of(1) == SINK_DETACHED);
    await(holds_everything(0));
    assert_int_equal(world.aside_count, 0); /* it is still in its step, and has its table open */
    assert_int_equal(pipeline_status(p).state, PIPELINE_STREAMING);
    behave(1, WELL);
    settle();
    assert_true(world.aside_count > 0);
}

static void sinks_that_are_all_slow_are_waited_for(void **state)
{
    (void)state;
    config.memory_bytes = 12;
    start();
    behave(0, WRITE_BLOCKS);
    behave(1, WRITE_BLOCKS);
    change(100);
    int64_t until_ms = clock_monotonic_ms() + 5 * config.detach_after_ms;
    await(clock_monotonic_ms() > until_ms);
    assert_int_equal(state_of(0), SINK_ATTACHED);
    assert_int_equal(state_of(1), SINK_ATTACHED);
    behave(0, WELL);
    behave(1, WELL);
    settle();
}

static void a_sink_that_fails_for_good_is_stopped_and_reported(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_BREAKS);
    change(10);
    await(state_of(1) == SINK_FAILED);
    change(10);
    await(holds_everything(0));
    assert_int_equal(pipeline_status(p).state, PIPELINE_STREAMING);
    assert_int_equal(world.aside_count, 0);
    assert_int_equal(acknowledged(), 10);
    pipeline_stop(p);
    struct error err = {0};
    assert_false(pipeline_wait(p, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_string_equal(err.message, "sink fake-1: the table is gone; \"leat reload shop\" makes "
                                     "the tables equal to the source again");
    assert_int_equal(pipeline_status(p).state, PIPELINE_FAILED);
    pipeline_free(&p);
    assert_each_row_once(0);
    assert_each_row_once(1);
    assert_int_equal(acknowledged(), 10);
}

static void a_sink_may_fail_for_good_while_it_is_caught_up(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(state_of(1) == SINK_DETACHED);
    behave(1, COMMIT_BREAKS);
    await(state_of(1) == SINK_FAILED);
    change(10);
    await(holds_everything(0));
    pipeline_stop(p);
    struct error err = {0};
    assert_false(pipeline_wait(p, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    pipeline_free(&p);
}

static void the_pipeline_ends_well_while_a_sink_is_detached(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(state_of(1) == SINK_DETACHED);
    change(10);
    await(holds_everything(0));
    pipeline_stop(p);
    struct error err = {0};
    assert_true(pipeline_wait(p, &err));
    pipeline_free(&p);
    assert_int_equal(position_of(1), 10);

    /* The next start has them all and begins where the last one stands. */
    behave(1, WELL);
    p = pipeline_start(&config, &(struct pipeline_options){0});
    settle();
}

static void a_source_that_breaks_leaves_a_detached_sink_detached(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(state_of(1) == SINK_DETACHED);
    break_source(true);
    await(pipeline_status(p).state == PIPELINE_RETRYING);
    change(10);
    break_source(false);
    await(holds_everything(0));
    assert_int_equal(state_of(1), SINK_DETACHED);
    assert_int_equal(acknowledged(), 10);
    behave(1, WELL);
    settle();
}

static void a_run_that_ends_while_a_commit_is_tried_again_detaches_nothing(void **state)
{
    (void)state;
    config.detach_after_ms = PATIENCE_MS;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(holds_everything(0));
    break_source(true);
    await(pipeline_status(p).state == PIPELINE_RETRYING);
    assert_int_equal(state_of(1), SINK_ATTACHED);
    behave(1, WELL);
    break_source(false);
    settle();
    assert_int_equal(world.aside_count, 0);
}

static void a_sink_that_keeps_no_position_misses_nothing(void **state)
{
    (void)state;
    sink_configs[1].type = "blind";
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(state_of(1) == SINK_DETACHED);
    change(100);
    await(holds_everything(0));
    behave(1, WELL);
    settle();
    assert_true(world.aside_count > 0);
}

static void a_source_that_breaks_loads_nothing_again(void **state)
{
    (void)state;
    sink_configs[0].type = "blind";
    config.sink_count = 1;
    start();
    change(10);
    await(is_acknowledged(20));
    break_source(true);
    await(pipeline_status(p).state == PIPELINE_RETRYING);
    break_source(false);
    change(10);
    await(holds_everything(0));
    assert_int_equal(pipeline_status(p).rows_loaded, 10);
    settle();
}

static void a_sink_that_cannot_be_opened_is_detached(void **state)
{
    (void)state;
    start();
    settle();
    behave(1, OPEN_FAILS);
    change(10);
    p = pipeline_start(&config, &(struct pipeline_options){0});
    await(state_of(1) == SINK_DETACHED && holds_everything(0));
    assert_int_equal(acknowledged(), 10);
    behave(1, WELL);
    settle();
}

static void all_sinks_may_be_detached_in_turn(void **state)
{
    (void)state;
    config.sink_count = 3;
    start();
    for (uint32_t i = 0; i < 3; i++) {
        behave(i, COMMIT_FAILS);
        change(10);
        await(state_of(i) == SINK_DETACHED);
    }
    change(10);
    for (uint32_t i = 0; i < 3; i++) {
        behave(i, WELL);
    }
    settle();
}

static void a_sink_catches_up_while_changes_keep_coming(void **state)
{
    (void)state;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    await(state_of(1) == SINK_DETACHED);
    change(5000);
    behave(1, WELL);
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (state_of(1) != SINK_ATTACHED && clock_monotonic_ms() < until_ms) {
        change(1);
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    settle();
}

static void a_sink_that_is_loading_ends_the_run(void **state)
{
    (void)state;
    config.retry.attempts = 2;
    behave(1, COMMIT_FAILS);
    change(10);
    p = pipeline_start(&config, &(struct pipeline_options){0});
    struct error err = {0};
    assert_false(pipeline_wait(p, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_string_equal(err.message, "sink fake-1: gave up after 3 attempts: no room");
    pipeline_free(&p);
    assert_int_equal(world.aside_count, 0);
}

static void a_pipeline_may_be_told_to_stop_with_its_sinks(void **state)
{
    (void)state;
    config.retry.attempts = 2;
    config.on_sink_failure = SINK_FAILURE_STOP;
    start();
    behave(1, COMMIT_FAILS);
    change(10);
    struct error err = {0};
    assert_false(pipeline_wait(p, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_string_equal(err.message, "sink fake-1: gave up after 3 attempts: no room");
    pipeline_free(&p);
    assert_int_equal(world.aside_count, 0);
}

static void a_single_sink_ends_the_pipeline(void **state)
{
    (void)state;
    config.retry.attempts = 2;
    config.sink_count = 1;
    start();
    behave(0, COMMIT_FAILS);
    change(10);
    struct error err = {0};
    assert_false(pipeline_wait(p, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_string_equal(err.message, "sink fake-0: gave up after 3 attempts: no room");
    pipeline_free(&p);
}

static void the_last_sink_that_has_not_failed_ends_the_pipeline(void **state)
{
    (void)state;
    config.retry.attempts = 2;
    start();
    behave(1, COMMIT_BREAKS);
    change(10);
    await(state_of(1) == SINK_FAILED);
    behave(0, COMMIT_FAILS);
    change(10);
    struct error err = {0};
    assert_false(pipeline_wait(p, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_string_equal(err.message, "sink fake-0: gave up after 3 attempts: no room");
    pipeline_free(&p);
}

#define pipeline_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

static int use_gtids(void **state)
{
    (void)state;
    world.by_gtids = true;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(a_failing_sink_is_detached_caught_up_and_taken_back),
        pipeline_test(nothing_is_acknowledged_that_a_detached_sink_does_not_hold),
        pipeline_test(as_many_attempts_as_are_allowed_detach_too),
        pipeline_test(a_slow_sink_does_not_hold_the_others_up_for_long),
        pipeline_test(sinks_that_are_all_slow_are_waited_for),
        pipeline_test(a_sink_that_fails_for_good_is_stopped_and_reported),
        pipeline_test(a_sink_may_fail_for_good_while_it_is_caught_up),
        pipeline_test(the_pipeline_ends_well_while_a_sink_is_detached),
        pipeline_test(a_source_that_breaks_leaves_a_detached_sink_detached),
        pipeline_test(a_run_that_ends_while_a_commit_is_tried_again_detaches_nothing),
        pipeline_test(a_sink_that_keeps_no_position_misses_nothing),
        pipeline_test(a_source_that_breaks_loads_nothing_again),
        pipeline_test(a_sink_that_cannot_be_opened_is_detached),
        pipeline_test(all_sinks_may_be_detached_in_turn),
        pipeline_test(a_sink_catches_up_while_changes_keep_coming),
        pipeline_test(a_sink_that_is_loading_ends_the_run),
        pipeline_test(a_pipeline_may_be_told_to_stop_with_its_sinks),
        pipeline_test(a_single_sink_ends_the_pipeline),
        pipeline_test(the_last_sink_that_has_not_failed_ends_the_pipeline),
    };
    int failed = cmocka_run_group_tests_name("by numbers", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("by GTIDs", tests, use_gtids, NULL);
}
