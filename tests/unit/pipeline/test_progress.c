#include "gtids.h"
#include "pipeline/progress.h"
#include "test.h"

static struct position at(uint64_t v)
{
    return position_integer(v);
}

static void acknowledged_is_the_meet_of_all_sinks(void **state)
{
    (void)state;
    struct progress *p = progress_new(2, at(10));
    progress_received(p, at(30));
    progress_staged(p, 0, at(30));
    progress_staged(p, 1, at(20));
    progress_durable(p, 0, at(30));
    assert_int_equal(progress_acknowledge(p).integer, 10);
    progress_durable(p, 1, at(20));
    assert_int_equal(progress_acknowledge(p).integer, 20);
    assert_int_equal(progress_view(p).received.integer, 30);
    assert_int_equal(progress_view(p).acknowledged.integer, 20);
    progress_free(&p);
}

static void nothing_is_acknowledged_before_it_is_durable(void **state)
{
    (void)state;
    struct progress *p = progress_new(1, at(10));
    progress_received(p, at(30));
    progress_staged(p, 0, at(30));
    assert_int_equal(progress_acknowledge(p).integer, 10);
    progress_free(&p);
}

static void without_sinks_what_is_received_is_durable(void **state)
{
    (void)state;
    struct progress *p = progress_new(0, at(10));
    progress_received(p, at(30));
    assert_int_equal(progress_acknowledge(p).integer, 30);
    progress_free(&p);
}

static void a_sink_that_is_not_written_holds_the_acknowledgement_back(void **state)
{
    (void)state;
    struct progress *p = progress_new(2, at(50));
    progress_hold(p, 1, at(10));
    assert_int_equal(progress_view(p).acknowledged.integer, 10);
    progress_received(p, at(80));
    progress_staged(p, 0, at(80));
    progress_durable(p, 0, at(80));
    assert_int_equal(progress_acknowledge(p).integer, 10);
    progress_follow(p, 1, at(60));
    assert_int_equal(progress_acknowledge(p).integer, 60);
    progress_free(&p);
}

static void a_sink_that_is_ahead_counts_only_as_far_as_was_received(void **state)
{
    (void)state;
    struct progress *p = progress_new(2, at(50));
    progress_hold(p, 1, at(70));
    assert_int_equal(progress_of(p, 1).integer, 50);
    progress_follow(p, 1, at(90));
    assert_int_equal(progress_of(p, 1).integer, 50);
    progress_received(p, at(80));
    progress_follow(p, 1, at(90));
    assert_int_equal(progress_of(p, 1).integer, 80);
    progress_free(&p);
}

static void of_sets_what_every_sink_has_is_acknowledged(void **state)
{
    (void)state;
    struct progress *p = progress_new(2, gtids(SERVER_A ":1-10"));
    progress_received(p, gtids(SERVER_A ":1-12," SERVER_B ":1-5"));
    progress_staged(p, 0, gtids(SERVER_A ":1-12," SERVER_B ":1-5"));
    progress_durable(p, 0, gtids(SERVER_A ":1-12"));
    assert_position(progress_acknowledge(p), SERVER_A ":1-10");
    progress_staged(p, 1, gtids(SERVER_A ":1-11," SERVER_B ":1-5"));
    progress_durable(p, 1, gtids(SERVER_A ":1-11," SERVER_B ":1-5"));
    assert_position(progress_acknowledge(p), SERVER_A ":1-11");
    progress_durable(p, 0, gtids(SERVER_A ":1-12," SERVER_B ":1-2"));
    assert_position(progress_acknowledge(p), SERVER_A ":1-11," SERVER_B ":1-2");
    assert_position(progress_view(p).received, SERVER_A ":1-12," SERVER_B ":1-5");
    progress_free(&p);
}

static void a_sink_behind_in_one_source_alone_is_held_there(void **state)
{
    (void)state;
    struct progress *p = progress_new(2, gtids("0-1-50,1-1-50"));
    progress_hold(p, 1, gtids("0-1-20,1-1-90"));
    assert_position(progress_view(p).acknowledged, "0-1-20,1-1-50");
    progress_follow(p, 1, gtids("0-1-60,1-1-10"));
    assert_position(progress_of(p, 1), "0-1-50,1-1-50");
    progress_free(&p);
}

static void a_load_begins_before_every_set(void **state)
{
    (void)state;
    struct progress *p = progress_new(1, (struct position){0});
    assert_int_equal(progress_acknowledge(p).kind, POSITION_NONE);
    progress_received(p, position_empty_set());
    progress_staged(p, 0, position_empty_set());
    progress_durable(p, 0, position_empty_set());
    assert_position(progress_acknowledge(p), "-");
    progress_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_is_the_meet_of_all_sinks),
        cmocka_unit_test(nothing_is_acknowledged_before_it_is_durable),
        cmocka_unit_test(without_sinks_what_is_received_is_durable),
        cmocka_unit_test(a_sink_that_is_not_written_holds_the_acknowledgement_back),
        cmocka_unit_test(a_sink_that_is_ahead_counts_only_as_far_as_was_received),
        cmocka_unit_test(of_sets_what_every_sink_has_is_acknowledged),
        cmocka_unit_test(a_sink_behind_in_one_source_alone_is_held_there),
        cmocka_unit_test(a_load_begins_before_every_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
