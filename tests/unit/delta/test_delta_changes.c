#include "delta/changes.h"
#include "delta/history.h"
#include "table_fixture.h"

struct feed_fixture {
    struct fixture *f;
    struct engine *engine;
    struct engine_connection *connection;
};

static int set_up(void **state)
{
    struct feed_fixture *e = calloc(1, sizeof(*e));
    struct error err = {0};
    assert_non_null(e);
    void *inner = NULL;
    assert_int_equal(fixture_set_up_created(&inner), 0);
    e->f = inner;
    e->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(e->engine);
    e->connection = engine_connect(e->engine, &err);
    assert_non_null(e->connection);
    *state = e;
    return 0;
}

static int tear_down(void **state)
{
    struct feed_fixture *e = *state;
    void *inner = e->f;
    assert_int_equal(fixture_tear_down(&inner), 0);
    engine_disconnect(&e->connection);
    engine_free(&e->engine);
    free(e);
    return 0;
}

/* Writes a file: the rows of `select`, which has all columns but the partition's. */
static struct lake_new_file write_file(struct feed_fixture *e, const char *select, bool is_change)
{
    struct lake_new_file file = fixture_file(e->f, 0);
    struct error err = {0};
    struct buf path = {0};
    if (is_change) {
        file.path =
            lake_change_path(&e->f->arena, &(struct lake_partition_field){.name = "p", .column = 1},
                             1, file.partition);
    }
    assert_true(store_stage(e->f->table->store, file.path, &path, &err));
    struct engine_parquet parquet = {.path = buf_text(&path)};
    assert_true(
        engine_write_parquet(e->connection, select, &parquet, &file.row_count, &file.size, &err));
    assert_true(store_publish(e->f->table->store, &file.path, 1, &err));
    buf_release(&path);
    return file;
}

static uint32_t commit_file(struct feed_fixture *e, const char *select)
{
    struct lake_new_file file = write_file(e, select, false);
    struct lake_commit commit = fixture_commit(e->f);
    struct error err = {0};
    uint32_t slot = 0;
    commit.files = &file;
    commit.file_count = 1;
    assert_true(delta_lake.commit(e->f->table, &commit, &slot, &err));
    return slot;
}

/* The feed as text: "version type id partition" a line, in the order of versions. */
static void assert_feed(struct feed_fixture *e, struct delta_changes_options options,
                        const char *expected)
{
    struct error err = {0};
    struct buf out = {0};
    options.location = e->f->location;
    options.engine = e->connection;
    struct delta_changes *c = delta_changes_open(&options, &err);
    if (!c) {
        fail_msg("%s", err.message);
    }
    for (;;) {
        const struct column *columns = NULL;
        uint32_t count = 0;
        if (!delta_changes_next(c, &columns, &count, &err)) {
            fail_msg("%s", err.message);
        }
        if (count == 0) {
            break;
        }
        for (uint32_t i = 0; i < count; i++) {
            struct str type = view_str(&((const struct view *)columns[2].values)[i]);
            struct str partition = view_str(&((const struct view *)columns[1].values)[i]);
            buf_append_format(&out, "%" PRId64 " %.*s %d %.*s\n",
                              ((const int64_t *)columns[3].values)[i], str_arg(type),
                              ((const int32_t *)columns[0].values)[i], str_arg(partition));
        }
    }
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
    delta_changes_free(&c);
}

static void assert_counts(struct feed_fixture *e, uint64_t inserts, uint64_t updates,
                          uint64_t deletes)
{
    struct delta_feed_counts counts;
    struct error err = {0};
    assert_true(delta_feed_count(e->f->location, e->connection, &counts, &err));
    assert_int_equal(counts.inserts, inserts);
    assert_int_equal(counts.updates, updates);
    assert_int_equal(counts.deletes, deletes);
}

static const struct delta_changes_options everything = {
    .from = -1, .to = -1, .inserts = true, .updates = true, .deletes = true};

