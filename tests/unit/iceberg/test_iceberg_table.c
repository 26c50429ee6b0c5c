#include "table_fixture.h"

/* ---- commits ---- */

static void test_what_was_committed_is_read_again_by_another_opening(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t first = fixture_add(f, 0, 100);
    uint32_t second = fixture_add(f, 100, 50);
    fixture_delete(f, first, 10);
    struct lake_table *again = fixture_open(f, "shop", &err);
    assert_non_null(again);
    assert_int_equal(again->snapshot.version, f->table->snapshot.version);
    assert_int_equal(again->snapshot.slot_count, 2);
    uint64_t rows = 0;
    uint64_t deleted = 0;
    for (uint32_t i = 0; i < 2; i++) {
        rows += lake_table_file(again, i)->row_count;
        deleted += lake_table_file(again, i)->deleted_count;
    }
    assert_int_equal(rows, 150);
    assert_int_equal(deleted, 10);
    assert_true(position_equal(again->snapshot.record.position, position_integer(f->position)));
    assert_string_equal(again->snapshot.record.txn_id, f->table->snapshot.record.txn_id);
    assert_int_equal(lake_table_file(f->table, second)->deleted_count, 0);
    fixture_close(again);
}

static void test_a_file_whose_rows_are_deleted_again_has_one_delete_file(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    for (uint32_t count = 1; count <= 5; count++) {
        fixture_delete(f, slot, count);
        assert_string_equal(summary_of(f->table, "total-delete-files"), "1");
        assert_int_equal(strtol(summary_of(f->table, "total-position-deletes"), NULL, 10), count);
    }
    assert_string_equal(summary_of(f->table, "removed-delete-files"), "1");
    assert_string_equal(summary_of(f->table, "removed-position-deletes"), "4");
}

static void test_a_removed_file_takes_its_deletes_with_it(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    uint32_t kept = fixture_add(f, 100, 7);
    fixture_delete(f, slot, 9);
    fixture_remove(f, slot);
    assert_null(lake_table_file(f->table, slot));
    assert_non_null(lake_table_file(f->table, kept));
    assert_string_equal(summary_of(f->table, "operation"), "delete");
    assert_string_equal(summary_of(f->table, "total-delete-files"), "0");
    assert_string_equal(summary_of(f->table, "total-records"), "7");
    assert_string_equal(summary_of(f->table, "deleted-records"), "100");
}

static void test_a_truncate_leaves_only_what_comes_with_it(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    fixture_delete(f, slot, 9);
    struct lake_new_file file = fixture_file(f, 500, 3, NULL);
    struct lake_commit commit = fixture_commit(f);
    commit.truncate = true;
    commit.files = &file;
    commit.file_count = 1;
    fixture_run(f, &commit, &slot);
    assert_string_equal(summary_of(f->table, "operation"), "overwrite");
    assert_string_equal(summary_of(f->table, "total-records"), "3");
    assert_string_equal(summary_of(f->table, "total-delete-files"), "0");
    assert_int_equal(lake_table_file(f->table, slot)->row_count, 3);
}

static void test_an_empty_commit_moves_the_position_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    (void)fixture_add(f, 0, 5);
    struct lake_commit commit = fixture_commit(f);
    fixture_run(f, &commit, NULL);
    assert_string_equal(summary_of(f->table, "operation"), "append");
    assert_string_equal(summary_of(f->table, "total-records"), "5");
    assert_string_equal(summary_of(f->table, "added-data-files"), "");
    assert_true(position_equal(f->table->snapshot.record.position, commit.record.position));
}

static void test_a_commit_that_does_not_start_where_the_table_is_is_lost(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 0, 5);
    struct lake_commit commit = fixture_commit(f);
    commit.from = position_integer(3);
    assert_false(iceberg_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_LOST);
}

