/* A table whose positions are sets of transactions. */
#include "table_rows.h"

static void transactions_that_are_in_are_skipped_each_for_itself(void **state)
{
    struct fixture *f = *state;
    use_gtids(f);
    start(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    whole(f, ROW_INSERT, 5, 50, "e");
    commit(f, PHASE_STREAMING);
    assert_position(table_snapshot(f->table)->record.position, SERVER_A ":100:110:120:130");
    uint32_t versions = f->lake->version_count;
    restart(f);
    f->position = 130; /* the source sends that again, */
    whole(f, ROW_INSERT, 5, 50, "e");
    f->position = 125; /* one that it numbered before and committed after, */
    whole(f, ROW_INSERT, 6, 60, "f");
    f->position = 120; /* and one more again */
    whole(f, ROW_INSERT, 4, 40, "d");
    f->position = 125;
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~ |4|40|d |5|50|e |6|60|f");
    assert_int_equal(f->lake->version_count, versions + 1);
    assert_position(table_snapshot(f->table)->record.position, SERVER_A ":100:110:120:125:130");
}

static void a_transaction_of_another_server_is_not_in(void **state)
{
    struct fixture *f = *state;
    use_gtids(f);
    start(f);
    f->source = gtid_source(SERVER_B);
    f->position = 100;
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~ |4|40|d");
    assert_position(table_snapshot(f->table)->record.position,
                    SERVER_A ":100:110," SERVER_B ":100");
}

static void a_truncate_that_is_in_is_skipped(void **state)
{
    struct fixture *f = *state;
    use_gtids(f);
    start(f);
    truncate_rows(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|4|40|d");
    f->position = 120;
    truncate_rows(f);
    f->position = 130;
    whole(f, ROW_INSERT, 5, 50, "e");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|4|40|d |5|50|e");
    f->position = 115; /* not in, though a later number is */
    truncate_rows(f);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "");
}

static void a_commit_of_less_takes_nothing_out_of_the_record(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    use_gtids(f);
    start(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    restart(f);
    struct barrier barrier = {.epoch = 99,
                              .position = gtids(SERVER_A ":100:120," SERVER_B ":7"),
                              .phase = PHASE_STREAMING};
    assert_true(table_commit(f->table, &barrier, barrier.position, true, &err));
    assert_position(table_snapshot(f->table)->record.position,
                    SERVER_A ":100:110:120," SERVER_B ":7");
}

static void divergence_names_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    use_gtids(f);
    start(f);
    whole(f, ROW_INSERT, 1, 1, "x");
    assert_fails(
        flush_rows(f, false, &err), &err, ERROR_LOST,
        "an insert of a key that is there already: (id)=(1) at transaction 120 of " SERVER_A
        "; the table and its source have diverged: run \"leat reload\"");
}

static void append_by_gtids_keeps_every_change_once(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    use_gtids(f);
    new_table(f);
    set_schema(f, plain_schema());
    begin_load(f);
    commit(f, PHASE_STREAMING);
    key_only(f, ROW_DELETE, 1);
    assert_true(flush_rows(f, false, &err));
    truncate_rows(f);
    commit(f, PHASE_STREAMING);
    restart(f);
    f->position = 110;
    key_only(f, ROW_DELETE, 1); /* is in */
    f->position = 105;
    whole(f, ROW_INSERT, 2, 20, "b");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|~|~|delete|110|0|1970-01-01 00:00:00.11+00|[\"v\",\"note\"] "
                   "|2|20|b|insert|105|1|1970-01-01 00:00:00.105+00|~ "
                   "|~|~|~|truncate|110|1|~|~");
}

#define UPSERT(name) cmocka_unit_test_setup_teardown(name, open_upsert, close_fixture)
#define APPEND(name) cmocka_unit_test_setup_teardown(name, open_append, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UPSERT(transactions_that_are_in_are_skipped_each_for_itself),
        UPSERT(a_transaction_of_another_server_is_not_in),
        UPSERT(a_truncate_that_is_in_is_skipped),
        UPSERT(a_commit_of_less_takes_nothing_out_of_the_record),
        UPSERT(divergence_names_the_transaction),
        APPEND(append_by_gtids_keeps_every_change_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
