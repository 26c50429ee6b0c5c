#include "base/map.h"
#include "delta/schema.h"
#include "delta/table.h"
#include "engine/engine.h"
#include "gtids.h"
#include "table_fixture.h"
#include "test.h"

/* What a reader that has read nothing before sees is what this table believes. */
static void assert_reopened_is_equal(const struct fixture *f)
{
    struct error err = {0};
    struct lake_table *other = fixture_open(f, "shop", &err);
    assert_non_null(other);
    const struct lake_snapshot *a = &f->table->snapshot;
    const struct lake_snapshot *b = &other->snapshot;
    assert_int_equal(a->version, b->version);
    assert_string_equal(a->table_id, b->table_id);
    assert_true(schema_equal(a->schema, b->schema));
    assert_int_equal(a->partition_count, b->partition_count);
    assert_true(a->has_feed && b->has_feed);
    assert_true(a->has_record && b->has_record);
    assert_string_equal(a->record.txn_id, b->record.txn_id);
    assert_int_equal(a->record.version, b->record.version);
    assert_true(position_equal(a->record.position, b->record.position));

    struct map paths = {0};
    size_t count = 0;
    for (uint32_t i = 0; i < a->slot_count; i++) {
        if (lake_table_file(f->table, i)) {
            count++;
            (void)map_put(&paths, str_from(f->table->files[i]->path), f->table->files[i]);
        }
    }
    for (uint32_t i = 0; i < b->slot_count; i++) {
        const struct lake_file *y = lake_table_file(other, i);
        if (!y) {
            continue;
        }
        const struct lake_file *x = map_get(&paths, str_from(y->path));
        assert_non_null(x);
        assert_int_equal(x->row_count, y->row_count);
        assert_int_equal(x->size, y->size);
        assert_int_equal(x->deleted_count, y->deleted_count);
        assert_string_equal(x->partition[0], y->partition[0]);
        assert_int_equal(x->deleted != NULL, y->deleted != NULL);
        assert_true(!x->deleted || roaring_bitmap_equals(x->deleted, y->deleted));
        count--;
    }
    assert_int_equal(count, 0);
    map_release(&paths, NULL);
    delta_lake.free(other);
}

static void a_location_without_a_table_opens_as_none(void **state)
{
    struct fixture *f = *state;
    bool changed = true;
    struct error err = {0};
    assert_false(f->table->snapshot.exists);
    assert_int_equal(f->table->snapshot.version, -1);
    assert_true(delta_lake.refresh(f->table, &changed, &err));
    assert_false(f->table->snapshot.exists);
}