static void added_files_and_vectors_mean_inserts_and_deletes(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 7::INTEGER AS id UNION ALL SELECT 8 UNION ALL SELECT 9");
    assert_true(fixture_delete(e->f, slot, 1, 2, &err));
    assert_true(fixture_delete(e->f, slot, 0, 2, &err));
    assert_feed(e, everything,
                "1 insert 7 a b%/\n1 insert 8 a b%/\n1 insert 9 a b%/\n"
                "2 delete 8 a b%/\n3 delete 7 a b%/\n");
}

static void change_files_stand_for_everything_in_their_version(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 7::INTEGER AS id");
    struct lake_new_file file = write_file(e, "SELECT 8::INTEGER AS id", false);
    struct lake_new_file change =
        write_file(e,
                   "SELECT 7::INTEGER AS id, 'update_preimage' AS _change_type UNION ALL "
                   "SELECT 8, 'update_postimage'",
                   true);
    roaring_bitmap_t *deleted = roaring_bitmap_from_range(0, 1, 1);
    struct lake_commit commit = fixture_commit(e->f);
    commit.files = &file;
    commit.file_count = 1;
    commit.change_files = &change;
    commit.change_file_count = 1;
    commit.vectors =
        &(struct lake_new_vector){.slot = slot, .deleted = deleted, .deleted_count = 1};
    commit.vector_count = 1;
    assert_true(delta_lake.commit(e->f->table, &commit, &slot, &err));
    roaring_bitmap_free(deleted);
    assert_feed(e, everything,
                "1 insert 7 a b%/\n2 update_preimage 7 a b%/\n2 update_postimage 8 a b%/\n");

    assert_counts(e, 1, 1, 0);
    struct delta_changes_options some = everything;
    some.inserts = some.deletes = false;
    assert_feed(e, some, "2 update_preimage 7 a b%/\n2 update_postimage 8 a b%/\n");
    some = everything;
    some.updates = false;
    some.to = 1;
    assert_feed(e, some, "1 insert 7 a b%/\n");
    some.to = 2;
    some.from = 2;
    assert_feed(e, some, "");
}

static void a_truncate_deletes_the_rows_that_were_left(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 1::INTEGER AS id UNION ALL SELECT 2");
    (void)commit_file(e, "SELECT 3::INTEGER AS id");
    assert_true(fixture_delete(e->f, slot, 0, 1, &err));
    struct lake_commit commit = fixture_commit(e->f);
    commit.truncate = true;
    assert_true(delta_lake.commit(e->f->table, &commit, NULL, &err));
    (void)commit_file(e, "SELECT 4::INTEGER AS id");
    struct delta_changes_options late = everything;
    late.from = 4;
    assert_feed(e, late, "4 delete 2 a b%/\n4 delete 3 a b%/\n5 insert 4 a b%/\n");
    assert_counts(e, 4, 0, 3);
}

