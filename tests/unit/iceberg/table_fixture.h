/* An Iceberg table in a filesystem catalog in a directory of its own, with real data files. */
#pragma once

#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "catalog/catalog.h"
#include "iceberg/iceberg.h"
#include "iceberg/plan.h"
#include "iceberg/table.h"
#include "temporary.h"
#include "test.h"

/* A catalog in front of another that may lie. */
struct lying_catalog {
    struct iceberg_catalog base;
    struct iceberg_catalog *real;
    enum { HONEST, COMMITS_AND_DENIES, DENIES } mode;
    int conflicts; /* so many commits are refused first, without being made */
};

struct fixture {
    char root[64];
    char directory[96]; /* of the table */
    struct arena arena;
    struct engine *engine;
    struct engine_connection *connection;
    struct lying_catalog catalog;
    struct lake_table *table;
    struct schema *schema;
    const char *partition_by; /* NULL: nothing */
    uint64_t position;        /* of the last commit */
};

static inline struct iceberg_catalog *real_of(struct iceberg_catalog *c)
{
    return ((struct lying_catalog *)c)->real;
}

static inline bool lying_load(struct iceberg_catalog *c, const struct iceberg_name *name,
                              struct iceberg_metadata **out, struct arena *a, const char **location,
                              struct error *err)
{
    return real_of(c)->type->load(real_of(c), name, out, a, location, err);
}

static inline bool lying_create(struct iceberg_catalog *c, const struct iceberg_name *name,
                                const struct iceberg_create *create, struct iceberg_metadata **out,
                                struct error *err)
{
    return real_of(c)->type->create(real_of(c), name, create, out, err);
}

static inline bool lying_commit(struct iceberg_catalog *c, const struct iceberg_name *name,
                                const struct iceberg_move *move, struct iceberg_state *to,
                                struct error *err)
{
    struct lying_catalog *l = (struct lying_catalog *)c;
    if (l->conflicts > 0) {
        l->conflicts--;
        return error_set(err, ERROR_CONFLICT, "refused");
    }
    bool is_in = l->mode == DENIES || l->real->type->commit(l->real, name, move, to, err);
    if (is_in && l->mode != HONEST) {
        iceberg_metadata_free(&to->metadata);
        free(to->location);
        *to = (struct iceberg_state){0};
        return error_set(err, ERROR_UNKNOWN, "no answer");
    }
    return is_in;
}

static const struct iceberg_catalog_type lying_type = {
    .name = "lying", .load = lying_load, .create = lying_create, .commit = lying_commit};

static const char *const fixture_levels[] = {"shop"};

static inline struct lake_options fixture_options(struct fixture *f, const char *pipeline)
{
    return (struct lake_options){.catalog = &f->catalog.base,
                                 .namespace = fixture_levels,
                                 .level_count = 1,
                                 .table = "orders",
                                 .pipeline = pipeline,
                                 .engine = f->connection};
}

static inline struct lake_table *fixture_open(struct fixture *f, const char *pipeline,
                                              struct error *err)
{
    struct lake_options options = fixture_options(f, pipeline);
    return iceberg_lake.open(&options, err);
}

static inline void fixture_close(struct lake_table *t)
{
    t->type->free(t);
}

static inline struct iceberg_table *inside(struct lake_table *t)
{
    return (struct iceberg_table *)t;
}

static inline void fixture_create(struct fixture *f)
{
    struct error err = {0};
    const char *column = NULL;
    struct lake_partition_field field = {0};
    if (f->partition_by) {
        assert_true(
            lake_partition_parse(f->partition_by, &f->arena, &field.transform, &column, &err));
        field.name = lake_partition_name(field.transform, column, &f->arena);
        field.column = (uint32_t)schema_find(f->schema, str_from(column));
    }
    struct lake_create create = {.schema = f->schema,
                                 .partition = &field,
                                 .partition_count = f->partition_by ? 1 : 0,
                                 .vectors = true,
                                 .record = {.phase = PHASE_LOADING, .load_id = "load"}};
    if (!iceberg_lake.create(f->table, &create, &err)) {
        fail_msg("%s", err.message);
    }
}

