#include "delta/log.h"
#include "feed_fixture.h"

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

/* --- tables without a feed --- */

static void without_a_feed_replaced_files_mean_what_differs(void **state)
{
    struct feed_fixture *e = *state;
    struct buf text = {0};
    struct lake_new_file old = write_file(e, "SELECT unnest([1, 2, 2, 3])::INTEGER AS id", false);
    struct lake_new_file new = write_file(e, "SELECT unnest([2, 3, 4])::INTEGER AS id", false);
    append_metadata(e, "", &text);
    append_action("add", &old, whole, &text);
    commit_foreign(e, 1, &text);
    append_action("remove", &old, whole, &text);
    append_action("add", &new, whole, &text);
    commit_foreign(e, 2, &text);
    assert_feed(e, everything,
                "1 insert 1 a b%/\n1 insert 2 a b%/\n1 insert 2 a b%/\n1 insert 3 a b%/\n"
                "2 delete 1 a b%/\n2 delete 2 a b%/\n2 insert 4 a b%/\n");

    static const char *const key[] = {"p"};
    struct asked asked = everything;
    asked.from = 2;
    asked.options.key = key;
    asked.options.key_count = 1;
    assert_feed(e, asked,
                "2 delete 2 a b%/\n2 update_preimage 1 a b%/\n2 update_postimage 4 a b%/\n");
    buf_release(&text);
}

/* With a feed, a version that has no change files says of every row that it went or came. */
static void a_table_may_keep_a_feed_in_some_versions_only(void **state)
{
    struct feed_fixture *e = *state;
    struct buf text = {0};
    struct lake_new_file first = write_file(e, "SELECT unnest([1, 2])::INTEGER AS id", false);
    struct lake_new_file second = write_file(e, "SELECT unnest([2, 3])::INTEGER AS id", false);
    struct lake_new_file third = write_file(e, "SELECT unnest([3, 4])::INTEGER AS id", false);
    struct lake_new_file change =
        write_file(e, "SELECT 4::INTEGER AS id, 'delete' AS _change_type", true);
    append_action("add", &first, whole, &text);
    commit_foreign(e, 1, &text);
    append_action("remove", &first, whole, &text);
    append_action("add", &second, whole, &text);
    commit_foreign(e, 2, &text);
    append_metadata(e, "\"delta.enableChangeDataFeed\":\"false\"", &text);
    append_action("remove", &second, whole, &text);
    append_action("add", &third, whole, &text);
    commit_foreign(e, 3, &text);
    append_metadata(e, "\"delta.enableChangeDataFeed\":\"true\"", &text);
    append_action("cdc", &change, ",\"partitionValues\":{\"p\":\"a b%/\"},\"dataChange\":false",
                  &text);
    append_action("remove", &third, whole, &text);
    append_action("add", &first, whole, &text);
    commit_foreign(e, 4, &text);
    assert_feed(e, everything,
                "1 insert 1 a b%/\n1 insert 2 a b%/\n"
                "2 delete 1 a b%/\n2 delete 2 a b%/\n2 insert 2 a b%/\n2 insert 3 a b%/\n"
                "3 delete 2 a b%/\n3 insert 4 a b%/\n"
                "4 delete 4 a b%/\n");

    /* The metadata before the commits that are left is known from the newest, or by replay. */
    struct asked late = everything;
    late.from = 2;
    late.to = 2;
    assert_feed(e, late,
                "2 delete 1 a b%/\n2 delete 2 a b%/\n2 insert 2 a b%/\n2 insert 3 a b%/\n");
    buf_release(&text);
}

static void compaction_changes_no_row(void **state)
{
    struct feed_fixture *e = *state;
    struct buf text = {0};
    static const char moved[] = ",\"partitionValues\":{\"p\":\"a b%/\"},\"dataChange\":false";
    struct lake_new_file old = write_file(e, "SELECT 1::INTEGER AS id", false);
    struct lake_new_file new = write_file(e, "SELECT 1::INTEGER AS id", false);
    append_action("add", &old, whole, &text);
    commit_foreign(e, 1, &text);
    append_action("remove", &old, moved, &text);
    append_action("add", &new, moved, &text);
    commit_foreign(e, 2, &text);
    assert_feed(e, everything, "1 insert 1 a b%/\n");
    buf_release(&text);
}

