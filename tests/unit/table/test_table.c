/* A table from changes to files, over the fake lake. */
#include "table_rows.h"

/* ---- upsert ---- */

static void a_load_makes_the_table_and_its_record(void **state)
{
    struct fixture *f = *state;
    start(f);
    const struct lake_record *r = &table_snapshot(f->table)->record;
    assert_int_equal(r->phase, PHASE_STREAMING);
    assert_int_equal(r->position.integer, 110);
    assert_int_equal(r->epoch, 2);
    assert_string_equal(r->source, "test");
    assert_int_equal(table_counts(f->table).keys, 3);
    assert_int_equal(table_counts(f->table).rows_inserted, 3);
}

static void inserts_alone_have_no_change_file(void **state)
{
    struct fixture *f = *state;
    start(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    assert_int_equal(f->lake->versions[f->lake->version_count - 1].change_count, 0);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~ |4|40|d");
}

static void all_kinds_of_changes_reach_table_and_feed(void **state)
{
    struct fixture *f = *state;
    start(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    update_v(f, 1, 11);
    key_only(f, ROW_UPDATE_BEFORE, 2);
    whole(f, ROW_UPDATE_AFTER, 5, 50, "e");
    key_only(f, ROW_DELETE, 3);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |4|40|d |5|50|e");
    assert_changes(f, "delete|2|20|b delete|3|30|~ insert|4|40|d insert|5|50|e "
                      "update_postimage|1|11|a update_preimage|1|10|a");
    assert_feed_makes_table(f);
    assert_int_equal(table_counts(f->table).keys, 3);
}

static void a_changed_key_keeps_the_value_that_was_not_sent(void **state)
{
    struct fixture *f = *state;
    start(f);
    key_only(f, ROW_UPDATE_BEFORE, 1);
    update_v(f, 7, 70);
    key_only(f, ROW_UPDATE_BEFORE, 7);
    update_v(f, 8, 80);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|2|20|b |3|30|~ |8|80|a");
    assert_changes(f, "delete|1|10|a insert|8|80|a");
}

static void swapped_keys_are_two_updates(void **state)
{
    struct fixture *f = *state;
    start(f);
    key_only(f, ROW_UPDATE_BEFORE, 1);
    update_v(f, 9, 10);
    key_only(f, ROW_UPDATE_BEFORE, 2);
    update_v(f, 1, 20);
    key_only(f, ROW_UPDATE_BEFORE, 9);
    update_v(f, 2, 10);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|20|b |2|10|a |3|30|~");
    assert_changes(f, "update_postimage|1|20|b update_postimage|2|10|a update_preimage|1|10|a "
                      "update_preimage|2|20|b");
}

static void an_update_to_equal_values_commits_nothing(void **state)
{
    struct fixture *f = *state;
    start(f);
    uint32_t versions = f->lake->version_count;
    update_v(f, 1, 10);
    key_only(f, ROW_DELETE, 2);
    whole(f, ROW_INSERT, 2, 20, "b");
    whole(f, ROW_INSERT, 9, 20, "b");
    key_only(f, ROW_DELETE, 9);
    commit(f, PHASE_STREAMING);
    assert_int_equal(f->lake->version_count, versions);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~");
}

static void a_file_without_live_rows_is_removed(void **state)
{
    struct fixture *f = *state;
    start(f);
    for (int id = 1; id <= 3; id++) {
        key_only(f, ROW_DELETE, id);
    }
    commit(f, PHASE_STREAMING);
    assert_rows(f, "");
    assert_null(f->held->files[0]);
    assert_feed_makes_table(f);
}

static void a_truncate_removes_the_files_and_writes_no_change_file(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    update_v(f, 1, 11);
    assert_true(flush_rows(f, false, &err));
    truncate_rows(f);
    whole(f, ROW_INSERT, 1, 12, "n");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|12|n");
    const struct fake_version *v = &f->lake->versions[f->lake->version_count - 1];
    assert_true(v->truncate);
    assert_int_equal(v->change_count, 0);
    update_v(f, 1, 13);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|13|n");
    assert_feed_makes_table(f);
}

static void a_truncate_of_an_empty_table_commits_nothing(void **state)
{
    struct fixture *f = *state;
    start(f);
    truncate_rows(f);
    commit(f, PHASE_STREAMING);
    uint32_t versions = f->lake->version_count;
    truncate_rows(f);
    commit(f, PHASE_STREAMING);
    assert_int_equal(f->lake->version_count, versions);
}

static void whole_before_images_spare_the_reading(void **state)
{
    struct fixture *f = *state;
    start(f);
    /* The stored row says "a"; what the source sent is believed. */
    whole(f, ROW_UPDATE_BEFORE, 1, 10, "sent");
    whole(f, ROW_UPDATE_AFTER, 1, 11, "x");
    commit(f, PHASE_STREAMING);
    assert_changes(f, "update_postimage|1|11|x update_preimage|1|10|sent");
}

static void divergence_is_lost_and_counted(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    whole(f, ROW_INSERT, 1, 1, "x");
    assert_fails(flush_rows(f, false, &err), &err, ERROR_LOST,
                 "table public.t: an insert of a key that is there already: (id)=(1) at position "
                 "120; the table and its source have diverged: run \"leat reload\"");
    err = (struct error){0};
    update_v(f, 77, 1);
    assert_fails(flush_rows(f, false, &err), &err, ERROR_LOST,
                 "an update of a key that is not there: (id)=(77)");
    err = (struct error){0};
    key_only(f, ROW_DELETE, 78);
    assert_fails(flush_rows(f, false, &err), &err, ERROR_LOST,
                 "a delete of a key that is not there: (id)=(78)");
    struct table_counts c = table_counts(f->table);
    assert_int_equal(c.unexpected_inserts, 1);
    assert_int_equal(c.unexpected_updates, 1);
    assert_int_equal(c.unexpected_deletes, 1);
}

static void a_filtered_table_takes_absent_keys_as_ordinary(void **state)
{
    struct fixture *f = *state;
    f->options.filtered = true;
    start(f);
    whole(f, ROW_INSERT, 1, 11, "again");
    whole(f, ROW_UPDATE_AFTER, 4, 40, "new");
    key_only(f, ROW_DELETE, 99);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|again |2|20|b |3|30|~ |4|40|new");
    assert_int_equal(table_counts(f->table).unexpected_inserts, 0);
}

static void a_value_that_nobody_has_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    f->options.filtered = true;
    start(f);
    update_v(f, 50, 1);
    assert_true(flush_rows(f, false, &err));
    assert_fails(try_commit(f, PHASE_STREAMING, &err), &err, ERROR_DATA,
                 "table public.t: the source did not send column \"note\" of (id)=(50), and the "
                 "table does not hold that row: ALTER TABLE public.t REPLICA IDENTITY FULL");
}

static void rows_that_are_in_are_skipped(void **state)
{
    struct fixture *f = *state;
    start(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    uint32_t versions = f->lake->version_count;
    restart(f);
    f->position -= 10; /* the source sends the last transaction again */
    whole(f, ROW_INSERT, 4, 40, "d");
    f->position += 10;
    whole(f, ROW_INSERT, 5, 50, "e");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~ |4|40|d |5|50|e");
    assert_int_equal(f->lake->version_count, versions + 1);
}

static void a_heartbeat_while_read_again_does_not_move_the_record_back(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    uint64_t held = table_snapshot(f->table)->record.position.integer;
    restart(f);
    struct barrier barrier = {
        .epoch = 99, .position = position_integer(held - 5), .phase = PHASE_STREAMING};
    assert_true(table_commit(f->table, &barrier, barrier.position, true, &err));
    assert_int_equal(table_snapshot(f->table)->record.position.integer, held);
    f->position -= 10; /* then comes what the table has already */
    whole(f, ROW_INSERT, 4, 40, "d");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~ |4|40|d");
}

static void a_key_value_that_was_not_sent_is_that_of_its_before_image(void **state)
{
    struct fixture *f = *state;
    new_table(f);
    set_schema(f, schema_of((const struct column_spec[]){{"a", text_type, true},
                                                         {"id", int64_type, true},
                                                         {"v", int32_type, false}},
                            3));
    begin_load(f);
    uint32_t row = add(f, ROW_INSERT, IMAGE_WHOLE);
    set_text(f, "a", row, "long key");
    set_int(f, "id", row, 1);
    commit(f, PHASE_LOADING);
    commit(f, PHASE_STREAMING);
    row = key_only(f, ROW_UPDATE_BEFORE, 1);
    set_text(f, "a", row, "long key");
    row = add(f, ROW_UPDATE_AFTER, IMAGE_WHOLE);
    batch_set_unchanged(rows(f), 0, row);
    set_int(f, "id", row, 2);
    set_int(f, "v", row, 5);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|long key|2|5");
    assert_changes(f, "delete|long key|1|0 insert|long key|2|5");
}

static void a_null_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    uint32_t row = whole(f, ROW_INSERT, 0, 1, "x");
    batch_set_null(rows(f), 0, row);
    assert_fails(flush_rows(f, false, &err), &err, ERROR_DATA,
                 "table public.t: row 0 of a batch: key column \"id\" is null");
}

static void without_a_feed_deletes_read_nothing(void **state)
{
    struct fixture *f = *state;
    f->options.feed = false;
    start(f);
    key_only(f, ROW_DELETE, 1);
    update_v(f, 2, 21);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|2|21|b |3|30|~");
    assert_int_equal(f->lake->versions[f->lake->version_count - 1].change_count, 0);
}

static void a_heartbeat_commits_an_empty_version_once(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    uint32_t versions = f->lake->version_count;
    struct barrier barrier = {
        .epoch = 9, .position = position_integer(500), .phase = PHASE_STREAMING};
    for (int i = 0; i < 2; i++) {
        assert_true(table_commit(f->table, &barrier, barrier.position, true, &err));
    }
    assert_int_equal(f->lake->version_count, versions + 1);
    assert_string_equal(f->lake->versions[versions].operation, "HEARTBEAT");
    assert_int_equal(table_snapshot(f->table)->record.complete.integer, 500);
}

/* ---- loading again ---- */

static void loading_again_leaves_equal_rows_and_deletes_those_not_named(void **state)
{
    struct fixture *f = *state;
    start(f);
    restart(f);
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    whole(f, ROW_INSERT, 2, 21, "b");
    commit(f, PHASE_LOADING);
    whole(f, ROW_INSERT, 5, 50, "e");
    commit(f, PHASE_LOADING);
    assert_rows(f, "|1|10|a |2|21|b |3|30|~ |5|50|e");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|21|b |5|50|e");
    assert_changes(f, "delete|3|30|~");
    assert_feed_makes_table(f);
    struct table_counts c = table_counts(f->table);
    assert_int_equal(c.rows_inserted + c.rows_updated + c.rows_deleted, 3);
    key_only(f, ROW_DELETE, 1);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|2|21|b |5|50|e");
}

static void a_load_that_failed_to_commit_is_committed_again(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    assert_true(flush_rows(f, true, &err));
    f->lake->fail = ERROR_RETRY;
    f->lake->fail_count = 2;
    assert_fails(try_commit(f, PHASE_STREAMING, &err), &err, ERROR_RETRY, "as the test asked");
    err = (struct error){0};
    assert_fails(try_commit(f, PHASE_STREAMING, &err), &err, ERROR_RETRY, "as the test asked");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a");
    assert_feed_makes_table(f);
}

static void loading_again_mends_a_key_that_is_there_twice(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    /* Somebody adds the first file's rows once more. */
    struct lake_file *copy = arena_zalloc(&f->lake->arena, sizeof(*copy));
    *copy = *f->held->files[0];
    (void)fake_add_file(f->lake, copy);
    new_table(f);
    assert_true(table_set_schema(f->table, f->schema, &err));
    assert_fails(table_resume(f->table, &err), &err, ERROR_LOST, "two rows have the key (id)=(1)");
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    whole(f, ROW_INSERT, 2, 22, "b");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|22|b");
    restart(f);
}

/* ---- conflicts ---- */

static void a_conflict_is_planned_again(void **state)
{
    struct fixture *f = *state;
    start(f);
    update_v(f, 1, 11);
    f->lake->fail = ERROR_CONFLICT;
    f->lake->fail_count = 3;
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|20|b |3|30|~");
    assert_feed_makes_table(f);
}

/* Puts all live files' slots out and the same files in under new slots, as a compaction would. */
static void renumber_files(struct fake_lake *l)
{
    uint32_t count = l->base.snapshot.slot_count;
    for (uint32_t i = 0; i < count; i++) {
        if (l->base.files[i]) {
            struct lake_file *moved = arena_zalloc(&l->arena, sizeof(*moved));
            *moved = *l->base.files[i];
            l->base.files[i] = NULL;
            (void)fake_add_file(l, moved);
        }
    }
}

static void rows_are_found_again_after_a_compaction(void **state)
{
    struct fixture *f = *state;
    start(f);
    update_v(f, 1, 11);
    key_only(f, ROW_DELETE, 2);
    f->lake->fail = ERROR_CONFLICT;
    f->lake->fail_count = 1;
    f->lake->compact = renumber_files;
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |3|30|~");
    update_v(f, 3, 33);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |3|33|~");
}

static void a_commit_that_is_in_after_all_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    start(f);
    uint32_t versions = f->lake->version_count;
    update_v(f, 1, 11);
    f->lake->fail = ERROR_UNKNOWN;
    f->lake->fail_applies = true;
    f->lake->fail_count = 1;
    commit(f, PHASE_STREAMING);
    assert_int_equal(f->lake->version_count, versions + 1);
    update_v(f, 1, 12);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|12|a |2|20|b |3|30|~");
    assert_feed_makes_table(f);
}