/* A file of ids first..first+rows-1, with a partition value where there is one. */
static inline struct lake_new_file fixture_file(struct fixture *f, int first, int rows,
                                                const char *part)
{
    struct error err = {0};
    struct buf path = {0};
    const struct lake_snapshot *s = &f->table->snapshot;
    const char **values = arena_zalloc(&f->arena, sizeof(*values));
    struct lake_statistics *statistics = arena_zalloc(&f->arena, 2 * sizeof(*statistics));
    values[0] = part;
    struct lake_new_file file = {.partition = values, .statistics = statistics};
    file.path = lake_data_path(&f->arena, "data/", s->partition, s->partition_count, values);
    assert_true(store_stage(f->table->store, file.path, &path, &err));
    static const char *const names[] = {"id", "p"};
    struct engine_parquet parquet = {
        .path = buf_text(&path), .field_ids = s->column_ids, .names = names, .column_count = 2};
    const char *select =
        arena_format(&f->arena, "SELECT i::INTEGER AS id, 'x' AS p FROM range(%d, %d) t(i)", first,
                     first + rows);
    if (!engine_write_parquet(f->connection, select, &parquet, &file.row_count, &file.size, &err) ||
        !store_publish(f->table->store, &file.path, 1, &err)) {
        fail_msg("%s", err.message);
    }
    buf_release(&path);
    return file;
}

/* A commit that follows the last one. */
static inline struct lake_commit fixture_commit(struct fixture *f)
{
    const struct lake_snapshot *s = &f->table->snapshot;
    f->position += 10;
    return (struct lake_commit){.operation = "STREAM",
                                .record = {.position = position_integer(f->position),
                                           .complete = position_integer(f->position),
                                           .epoch = f->position,
                                           .phase = PHASE_STREAMING,
                                           .load_id = "load",
                                           .source = "source"},
                                .from = s->has_record ? s->record.position : (struct position){0}};
}

static inline void fixture_run(struct fixture *f, struct lake_commit *commit, uint32_t *slots)
{
    struct error err = {0};
    if (!iceberg_lake.commit(f->table, commit, slots, &err)) {
        fail_msg("%s", err.message);
    }
}

static inline uint32_t fixture_add_to(struct fixture *f, int first, int rows, const char *part)
{
    struct lake_new_file file = fixture_file(f, first, rows, part);
    struct lake_commit commit = fixture_commit(f);
    uint32_t slot = UINT32_MAX;
    commit.files = &file;
    commit.file_count = 1;
    fixture_run(f, &commit, &slot);
    return slot;
}

static inline uint32_t fixture_add(struct fixture *f, int first, int rows)
{
    return fixture_add_to(f, first, rows, NULL);
}

/* Deletes rows 0..count-1 of a file, whatever was deleted before. */
static inline void fixture_delete(struct fixture *f, uint32_t slot, uint32_t count)
{
    roaring_bitmap_t *deleted = roaring_bitmap_from_range(0, count, 1);
    struct lake_new_vector vector = {.slot = slot, .deleted = deleted, .deleted_count = count};
    struct lake_commit commit = fixture_commit(f);
    commit.vectors = &vector;
    commit.vector_count = 1;
    fixture_run(f, &commit, NULL);
    roaring_bitmap_free(deleted);
}

static inline void fixture_remove(struct fixture *f, uint32_t slot)
{
    struct lake_commit commit = fixture_commit(f);
    commit.removed = &slot;
    commit.removed_count = 1;
    fixture_run(f, &commit, NULL);
}

/* The metadata file of the highest number, and that number. */
static inline json_t *fixture_metadata(const struct fixture *f, int *number)
{
    char path[160];
    *number = 0;
    for (int i = 1; i < 1000; i++) {
        (void)snprintf(path, sizeof(path), "%s/metadata/v%d.metadata.json", f->directory, i);
        *number = file_exists(path) ? i : *number;
    }
    (void)snprintf(path, sizeof(path), "%s/metadata/v%d.metadata.json", f->directory, *number);
    json_t *found = json_load_file(path, 0, NULL);
    assert_non_null(found);
    return found;
}

static inline void fixture_put(const struct fixture *f, int number, const json_t *metadata)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/metadata/v%d.metadata.json", f->directory, number);
    assert_int_equal(json_dump_file(metadata, path, JSON_COMPACT), 0);
}