static void test_a_table_that_was_opened_for_reading_takes_no_commit(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 0, 5);
    struct lake_table *reading = fixture_open(f, NULL, &err);
    assert_non_null(reading);
    struct lake_commit commit = fixture_commit(f);
    assert_false(iceberg_lake.commit(reading, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    fixture_close(reading);
}

/* ---- manifests ---- */

static void test_manifests_are_merged_at_a_hundred(void **state)
{
    struct fixture *f = *state;
    uint32_t most = 0;
    for (int i = 0; i < 105; i++) {
        (void)fixture_add(f, i * 2, 2);
        uint32_t count = inside(f->table)->manifests.count;
        most = count > most ? count : most;
    }
    assert_int_equal(most, 100);
    assert_int_equal(inside(f->table)->manifests.count, 5);
    struct error err = {0};
    struct lake_table *again = fixture_open(f, "shop", &err);
    assert_non_null(again);
    assert_int_equal(inside(again)->live.count, 105);
    fixture_close(again);
    assert_string_equal(summary_of(f->table, "total-data-files"), "105");
}

static void test_no_more_than_six_hundred_snapshots_are_kept(void **state)
{
    struct fixture *f = *state;
    (void)fixture_add(f, 1, 10);
    for (int i = 0; i < 605; i++) {
        struct lake_commit commit = fixture_commit(f);
        fixture_run(f, &commit, NULL);
    }
    const struct iceberg_metadata *m = inside(f->table)->metadata;
    assert_int_equal(m->snapshot_count, 600);
    assert_int_equal(m->current->id, f->table->snapshot.version);
    assert_non_null(iceberg_metadata_snapshot(m, m->current->parent_id));
    assert_int_equal(lake_table_file(f->table, 0)->row_count, 10);
}

static void test_files_of_a_merged_manifest_keep_their_sequence_numbers(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t first = fixture_add(f, 0, 10);
    uint32_t second = fixture_add(f, 10, 10);
    fixture_delete(f, first, 3);
    fixture_remove(f, second); /* rewrites the manifests that hold both */
    fixture_delete(f, first, 4);
    struct lake_table *again = fixture_open(f, "shop", &err);
    assert_non_null(again);
    assert_int_equal(inside(again)->live.count, 1);
    const struct iceberg_live *live = (const struct iceberg_live *)lake_table_file(again, 0);
    assert_int_equal(live->sequence_number, 1);
    assert_int_equal(live->lake.deleted_count, 4);
    fixture_close(again);
}

/* ---- others ---- */

static void test_a_foreign_rewrite_is_followed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    bool changed = true;
    (void)fixture_add(f, 0, 5);
    int64_t id = fixture_foreign(f, "replace");
    assert_true(iceberg_lake.refresh(f->table, &changed, &err));
    assert_false(changed); /* it has the same files */
    assert_int_equal(f->table->snapshot.version, id);
    assert_true(position_equal(f->table->snapshot.record.position, position_integer(f->position)));
    (void)fixture_add(f, 5, 5);
    assert_string_equal(summary_of(f->table, "total-records"), "10");
}

static void test_a_foreign_append_is_lost_unless_it_is_accepted(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    bool changed = false;
    (void)fixture_add(f, 0, 5);
    (void)fixture_foreign(f, "append");
    assert_false(iceberg_lake.refresh(f->table, &changed, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "another writer"));
    struct lake_options options = fixture_options(f, "shop");
    options.accept_foreign = true;
    struct lake_table *accepting = iceberg_lake.open(&options, &err);
    assert_non_null(accepting);
    assert_true(iceberg_lake.check(accepting, &(struct lake_expectation){0}, &err));
    fixture_close(accepting);
}

static void test_a_commit_over_another_writers_is_a_conflict_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    bool changed = false;
    uint32_t slot = fixture_add(f, 0, 5);
    (void)fixture_foreign(f, "replace");
    int manifests = fixture_count(f, "metadata", ".avro");
    int deletes = fixture_count(f, "data", "delete-");
    roaring_bitmap_t *deleted = roaring_bitmap_from_range(0, 2, 1);
    struct lake_new_vector vector = {.slot = slot, .deleted = deleted, .deleted_count = 2};
    struct lake_commit commit = fixture_commit(f);
    commit.vectors = &vector;
    commit.vector_count = 1;
    assert_false(iceberg_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_int_equal(fixture_count(f, "metadata", ".avro"), manifests);
    assert_int_equal(fixture_count(f, "data", "delete-"), deletes);
    assert_true(iceberg_lake.refresh(f->table, &changed, &err));
    fixture_run(f, &commit, NULL);
    assert_int_equal(lake_table_file(f->table, slot)->deleted_count, 2);
    roaring_bitmap_free(deleted);
}