static void an_unknown_commit_is_resolved_by_the_next_call(bool applies, struct fixture *f)
{
    struct error err = {0};
    start(f);
    uint32_t versions = f->lake->version_count;
    update_v(f, 1, 11);
    assert_true(flush_rows(f, false, &err));
    f->lake->fail = ERROR_UNKNOWN;
    f->lake->fail_applies = applies;
    f->lake->fail_count = 1;
    f->lake->refresh_fail_count = 2;
    f->epoch++;
    for (int i = 0; i < 2; i++) {
        err = (struct error){0};
        assert_fails(try_commit(f, PHASE_STREAMING, &err), &err, ERROR_UNKNOWN,
                     "a commit may be in or not");
    }
    err = (struct error){0};
    assert_true(try_commit(f, PHASE_STREAMING, &err));
    assert_int_equal(f->lake->version_count, versions + 1);
    assert_rows(f, "|1|11|a |2|20|b |3|30|~");
    assert_feed_makes_table(f);
    f->position += 10;
    update_v(f, 1, 12);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|12|a |2|20|b |3|30|~");
}

static void an_unknown_commit_that_is_in_is_found_later(void **state)
{
    an_unknown_commit_is_resolved_by_the_next_call(true, *state);
}

static void an_unknown_commit_that_is_not_in_is_made_later(void **state)
{
    an_unknown_commit_is_resolved_by_the_next_call(false, *state);
}

