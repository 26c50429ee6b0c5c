#include "lake/changes.h"
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

/* Which changes a test asks for; versions, not indexes. -1: the oldest, the newest. */
struct asked {
    int64_t from;
    int64_t to;
    struct lake_changes_options options;
};

static const struct asked everything = {
    .from = -1, .to = -1, .options = {.inserts = true, .updates = true, .deletes = true}};

/* A reader and the history it is over. */
struct feed {
    struct lake_history *history;
    struct lake_changes *changes;
};

static bool open_feed(struct feed_fixture *e, struct asked asked, struct feed *out,
                      struct error *err)
{
    struct lake_options table = {.location = e->f->location};
    *out = (struct feed){0};
    out->history = delta_history.open(
        &(struct lake_history_options){.table = &table, .engine = e->connection, .to = asked.to},
        err);
    if (!out->history) {
        return false;
    }
    asked.options.history = out->history;
    asked.options.engine = e->connection;
    asked.options.last = out->history->version_count - 1;
    if ((asked.from < 0 ||
         lake_history_find(out->history, asked.from, &asked.options.first, err)) &&
        (asked.to < 0 || lake_history_find(out->history, asked.to, &asked.options.last, err))) {
        out->changes = lake_changes_open(&asked.options, err);
    }
    return out->changes != NULL;
}

static void close_feed(struct feed *feed)
{
    lake_changes_free(&feed->changes);
    lake_history_free(&feed->history);
}

/* The feed as text: "version type id partition" a line, in the order of versions. */
static void assert_feed(struct feed_fixture *e, struct asked asked, const char *expected)
{
    struct error err = {0};
    struct buf out = {0};
    struct feed feed;
    if (!open_feed(e, asked, &feed, &err)) {
        fail_msg("%s", err.message);
    }
    for (;;) {
        const struct column *columns = NULL;
        uint32_t count = 0;
        size_t version = 0;
        if (!lake_changes_next(feed.changes, &columns, &count, &version, &err)) {
            fail_msg("%s", err.message);
        }
        if (count == 0) {
            break;
        }
        for (uint32_t i = 0; i < count; i++) {
            struct str type = view_str(&((const struct view *)columns[2].values)[i]);
            struct str partition = view_str(&((const struct view *)columns[1].values)[i]);
            int64_t id = ((const int64_t *)columns[3].values)[i];
            assert_int_equal(feed.history->versions[version].id, id);
            buf_append_format(&out, "%" PRId64 " %.*s %d %.*s\n", id, str_arg(type),
                              ((const int32_t *)columns[0].values)[i], str_arg(partition));
        }
    }
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
    close_feed(&feed);
}

static void assert_counts(struct feed_fixture *e, uint64_t inserts, uint64_t updates,
                          uint64_t deletes)
{
    struct lake_changes_stats counts;
    struct lake_changes_options options = everything.options;
    struct lake_options table = {.location = e->f->location};
    struct error err = {0};
    options.engine = e->connection;
    options.history = delta_history.open(
        &(struct lake_history_options){.table = &table, .engine = e->connection, .to = -1}, &err);
    assert_non_null(options.history);
    options.last = options.history->version_count - 1;
    assert_true(lake_changes_count(&options, &counts, &err));
    assert_int_equal(counts.inserts, inserts);
    assert_int_equal(counts.updates, updates);
    assert_int_equal(counts.deletes, deletes);
    lake_history_free(&options.history);
}

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
    struct asked some = everything;
    some.options.inserts = some.options.deletes = false;
    assert_feed(e, some, "2 update_preimage 7 a b%/\n2 update_postimage 8 a b%/\n");
    some = everything;
    some.options.updates = false;
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
    struct asked late = everything;
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

    const struct column *columns = NULL;
    uint32_t count = 0;
    struct feed feed;
    assert_true(open_feed(e, everything, &feed, &err));
    assert_int_equal(lake_changes_schema(feed.changes)->column_count, 6);
    assert_true(lake_changes_next(feed.changes, &columns, &count, NULL, &err));
    assert_int_equal(count, 1);
    assert_int_equal(columns[2].type.kind, TYPE_DATE);
    assert_false(column_is_valid(&columns[2], 0));
    close_feed(&feed);
}

static void assert_refused(struct feed_fixture *e, int64_t from, int64_t to, enum error_kind kind,
                           const char *named)
{
    struct error err = {0};
    struct asked asked = everything;
    struct feed feed;
    asked.from = from;
    asked.to = to;
    assert_false(open_feed(e, asked, &feed, &err));
    close_feed(&feed);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.message, named)) {
        fail_msg("%s", err.message);
    }
}

static void versions_that_are_not_there_are_refused(void **state)
{
    struct feed_fixture *e = *state;
    (void)commit_file(e, "SELECT 1::INTEGER AS id");
    assert_refused(e, 2, -1, ERROR_CONFIG, "the newest is 1");
    assert_refused(e, -1, 2, ERROR_CONFIG, "the newest is 1");
    assert_refused(e, 1, 0, ERROR_CONFIG, "from 1 on");
    temporary_remove(e->f->location);
    assert_refused(e, -1, -1, ERROR_CONFIG, "no Delta table");
}

static void a_vacuumed_file_is_named(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 1::INTEGER AS id");
    const char *path = lake_table_file(e->f->table, slot)->path;
    assert_true(store_remove(e->f->table->store, path, &err));
    const struct column *columns = NULL;
    uint32_t count = 0;
    struct feed feed;
    assert_true(open_feed(e, everything, &feed, &err));
    assert_false(lake_changes_next(feed.changes, &columns, &count, NULL, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, path));
    close_feed(&feed);
}

static void history_tells_what_each_version_did(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 1::INTEGER AS id UNION ALL SELECT 2");
    assert_true(fixture_delete(e->f, slot, 0, 1, &err));
    fixture_foreign(e->f, 3, "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n");

    struct lake_options table = {.location = e->f->location};
    struct lake_history_options options = {.table = &table, .to = -1, .versions_only = true};
    struct lake_history *h = delta_history.open(&options, &err);
    assert_non_null(h);
    const struct lake_version *v = h->versions;
    assert_int_equal(h->version_count, 4);
    assert_string_equal(v[0].operation, "CREATE TABLE");
    assert_int_equal(v[0].parent_id, -1);
    assert_true(v[0].keeps_rows);
    assert_int_equal(v[1].files_added, 1);
    assert_string_equal(v[1].operation, "STREAM");
    assert_string_equal(v[1].position, "10");
    assert_string_equal(v[1].engine, "leat/" LEAT_VERSION);
    assert_false(v[1].keeps_rows);
    assert_int_equal(v[2].files_changed, 1);
    assert_int_equal(v[2].files_added + v[2].files_removed, 0);
    assert_int_equal(v[3].id, 3);
    assert_int_equal(v[3].parent_id, 2);
    assert_null(v[3].operation);
    assert_int_equal(v[3].rows_inserted, -1);
    assert_true(v[3].keeps_rows);
    lake_history_free(&h);

    options.limit = 2;
    h = delta_history.open(&options, &err);
    assert_non_null(h);
    assert_int_equal(h->version_count, 2);
    assert_int_equal(h->versions[0].id, 2);
    lake_history_free(&h);
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
        test_with_feed(a_vacuumed_file_is_named),
        test_with_feed(history_tells_what_each_version_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