static void test_another_instance_of_the_pipeline_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    bool changed = false;
    (void)fixture_add(f, 0, 5);
    struct lake_table *first = f->table;
    f->table = fixture_open(f, "shop", &err);
    assert_non_null(f->table);
    (void)fixture_add(f, 5, 5);
    assert_false(iceberg_lake.refresh(first, &changed, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "another instance"));
    fixture_close(first);
}

/* ---- outcomes that are not known ---- */

static bool commit_one(struct fixture *f, struct lake_commit *commit, struct error *err)
{
    struct lake_new_file *file = arena_zalloc(&f->arena, sizeof(*file));
    *file = fixture_file(f, 50, 5, NULL);
    *commit = fixture_commit(f);
    commit->files = file;
    commit->file_count = 1;
    uint32_t slot = 0;
    return iceberg_lake.commit(f->table, commit, &slot, err);
}

static void test_a_commit_that_is_in_though_nobody_said_so_is_found(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_commit commit;
    bool changed = false;
    (void)fixture_add(f, 0, 5);
    f->catalog.mode = COMMITS_AND_DENIES;
    assert_false(commit_one(f, &commit, &err));
    assert_int_equal(err.kind, ERROR_UNKNOWN);
    f->catalog.mode = HONEST;
    assert_true(iceberg_lake.refresh(f->table, &changed, &err));
    assert_true(changed);
    assert_string_equal(f->table->snapshot.record.txn_id, commit.record.txn_id);
    assert_string_equal(summary_of(f->table, "total-records"), "10");
    (void)fixture_add(f, 10, 5);
    assert_string_equal(summary_of(f->table, "total-records"), "15");
}

static void test_a_commit_that_is_not_in_and_nobody_said_so_can_be_repeated(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_commit commit;
    bool changed = true;
    (void)fixture_add(f, 0, 5);
    f->catalog.mode = DENIES;
    assert_false(commit_one(f, &commit, &err));
    assert_int_equal(err.kind, ERROR_UNKNOWN);
    f->catalog.mode = HONEST;
    assert_true(iceberg_lake.refresh(f->table, &changed, &err));
    assert_false(changed);
    assert_string_not_equal(f->table->snapshot.record.txn_id, commit.record.txn_id);
    uint32_t slot = 0;
    fixture_run(f, &commit, &slot);
    assert_string_equal(summary_of(f->table, "total-records"), "10");
}

static void test_a_commit_of_unknown_outcome_keeps_its_files(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_commit commit;
    (void)fixture_add(f, 0, 5);
    int before = fixture_count(f, "metadata", ".avro");
    f->catalog.mode = DENIES; /* for all that is known it may be in */
    assert_false(commit_one(f, &commit, &err));
    assert_true(fixture_count(f, "metadata", ".avro") > before);
}

static void test_a_refused_commit_removes_its_files(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_commit commit;
    (void)fixture_add(f, 0, 5);
    int before = fixture_count(f, "metadata", ".avro");
    f->catalog.conflicts = 1;
    assert_false(commit_one(f, &commit, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_int_equal(fixture_count(f, "metadata", ".avro"), before);
}

/* ---- the record, when history is gone ---- */

static struct lake_expectation expectation(const struct lake_table *t)
{
    return (struct lake_expectation){.table_id = t->snapshot.table_id,
                                     .version = t->snapshot.record.version,
                                     .txn_id = t->snapshot.record.txn_id};
}

static bool check_anew(struct fixture *f, struct error *err)
{
    struct lake_expectation expected = expectation(f->table);
    struct lake_table *again = fixture_open(f, "shop", err);
    assert_non_null(again);
    assert_true(again->snapshot.has_record);
    assert_true(position_equal(again->snapshot.record.position, position_integer(f->position)));
    bool ok = iceberg_lake.check(again, &expected, err);
    fixture_close(again);
    return ok;
}

static void test_the_position_survives_a_history_of_one_foreign_snapshot(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 0, 5);
    (void)fixture_foreign(f, "replace");
    fixture_expire(f);
    assert_true(check_anew(f, &err));
}

static void test_expired_rewrites_are_found_in_older_metadata(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 0, 5);
    for (int i = 0; i < 3; i++) {
        (void)fixture_foreign(f, "replace");
    }
    fixture_expire(f);
    assert_true(check_anew(f, &err));
}

