#include <stdio.h>

#include "gtids.h"
#include "pipeline/start.h"
#include "test.h"

struct world {
    struct lake_snapshot snapshots[3];
    struct start_table tables[3];
    struct start_facts facts;
    struct start_decision decision;
    struct error err;
};

static struct lake_snapshot streaming(uint64_t position, uint64_t complete)
{
    struct lake_snapshot s = {.exists = true, .has_record = true};
    s.record.position = position_integer(position);
    s.record.complete = position_integer(complete);
    s.record.phase = PHASE_STREAMING;
    (void)snprintf(s.record.source, sizeof(s.record.source), "server-1/shop");
    return s;
}

static struct lake_snapshot loading(void)
{
    struct lake_snapshot s = streaming(0, 0);
    s.record.phase = PHASE_LOADING;
    return s;
}

/* Tables t0, t1, t2 of one sink; the source remembers `remembered` (0: nothing). */
static void make_world(struct world *w, uint32_t tables, uint64_t remembered)
{
    static const char *const names[] = {"public.t0", "public.t1", "public.t2"};
    *w = (struct world){0};
    for (uint32_t i = 0; i < 3; i++) {
        w->tables[i] =
            (struct start_table){.name = names[i], .sink = "delta", .snapshot = &w->snapshots[i]};
    }
    w->facts = (struct start_facts){.pipeline = "shop",
                                    .has_memory = true,
                                    .source_identity = "server-1/shop",
                                    .tables = w->tables,
                                    .table_count = tables};
    if (remembered > 0) {
        w->facts.remembered = position_integer(remembered);
    }
}

static bool decide(struct world *w)
{
    return start_decide(&w->facts, &w->decision, &w->err);
}

static void a_new_pipeline_is_loaded(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 0);
    assert_true(decide(&w));
    assert_true(w.decision.load);
}

static void streaming_goes_on_at_the_meet_of_its_tables(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 50);
    w.snapshots[0] = streaming(200, 90);
    w.snapshots[1] = streaming(120, 100);
    assert_true(decide(&w));
    assert_false(w.decision.load);
    assert_int_equal(w.decision.resume.integer, 120);
}

static void a_silent_table_counts_as_complete_with_its_sink(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 50);
    w.snapshots[0] = streaming(200, 150);
    w.snapshots[1] = streaming(10, 0); /* nothing changed in it for long */
    assert_true(decide(&w));
    assert_int_equal(w.decision.resume.integer, 150);
}

static void a_silent_table_counts_as_complete_with_what_the_source_let_go(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 180);
    w.snapshots[0] = streaming(200, 150);
    w.snapshots[1] = streaming(10, 0);
    assert_true(decide(&w));
    assert_int_equal(w.decision.resume.integer, 180);
}

static void completeness_of_one_sink_says_nothing_about_another(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 50);
    w.snapshots[0] = streaming(200, 150);
    w.snapshots[1] = streaming(60, 55);
    w.tables[1].sink_index = 1;
    assert_true(decide(&w));
    assert_int_equal(w.decision.resume.integer, 60);
}

static void an_unfinished_load_is_done_again(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 500);
    w.snapshots[0] = streaming(400, 0);
    w.snapshots[1] = loading();
    assert_true(decide(&w));
    assert_true(w.decision.load);
}

static void a_load_that_made_only_some_tables_is_done_again(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 0);
    w.snapshots[0] = loading();
    assert_true(decide(&w));
    assert_true(w.decision.load);
}

static void expect_lost(struct world *w, const char *table)
{
    assert_false(decide(w));
    assert_int_equal(w->err.kind, ERROR_LOST);
    assert_non_null(strstr(w->err.message, table));
    assert_non_null(strstr(w->err.message, "leat reload shop"));
}

static void a_dropped_table_is_lost_not_made_anew(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 100);
    w.snapshots[0] = streaming(200, 150);
    expect_lost(&w, "public.t1");
}

static void all_tables_dropped_is_lost_when_the_source_remembers(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 100);
    expect_lost(&w, "public.t0");
}