static void files_of_a_failed_commit_are_removed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    update_v(f, 1, 11);
    assert_true(flush_rows(f, false, &err));
    f->lake->fail = ERROR_RETRY;
    f->lake->fail_count = 1;
    assert_false(try_commit(f, PHASE_STREAMING, &err));
    struct store_entries entries = {0};
    err = (struct error){0};
    assert_true(store_list(f->held->store, "", "", &entries, &err));
    unsigned parquet = 0;
    for (size_t i = 0; i < entries.count; i++) {
        parquet += strstr(entries.items[i].name, ".parquet") != NULL;
    }
    assert_int_equal(parquet, 1); /* that of the load */
    store_entries_release(&entries);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|20|b |3|30|~");
}

/* ---- schema ---- */

static void a_new_column_is_null_in_old_rows(void **state)
{
    struct fixture *f = *state;
    start(f);
    update_v(f, 1, 11);
    struct error err = {0};
    assert_true(flush_rows(f, false, &err));
    set_schema(f, schema_of((const struct column_spec[]){{"id", int64_type, true},
                                                         {"more", text_type, false},
                                                         {"v", int32_type, false},
                                                         {"note", text_type, false}},
                            4));
    uint32_t row = whole(f, ROW_INSERT, 4, 40, "d");
    set_text(f, "more", row, "m");
    update_v(f, 2, 21);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a|~ |2|21|b| |3|30|~|~ |4|40|d|m");
    assert_feed_makes_table(f);
}