static void test_an_expired_append_is_found_in_older_metadata(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 0, 5);
    (void)fixture_foreign(f, "append");
    (void)fixture_foreign(f, "replace");
    fixture_expire(f);
    assert_false(check_anew(f, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "another writer"));
}

static void test_a_gap_that_nothing_tells_of_is_lost(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    char path[160];
    (void)fixture_add(f, 0, 5);
    (void)fixture_foreign(f, "replace");
    (void)fixture_foreign(f, "replace");
    fixture_expire(f);
    for (int i = 1; i < 5; i++) { /* all but the newest */
        (void)snprintf(path, sizeof(path), "%s/metadata/v%d.metadata.json", f->directory, i);
        assert_int_equal(remove(path), 0);
    }
    assert_false(check_anew(f, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "not in the history"));
}

/* ---- partitions ---- */

static int set_up_partitioned(void **state)
{
    return fixture_set_up_by(state, "p");
}

static void test_partition_values_are_read_as_they_were_written(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t null = fixture_add_to(f, 0, 2, NULL);
    uint32_t word = fixture_add_to(f, 2, 2, "a=b/c%20 é");
    assert_null(lake_table_file(f->table, null)->partition[0]);
    assert_string_equal(lake_table_file(f->table, word)->partition[0], "a=b/c%20 é");
    fixture_delete(f, word, 1);
    assert_string_equal(summary_of(f->table, "changed-partition-count"), "1");
    struct lake_table *again = fixture_open(f, "shop", &err);
    assert_non_null(again);
    int found = 0;
    for (uint32_t i = 0; i < again->snapshot.slot_count; i++) {
        const struct lake_file *file = lake_table_file(again, i);
        bool is_null = !file->partition[0];
        found += is_null || strcmp(file->partition[0], "a=b/c%20 é") == 0;
        assert_int_equal(file->deleted_count, is_null ? 0 : 1);
    }
    assert_int_equal(found, 2);
    fixture_close(again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_committed_is_read_again_by_another_opening),
        TEST(test_a_file_whose_rows_are_deleted_again_has_one_delete_file),
        TEST(test_a_removed_file_takes_its_deletes_with_it),
        TEST(test_a_truncate_leaves_only_what_comes_with_it),
        TEST(test_an_empty_commit_moves_the_position_and_nothing_else),
        TEST(test_a_commit_that_does_not_start_where_the_table_is_is_lost),
        TEST(test_a_table_that_was_opened_for_reading_takes_no_commit),
        TEST(test_manifests_are_merged_at_a_hundred),
        TEST(test_no_more_than_six_hundred_snapshots_are_kept),
        TEST(test_files_of_a_merged_manifest_keep_their_sequence_numbers),
        TEST(test_a_foreign_rewrite_is_followed),
        TEST(test_a_foreign_append_is_lost_unless_it_is_accepted),
        TEST(test_a_commit_over_another_writers_is_a_conflict_and_leaves_nothing),
        TEST(test_another_instance_of_the_pipeline_is_noticed),
        TEST(test_a_commit_that_is_in_though_nobody_said_so_is_found),
        TEST(test_a_commit_that_is_not_in_and_nobody_said_so_can_be_repeated),
        TEST(test_a_commit_of_unknown_outcome_keeps_its_files),
        TEST(test_a_refused_commit_removes_its_files),
        TEST(test_the_position_survives_a_history_of_one_foreign_snapshot),
        TEST(test_expired_rewrites_are_found_in_older_metadata),
        TEST(test_an_expired_append_is_found_in_older_metadata),
        TEST(test_a_gap_that_nothing_tells_of_is_lost),
        cmocka_unit_test_setup_teardown(test_partition_values_are_read_as_they_were_written,
                                        set_up_partitioned, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