static void all_tables_and_the_slot_dropped_is_lost_when_the_state_remembers(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 0);
    w.tables[1].known = true;
    expect_lost(&w, "public.t1");
}

static void a_missing_slot_is_lost(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 1, 0);
    w.snapshots[0] = streaming(200, 150);
    expect_lost(&w, "public.t0");
}

static void another_server_is_lost(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 1, 100);
    w.snapshots[0] = streaming(200, 150);
    w.facts.source_identity = "server-2/shop";
    expect_lost(&w, "public.t0");
}

static void reload_mends_whatever_is_lost(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 0);
    w.snapshots[0] = streaming(200, 150);
    w.facts.reload = true;
    assert_true(decide(&w));
    assert_true(w.decision.load);
}

static void a_foreign_table_is_never_touched(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 0);
    w.snapshots[1].exists = true;
    w.facts.reload = true;
    assert_false(decide(&w));
    assert_int_equal(w.err.kind, ERROR_CONFIG);
    assert_non_null(strstr(w.err.message, "public.t1"));
}

static void a_table_replaced_by_a_foreign_one_is_lost(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 2, 100);
    w.snapshots[0] = streaming(200, 150);
    w.snapshots[1].exists = true;
    w.tables[1].known = true;
    assert_false(decide(&w));
    assert_int_equal(w.err.kind, ERROR_LOST);
    assert_non_null(strstr(w.err.message, "public.t1"));
}

static void without_a_sink_that_remembers_the_source_decides(void **state)
{
    (void)state;
    struct world w;
    make_world(&w, 0, 77);
    assert_true(decide(&w));
    assert_false(w.decision.load);
    assert_int_equal(w.decision.resume.integer, 77);
    make_world(&w, 0, 0);
    assert_true(decide(&w));
    assert_true(w.decision.load);
}

static struct lake_snapshot streaming_set(const char *position, const char *complete)
{
    struct lake_snapshot s = streaming(0, 0);
    s.record.position = gtids(position);
    s.record.complete = gtids(complete);
    return s;
}

/* The same of a source that counts by GTIDs and remembers nothing. */
static void make_forgetful_world(struct world *w, uint32_t tables)
{
    make_world(w, tables, 0);
    w->facts.has_memory = false;
    w->facts.position_kind = POSITION_SET;
}

static void sets_go_on_at_what_every_table_has(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 2);
    w.snapshots[0] = streaming_set(SERVER_A ":1-20," SERVER_B ":1-3", "-");
    w.snapshots[1] = streaming_set(SERVER_A ":1-12:15," SERVER_B ":1-7", "-");
    assert_true(decide(&w));
    assert_false(w.decision.load);
    assert_position(w.decision.resume, SERVER_A ":1-12:15," SERVER_B ":1-3");
}

static void a_silent_table_has_the_sets_that_its_sink_was_complete_with(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 3);
    w.snapshots[0] = streaming_set(SERVER_A ":1-20," SERVER_B ":1-3", SERVER_A ":1-18");
    w.snapshots[1] = streaming_set(SERVER_A ":1-4", SERVER_B ":1-2"); /* nothing for long */
    w.snapshots[2] = streaming_set(SERVER_A ":1-50", "-");            /* of another sink */
    w.tables[2].sink_index = 1;
    assert_true(decide(&w));
    assert_position(w.decision.resume, SERVER_A ":1-18");
}

static void tables_of_a_source_that_forgets_are_loaded_once(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 2);
    assert_true(decide(&w));
    assert_true(w.decision.load);
    w.snapshots[0] = streaming_set("0-1-5", "-");
    w.snapshots[1] = streaming_set("0-1-9", "0-1-7");
    assert_true(decide(&w));
    assert_false(w.decision.load);
    assert_position(w.decision.resume, "0-1-7");
}

static void a_table_that_stands_at_a_number_is_lost_once_the_source_has_gtids(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 1);
    w.snapshots[0] = streaming(200, 150);
    expect_lost(&w, "public.t0 (delta) stands at 200, and positions are now sets of GTIDs");
    make_forgetful_world(&w, 1);
    w.snapshots[0] = streaming_set(SERVER_A ":1-20", "-");
    w.facts.position_kind = POSITION_INTEGER;
    expect_lost(&w, "public.t0 (delta) stands at " SERVER_A ":1-20, and positions are now numbers");
}