static void a_dropped_column_stays_and_is_null_from_then_on(void **state)
{
    struct fixture *f = *state;
    start(f);
    set_schema(f, schema_of((const struct column_spec[]){{"id", int64_type, true},
                                                         {"v", int32_type, false}},
                            2));
    whole(f, ROW_UPDATE_BEFORE, 1, 10, NULL);
    whole(f, ROW_UPDATE_AFTER, 1, 11, NULL);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|~ |2|20|b |3|30|~");
    assert_changes(f, "update_postimage|1|11|~ update_preimage|1|10|a");

    struct error err = {0};
    struct schema *again = plain_schema();
    assert_fails(table_set_schema(f->table, again, &err), &err, ERROR_LOST,
                 "column \"note\" was dropped and added again");
    schema_release(again);
}

static void a_wider_type_widens_the_column(void **state)
{
    struct fixture *f = *state;
    start(f);
    update_v(f, 1, 11);
    struct error err = {0};
    assert_true(flush_rows(f, false, &err));
    set_schema(f, schema_of((const struct column_spec[]){{"id", int64_type, true},
                                                         {"v", int64_type, false},
                                                         {"note", text_type, false}},
                            3));
    update_v(f, 2, INT64_C(5000000000));
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|5000000000|b |3|30|~");
    assert_feed_makes_table(f);
    restart(f);
    update_v(f, 3, 31);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|5000000000|b |3|31|~");
    /* A narrower source fits into the wider column. */
    set_schema(f, plain_schema());
    update_v(f, 3, 32);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|5000000000|b |3|32|~");
}