static void a_table_is_made_once(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_table *late = fixture_open(f, "shop", &err);
    assert_non_null(late);
    assert_true(fixture_create(f, f->table, true, &err));
    assert_int_equal(f->table->snapshot.version, 0);
    assert_true(f->table->snapshot.has_record);
    assert_int_equal(f->table->snapshot.record.phase, PHASE_LOADING);
    assert_reopened_is_equal(f);

    assert_false(fixture_create(f, f->table, true, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    err = (struct error){0};
    assert_false(fixture_create(f, late, true, &err)); /* it did not know */
    assert_int_equal(err.kind, ERROR_CONFLICT);
    delta_lake.free(late);
}

static void commits_are_seen_by_others(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t a = fixture_add(f, 100);
    uint32_t b = fixture_add(f, 50);
    assert_reopened_is_equal(f);
    assert_true(fixture_delete(f, a, 10, 20, &err));
    assert_int_equal(lake_table_file(f->table, a)->deleted_count, 10);
    assert_true(fixture_delete(f, a, 10, 30, &err));
    assert_int_equal(lake_table_file(f->table, a)->deleted_count, 20);
    assert_string_equal(lake_table_file(f->table, a)->partition[0], "a b%/");
    assert_reopened_is_equal(f);

    struct lake_commit commit = fixture_commit(f);
    commit.removed = &b;
    commit.removed_count = 1;
    assert_true(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_null(lake_table_file(f->table, b));
    assert_non_null(lake_table_file(f->table, a));
    assert_int_equal(commit.record.version, 5);
    assert_string_equal(commit.record.txn_id, f->table->snapshot.record.txn_id);
    assert_reopened_is_equal(f);
}

static void a_truncate_removes_all_and_adds_what_came_after(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t a = fixture_add(f, 100);
    uint32_t b = fixture_add(f, 100);
    assert_true(fixture_delete(f, a, 0, 7, &err));

    struct lake_new_file file = fixture_file(f, 3);
    struct lake_commit commit = fixture_commit(f);
    uint32_t slot = 0;
    commit.truncate = true;
    commit.files = &file;
    commit.file_count = 1;
    assert_true(delta_lake.commit(f->table, &commit, &slot, &err));
    assert_null(lake_table_file(f->table, a));
    assert_null(lake_table_file(f->table, b));
    assert_string_equal(lake_table_file(f->table, slot)->path, file.path);
    assert_reopened_is_equal(f);
    (void)fixture_add(f, 1); /* also removes what is left of `a` from the log */
    assert_reopened_is_equal(f);
}

static void a_commit_over_a_slot_that_is_gone_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t a = fixture_add(f, 100);
    struct lake_commit commit = fixture_commit(f);
    commit.truncate = true;
    assert_true(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_false(fixture_delete(f, a, 0, 1, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
}

static void a_commit_starts_where_the_table_is(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 100);
    struct lake_commit commit = fixture_commit(f);
    commit.from = position_integer(7);
    assert_false(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_LOST);
}

static void a_table_opened_for_reading_is_not_written(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_table *reader = fixture_open(f, NULL, &err);
    assert_non_null(reader);
    assert_false(reader->snapshot.has_record);
    struct lake_commit commit = fixture_commit(f);
    assert_false(delta_lake.commit(reader, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    delta_lake.free(reader);
}

static void a_table_without_vectors_refuses_them(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_true(fixture_create(f, f->table, false, &err));
    uint32_t a = fixture_add(f, 100);
    assert_false(fixture_delete(f, a, 0, 1, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_reopened_is_equal(f);
}

static void columns_are_added_with_a_commit(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct schema *wider = schema_new(3);
    wider->columns[0] = f->schema->columns[0];
    wider->columns[1] = f->schema->columns[1];
    wider->columns[2] =
        (struct schema_column){.name = "new", .type = {TYPE_DECIMAL, 10, 2}, .nullable = true};
    schema_seal(wider);
    struct lake_commit commit = fixture_commit(f);
    commit.schema = wider;
    assert_true(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(f->table->snapshot.schema->column_count, 3);
    assert_true(schema_equal(f->table->snapshot.schema, wider));
    assert_reopened_is_equal(f);
    schema_release(wider);
}

/* With an engine: data files that exist, checkpoints. */
struct engine_fixture {
    struct engine *engine;
    struct engine_connection *connection;
};

static void open_with_engine(struct fixture *f, struct engine_fixture *e)
{
    struct error err = {0};
    e->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(e->engine);
    e->connection = engine_connect(e->engine, &err);
    assert_non_null(e->connection);
    struct lake_options options = {
        .location = f->location, .pipeline = "shop", .engine = e->connection};
    delta_lake.free(f->table);
    f->table = delta_lake.open(&options, &err);
    assert_non_null(f->table);
}

static void close_with_engine(struct fixture *f, struct engine_fixture *e)
{
    delta_lake.free(take(f->table));
    engine_disconnect(&e->connection);
    engine_free(&e->engine);
}

/* Writes the file's rows: id = 0, 1, 2 ..., and a column that is not the table's. */
static void write_rows(struct fixture *f, struct engine_fixture *e, struct lake_new_file *file)
{
    struct error err = {0};
    struct buf path = {0};
    char select[128];
    (void)snprintf(select, sizeof(select),
                   "SELECT range::INTEGER AS id, 'insert' AS _change_type FROM range(%" PRIu64 ")",
                   file->row_count);
    assert_true(store_stage(f->table->store, file->path, &path, &err));
    struct engine_parquet parquet = {.path = buf_text(&path)};
    assert_true(
        engine_write_parquet(e->connection, select, &parquet, &file->row_count, &file->size, &err));
    assert_true(store_publish(f->table->store, &file->path, 1, &err));
    buf_release(&path);
}

static void assert_wide(struct fixture *f, struct engine_fixture *e, uint32_t slot)
{
    struct error err = {0};
    struct buf path = {0};
    struct buf sql = {0};
    struct buf out = {0};
    assert_true(store_fetch(f->table->store, lake_table_file(f->table, slot)->path, &path, &err));
    buf_append_text(&sql, "SELECT any_value(typeof(id)) || min(id = file_row_number) || "
                          "any_value(_change_type) FROM read_parquet(");
    engine_append_path(buf_text(&path), &sql);
    buf_append_text(&sql, ", file_row_number = true)");
    if (!engine_query_text(e->connection, buf_text(&sql), &out, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(buf_text(&out), "BIGINTtrueinsert");
    buf_release(&path);
    buf_release(&sql);
    buf_release(&out);
}

static void a_wider_type_rewrites_files_and_leaves_rows_in_their_places(void **state)
{
    struct fixture *f = *state;
    struct engine_fixture e;
    struct error err = {0};
    open_with_engine(f, &e);
    struct lake_new_file files[2] = {fixture_file(f, 5000), fixture_file(f, 100)};
    struct lake_commit commit = fixture_commit(f);
    uint32_t slots[2];
    write_rows(f, &e, &files[0]);
    write_rows(f, &e, &files[1]);
    commit.files = files;
    commit.file_count = 2;
    assert_true(delta_lake.commit(f->table, &commit, slots, &err));
    assert_true(fixture_delete(f, slots[0], 10, 20, &err));

    struct schema *wider = schema_new(3);
    wider->columns[0] = f->schema->columns[0];
    wider->columns[1] = f->schema->columns[1];
    wider->columns[2] =
        (struct schema_column){.name = "b", .type = {.kind = TYPE_BOOL}, .nullable = true};
    wider->columns[0].type.kind = TYPE_INT64;
    schema_seal(wider);
    roaring_bitmap_t *deleted = roaring_bitmap_from_range(10, 30, 1);
    struct lake_new_vector vector = {.slot = slots[0], .deleted = deleted, .deleted_count = 20};
    commit = fixture_commit(f);
    commit.schema = wider;
    commit.vectors = &vector;
    commit.vector_count = 1;
    if (!delta_lake.commit(f->table, &commit, NULL, &err)) {
        fail_msg("%s", err.message);
    }
    roaring_bitmap_free(deleted);
    assert_int_equal(f->table->snapshot.version, 4); /* the change of type has its own */
    assert_true(schema_equal(f->table->snapshot.schema, wider));
    assert_int_equal(lake_table_file(f->table, slots[0])->deleted_count, 20);
    assert_wide(f, &e, slots[0]);
    assert_wide(f, &e, slots[1]);
    assert_reopened_is_equal(f);
    schema_release(wider);
    close_with_engine(f, &e);
}

static void a_type_is_not_narrowed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct schema *other = schema_new(2);
    other->columns[0] = f->schema->columns[0];
    other->columns[1] = f->schema->columns[1];
    other->columns[0].type.kind = TYPE_INT16;
    schema_seal(other);
    struct lake_commit commit = fixture_commit(f);
    commit.schema = other;
    assert_false(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    schema_release(other);
}

/* --- other writers --- */

#define COMPACTION                                                                       \
    "{\"commitInfo\":{\"operation\":\"OPTIMIZE\"}}\n"                                    \
    "{\"add\":{\"path\":\"p=x/c.parquet\",\"partitionValues\":{\"p\":\"x\"},\"size\":1," \
    "\"modificationTime\":1,\"dataChange\":false,\"stats\":\"{\\\"numRecords\\\":1}\"}}\n"
#define APPEND                                                                           \
    "{\"commitInfo\":{\"operation\":\"WRITE\"}}\n"                                       \
    "{\"add\":{\"path\":\"p=x/d.parquet\",\"partitionValues\":{\"p\":\"x\"},\"size\":1," \
    "\"modificationTime\":1,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":1}\"}}\n"
#define HARMLESS \
    "{\"commitInfo\":{\"operation\":\"OTHER\"}}\n{\"txn\":{\"appId\":\"x\",\"version\":1}}\n"

static void a_commit_steps_aside_for_one_that_does_not_matter(void **state)
{
    struct fixture *f = *state;
    fixture_foreign(f, 1, HARMLESS);
    fixture_foreign(f, 2, HARMLESS);
    (void)fixture_add(f, 100);
    assert_int_equal(f->table->snapshot.version, 3);
    assert_int_equal(f->table->snapshot.record.version, 3);
    assert_reopened_is_equal(f);
}

static void after_a_foreign_compaction_the_commit_is_planned_again(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    bool changed = false;
    uint32_t a = fixture_add(f, 100);
    fixture_foreign(f, 2, COMPACTION);
    assert_false(fixture_delete(f, a, 0, 5, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "OPTIMIZE"));

    err = (struct error){0};
    assert_true(delta_lake.refresh(f->table, &changed, &err));
    assert_true(changed);
    assert_true(fixture_delete(f, a, 0, 5, &err));
    assert_reopened_is_equal(f);

    struct store_entries left = {0}; /* the vectors of the attempt that lost are gone */
    assert_true(store_list(f->table->store, "", "deletion_vector_", &left, &err));
    size_t vectors = 0;
    for (size_t i = 0; i < left.count; i++) {
        vectors += strncmp(left.items[i].name, "deletion_vector_", 16) == 0;
    }
    assert_int_equal(vectors, 1);
    store_entries_release(&left);
}

static void assert_lost_to(struct fixture *f, const char *text, const char *named)
{
    struct error err = {0};
    struct lake_commit commit = fixture_commit(f);
    fixture_foreign(f, f->table->snapshot.version + 1, text);
    assert_false(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, named));
}

static void foreign_rows_stop_a_commit(void **state)
{
    assert_lost_to(*state, APPEND, "version 1 (WRITE)");
}

static void foreign_metadata_stops_a_commit(void **state)
{
    assert_lost_to(*state,
                   "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{}\"}}\n"
                   "{\"commitInfo\":{\"operation\":\"SET\"}}\n",
                   "version 1 (SET)");
}

static void a_second_instance_stops_the_first(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_table *first = f->table;
    (void)fixture_add(f, 1);
    f->table = fixture_open(f, "shop", &err);
    assert_non_null(f->table);
    struct position from = first->snapshot.record.position;
    (void)fixture_add(f, 2);

    struct lake_commit commit = fixture_commit(f);
    commit.from = from;
    assert_false(delta_lake.commit(first, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "another instance"));
    err = (struct error){0};
    bool changed = false;
    assert_false(delta_lake.refresh(first, &changed, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    delta_lake.free(first);
}

static int64_t txn_version(const struct lake_table *lake)
{
    const struct delta_table *t = (const struct delta_table *)lake;
    const struct delta_txn *txn = map_get(&t->state.txns, str_from("leat.shop"));
    assert_non_null(txn);
    return txn->version;
}

static void a_position_that_is_a_set_has_the_epoch_as_transaction_version(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 1);
    assert_int_equal(txn_version(f->table), f->table->snapshot.record.position.integer);
    struct lake_commit commit = {.operation = "HEARTBEAT", .record = fixture_record(0)};
    commit.from = f->table->snapshot.record.position;
    commit.record.position = gtids(SERVER_A ":1-5:7");
    commit.record.complete = gtids(SERVER_A ":1-5");
    commit.record.epoch = 12;
    assert_true(delta_lake.commit(f->table, &commit, NULL, &err));
    struct lake_table *again = fixture_open(f, "shop", &err);
    assert_non_null(again);
    assert_position(again->snapshot.record.position, SERVER_A ":1-5:7");
    assert_position(again->snapshot.record.complete, SERVER_A ":1-5");
    assert_int_equal(txn_version(again), 12);
    delta_lake.free(again);
}

static void another_pipeline_keeps_its_own_record(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 1);
    struct lake_table *other = fixture_open(f, "second", &err);
    assert_non_null(other);
    assert_false(other->snapshot.has_record);
    struct lake_commit commit = {.operation = "LOAD", .record = fixture_record(5)};
    assert_true(delta_lake.commit(other, &commit, NULL, &err));
    assert_true(other->snapshot.has_record);
    (void)fixture_add(f, 2); /* it changed no rows */
    assert_int_equal(f->table->snapshot.version, 3);
    assert_reopened_is_equal(f);
    delta_lake.free(other);
}

static void a_table_that_vanishes_does_not_come_back_headless(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    (void)fixture_add(f, 1);
    temporary_remove(f->location);
    struct lake_commit commit = fixture_commit(f);
    assert_false(delta_lake.commit(f->table, &commit, NULL, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_false(file_exists(f->location));
}

/* --- outcomes that are not known --- */

enum fault {
    FAULT_DONE_BUT_UNKNOWN,
    FAULT_NOTHING_BUT_UNKNOWN,
    FAULT_ANSWER_AND_READ_LOST,
    FAULT_FULL
};

/* Fails the next creation of an object, and passes everything else on. */
struct faulty_store {
    struct store base;
    struct store *inner;
    enum fault fault;
    bool armed;
    bool unreadable;
};

static bool faulty_get(struct store *s, const char *key, size_t size_max, struct buf *out,
                       struct error *err)
{
    struct faulty_store *f = (struct faulty_store *)s;
    return f->unreadable ? error_set(err, ERROR_RETRY, "no answer")
                         : store_get(f->inner, key, size_max, out, err);
}

static bool faulty_put_if_absent(struct store *s, const char *key, struct str data,
                                 struct error *err)
{
    struct faulty_store *f = (struct faulty_store *)s;
    if (!f->armed) {
        return store_put_if_absent(f->inner, key, data, err);
    }
    f->armed = false;
    if (f->fault == FAULT_FULL) {
        return error_set(err, ERROR_RETRY, "disk full");
    }
    if (f->fault != FAULT_NOTHING_BUT_UNKNOWN && !store_put_if_absent(f->inner, key, data, err)) {
        return false;
    }
    f->unreadable = f->fault == FAULT_ANSWER_AND_READ_LOST;
    return error_set(err, ERROR_UNKNOWN, "no answer");
}

static bool faulty_put(struct store *s, const char *key, struct str data, struct error *err)
{
    return store_put(((struct faulty_store *)s)->inner, key, data, err);
}

static bool faulty_publish(struct store *s, const char *const *keys, size_t count,
                           struct error *err)
{
    return store_publish(((struct faulty_store *)s)->inner, keys, count, err);
}

static bool faulty_fetch(struct store *s, const char *key, struct buf *path, struct error *err)
{
    return store_fetch(((struct faulty_store *)s)->inner, key, path, err);
}

static const struct store_type faulty_type = {.get = faulty_get,
                                              .put = faulty_put,
                                              .put_if_absent = faulty_put_if_absent,
                                              .publish = faulty_publish,
                                              .fetch = faulty_fetch};

static bool commit_with_fault(struct fixture *f, enum fault fault, struct lake_commit *commit,
                              struct error *err)
{
    struct faulty_store store = {
        .base.type = &faulty_type, .inner = f->table->store, .fault = fault, .armed = true};
    *commit = fixture_commit(f);
    f->table->store = &store.base;
    bool ok = delta_lake.commit(f->table, commit, NULL, err);
    f->table->store = store.inner;
    return ok;
}

static void a_commit_whose_answer_was_lost_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct lake_commit commit;
    struct error err = {0};
    assert_true(commit_with_fault(f, FAULT_DONE_BUT_UNKNOWN, &commit, &err));
    assert_int_equal(f->table->snapshot.version, 1);
    assert_reopened_is_equal(f);
}

static void a_commit_that_never_arrived_is_sent_again(void **state)
{
    struct fixture *f = *state;
    struct lake_commit commit;
    struct error err = {0};
    assert_true(commit_with_fault(f, FAULT_NOTHING_BUT_UNKNOWN, &commit, &err));
    assert_int_equal(f->table->snapshot.version, 1);
    assert_reopened_is_equal(f);
}

static void what_cannot_be_read_back_stays_unknown_until_a_refresh_tells(void **state)
{
    struct fixture *f = *state;
    struct lake_commit commit;
    struct error err = {0};
    bool changed = false;
    assert_false(commit_with_fault(f, FAULT_ANSWER_AND_READ_LOST, &commit, &err));
    assert_int_equal(err.kind, ERROR_UNKNOWN);
    assert_int_equal(f->table->snapshot.version, 0);
    char before[UUID_TEXT_SIZE];
    memcpy(before, f->table->snapshot.record.txn_id, sizeof(before));

    err = (struct error){0};
    assert_true(delta_lake.refresh(f->table, &changed, &err));
    assert_int_equal(f->table->snapshot.version, 1);
    assert_string_not_equal(f->table->snapshot.record.txn_id, before);
    assert_string_equal(f->table->snapshot.record.txn_id, commit.record.txn_id);
    assert_reopened_is_equal(f);
}

static void a_full_disk_leaves_the_table_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct lake_commit commit;
    struct error err = {0};
    assert_false(commit_with_fault(f, FAULT_FULL, &commit, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_reopened_is_equal(f);
    (void)fixture_add(f, 1);
}

/* --- is it the table we left? --- */

struct left {
    char table_id[UUID_TEXT_SIZE];
    char txn_id[UUID_TEXT_SIZE];
    struct lake_expectation expected;
};

static void remember(const struct fixture *f, struct left *left)
{
    const struct lake_snapshot *s = &f->table->snapshot;
    memcpy(left->table_id, s->table_id, sizeof(left->table_id));
    memcpy(left->txn_id, s->record.txn_id, sizeof(left->txn_id));
    left->expected = (struct lake_expectation){
        .table_id = left->table_id, .version = s->record.version, .txn_id = left->txn_id};
}

/* NULL: the check passes; else what the message says. */
static void assert_check(const struct fixture *f, const struct lake_expectation *expected,
                         const char *named)
{
    struct error err = {0};
    struct lake_table *t = fixture_open(f, "shop", &err);
    assert_non_null(t);
    bool ok = delta_lake.check(t, expected, &err);
    assert_int_equal(ok, named == NULL);
    if (named) {
        assert_int_equal(err.kind, ERROR_LOST);
        if (!strstr(err.message, named)) {
            fail_msg("%s", err.message);
        }
    }
    delta_lake.free(t);
}

static void a_table_as_we_left_it_passes(void **state)
{
    struct fixture *f = *state;
    struct left left;
    assert_check(f, &(struct lake_expectation){0}, NULL);
    (void)fixture_add(f, 1);
    remember(f, &left);
    assert_check(f, &left.expected, NULL);
    (void)fixture_add(f, 1); /* committed, and then there was no time to remember it */
    assert_check(f, &left.expected, NULL);
    fixture_foreign(f, 3, COMPACTION);
    fixture_foreign(f, 4, HARMLESS);
    assert_check(f, &left.expected, NULL);
}

static void foreign_rows_are_noticed(void **state)
{
    struct fixture *f = *state;
    struct left left;
    (void)fixture_add(f, 1);
    remember(f, &left);
    fixture_foreign(f, 2, COMPACTION);
    fixture_foreign(f, 3, APPEND);
    assert_check(f, &left.expected, "version 3 (WRITE)");
    assert_check(f, &(struct lake_expectation){0}, "version 3 (WRITE)");
}

static void a_table_rolled_back_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct left left;
    (void)fixture_add(f, 1);
    (void)fixture_add(f, 2);
    remember(f, &left);
    fixture_remove_commit(f, 2);
    assert_check(f, &left.expected, "rolled back");

    /* The version comes back with another content. */
    struct error err = {0};
    delta_lake.free(f->table);
    f->table = fixture_open(f, "shop", &err);
    assert_non_null(f->table);
    (void)fixture_add(f, 3);
    assert_check(f, &left.expected, "is not the commit we made");
    (void)fixture_add(f, 4);
    assert_check(f, &left.expected, "is not the commit we made");
}

static void a_table_made_anew_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct left left;
    struct error err = {0};
    remember(f, &left);
    temporary_remove(f->location);
    assert_check(f, &left.expected, "is gone");
    delta_lake.free(f->table);
    f->table = fixture_open(f, "shop", &err);
    assert_non_null(f->table);
    assert_true(fixture_create(f, f->table, true, &err));
    assert_check(f, &left.expected, "another table");
}

static void a_lost_record_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct left left;
    remember(f, &left);
    fixture_foreign(f, 1,
                    "{\"domainMetadata\":{\"domain\":\"leat.shop\",\"configuration\":\"\","
                    "\"removed\":true}}\n");
    assert_check(f, &left.expected, "lost the record");
}

static void a_gap_in_the_log_is_named(void **state)
{
    struct fixture *f = *state;
    (void)fixture_add(f, 1);
    (void)fixture_add(f, 2);
    fixture_remove_commit(f, 1);
    struct error err = {0};
    assert_null(fixture_open(f, "shop", &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "commit 1"));
}

/* --- checkpoints --- */

static void a_checkpoint_replaces_the_commits_before_it(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct engine_fixture e;
    open_with_engine(f, &e);
    struct lake_options options = {
        .location = f->location, .pipeline = "shop", .engine = e.connection};
    uint32_t a = fixture_add(f, 100);
    uint32_t b = fixture_add(f, 100);
    struct left left;
    for (uint32_t i = 0; i < 48; i++) {
        assert_true(fixture_delete(f, i % 2 ? a : b, 0, i + 1, &err));
        assert_true(delta_lake.maintain(f->table, &err));
    }
    (void)fixture_add(f, 5);
    remember(f, &left);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/_delta_log/%020d.checkpoint.parquet", f->location, 49);
    assert_true(file_exists(path));
    for (int64_t i = 0; i <= 49; i++) {
        fixture_remove_commit(f, i);
    }

    struct lake_table *other = delta_lake.open(&options, &err);
    if (!other) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(other->snapshot.version, 51);
    assert_true(other->snapshot.has_record);
    assert_true(schema_equal(other->snapshot.schema, f->table->snapshot.schema));
    uint64_t rows = 0;
    uint64_t deleted = 0;
    for (uint32_t i = 0; i < other->snapshot.slot_count; i++) {
        const struct lake_file *file = lake_table_file(other, i);
        assert_non_null(file);
        assert_string_equal(file->partition[0], "a b%/");
        rows += file->row_count;
        deleted += file->deleted ? roaring_bitmap_get_cardinality(file->deleted) : 0;
    }
    assert_int_equal(rows, 205);
    assert_int_equal(deleted, 47 + 48);
    assert_true(delta_lake.check(other, &left.expected, &err));
    delta_lake.free(other);

    /* Without the hint, and with one that lies. */
    (void)snprintf(path, sizeof(path), "%s/_delta_log/_last_checkpoint", f->location);
    assert_int_equal(remove(path), 0);
    other = delta_lake.open(&options, &err);
    assert_non_null(other);
    delta_lake.free(other);
    assert_true(file_write(path, "{\"version\":50}", 14, &err));
    other = delta_lake.open(&options, &err);
    assert_non_null(other);
    delta_lake.free(other);

    close_with_engine(f, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_location(a_location_without_a_table_opens_as_none),
        test_with_location(a_table_is_made_once),
        test_with_table(commits_are_seen_by_others),
        test_with_table(a_truncate_removes_all_and_adds_what_came_after),
        test_with_table(a_commit_over_a_slot_that_is_gone_is_a_conflict),
        test_with_table(a_commit_starts_where_the_table_is),
        test_with_table(a_table_opened_for_reading_is_not_written),
        test_with_location(a_table_without_vectors_refuses_them),
        test_with_table(columns_are_added_with_a_commit),
        test_with_table(a_wider_type_rewrites_files_and_leaves_rows_in_their_places),
        test_with_table(a_type_is_not_narrowed),
        test_with_table(a_commit_steps_aside_for_one_that_does_not_matter),
        test_with_table(after_a_foreign_compaction_the_commit_is_planned_again),
        test_with_table(foreign_rows_stop_a_commit),
        test_with_table(foreign_metadata_stops_a_commit),
        test_with_table(a_second_instance_stops_the_first),
        test_with_table(a_position_that_is_a_set_has_the_epoch_as_transaction_version),
        test_with_table(another_pipeline_keeps_its_own_record),
        test_with_table(a_table_that_vanishes_does_not_come_back_headless),
        test_with_table(a_commit_whose_answer_was_lost_is_read_back),
        test_with_table(a_commit_that_never_arrived_is_sent_again),
        test_with_table(what_cannot_be_read_back_stays_unknown_until_a_refresh_tells),
        test_with_table(a_full_disk_leaves_the_table_as_it_was),
        test_with_table(a_table_as_we_left_it_passes),
        test_with_table(foreign_rows_are_noticed),
        test_with_table(a_table_rolled_back_is_noticed),
        test_with_table(a_table_made_anew_is_noticed),
        test_with_table(a_lost_record_is_noticed),
        test_with_table(a_gap_in_the_log_is_named),
        test_with_table(a_checkpoint_replaces_the_commits_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