static void columns_that_came_later_are_null_in_older_rows(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    (void)commit_file(e, "SELECT 1::INTEGER AS id");
    struct schema *wider = schema_new(3);
    wider->columns[0] = e->f->schema->columns[0];
    wider->columns[1] = e->f->schema->columns[1];
    wider->columns[2] =
        (struct schema_column){.name = "later", .type = {.kind = TYPE_DATE}, .nullable = true};
    schema_seal(wider);
    struct lake_commit commit = fixture_commit(e->f);
    commit.schema = wider;
    assert_true(delta_lake.commit(e->f->table, &commit, NULL, &err));
    schema_release(wider);

    struct delta_changes_options options = everything;
    options.location = e->f->location;
    options.engine = e->connection;
    struct delta_changes *c = delta_changes_open(&options, &err);
    const struct column *columns = NULL;
    uint32_t count = 0;
    assert_non_null(c);
    assert_int_equal(delta_changes_schema(c)->column_count, 6);
    assert_true(delta_changes_next(c, &columns, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(columns[2].type.kind, TYPE_DATE);
    assert_false(column_is_valid(&columns[2], 0));
    delta_changes_free(&c);
}

static void assert_refused(struct feed_fixture *e, int64_t from, int64_t to, enum error_kind kind,
                           const char *named)
{
    struct error err = {0};
    struct delta_changes_options options = everything;
    options.location = e->f->location;
    options.engine = e->connection;
    options.from = from;
    options.to = to;
    assert_null(delta_changes_open(&options, &err));
    assert_int_equal(err.kind, kind);
    if (!strstr(err.message, named)) {
        fail_msg("%s", err.message);
    }
}

static void versions_that_are_not_there_are_refused(void **state)
{
    struct feed_fixture *e = *state;
    (void)commit_file(e, "SELECT 1::INTEGER AS id");
    assert_refused(e, 2, -1, ERROR_CONFIG, "the last one is 1");
    assert_refused(e, -1, 2, ERROR_CONFIG, "the newest is 1");
    assert_refused(e, 1, 0, ERROR_CONFIG, "from 1 on");
    temporary_remove(e->f->location);
    assert_refused(e, -1, -1, ERROR_CONFIG, "no Delta table");
}

static void a_table_without_a_feed_is_refused(void **state)
{
    struct feed_fixture *e = *state;
    fixture_foreign(e->f, 1,
                    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\"},"
                    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\","
                    "\"partitionColumns\":[],\"configuration\":{}}}\n");
    assert_refused(e, -1, -1, ERROR_CONFIG, "no change feed in version 1");
}

static void a_vacuumed_file_is_named(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 1::INTEGER AS id");
    const char *path = lake_table_file(e->f->table, slot)->path;
    assert_true(store_remove(e->f->table->store, path, &err));
    struct delta_changes_options options = everything;
    options.location = e->f->location;
    options.engine = e->connection;
    struct delta_changes *c = delta_changes_open(&options, &err);
    const struct column *columns = NULL;
    uint32_t count = 0;
    assert_non_null(c);
    assert_false(delta_changes_next(c, &columns, &count, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, path));
    delta_changes_free(&c);
}

static void history_tells_what_each_version_did(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 1::INTEGER AS id UNION ALL SELECT 2");
    assert_true(fixture_delete(e->f, slot, 0, 1, &err));
    fixture_foreign(e->f, 3, "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n");

    struct arena a = {0};
    struct delta_version *v = NULL;
    size_t count = 0;
    assert_true(delta_history(e->f->table->store, 0, &a, &v, &count, &err));
    assert_int_equal(count, 4);
    assert_int_equal(v[0].version, 3);
    assert_null(v[0].operation);
    assert_int_equal(v[0].rows_inserted, -1);
    assert_int_equal(v[1].files_changed, 1);
    assert_int_equal(v[1].files_added + v[1].files_removed, 0);
    assert_int_equal(v[2].files_added, 1);
    assert_string_equal(v[2].operation, "STREAM");
    assert_string_equal(v[2].position, "10");
    assert_string_equal(v[2].engine, "leat/" LEAT_VERSION);
    assert_string_equal(v[3].operation, "CREATE TABLE");
    assert_true(delta_history(e->f->table->store, 2, &a, &v, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(v[1].version, 2);
    arena_release(&a);
}

#define test_with_feed(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_feed(added_files_and_vectors_mean_inserts_and_deletes),
        test_with_feed(change_files_stand_for_everything_in_their_version),
        test_with_feed(a_truncate_deletes_the_rows_that_were_left),
        test_with_feed(columns_that_came_later_are_null_in_older_rows),
        test_with_feed(versions_that_are_not_there_are_refused),
        test_with_feed(a_table_without_a_feed_is_refused),
        test_with_feed(a_vacuumed_file_is_named),
        test_with_feed(history_tells_what_each_version_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