/* The descriptor of the vector that a commit brought, as an action says it. */
static const char *vector_of(struct feed_fixture *e, int64_t version)
{
    struct buf text = {0};
    struct error err = {0};
    assert_true(store_get(e->f->table->store, delta_commit_key(&e->f->arena, version), 1 << 20,
                          &text, &err));
    const char *start = strstr(buf_text(&text), "\"deletionVector\":{");
    assert_non_null(start);
    const char *last = strstr(start, "\"cardinality\":"); /* names of files may have braces */
    const char *end = last ? strchr(last, '}') : NULL;
    assert_non_null(end);
    const char *vector = arena_format(&e->f->arena, "%s,%.*s}", whole, (int)(end - start), start);
    buf_release(&text);
    return vector;
}

static void rows_come_back_when_a_vector_goes(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    struct buf text = {0};
    uint32_t slot = commit_file(e, "SELECT unnest([7, 8, 9])::INTEGER AS id");
    struct lake_new_file file = {.path = lake_table_file(e->f->table, slot)->path, .size = 1};
    assert_true(fixture_delete(e->f, slot, 0, 2, &err));
    const char *with_vector = vector_of(e, 2);
    append_action("remove", &file, with_vector, &text);
    append_action("add", &file, with_vector, &text);
    commit_foreign(e, 3, &text);
    append_action("remove", &file, with_vector, &text);
    append_action("add", &file, whole, &text);
    commit_foreign(e, 4, &text);
    append_action("remove", &file, whole, &text);
    commit_foreign(e, 5, &text);
    append_action("add", &file, with_vector, &text);
    commit_foreign(e, 6, &text);
    append_action("remove", &file, with_vector, &text);
    commit_foreign(e, 7, &text);
    struct asked late = everything;
    late.from = 3;
    assert_feed(e, late,
                "4 insert 7 a b%/\n4 insert 8 a b%/\n"
                "5 delete 7 a b%/\n5 delete 8 a b%/\n5 delete 9 a b%/\n"
                "6 insert 9 a b%/\n7 delete 9 a b%/\n");
    buf_release(&text);
}