static void a_wider_key_column_keeps_its_keys(void **state)
{
    struct fixture *f = *state;
    new_table(f);
    set_schema(f, schema_of((const struct column_spec[]){{"id", int32_type, true}}, 1));
    begin_load(f);
    set_int(f, "id", add(f, ROW_INSERT, IMAGE_WHOLE), 5);
    set_int(f, "id", add(f, ROW_INSERT, IMAGE_WHOLE), 6);
    commit(f, PHASE_STREAMING);
    set_schema(f, schema_of((const struct column_spec[]){{"id", int64_type, true}}, 1));
    set_int(f, "id", add(f, ROW_DELETE, IMAGE_KEY), 5);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|6");
    restart(f);
    set_int(f, "id", add(f, ROW_DELETE, IMAGE_KEY), 6);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "");
}

static void refuses(struct fixture *f, const struct column_spec *specs, uint32_t count,
                    enum error_kind kind, const char *message)
{
    struct error err = {0};
    struct schema *s = schema_of(specs, count);
    bool done = table_set_schema(f->table, s, &err);
    schema_release(s);
    assert_fails(done, &err, kind, message);
}

static void schemas_that_cannot_be_followed_are_refused(void **state)
{
    struct fixture *f = *state;
    start(f);
    refuses(f,
            (const struct column_spec[]){
                {"id", int64_type, true}, {"v", text_type, false}, {"note", text_type, false}},
            3, ERROR_CONFIG,
            "column \"v\": the table has int32, the source now string, which does not hold all");
    refuses(f,
            (const struct column_spec[]){
                {"id", int64_type, false}, {"v", int32_type, true}, {"note", text_type, false}},
            3, ERROR_LOST, "the columns of its key changed");
    refuses(f, (const struct column_spec[]){{"id", int64_type, false}, {"v", int32_type, false}}, 2,
            ERROR_CONFIG,
            "set \"mode: append\" for it, or at the source ALTER TABLE public.t ADD "
            "PRIMARY KEY");
    refuses(f,
            (const struct column_spec[]){{"id", int64_type, true},
                                         {"_Commit_Version", text_type, false}},
            2, ERROR_CONFIG, "column \"_Commit_Version\": the change feed uses this name");
    refuses(f, (const struct column_spec[]){{"id", int64_type, true}, {"V", int32_type, false}}, 2,
            ERROR_CONFIG, "columns \"v\" and \"V\" differ only in case");
    /* None of these was taken. */
    update_v(f, 1, 11);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|20|b |3|30|~");
}