/* Another program commits a snapshot of this operation: of the files that a manifest list names;
 * NULL: of those that the newest one has. Returns its id. */
static inline int64_t fixture_foreign_of(const struct fixture *f, const char *operation,
                                         const char *list)
{
    int number = 0;
    json_t *m = fixture_metadata(f, &number);
    json_t *all = json_object_get(m, "snapshots");
    json_t *s = json_deep_copy(json_array_get(all, json_array_size(all) - 1));
    int64_t sequence = json_integer_value(json_object_get(m, "last-sequence-number")) + 1;
    int64_t id = 1000 + sequence;
    (void)json_object_set(s, "parent-snapshot-id", json_object_get(s, "snapshot-id"));
    (void)json_object_set_new(s, "snapshot-id", json_integer(id));
    (void)json_object_set_new(s, "sequence-number", json_integer(sequence));
    (void)json_object_set_new(s, "summary", json_pack("{s:s}", "operation", operation));
    if (list) {
        (void)json_object_set_new(s, "manifest-list", json_string(list));
    }
    (void)json_array_append_new(all, s);
    (void)json_object_set_new(m, "last-sequence-number", json_integer(sequence));
    (void)json_object_set_new(m, "current-snapshot-id", json_integer(id));
    json_t *log = json_object_get(m, "metadata-log");
    (void)json_array_append_new(
        log, json_pack("{s:I, s:o}", "timestamp-ms", (json_int_t)1, "metadata-file",
                       json_sprintf("file://%s/metadata/v%d.metadata.json", f->directory, number)));
    (void)json_object_set_new(
        m, "refs",
        json_pack("{s:{s:I, s:s}}", "main", "snapshot-id", (json_int_t)id, "type", "branch"));
    fixture_put(f, number + 1, m);
    json_decref(m);
    return id;
}

static inline int64_t fixture_foreign(const struct fixture *f, const char *operation)
{
    return fixture_foreign_of(f, operation, NULL);
}

static inline void fixture_write(struct fixture *f, const char *key, struct str data)
{
    struct error err = {0};
    if (!store_put(f->table->store, key, data, &err)) {
        fail_msg("%s", err.message);
    }
}

/* Another program's delete file that is about no single file: `select` gives file_path and pos. */
static inline struct iceberg_entry fixture_delete_file(struct fixture *f, const char *select)
{
    static int number;
    struct error err = {0};
    struct buf path = {0};
    struct iceberg_table *t = inside(f->table);
    uint64_t rows = 0;
    uint64_t size = 0;
    const char *key = arena_format(&f->arena, "data/foreign-%d.parquet", number++);
    static const char *const names[] = {"file_path", "pos"};
    static const int32_t ids[] = {2147483546, 2147483545};
    assert_true(store_stage(f->table->store, key, &path, &err));
    const struct engine_parquet parquet = {
        .path = buf_text(&path), .field_ids = ids, .names = names, .column_count = 2};
    if (!engine_write_parquet(f->connection, select, &parquet, &rows, &size, &err) ||
        !store_publish(f->table->store, &key, 1, &err)) {
        fail_msg("%s", err.message);
    }
    buf_release(&path);
    return (struct iceberg_entry){
        .status = ICEBERG_ADDED,
        .sequence_number = -1,
        .file_sequence_number = -1,
        .snapshot_id = -1,
        .spec_id = t->metadata->spec->id,
        .file = {.content = ICEBERG_POSITION_DELETES,
                 .path = arena_format(&f->arena, "%s/%s", t->metadata->location, key),
                 .format = "PARQUET",
                 .record_count = (int64_t)rows,
                 .size = (int64_t)size,
                 .partition = arena_zalloc(&f->arena, sizeof(struct str)),
                 .partition_count = t->metadata->spec->field_count,
                 .sort_order_id = -1,
                 .content_offset = -1,
                 .content_size = -1,
                 .first_row_id = -1}};
}