static void tables_with_positions_of_two_kinds_are_lost(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 2);
    w.facts.position_kind = POSITION_NONE; /* the source does not say */
    w.snapshots[0] = streaming_set(SERVER_A ":1-20", "-");
    w.snapshots[1] = streaming(200, 150);
    expect_lost(&w, "public.t1");
    make_world(&w, 1, 100);
    w.snapshots[0] = streaming_set(SERVER_A ":1-20", "-");
    expect_lost(&w, "public.t0");
}

static void a_load_does_not_ask_of_what_kind_positions_were(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 2);
    w.snapshots[0] = streaming(200, 150);
    w.snapshots[1] = loading();
    assert_true(decide(&w));
    assert_true(w.decision.load);
    w.snapshots[1] = streaming(200, 150);
    w.facts.reload = true;
    assert_true(decide(&w));
    assert_true(w.decision.load);
}

static void sinks_without_tables_go_on_where_this_process_knows_them(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 0);
    w.facts.unrecorded = gtids(SERVER_A ":1-9");
    assert_true(decide(&w));
    assert_true(w.decision.load); /* one of them was still loading */
    w.facts.has_streamed = true;
    assert_true(decide(&w));
    assert_false(w.decision.load);
    assert_position(w.decision.resume, SERVER_A ":1-9");
    w.facts.position_kind = POSITION_INTEGER;
    expect_lost(&w, "the pipeline stands at " SERVER_A ":1-9");
}

static void sinks_without_tables_hold_those_with_tables_back(void **state)
{
    (void)state;
    struct world w;
    make_forgetful_world(&w, 1);
    w.snapshots[0] = streaming_set(SERVER_A ":1-20", "-");
    w.facts.unrecorded = gtids(SERVER_A ":1-9");
    w.facts.has_streamed = true;
    assert_true(decide(&w));
    assert_position(w.decision.resume, SERVER_A ":1-9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_pipeline_is_loaded),
        cmocka_unit_test(streaming_goes_on_at_the_meet_of_its_tables),
        cmocka_unit_test(a_silent_table_counts_as_complete_with_its_sink),
        cmocka_unit_test(a_silent_table_counts_as_complete_with_what_the_source_let_go),
        cmocka_unit_test(completeness_of_one_sink_says_nothing_about_another),
        cmocka_unit_test(an_unfinished_load_is_done_again),
        cmocka_unit_test(a_load_that_made_only_some_tables_is_done_again),
        cmocka_unit_test(a_dropped_table_is_lost_not_made_anew),
        cmocka_unit_test(all_tables_dropped_is_lost_when_the_source_remembers),
        cmocka_unit_test(all_tables_and_the_slot_dropped_is_lost_when_the_state_remembers),
        cmocka_unit_test(a_missing_slot_is_lost),
        cmocka_unit_test(another_server_is_lost),
        cmocka_unit_test(reload_mends_whatever_is_lost),
        cmocka_unit_test(a_foreign_table_is_never_touched),
        cmocka_unit_test(a_table_replaced_by_a_foreign_one_is_lost),
        cmocka_unit_test(without_a_sink_that_remembers_the_source_decides),
        cmocka_unit_test(sets_go_on_at_what_every_table_has),
        cmocka_unit_test(a_silent_table_has_the_sets_that_its_sink_was_complete_with),
        cmocka_unit_test(tables_of_a_source_that_forgets_are_loaded_once),
        cmocka_unit_test(a_table_that_stands_at_a_number_is_lost_once_the_source_has_gtids),
        cmocka_unit_test(tables_with_positions_of_two_kinds_are_lost),
        cmocka_unit_test(a_load_does_not_ask_of_what_kind_positions_were),
        cmocka_unit_test(sinks_without_tables_go_on_where_this_process_knows_them),
        cmocka_unit_test(sinks_without_tables_hold_those_with_tables_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