static void types_are_stored_as_the_format_has_them(void **state)
{
    struct fixture *f = *state;
    new_table(f);
    set_schema(f, schema_of(
                      (const struct column_spec[]){
                          {"uid", {.kind = TYPE_UUID}, true},
                          {"t", {.kind = TYPE_TIME}, false},
                          {"ts", {.kind = TYPE_TIMESTAMP}, false},
                          {"j", {.kind = TYPE_JSON}, false},
                          {"d", {.kind = TYPE_DECIMAL, .precision = 10, .scale = 2}, false},
                          {"b", {.kind = TYPE_BINARY}, false},
                      },
                      6));
    begin_load(f);
    uint32_t row = add(f, ROW_INSERT, IMAGE_WHOLE);
    struct column *c = rows(f)->columns;
    ((struct uuid *)c[0].values)[row] = (struct uuid){{0x12, [15] = 0xff}};
    ((int64_t *)c[1].values)[row] = 3723000000;
    ((int64_t *)c[2].values)[row] = 86400000000;
    set_text(f, "j", row, "{\"a\": 1}");
    ((int64_t *)c[4].values)[row] = -1234;
    set_text(f, "b", row, "raw");
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|12000000-0000-0000-0000-0000000000ff|01:02:03|1970-01-02 00:00:00+00|"
                   "{\"a\": 1}|-12.34|raw");
    restart(f);
    row = add(f, ROW_DELETE, IMAGE_KEY);
    ((struct uuid *)rows(f)->columns[0].values)[row] = (struct uuid){{0x12, [15] = 0xff}};
    only_key(f, row);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "");
}

/* ---- partitions ---- */

static void rows_move_between_partitions(void **state)
{
    struct fixture *f = *state;
    f->options.partition_by = partition_by_note;
    f->options.partition_count = 1;
    start(f);
    update_v(f, 1, 11);
    whole(f, ROW_UPDATE_AFTER, 2, 20, "a/='%");
    whole(f, ROW_INSERT, 4, 40, NULL);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |2|20|a/='% |3|30|~ |4|40|~");
    assert_changes(f, "insert|4|40|~ update_postimage|1|11|a update_postimage|2|20|a/='% "
                      "update_preimage|1|10|a update_preimage|2|20|b");
    restart(f);
    key_only(f, ROW_DELETE, 2);
    update_v(f, 3, 31);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |3|31|~ |4|40|~");
    assert_feed_makes_table(f);
}

static void a_partition_column_can_be_the_key(void **state)
{
    struct fixture *f = *state;
    f->options.partition_by = partition_by_id;
    f->options.partition_count = 1;
    start(f);
    restart(f);
    update_v(f, 1, 11);
    key_only(f, ROW_DELETE, 2);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|11|a |3|30|~");
}

static void other_partitions_than_the_tables_are_refused(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    start(f);
    f->options.partition_by = partition_by_v;
    f->options.partition_count = 1;
    new_table(f);
    assert_fails(table_set_schema(f->table, f->schema, &err), &err, ERROR_CONFIG,
                 "partition_by differs from how the existing table is partitioned");
}

/* ---- append ---- */

static void append_keeps_every_change_in_order(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    new_table(f);
    set_schema(f, plain_schema());
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    commit(f, PHASE_LOADING);
    commit(f, PHASE_STREAMING);
    update_v(f, 1, 11);
    key_only(f, ROW_DELETE, 1);
    assert_true(flush_rows(f, false, &err));
    truncate_rows(f);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a|read|0|0|~|~ "
                   "|1|11|~|update|120|0|1970-01-01 00:00:00.12+00|[\"note\"] "
                   "|1|~|~|delete|120|1|1970-01-01 00:00:00.12+00|[\"v\",\"note\"] "
                   "|~|~|~|truncate|120|2|~|~");
    assert_int_equal(f->lake->versions[f->lake->version_count - 1].change_count, 0);
    restart(f);
    f->position = 120;
    update_v(f, 1, 11); /* is in */
    f->position = 130;
    whole(f, ROW_INSERT, 2, 20, "b");
    uint32_t versions = f->lake->version_count;
    commit(f, PHASE_STREAMING);
    assert_int_equal(f->lake->version_count, versions + 1);
    assert_int_equal(f->lake->versions[versions].files[0].row_count, 1);
}