/* Another program commits these deletes beside everything that is there. */
static inline int64_t fixture_foreign_deletes(struct fixture *f, struct iceberg_entry *entries,
                                              uint32_t count)
{
    struct iceberg_table *t = inside(f->table);
    struct error err = {0};
    struct buf data = {0};
    int64_t sequence = t->metadata->last_sequence_number + 1;
    struct iceberg_manifests all = {
        .items = arena_zalloc(&f->arena, (t->manifests.count + 1) * sizeof(*all.items))};
    for (uint32_t i = 0; i < t->manifests.count; i++) {
        all.items[all.count++] = t->manifests.items[i];
    }
    const struct iceberg_manifest_write write = {.metadata = t->metadata,
                                                 .spec = t->metadata->spec,
                                                 .is_deletes = true,
                                                 .snapshot_id = 1000 + sequence,
                                                 .sequence_number = sequence};
    const struct iceberg_entries list = {.items = entries, .count = count};
    struct iceberg_manifest *m = &all.items[all.count++];
    if (!iceberg_manifest_encode(&list, &write, &f->arena, &data, m, &err)) {
        fail_msg("%s", err.message);
    }
    const char *key = arena_format(&f->arena, "metadata/foreign-%d.avro", (int)sequence);
    fixture_write(f, key, buf_str(&data));
    m->path = arena_format(&f->arena, "%s/%s", t->metadata->location, key);
    m->sequence_number = sequence;
    buf_clear(&data);
    if (!iceberg_manifest_list_encode(&all, 1000 + sequence, t->metadata->current->id, sequence,
                                      &data, &err)) {
        fail_msg("%s", err.message);
    }
    key = arena_format(&f->arena, "metadata/snap-foreign-%d.avro", (int)sequence);
    fixture_write(f, key, buf_str(&data));
    buf_release(&data);
    return fixture_foreign_of(f, "delete",
                              arena_format(&f->arena, "%s/%s", t->metadata->location, key));
}

/* The URI of a live file. */
static inline const char *uri_of(struct fixture *f, uint32_t slot)
{
    return ((const struct iceberg_live *)lake_table_file(f->table, slot))->uri;
}

/* Another program drops all snapshots but the newest. */
static inline void fixture_expire(const struct fixture *f)
{
    int number = 0;
    json_t *m = fixture_metadata(f, &number);
    json_t *all = json_object_get(m, "snapshots");
    while (json_array_size(all) > 1) {
        (void)json_array_remove(all, 0);
    }
    fixture_put(f, number + 1, m);
    json_decref(m);
}

/* How many files below a folder of the table have names that hold `part`. */
static inline int fixture_count(struct fixture *f, const char *folder, const char *part)
{
    struct store_entries entries = {0};
    struct error err = {0};
    int count = 0;
    assert_true(store_list(f->table->store, folder, "", &entries, &err));
    for (size_t i = 0; i < entries.count; i++) {
        count += strstr(entries.items[i].name, part) != NULL;
    }
    store_entries_release(&entries);
    return count;
}

static inline const char *summary_of(const struct lake_table *t, const char *key)
{
    const struct iceberg_table *table = (const struct iceberg_table *)t;
    const char *text = iceberg_snapshot_summary(table->metadata->current, key);
    return text ? text : "";
}

static inline int fixture_set_up_by(void **state, const char *partition_by)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    assert_non_null(f);
    temporary_make(f->root);
    (void)snprintf(f->directory, sizeof(f->directory), "%s/shop/orders", f->root);
    f->partition_by = partition_by;
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(f->engine);
    f->connection = engine_connect(f->engine, &err);
    assert_non_null(f->connection);
    f->catalog.base.type = &lying_type;
    f->catalog.real = catalog_open_filesystem(f->root, &err);
    assert_non_null(f->catalog.real);
    f->schema = schema_new(2);
    f->schema->columns[0] =
        (struct schema_column){.name = "id", .type = {.kind = TYPE_INT32}, .is_key = true};
    f->schema->columns[1] =
        (struct schema_column){.name = "p", .type = {.kind = TYPE_STRING}, .nullable = true};
    schema_seal(f->schema);
    f->table = fixture_open(f, "shop", &err);
    if (!f->table) {
        fail_msg("%s", err.message);
    }
    fixture_create(f);
    *state = f;
    return 0;
}

static inline int fixture_set_up(void **state)
{
    return fixture_set_up_by(state, NULL);
}

static inline int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    fixture_close(f->table);
    schema_release(f->schema);
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    iceberg_catalog_free(&f->catalog.real);
    temporary_remove(f->root);
    arena_release(&f->arena);
    free(f);
    return 0;
}