static void a_removed_file_need_not_say_its_partition(void **state)
{
    struct feed_fixture *e = *state;
    struct buf text = {0};
    struct lake_new_file file = write_file(e, "SELECT 1::INTEGER AS id", false);
    append_action("add", &file, whole, &text);
    commit_foreign(e, 1, &text);
    append_action("remove", &file, ",\"dataChange\":true", &text);
    commit_foreign(e, 2, &text);
    struct asked late = everything;
    late.from = 2;
    assert_feed(e, late, "2 delete 1 a b%/\n");

    /* It is not read as null when nobody knows any more. */
    fixture_remove_commit(e->f, 0);
    struct error err = {0};
    struct feed feed;
    assert_false(open_feed(e, late, &feed, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    close_feed(&feed);
    buf_release(&text);
}

static void a_file_is_read_by_the_partition_that_it_was_written_with(void **state)
{
    struct feed_fixture *e = *state;
    struct buf text = {0};
    struct lake_new_file before = write_file(e, "SELECT 1::INTEGER AS id", false);
    struct lake_new_file after = write_file(e, "SELECT 2::INTEGER AS id, 'in file' AS p", false);
    append_action("add", &before, whole, &text);
    commit_foreign(e, 1, &text);
    append_metadata(e, "", &text);
    char *columns = strstr(text.data, "\"partitionColumns\":[\"p\"]");
    assert_non_null(columns);
    memset(strchr(columns, '[') + 1, ' ', strlen("\"p\""));
    append_action("add", &after, ",\"partitionValues\":{},\"dataChange\":true", &text);
    commit_foreign(e, 2, &text);
    assert_feed(e, everything, "1 insert 1 a b%/\n2 insert 2 in file\n");
    buf_release(&text);
}

static void a_null_partition_is_null(void **state)
{
    struct feed_fixture *e = *state;
    struct buf text = {0};
    struct error err = {0};
    struct feed feed;
    struct lake_new_file file = write_file(e, "SELECT 1::INTEGER AS id", false);
    append_action("add", &file, ",\"partitionValues\":{\"p\":null},\"dataChange\":true", &text);
    commit_foreign(e, 1, &text);
    append_action("add", &file, ",\"partitionValues\":{\"p\":\"\"},\"dataChange\":true", &text);
    commit_foreign(e, 2, &text);
    const struct column *columns = NULL;
    uint32_t count = 0;
    assert_true(open_feed(e, everything, &feed, &err));
    for (int i = 0; i < 2; i++) {
        assert_true(lake_changes_next(feed.changes, &columns, &count, NULL, &err));
        assert_int_equal(count, 1);
        assert_false(column_is_valid(&columns[1], 0));
    }
    close_feed(&feed);
    buf_release(&text);
}

/* --- cleaned logs --- */

static void versions_that_are_left_are_read_without_those_before(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    struct lake_options options = {
        .location = e->f->location, .pipeline = "shop", .engine = e->connection};
    delta_lake.free(e->f->table);
    e->f->table = delta_lake.open(&options, &err);
    assert_non_null(e->f->table);
    for (int i = 0; i < 50; i++) {
        (void)commit_file(e, "SELECT 1::INTEGER AS id");
    }
    assert_true(delta_lake.maintain(e->f->table, &err)); /* a checkpoint of version 50 */
    uint32_t slot = commit_file(e, "SELECT unnest([1, 2])::INTEGER AS id");
    assert_true(fixture_delete(e->f, slot, 0, 1, &err));
    for (int i = 0; i <= 50; i++) {
        fixture_remove_commit(e->f, i);
    }
    assert_feed(e, everything, "51 insert 1 a b%/\n51 insert 2 a b%/\n52 delete 1 a b%/\n");
    assert_refused(e, 50, -1, ERROR_CONFIG, "the oldest that is left is 51, the newest is 52");

    fixture_remove_commit(e->f, 51); /* a gap: nothing leads to 52 */
    assert_refused(e, -1, -1, ERROR_LOST, "commit 51");
}

static void a_log_without_commits_has_no_changes(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    struct lake_options options = {
        .location = e->f->location, .pipeline = "shop", .engine = e->connection};
    delta_lake.free(e->f->table);
    e->f->table = delta_lake.open(&options, &err);
    for (int i = 0; i < 50; i++) {
        (void)commit_file(e, "SELECT 1::INTEGER AS id");
    }
    assert_true(delta_lake.maintain(e->f->table, &err));
    for (int i = 0; i <= 50; i++) {
        fixture_remove_commit(e->f, i);
    }
    assert_refused(e, -1, -1, ERROR_LOST, "every commit was cleaned");
}

/* --- mapped columns --- */

/* Metadata of a table whose column "id" is called c-1 in files and whose partition "p" is c-2. */
static void append_mapped(const struct feed_fixture *e, const char *mode, struct buf *out)
{
    owned(buf_release) struct buf plain = {0};
    buf_append_format(&plain, "\"delta.columnMapping.mode\":\"%s\"", mode);
    const char *configuration = arena_string(&e->f->arena, buf_text(&plain), plain.size);
    buf_clear(&plain);
    append_metadata(e, configuration, &plain);
    const char *p = buf_text(&plain);
    for (int i = 1; i <= 2; i++) {
        const char *end = strstr(p, "\\\"metadata\\\":{}");
        assert_non_null(end);
        buf_append(out, p, (size_t)(end - p));
        buf_append_format(out,
                          "\\\"metadata\\\":{\\\"delta.columnMapping.id\\\":%d,"
                          "\\\"delta.columnMapping.physicalName\\\":\\\"c-%d\\\"}",
                          i, i);
        p = end + strlen("\\\"metadata\\\":{}");
    }
    buf_append_text(out, p);
}

static struct lake_new_file write_mapped(struct feed_fixture *e, const char *select,
                                         const char *const *names, const int32_t *ids,
                                         uint32_t count)
{
    struct lake_new_file file = fixture_file(e->f, 0);
    struct error err = {0};
    struct buf path = {0};
    assert_true(store_stage(e->f->table->store, file.path, &path, &err));
    struct engine_parquet parquet = {
        .path = buf_text(&path), .field_ids = ids, .names = names, .column_count = count};
    assert_true(
        engine_write_parquet(e->connection, select, &parquet, &file.row_count, &file.size, &err));
    assert_true(store_publish(e->f->table->store, &file.path, 1, &err));
    buf_release(&path);
    return file;
}

static void mapped_columns_are_read_by_name_or_by_id(void **state)
{
    struct feed_fixture *e = *state;
    static const char mapped[] = ",\"partitionValues\":{\"c-2\":\"x\"},\"dataChange\":true";
    static const char *const modes[] = {"name", "id"};
    static const char *const names[] = {"c-1"};
    static const char *const foreign[] = {"anything"};
    static const int32_t ids[] = {1};
    struct buf text = {0};
    for (int i = 0; i < 2; i++) {
        struct lake_new_file file =
            i == 0 ? write_mapped(e, "SELECT 5::INTEGER AS \"c-1\"", names, ids, 1)
                   : write_mapped(e, "SELECT 5::INTEGER AS anything", foreign, ids, 1);
        struct lake_new_file change =
            write_file(e, "SELECT 6::INTEGER AS \"c-1\", 'delete' AS _change_type", true);
        append_mapped(e, modes[i], &text);
        append_action("add", &file, mapped, &text);
        commit_foreign(e, 1, &text);
        append_action("cdc", &change, mapped, &text);
        commit_foreign(e, 2, &text);
        assert_feed(e, everything, "1 insert 5 x\n2 delete 6 x\n");
        fixture_remove_commit(e->f, 1);
        fixture_remove_commit(e->f, 2);
    }
    append_mapped(e, "other", &text);
    commit_foreign(e, 1, &text);
    assert_refused(e, -1, -1, ERROR_CONFIG, "delta.columnMapping.mode = other");
    fixture_remove_commit(e->f, 1);
    append_metadata(e, "\"delta.columnMapping.mode\":\"name\"", &text);
    commit_foreign(e, 1, &text);
    assert_refused(e, -1, -1, ERROR_DATA, "column \"id\" has no delta.columnMapping.physicalName");
    buf_release(&text);
}

static void a_mapped_table_is_read_but_not_written(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    struct buf text = {0};
    static const char mapped[] = ",\"partitionValues\":{\"c-2\":\"x\"},\"dataChange\":true";
    struct lake_new_file file = write_file(e, "SELECT 5::INTEGER AS \"c-1\"", false);
    append_mapped(e, "name", &text);
    append_action("add", &file, mapped, &text);
    commit_foreign(e, 1, &text);
    struct lake_options options = {.location = e->f->location, .engine = e->connection};
    struct lake_table *t = delta_lake.open(&options, &err);
    assert_non_null(t);
    assert_string_equal(t->snapshot.column_names[0], "c-1");
    assert_null(t->snapshot.column_ids);
    assert_string_equal(lake_table_file(t, 0)->partition[0], "x");
    delta_lake.free(t);
    options.pipeline = "shop";
    assert_null(delta_lake.open(&options, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "delta.columnMapping.mode = name"));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_feed(added_files_and_vectors_mean_inserts_and_deletes),
        test_with_feed(change_files_stand_for_everything_in_their_version),
        test_with_feed(a_truncate_deletes_the_rows_that_were_left),
        test_with_feed(columns_that_came_later_are_null_in_older_rows),
        test_with_feed(versions_that_are_not_there_are_refused),
        test_with_feed(a_vacuumed_file_is_named),
        test_with_feed(without_a_feed_replaced_files_mean_what_differs),
        test_with_feed(a_table_may_keep_a_feed_in_some_versions_only),
        test_with_feed(compaction_changes_no_row),
        test_with_feed(rows_come_back_when_a_vector_goes),
        test_with_feed(a_removed_file_need_not_say_its_partition),
        test_with_feed(a_file_is_read_by_the_partition_that_it_was_written_with),
        test_with_feed(a_null_partition_is_null),
        test_with_feed(versions_that_are_left_are_read_without_those_before),
        test_with_feed(a_log_without_commits_has_no_changes),
        test_with_feed(mapped_columns_are_read_by_name_or_by_id),
        test_with_feed(a_mapped_table_is_read_but_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