static void append_starts_a_broken_first_load_again(void **state)
{
    struct fixture *f = *state;
    new_table(f);
    set_schema(f, plain_schema());
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    commit(f, PHASE_LOADING);
    new_table(f);
    struct error err = {0};
    assert_true(table_set_schema(f->table, f->schema, &err));
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    commit(f, PHASE_LOADING);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a|read|0|0|~|~");
}

static void append_refuses_its_own_column_names(void **state)
{
    struct fixture *f = *state;
    new_table(f);
    refuses(f, (const struct column_spec[]){{"id", int64_type, false}, {"_OP", text_type, false}},
            2, ERROR_CONFIG, "mode append adds a column of this name");
}

#define UPSERT(name) cmocka_unit_test_setup_teardown(name, open_upsert, close_fixture)
#define APPEND(name) cmocka_unit_test_setup_teardown(name, open_append, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UPSERT(a_load_makes_the_table_and_its_record),
        UPSERT(inserts_alone_have_no_change_file),
        UPSERT(all_kinds_of_changes_reach_table_and_feed),
        UPSERT(a_changed_key_keeps_the_value_that_was_not_sent),
        UPSERT(swapped_keys_are_two_updates),
        UPSERT(an_update_to_equal_values_commits_nothing),
        UPSERT(a_file_without_live_rows_is_removed),
        UPSERT(a_truncate_removes_the_files_and_writes_no_change_file),
        UPSERT(a_truncate_of_an_empty_table_commits_nothing),
        UPSERT(whole_before_images_spare_the_reading),
        UPSERT(divergence_is_lost_and_counted),
        UPSERT(a_filtered_table_takes_absent_keys_as_ordinary),
        UPSERT(a_value_that_nobody_has_is_an_error),
        UPSERT(rows_that_are_in_are_skipped),
        UPSERT(a_heartbeat_while_read_again_does_not_move_the_record_back),
        UPSERT(a_key_value_that_was_not_sent_is_that_of_its_before_image),
        UPSERT(a_null_key_is_refused),
        UPSERT(without_a_feed_deletes_read_nothing),
        UPSERT(a_heartbeat_commits_an_empty_version_once),
        UPSERT(loading_again_leaves_equal_rows_and_deletes_those_not_named),
        UPSERT(a_load_that_failed_to_commit_is_committed_again),
        UPSERT(loading_again_mends_a_key_that_is_there_twice),
        UPSERT(a_conflict_is_planned_again),
        UPSERT(rows_are_found_again_after_a_compaction),
        UPSERT(a_commit_that_is_in_after_all_is_not_repeated),
        UPSERT(an_unknown_commit_that_is_in_is_found_later),
        UPSERT(an_unknown_commit_that_is_not_in_is_made_later),
        UPSERT(files_of_a_failed_commit_are_removed),
        UPSERT(a_new_column_is_null_in_old_rows),
        UPSERT(a_dropped_column_stays_and_is_null_from_then_on),
        UPSERT(a_wider_type_widens_the_column),
        UPSERT(a_wider_key_column_keeps_its_keys),
        UPSERT(schemas_that_cannot_be_followed_are_refused),
        UPSERT(types_are_stored_as_the_format_has_them),
        UPSERT(rows_move_between_partitions),
        UPSERT(a_partition_column_can_be_the_key),
        UPSERT(other_partitions_than_the_tables_are_refused),
        APPEND(append_keeps_every_change_in_order),
        APPEND(append_starts_a_broken_first_load_again),
        APPEND(append_refuses_its_own_column_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
